"""Derives which classes a configuration may construct (`_target_`), from a library's own source; never imports it.

    python tools/target_knowledge.py nemo-2.4.0/ torch-2.13.0/ …    folders that hold packages, named after the version

A class is listed where nothing that its construction, or calling it, leads to opens, loads, fetches, imports or runs
something, or takes an attribute of a module by a name that is not in the source. Followed are functions and classes of
the library, methods of the class itself along its bases, and ``super()``. What a configuration names below (`_target_`,
`target`, `cls`) is judged by itself, so that ``instantiate`` counts for nothing. A class must be so in every version
that has it. Rejected ones are printed with why.
"""

from __future__ import annotations

import ast
import builtins
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from modelsign.scan.configuration.code_keys import capability_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/targets.generated.json"
_PLACES = (
    "nemo.collections.asr.", "nemo.collections.tts.", "nemo.collections.audio.", "nemo.collections.common.",
    "nemo.collections.nlp.modules.common.", "nemo.collections.nlp.losses.", "nemo.core.optim.",
    "nemo.core.config.", "nemo.core.classes.mixins.", "torch.nn.modules.", "torch.optim.", "torchmetrics.",
)  # fmt: skip
_STARTS = ("__new__", "__init__", "__post_init__", "__init_subclass__", "__call__", "forward", "setup", "build")
_MOST = 20_000
"""Units followed for one class."""
_METHODS = frozenset({
    "from_pretrained", "restore_from", "load_from_checkpoint", "load_state_dict_from_url", "open", "read_text",
    "read_bytes", "write_text", "write_bytes", "mkdir", "makedirs", "unlink", "extractall", "hf_hub_download",
    "system", "popen", "import_module", "load_library", "tofile", "to_csv", "load_extension", "urlopen",
    "load_model", "download", "download_and_prepare",
})  # fmt: skip
_HARMLESS = (
    "logging", "nemo.utils.logging", "warnings", "sys.version_info", "sys.maxsize", "platform", "os.environ",
    "random.seed", "torch.manual_seed", "builtins.print", "builtins.map", "builtins.filter", "builtins.super",
    "builtins.type", "builtins.property", "builtins.next", "builtins.id", "copy.deepcopy", "copy.copy", "os.path",
    "functools.partial", "operator", "inspect.signature", "inspect.isclass", "types.MethodType", "inspect.isfunction",
    "builtins.hasattr", "builtins.setattr", "builtins.vars", "builtins.dir", "enum.Enum", "numba", "numpy.random.seed",
    "builtins.delattr", "torch.ops", "torch.jit.isinstance", "threading", "builtins.memoryview",
    "functools.lru_cache", "dataclasses", "torch._C._nn", "torch._C._is_any_autocast_enabled", "torch.jit.annotate",
    "torch._C._log_api_usage_once", "torch._C._get_privateuse1_backend_name", "torch.backends", "os.fspath",
    "torch.compiler.is_compiling", "functools.wraps", "builtins.getattr", "sys.stdout",
    "sys.float_info", "inspect.getfullargspec", "contextlib.contextmanager", "functools.reduce",
    "torch.utils.checkpoint.checkpoint", "gc.collect", "time.sleep", "typing", "torch.jit.is_scripting",
    "torch.jit.is_tracing", "torch.jit.fork", "torch.jit.script", "torch.jit.wait",
    "builtins.exit", "torch._dynamo.decorators.nonstrict_trace",
    "torch.distributed.is_initialized", "torch.distributed.is_available", "torch.distributed.all_reduce",
    "torch.distributed.all_gather", "torch.distributed.broadcast", "torch.distributed.get_world_size",
    "torch.distributed.get_rank", "importlib.metadata.version", "hydra.utils.instantiate", "itertools",
    "builtins.locals", "multiprocessing.Value", "multiprocessing.cpu_count",
)  # fmt: skip
"""Reviewed: with a text that a configuration can hold, calling these runs and opens nothing."""
_OUTSIDE = (
    "?", "builtins.", "torch.", "torchaudio.functional.", "torchaudio.transforms.", "torchvision.transforms.", "numpy.",
    "math.", "einops.", "random.", "re.", "collections.", "copy.", "contextlib.", "weakref.ref", "functools.", "abc.",
    "packaging.", "unicodedata.", "omegaconf.", "scipy.", "uuid.", "librosa.filters.", "librosa.util.", "string.",
    "librosa.note_to_hz", "kornia.filters.", "apex.", "torchmetrics.", "inspect.", "enum.", "pytorch_quantization.",
    "transformer_engine.", "megatron.core.", "tqdm.", "pathlib.Path", "textwrap.", "cuda.",
)  # fmt: skip
"""Where else calls may lead to: libraries that compute, as long as nothing dangerous is known of the name."""
_STOPS = frozenset({
    "torch.nn.modules.module.Module", "torch.optim.optimizer.Optimizer", "torchmetrics.metric.Metric",
    "nemo.core.classes.common.Serialization", "nemo.core.classes.common.FileIO", "nemo.core.classes.common.Typing",
    "nemo.core.classes.common.Model", "nemo.core.classes.modelPT.ModelPT",
    "nemo.collections.asr.parts.submodules.ngram_lm.ngram_lm_batched.NGramGPULanguageModel",
    "nemo.utils.logging", "nemo.utils.nemo_logging.Logger",
    "nemo.core.classes.common.typecheck", "nemo.core.classes.common.safe_instantiate",
    "nemo.core.classes.exportable.Exportable", "nemo.core.classes.exportable.ExportFormat",
    "nemo.utils.model_utils.maybe_update_config_version", "nemo.utils.model_utils.check_lib_version",
    "nemo.utils.model_utils.import_class_by_path", "nemo.utils.app_state.AppState",
})  # fmt: skip
"""Reviewed in 1.23 and 2.4: their loading and saving is called by programs, not by constructing a module. What a model
writes and loads by itself stands under keys that are told of wherever they are (``inert.json``): `chakra_profile`,
`ngram_lm_model`."""
_MODEL = "nemo.core.classes.modelPT.ModelPT"
_BASES = (
    "torch.nn.", "torch.optim.", "torch.Tensor", "torch_stft.STFT", "torch.autograd.", "torch.utils.data.",
    "abc.", "enum.", "typing.", "builtins.", "omegaconf.", "torchmetrics.", "collections.", "dataclasses.",
    "pytorch_lightning.", "lightning.",
)  # fmt: skip
_KINDS = (
    "torch.nn.Module", "torch.nn.modules.loss._Loss", "torch.optim.Optimizer", "torch.optim.optimizer.Optimizer",
    "torch.optim.lr_scheduler._LRScheduler", "torch.optim.lr_scheduler.LRScheduler", "torchmetrics.Metric",
    "nemo.core.classes.module.NeuralModule", "nemo.core.classes.loss.Loss", "abc.ABC",
)  # fmt: skip


