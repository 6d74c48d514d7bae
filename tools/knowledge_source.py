"""Reads the classes of a library from its source, for ``tools/knowledge.py``; parses, never imports.

A *hook* is a method or class attribute that unpickling calls or that changes what it does. Each has a digest of its
text, so that a review says which texts it was of (``knowledge_reviewed.json``): a changed hook is an unreviewed one.
"""

from __future__ import annotations

import ast
import hashlib
import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Class", "Library", "read"]

_PARTS = {
    "torch": (
        "torch/nn/__init__.py",
        "torch/nn/modules",
        "torch/nn/utils",
        "torch/optim",
        "torch/distributions",
        "torch/utils/data/__init__.py",
        "torch/utils/data/dataset.py",
        "torch/utils/data/sampler.py",
        "torch/utils/data/dataloader.py",
        "torch/utils/data/distributed.py",
        "torch/amp/__init__.py",
        "torch/amp/grad_scaler.py",
        "torch/cuda/amp/grad_scaler.py",
        "torch/ao/nn",
        "torch/ao/quantization/stubs.py",
        "torch/nn/intrinsic",
        "torch/nn/qat",
        "torch/nn/quantizable",
        "torch/nn/quantized",
        "torch/quantization/stubs.py",
    ),
    "transformers": (
        "transformers/models",
        "transformers/generation",
        "transformers/integrations",
        "transformers/distributed",
        "transformers/utils",
        "transformers/activations.py",
        "transformers/backbone_utils.py",
        "transformers/cache_utils.py",
        "transformers/configuration_utils.py",
        "transformers/modeling_layers.py",
        "transformers/modeling_rope_utils.py",
        "transformers/modeling_utils.py",
        "transformers/pytorch_utils.py",
    ),
    "ultralytics": ("ultralytics/nn", "ultralytics/utils", "ultralytics/yolo/utils"),
}
"""The folders that are read of a library, where that is not all of it."""
_ALIASES = {
    "torch.nn.Module": "torch.nn.modules.module.Module",
    "transformers.PreTrainedModel": "transformers.modeling_utils.PreTrainedModel",
    "transformers.PreTrainedConfig": "transformers.configuration_utils.PreTrainedConfig",
}
"""Names that come from a star import, which is not followed."""
_LEFT_OUT = frozenset({"tests", "testing", "externals", "conftest", "benchmarks", "_examples", "datasets"})
_BEYOND_COMPUTING = frozenset({
    "os", "subprocess", "shutil", "tempfile", "importlib", "socket", "urllib", "ctypes", "pickle", "marshal", "runpy",
    "builtins.open", "builtins.exec", "builtins.eval", "builtins.compile", "builtins.__import__", "joblib.load",
    "joblib.dump", "numpy.load", "numpy.save", "numpy.memmap", "numpy.fromfile", "torch.load", "torch.save",
    "torch.hub", "pathlib", "io.open", "codecs.open",
})  # fmt: skip
_HOOKS = frozenset({
    "__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__", "__getattr__",
    "__getattribute__", "__setattr__", "__del__", "__hash__", "__eq__", "__getinitargs__",
    "__dict__", "append", "extend", "__setitem__", "add", "_missing_",
})  # fmt: skip


class Class(NamedTuple):
    """One class definition.

    ``hooks`` maps the hooks it defines to the digests of their text. ``plain``: metaclass and decorators do nothing.
    ``computes``: its constructor and ``__call__`` do not read, write, import or run. ``slotted``: it has slots, and
    ``settable``: something in it runs when an attribute is set (a property with a setter, a descriptor).
    """

    name: str
    bases: tuple[str, ...]
    hooks: dict[str, str]
    plain: bool
    computes: bool
    slotted: bool
    settable: bool


class Library(NamedTuple):
    """One version: its classes and named tuples, and what each imported name stands for."""

    version: str
    classes: dict[str, Class]
    tuples: frozenset[str]
    links: dict[str, str]
    stars: dict[str, list[str]]
    """By module, the modules that it imports all names from."""

    def resolve(self, name: str) -> str:
        """Follow imports from module to module."""
        for _ in range(10):
            if name in self.classes:
                break
            module, _, short = name.rpartition(".")
            if name in self.links:
                name = self.links[name]
                continue
            known = [f"{star}.{short}" for star in self.stars.get(module, ()) if self._has(f"{star}.{short}")]
            if not known:
                break
            name = next((one for one in known if one in self.classes), known[-1])
        return name

    def _has(self, name: str) -> bool:
        return name in self.classes or name in self.links


