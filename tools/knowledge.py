"""Derives which classes of a library take state alone, from the library's source, and writes them as data.

A class is listed when unpickling an instance runs nothing but ``cls.__new__(cls)`` and an update of its
``__dict__``: neither the class nor any of its bases defines one of the hooks that unpickling calls, or the hook
has been reviewed (``_REVIEWED``). Functions are never listed, nor classes with a base that cannot be resolved.
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
    "sklearn.utils._set_output._SetOutputMixin": frozenset({"__init_subclass__"}),
    "sklearn.utils._bunch.Bunch": frozenset({"__setstate__", "__getattr__", "__setattr__"}),
}
_HARMLESS_BASES = frozenset(
    {"builtins.object", "abc.ABC", "builtins.dict", "builtins.list", "collections.UserDict", "collections.UserList"}
)
_HARMLESS_METACLASSES = frozenset({"abc.ABCMeta"})


class Class(NamedTuple):
    """One class definition: its full name, the full names of its bases, the hooks it defines."""

    name: str
    bases: tuple[str, ...]
    hooks: frozenset[str]
    plain: bool


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
        metaclass = [
            _resolve(_dotted(word.value), module, local, imports) for word in node.keywords if word.arg == "metaclass"
        ]
        plain = all(name in _HARMLESS_METACLASSES for name in metaclass)
        bases = tuple(_resolve(_dotted(base), module, local, imports) for base in node.bases)
        found.append(Class(f"{module}.{node.name}", bases, frozenset(names & _HOOKS), plain))
    return found, {f"{module}.{name}": target for name, target in imports.items()}


def _read(library: str) -> tuple[dict[str, Class], dict[str, str]]:
    spec = importlib.util.find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{library} is not installed")
    root = Path(spec.submodule_search_locations[0])
    classes: dict[str, Class] = {}
    links: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
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
    if one is None or name in seen or not one.plain or not one.hooks <= _REVIEWED.get(name, frozenset()):
        return False
    return all(_proven(base, classes, links, seen | {name}) for base in one.bases)


def document(library: str) -> dict[str, object]:
    """Return the data for one library, as installed."""
    classes, links = _read(library)
    names = sorted(name for name in classes if _proven(name, classes, links))
    version = importlib.metadata.version(_DISTRIBUTIONS.get(library, library))
    return {
        "library": library,
        "generator": "tools/knowledge.py",
        "groups": [
            {
                "source": f"{library} {version}, its source: no hook of unpickling but reviewed ones, in no base",
                "use": {"reference": True, "new": [[]], "state": "dict"},
                "names": names,
            }
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