class Unit:
    """One top-level definition and the module in which it stands."""

    def __init__(self, module: Module, node: ast.ClassDef | ast.FunctionDef) -> None:
        """Keep both; of a class its methods, by name."""
        self.module = module
        self.node = node
        body = node.body if isinstance(node, ast.ClassDef) else []
        self.methods = {item.name: item for item in body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}

    @property
    def bases(self) -> list[str]:
        """Names of the bases, as the module resolves them."""
        bases = self.node.bases if isinstance(self.node, ast.ClassDef) else []
        return [self.module.resolve(base) for base in bases]


class Module:
    """One parsed module: what its names stand for."""

    def __init__(self, name: str, tree: ast.Module, *, package: bool) -> None:
        """Collect imports and definitions, those below ``try`` and ``if`` too."""
        self.name = name
        self.links: dict[str, str] = {}
        self.stars: list[str] = []
        self.units: dict[str, Unit] = {}
        for node in ast.walk(tree):
            self._imported(node, package=package)
        for node in _toplevel(tree.body):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                self.units[node.name] = Unit(self, node)

    def _imported(self, node: ast.AST, *, package: bool) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                self.links[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom):
            parts = self.name.split(".")
            base = node.module or ""
            if node.level:
                base = ".".join([*parts[: len(parts) - node.level + package], *([base] if base else [])])
            for alias in node.names:
                if alias.name == "*":
                    self.stars.append(base)
                else:
                    self.links[alias.asname or alias.name] = f"{base}.{alias.name}"

    def resolve(self, node: ast.expr) -> str:
        """Return the full name that an expression of names and dots stands for; empty where it is none."""
        if isinstance(node, ast.Subscript):
            return self.resolve(node.value)
        if isinstance(node, ast.Attribute):
            head = self.resolve(node.value)
            return f"{head}.{node.attr}" if head else ""
        if not isinstance(node, ast.Name):
            return ""
        if node.id in self.units:
            return f"{self.name}.{node.id}"
        return self.links.get(node.id, f"?{node.id}" if not hasattr(builtins, node.id) else f"builtins.{node.id}")