def _imports(tree: ast.Module, module: str, *, package: bool) -> dict[str, str]:
    """Return what each imported name of a module stands for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            heads = {alias.name.partition(".")[0] for alias in node.names if not alias.asname}
            found |= {head: head for head in heads} | {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + (1 if package else 0)]
                base = ".".join([*kept, base] if base else kept)
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names if alias.name != "*"}
            found |= {f"*{base}": base for alias in node.names if alias.name == "*"}
    return found


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):  # Generic[T]
        return _dotted(node.value)
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "?")


class _Module:
    """One parsed module."""

    def __init__(self, text: str, module: str, *, package: bool) -> None:
        self.text = text
        self.module = module
        self.tree = ast.parse(text)
        self.imports = _imports(self.tree, module, package=package)
        self.local = {node.name for node in self.tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}

    def resolve(self, node: ast.expr) -> str:
        """Return the full name that an expression stands for."""
        name = _dotted(node)
        head, _, rest = name.partition(".")
        if head in self.local:
            return f"{self.module}.{name}"
        if head in self.imports:
            return self.imports[head] + (f".{rest}" if rest else "")
        return f"builtins.{name}"

    def classes(self, harmless: frozenset[str]) -> list[Class]:
        """Return the classes at the top of the module."""
        return [self._class(node, harmless) for node in self.tree.body if isinstance(node, ast.ClassDef)]

    def tuples(self) -> list[str]:
        """Return the names that ``collections.namedtuple`` is assigned to."""
        return [
            f"{self.module}.{target.id}"
            for node in self.tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            for target in node.targets
            if isinstance(target, ast.Name) and self.resolve(node.value.func) == "collections.namedtuple"
            if _first_text(node.value) == target.id
        ]

    def _class(self, node: ast.ClassDef, harmless: frozenset[str]) -> Class:
        members = {name: item for item in node.body for name in _defined(item)}
        hooks = {name: self._digest(item) for name, item in members.items() if name in _HOOKS and not _is_none(item)}
        metaclass = {self.resolve(word.value) for word in node.keywords if word.arg == "metaclass"}
        decorators = {self.resolve(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list}
        return Class(
            name=f"{self.module}.{node.name}",
            bases=tuple(self.resolve(base) for base in node.bases),
            hooks=hooks,
            plain=metaclass | decorators <= harmless,
            computes=self._computes(node),
            slotted="__slots__" in members,
            settable=any(_runs_when_set(item) for item in members.values()),
        )

    def _digest(self, item: ast.stmt) -> str:
        lines = self.text.splitlines()[item.lineno - 1 : item.end_lineno]
        text = textwrap.dedent("\n".join(line.rstrip() for line in lines))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _computes(self, node: ast.ClassDef) -> bool:
        called = {
            self.resolve(call.func)
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name in {"__init__", "__post_init__", "__call__"}
            for call in ast.walk(item)
            if isinstance(call, ast.Call)
        }
        return not any(name.startswith(f"{one}.") or name == one for name in called for one in _BEYOND_COMPUTING)


def _first_text(call: ast.Call) -> object:
    return call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None


def _defined(item: ast.stmt) -> list[str]:
    if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return [item.name]
    if isinstance(item, ast.Assign):
        return [target.id for target in item.targets if isinstance(target, ast.Name)]
    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value:
        return [item.target.id]
    return []


def _is_none(item: ast.stmt) -> bool:
    """Say whether a hook is switched off: ``__hash__ = None``."""
    return isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant) and item.value.value is None


def _runs_when_set(item: ast.stmt) -> bool:
    if isinstance(item, ast.FunctionDef):
        return any(isinstance(one, ast.Attribute) and one.attr == "setter" for one in item.decorator_list)
    return isinstance(item, ast.Assign) and isinstance(item.value, ast.Call)


def read(library: str, packages: Path, version: str, harmless: frozenset[str]) -> Library:
    """Return a library in a folder of packages; ``harmless`` are metaclasses and decorators that do nothing."""
    classes: dict[str, Class] = {}
    links = dict(_ALIASES)
    tuples: set[str] = set()
    stars: dict[str, list[str]] = {}
    places = [path for path in map(packages.joinpath, _PARTS.get(library, (library,))) if path.exists()]
    for path in sorted(path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))):
        parts = path.relative_to(packages).with_suffix("").parts
        if not _LEFT_OUT.isdisjoint(parts):
            continue
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        module = _Module(path.read_text(encoding="utf-8"), name, package=parts[-1] == "__init__")
        classes |= {one.name: one for one in module.classes(harmless)}
        tuples |= set(module.tuples())
        links |= {f"{name}.{short}": target for short, target in module.imports.items() if short[0] != "*"}
        stars[name] = [target for short, target in module.imports.items() if short[0] == "*"]
    return Library(version, classes, frozenset(tuples), links, stars)
