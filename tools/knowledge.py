"""Derives which classes of a library take state alone, from the library's source, and writes them as data.

A class is listed when unpickling an instance runs nothing but ``cls.__new__(cls)`` and an update of its
``__dict__``: neither the class nor any of its bases defines one of the hooks that unpickling calls, or the hook
has been reviewed (``_REVIEWED``). Functions are never listed, nor classes with a base that cannot be resolved, nor
those whose constructor or ``__call__`` reads, writes, imports or runs: what is stored might be called.
The source is parsed, never imported. ``--check`` fails where the data is stale for the installed version.

    python tools/knowledge.py sklearn
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import importlib.util
import json
import sys
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).parent.parent / "src/modelsign/scan/knowledge/allowed"
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
_PARTS = {
    "torch": (
        "torch/nn/modules",
        "torch/nn/utils",
        "torch/optim",
        "torch/distributions",
        "torch/utils/data/dataset.py",
        "torch/utils/data/sampler.py",
    )
}
"""The folders that are read of a library, where that is not all of it."""
_TAGS = {
    # keeps two of its own methods as hooks until the first call
    "torch.nn.modules.lazy.LazyModuleMixin": ("attribute:_infer_parameters", "attribute:_lazy_load_hook"),
    # their reviewed __setstate__ calls methods of the instance, which its own attributes might hide
    "sklearn.isotonic.IsotonicRegression": ("calls-own-methods",),
    "torch.nn.modules.rnn.RNNBase": ("calls-own-methods",),
    "torch.optim.optimizer.Optimizer": ("calls-own-methods",),
}
"""What the machine must know of instances of a class and of those under it (``machine.judge``, ``machine.special``)."""
_ITEMS = frozenset({"append", "extend", "add", "__setitem__"})
"""Hooks of items, which the entries do not allow: for libraries whose containers are no builtin ones."""
_NO_ITEMS = frozenset({"torch"})
_BEYOND_COMPUTING = frozenset({
    "os", "subprocess", "shutil", "tempfile", "importlib", "socket", "urllib", "ctypes", "pickle", "marshal", "runpy",
    "builtins.open", "builtins.exec", "builtins.eval", "builtins.compile", "builtins.__import__", "joblib.load",
    "joblib.dump", "numpy.load", "numpy.save", "numpy.memmap", "numpy.fromfile", "torch.load", "torch.save",
    "torch.hub", "pathlib", "io.open", "codecs.open",
})  # fmt: skip
_HOOKS = frozenset({
    "__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__", "__getattr__",
    "__getattribute__", "__setattr__", "__del__", "__hash__", "__eq__", "__init_subclass__", "__getinitargs__",
    "__dict__", "__slots__", "append", "extend", "__setitem__", "add",
})  # fmt: skip
_REVIEWED: dict[str, frozenset[str]] = {
    # warns about versions, then object's own behaviour
    "sklearn.base.BaseEstimator": frozenset({"__setstate__"}),
    # casts the node array to today's layout
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": frozenset({"__setstate__"}),
    # builds its interpolation function from its own thresholds again
    "sklearn.isotonic.IsotonicRegression": frozenset({"__setstate__"}),
    # compare their parameters
    "sklearn.gaussian_process.kernels.Kernel": frozenset({"__eq__"}),
    "sklearn.gaussian_process.kernels.KernelOperator": frozenset({"__eq__"}),
    "sklearn.gaussian_process.kernels.Exponentiation": frozenset({"__eq__"}),
    "sklearn.gaussian_process.kernels.CompoundKernel": frozenset({"__eq__"}),
    # metadata routing adds methods to subclasses when they are defined, not when they are unpickled
    "sklearn.utils._metadata_requests._MetadataRequester": frozenset({"__init_subclass__"}),
    # makes composite requests from its own simple ones
    "sklearn.utils._metadata_requests.MetadataRequest": frozenset({"__getattr__"}),
    "sklearn.utils._set_output._SetOutputMixin": frozenset({"__init_subclass__"}),
    "sklearn.utils._bunch.Bunch": frozenset({"__setstate__", "__getattr__", "__setattr__"}),
    # updates its __dict__, fills in what older versions had not; looks attributes up in its own dicts, files them there
    "torch.nn.modules.module.Module": frozenset({"__setstate__", "__getattr__", "__setattr__"}),
    # fill in what older versions had not
    "torch.nn.modules.activation.LogSoftmax": frozenset({"__setstate__"}),
    "torch.nn.modules.activation.MultiheadAttention": frozenset({"__setstate__"}),
    "torch.nn.modules.activation.Softmax": frozenset({"__setstate__"}),
    "torch.nn.modules.activation.Softmin": frozenset({"__setstate__"}),
    "torch.nn.modules.conv._ConvNd": frozenset({"__setstate__"}),
    "torch.nn.modules.pooling.AvgPool3d": frozenset({"__setstate__"}),
    "torch.nn.modules.transformer.TransformerDecoderLayer": frozenset({"__setstate__"}),
    "torch.nn.modules.transformer.TransformerEncoderLayer": frozenset({"__setstate__"}),
    "torch.nn.modules.upsampling.Upsample": frozenset({"__setstate__"}),
    # names its weights by number and finds them among its attributes; keeps the list of weights in step
    "torch.nn.modules.rnn.RNNBase": frozenset({"__setstate__", "__setattr__"}),
    # update their __dict__, fill in options that older versions had not, turn counts of steps into tensors
    **{
        f"torch.optim.{name}": frozenset({"__setstate__"})
        for name in (
            "optimizer.Optimizer",
            "_adafactor.Adafactor",
            "adadelta.Adadelta",
            "adagrad.Adagrad",
            "adam.Adam",
            "adamax.Adamax",
            "adamw.AdamW",
            "asgd.ASGD",
            "nadam.NAdam",
            "radam.RAdam",
            "rmsprop.RMSprop",
            "rprop.Rprop",
            "sgd.SGD",
        )
    },
}
_HARMLESS_BASES = frozenset(
    {
        "builtins.object",
        "abc.ABC",
        "builtins.dict",
        "builtins.list",
        "collections.UserDict",
        "collections.UserList",
        "typing.Generic",
    }
)
_ALIASES = {"torch.nn.Module": "torch.nn.modules.module.Module"}
"""Names that come from a star import, which is not followed."""
_HARMLESS_METACLASSES = frozenset({"abc.ABCMeta"})
_HARMLESS_DECORATORS = frozenset({
    "dataclasses.dataclass", "functools.total_ordering",
    # warn, then object's own behaviour
    "sklearn.utils.deprecated", "sklearn.utils.deprecation.deprecated", "typing_extensions.deprecated",
})  # fmt: skip


class Class(NamedTuple):
    """One class definition: its name, its bases' names, the hooks it defines, whether metaclass and calls are plain."""

    name: str
    bases: tuple[str, ...]
    hooks: frozenset[str]
    plain: bool
    computes: bool