def _head(node: ast.expr) -> str:
    """Return the name with which a chain of attributes begins."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _toplevel(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.Try, ast.If)):
            yield from _toplevel(node.body)
            yield from _toplevel(node.orelse)
            for handler in getattr(node, "handlers", ()):
                yield from _toplevel(handler.body)
        else:
            yield node


class Library:
    """One version of a library."""

    def __init__(self, folder: Path) -> None:
        """Parse all of it."""
        self.modules: dict[str, Module] = {}
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if package else parts)
            self.modules[name] = Module(name, ast.parse(path.read_text(encoding="utf-8")), package=package)

    def unit(self, name: str, depth: int = 0) -> tuple[str, Unit] | None:
        """Return the definition that a name leads to, through any number of re-exports."""
        module, _, short = name.rpartition(".")
        if depth > 20:  # noqa: PLR2004 - imports that go in circles
            return None
        known = self.modules.get(module)
        if known is None:  # a module that its package has imported under this name
            package, _, alias = module.rpartition(".")
            target = self.modules[package].links.get(alias) if package in self.modules else None
            return self.unit(f"{target}.{short}", depth + 1) if target else None
        if short in known.units:
            return f"{module}.{short}", known.units[short]
        for target in [known.links.get(short, ""), *(f"{star}.{short}" for star in known.stars)]:
            if target and target != name and (found := self.unit(target, depth + 1)):
                return found
        return None

    def line(self, name: str, seen: frozenset[str] = frozenset()) -> list[tuple[str, Unit | None]]:
        """Return a class and its bases in the order of look-up, roughly: depth first, each once."""
        found = self.unit(name)
        if found is None:
            return [(name, None)]
        full, unit = found
        out: list[tuple[str, Unit | None]] = [(full, unit)]
        for base in unit.bases if full not in seen else ():
            out += [one for one in self.line(base, seen | {full}) if one not in out]
        return out


class Walk:
    """What constructing one class leads to."""

    def __init__(self, library: Library, name: str) -> None:
        """Follow the class from its constructor on."""
        self.library = library
        self.acts: list[str] = []
        self._seen: set[tuple[str, ...]] = set()
        self._waiting: list[tuple[str, ...]] = [("class", name)]
        while self._waiting and len(self._seen) < _MOST:
            item = self._waiting.pop()
            if item not in self._seen:
                self._seen.add(item)
                self._follow(item)

    def _follow(self, item: tuple[str, ...]) -> None:
        if item[1] in _STOPS:
            return
        if item[0] == "class":
            line = self.library.line(item[1])
            for base, unit in line[1:]:
                if unit is None and not base.startswith((*_BASES, "?")) and base:
                    self.acts.append(f"the base {base} is not known")
            self._waiting += [("method", item[1], start, "") for start in _STARTS]
        elif item[0] == "method":
            self._method(item[1], item[2], item[3])
        elif (found := self.library.unit(item[1])) is not None:
            self._body(found[1], found[1].node, "", found[0])

    def _method(self, owner: str, name: str, after: str) -> None:
        if name.startswith("setup_") and "data" in name:  # ModelPT.__init__ leaves these out where it restores a model
            return
        line = self.library.line(owner)
        if after:
            names = [base for base, _ in line]
            line = line[names.index(after) + 1 :] if after in names else line
        for base, unit in line:
            if base in _STOPS:
                return
            if unit is not None and name in unit.methods:
                self._body(unit, unit.methods[name], owner, base)
                return

    def _body(self, unit: Unit, node: ast.AST, owner: str, place: str) -> None:
        local = {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
        local |= {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
        for call in ast.walk(node):
            if isinstance(call, ast.Call):
                self._call(unit, call, owner, place, frozenset(local))

    def _call(self, unit: Unit, call: ast.Call, owner: str, place: str, local: frozenset[str]) -> None:
        func = call.func
        if isinstance(func, ast.Attribute) and owner:
            if isinstance(func.value, ast.Name) and func.value.id in {"self", "cls"}:
                self._waiting.append(("method", owner, func.attr, ""))
                return
            if isinstance(func.value, ast.Call) and getattr(func.value.func, "id", "") == "super":
                self._waiting.append(("method", owner, func.attr, place))
                return
        name = "" if _head(func) in local else unit.module.resolve(func)
        if name.startswith("?"):  # it may come by a star import
            starred = [f"{star}.{name[1:]}" for star in unit.module.stars]
            name = next((one for one in starred if self.library.unit(one)), name)
        self._getattr(unit, call, name, place, local)
        if name and not name.startswith("?") and self._own(name):
            return
        danger = capability_of(name) if name and not name.startswith("?") else None
        if danger and not any(name == one or name.startswith(f"{one}.") for one in _HARMLESS):
            self.acts.append(f"{place}: {name} ({danger})")
        elif isinstance(func, ast.Attribute) and func.attr in _METHODS:
            self.acts.append(f"{place}: .{func.attr}()")
        elif name and not name.startswith((*_OUTSIDE, *_HARMLESS)) and not isinstance(func, ast.Subscript):
            self.acts.append(f"{place}: calls {name}")
        elif name == "builtins.open":
            self.acts.append(f"{place}: open")

    def _own(self, name: str) -> bool:
        """Follow a definition of the library, or a method of one of its classes."""
        if (found := self.library.unit(name)) is not None:
            kind = "class" if isinstance(found[1].node, ast.ClassDef) else "function"
            self._waiting.append((kind, found[0]))
            return True
        head, _, method = name.rpartition(".")
        found = self.library.unit(head)
        if found is None or not isinstance(found[1].node, ast.ClassDef) or method in _METHODS:
            return False
        self._waiting.append(("method", found[0], method, ""))
        return True

    def _getattr(self, unit: Unit, call: ast.Call, name: str, place: str, local: frozenset[str]) -> None:
        """Note an attribute of a module that the source does not name."""
        if name != "builtins.getattr" or len(call.args) < 2 or isinstance(call.args[1], ast.Constant):  # noqa: PLR2004
            return
        base = "" if _head(call.args[0]) in local else unit.module.resolve(call.args[0])
        if base and not base.startswith(("?", "torch.nn.attention.SDPBackend")):
            self.acts.append(f"{place}: getattr({base}, …)")


def _candidates(library: Library) -> Iterator[str]:
    """Yield names of classes that configurations construct, under every name by which a package exports them."""
    for name, module in library.modules.items():
        if not f"{name}.".startswith(_PLACES):
            continue
        for short in (*module.units, *(short for short in module.links if not short.startswith("_"))):
            found = library.unit(f"{name}.{short}")
            place = "torch.nn" if name == "torch.nn.modules" else name
            if found is None or capability_of(f"{place}.{short}"):
                continue
            if _is_candidate(library, short, *found):
                yield f"{place}.{short}"


def _is_candidate(library: Library, short: str, full: str, unit: Unit) -> bool:
    if not isinstance(unit.node, ast.ClassDef) or "Dataset" in short:
        return False
    line = [base for base, _ in library.line(full)]
    if _MODEL in line:
        return True
    plain = any("dataclass" in ast.unparse(one) for one in unit.node.decorator_list)
    if ".models." in full or "Model" in short:
        return False
    kinds = any(base in _KINDS or base.startswith(("torch.nn.", "torch.optim.")) for base in line[1:])
    return plain or kinds or len(line) == 1


def _judged(folder: Path) -> tuple[set[str], dict[str, str]]:
    library = Library(folder)
    walks: dict[str, list[str]] = {}
    good, bad = set(), {}
    for name in dict.fromkeys(_candidates(library)):
        found = library.unit(name)
        full = found[0] if found else name
        if full not in walks:
            walks[full] = Walk(library, full).acts
        if walks[full]:
            bad[name] = walks[full][0]
        else:
            good.add(name)
    return good, bad


def main() -> int:
    """Write the data; say which classes were left out and why."""
    good: set[str] = set()
    bad: dict[str, str] = {}
    for folder in map(Path, sys.argv[1:]):
        some, others = _judged(folder)
        good |= some
        bad |= others
        print(folder.name, len(some), "listed,", len(others), "left out")
    good -= bad.keys()
    for name, why in sorted(bad.items()):
        print("left out:", name, "—", why)
    classes: dict[str, list[str]] = defaultdict(list)
    for name in sorted(good):
        module, _, short = name.rpartition(".")
        classes[module].append(short)
    versions = ", ".join(sorted(Path(folder).name for folder in sys.argv[1:]))
    document = {
        "generator": "tools/target_knowledge.py",
        "source": f"{versions}, their source: construction and call lead to nothing that opens, loads, "
        "fetches, imports or runs",
        "classes": {module: " ".join(names) for module, names in classes.items()},
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(len(good), "names,", len(bad), "left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