def _imports(tree: ast.Module, module: str, *, package: bool) -> dict[str, str]:
    """Return what each imported name of a module stands for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + (1 if package else 0)]
                base = ".".join([*kept, base] if base else kept)
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    return found


def _dotted(node: ast.expr) -> str:
    """Return a dotted name as it is written; of ``Generic[T]`` what stands before the bracket."""
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "?")


def _resolve(name: str, module: str, local: set[str], imports: dict[str, str]) -> str:
    head, _, rest = name.partition(".")
    if head in local:
        return f"{module}.{name}"
    if head in imports:
        return imports[head] + (f".{rest}" if rest else "")
    return f"builtins.{name}"


def _classes(path: Path, module: str) -> tuple[list[Class], dict[str, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = _imports(tree, module, package=path.name == "__init__.py")
    definitions = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    local = {node.name for node in definitions}
    found = []
    for node in definitions:
        names = {item.name for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}
        names |= {
            target.id
            for item in node.body
            if isinstance(item, ast.Assign)
            for target in item.targets
            if isinstance(target, ast.Name)
        }
        names |= {
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value
        }
        metaclass = [
            _resolve(_dotted(word.value), module, local, imports) for word in node.keywords if word.arg == "metaclass"
        ]
        decorators = [
            _resolve(_dotted(one.func if isinstance(one, ast.Call) else one), module, local, imports)
            for one in node.decorator_list
        ]
        plain = set(metaclass) <= _HARMLESS_METACLASSES and set(decorators) <= _HARMLESS_DECORATORS
        called = {
            _resolve(_dotted(call.func), module, local, imports)
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name in {"__init__", "__post_init__", "__call__"}
            for call in ast.walk(item)
            if isinstance(call, ast.Call)
        }
        computes = not any(name.startswith(f"{one}.") or name == one for name in called for one in _BEYOND_COMPUTING)
        bases = tuple(_resolve(_dotted(base), module, local, imports) for base in node.bases)
        found.append(Class(f"{module}.{node.name}", bases, frozenset(names & _HOOKS), plain, computes))
    return found, {f"{module}.{name}": target for name, target in imports.items()}


def _read(library: str) -> tuple[dict[str, Class], dict[str, str]]:
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{library} is not installed")
    root = Path(spec.submodule_search_locations[0])
    classes: dict[str, Class] = {}
    links = dict(_ALIASES)
    places = [root.parent / part for part in _PARTS.get(library, (library,))]
    paths = [path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))]
    for path in sorted(paths):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if "tests" in parts or "externals" in parts or "conftest" in parts:
            continue
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found, imported = _classes(path, module)
        classes |= {one.name: one for one in found}
        links |= imported
    return classes, links


def _proven(name: str, classes: dict[str, Class], links: dict[str, str], seen: frozenset[str] = frozenset()) -> bool:
    """Say whether a class and all its bases take state alone."""
    for _ in range(10):
        if name in classes or name in _HARMLESS_BASES or name not in links:
            break
        name = links[name]
    if name in _HARMLESS_BASES:
        return True
    one = classes.get(name)
    if one is None or name in seen or not one.plain or not one.computes:
        return False
    items = _ITEMS if name.partition(".")[0] in _NO_ITEMS else frozenset()
    if not one.hooks <= _REVIEWED.get(name, frozenset()) | items:
        return False
    return all(_proven(base, classes, links, seen | {name}) for base in one.bases)


def _tags(name: str, classes: dict[str, Class], links: dict[str, str]) -> frozenset[str]:
    """Return the tags of a proven class and all its bases."""
    while name not in classes and name in links:
        name = links[name]
    bases = classes[name].bases if name in classes else ()
    return frozenset(_TAGS.get(name, ())).union(*(_tags(base, classes, links) for base in bases))


def document(library: str) -> dict[str, object]:
    """Return the data for one library, as installed."""
    classes, links = _read(library)
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(classes):
        if _proven(name, classes, links):
            groups.setdefault(tuple(sorted(_tags(name, classes, links))), []).append(name)
    version = importlib.metadata.version(_DISTRIBUTIONS.get(library, library)).partition("+")[0]
    return {
        "library": library,
        "generator": "tools/knowledge.py",
        "groups": [
            {
                "source": f"{library} {version}, its source: no hook of unpickling but reviewed ones, in no base",
                "use": {"reference": True, "new": [[]], "state": "dict"} | ({"tags": list(tags)} if tags else {}),
                "names": names,
            }
            for tags, names in sorted(groups.items())
        ],
    }


def main() -> int:
    """Write or check the data of the named libraries."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="+")
    parser.add_argument("--check", action="store_true", help="fail where the data differs, write nothing")
    options = parser.parse_args()
    stale = 0
    for library in options.library:
        text = json.dumps(document(library), indent=1) + "\n"
        target = TARGET / f"{library}.generated.json"
        if options.check:
            stale += not target.exists() or target.read_text(encoding="utf-8") != text
        else:
            target.write_text(text, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
