"""The names that picklescan, fickling and modelscan call dangerous, read from their own installed source.

Their tables are literals, so the source is parsed and nothing of theirs is run. Where a tool calls a whole module
dangerous, the names are those that the module defines: read from its source too, and from ``dir`` of modules that are
built into the interpreter.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.metadata
import sys
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = ("picklescan", "fickling", "modelscan")
EVERY = "*"
ANY = "anything"
"""The name asked for in a module that is not here: the tool refuses any."""
ORDINARY = {
    "http.HTTPMethod": "an enumeration: a value is looked up",
    "http.HTTPStatus": "an enumeration: a value is looked up",
    "inspect._ParameterKind": "an enumeration: a value is looked up",
    "ssl.TLSVersion": "an enumeration: a value is looked up",
    "uuid.SafeUUID": "an enumeration: a value is looked up",
    "uuid.UUID": "sixteen bytes of its own",
}
"""Names of refused modules that are left out, with why; exceptions and fickling's own safe builtins besides."""
COUNTERPARTS = {
    "os": "posix",
    "nt": "posix",
    "io": "_io",
    "signal": "_signal",
    "threading": "_thread",
    "operator": "_operator",
    "functools": "_functools",
    "marshal": "marshal",
    "gc": "gc",
}
"""Modules of Python that take their names from one built into the interpreter."""


@dataclass
class Gadget:
    """A dangerous name, and who says so; ``exact`` where the tool names it and not just its module."""

    module: str
    name: str
    tools: set[str] = field(default_factory=set)
    exact: bool = False

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


def installed() -> dict[str, str]:
    """The tools that are installed, with their versions."""
    found = {}
    for tool in TOOLS:
        try:
            found[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def gadgets() -> list[Gadget]:
    """Every dangerous name of every installed tool, in an order that stays."""
    found: dict[tuple[str, str], Gadget] = {}
    for tool in installed():
        for module, name in _TABLES[tool]():
            for qualname in [name] if name != EVERY else members(module):
                gadget = found.setdefault((module, qualname), Gadget(module, qualname))
                gadget.tools.add(tool)
                gadget.exact |= name != EVERY
    safe = _safe_builtins() if "fickling" in installed() else set()
    return [found[key] for key in sorted(found) if found[key].exact or not _is_ordinary(*key, safe)]


def _is_ordinary(module: str, name: str, safe: set[str]) -> bool:
    """Whether a tool refuses a name only because it refuses the module, although it is plain data to everybody.

    fickling lists builtins that are harmless itself, and leaves out exceptions, which hold what they are given.
    """
    kind = getattr(builtins, name, None) if module == "builtins" else None
    exception = isinstance(kind, type) and issubclass(kind, BaseException)
    return exception or (module == "builtins" and name in safe) or f"{module}.{name}" in ORDINARY


# --- the tools' tables ------------------------------------------------------------------------


def _picklescan() -> Iterator[tuple[str, str]]:
    table = ast.literal_eval(_assigned(_tree("picklescan", "scanner.py"), "_unsafe_globals"))
    for module, names in table.items():
        yield from ((module, name) for name in ([names] if isinstance(names, str) else sorted(names)))


def _modelscan() -> Iterator[tuple[str, str]]:
    settings = _assigned(_tree("modelscan", "settings.py"), "DEFAULT_SETTINGS")
    assert isinstance(settings, ast.Dict)
    keys = [key.value if isinstance(key, ast.Constant) else None for key in settings.keys]
    for level in ast.literal_eval(settings.values[keys.index("unsafe_globals")]).values():
        for module, names in level.items():
            yield from ((module, name) for name in ([names] if isinstance(names, str) else names))


def _fickling() -> Iterator[tuple[str, str]]:
    yield from ((module, EVERY) for module in sorted(_frozen("UNSAFE_IMPORTS")))
    tree = _tree("fickling", "analysis.py")
    owner = next(one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == "UnsafeImportsML")
    yield from ((module, EVERY) for module in ast.literal_eval(_assigned(owner, "UNSAFE_MODULES")))
    for module, names in ast.literal_eval(_assigned(owner, "UNSAFE_IMPORTS")).items():
        yield from ((module, name) for name in names)


def _safe_builtins() -> set[str]:
    """Builtins that fickling takes for harmless."""
    return _frozen("SAFE_BUILTINS")


def _frozen(name: str) -> set[str]:
    call = _assigned(_tree("fickling", "fickle.py"), name)
    assert isinstance(call, ast.Call)
    return set(ast.literal_eval(call.args[0]))


_TABLES = {"picklescan": _picklescan, "fickling": _fickling, "modelscan": _modelscan}


def _tree(package: str, file: str) -> ast.Module:
    spec = PathFinder.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse((Path(spec.origin).parent / file).read_bytes())


def _assigned(tree: ast.Module | ast.ClassDef, name: str) -> ast.expr:
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return statement.value
    raise LookupError(name)


# --- what a module defines ----------------------------------------------------------------------


def members(module: str) -> list[str]:
    """The names that a module defines; one placeholder where it is not here or defines nothing."""
    found = set(_built_in(COUNTERPARTS.get(module, module)))
    source = _source(module)
    if source is not None:
        found |= set(_defined(ast.parse(source.read_bytes())))
    return sorted(found) or [ANY]


def _built_in(module: str) -> Iterator[str]:
    if module in sys.builtin_module_names or module == "builtins":
        inside = importlib.import_module(module)
        yield from (name for name in dir(inside) if callable(getattr(inside, name)) and name != "__loader__")


def _source(module: str) -> Path | None:
    top, *rest = module.split(".")
    spec = PathFinder.find_spec(top)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    if rest:
        folder = path.parent.joinpath(*rest)
        path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return path if path.suffix == ".py" and path.is_file() else None


def _defined(tree: ast.Module) -> Iterator[str]:
    """Functions and classes at the top, under conditions or not, and what a package takes from its own modules."""
    ahead: list[ast.stmt] = list(tree.body)
    while ahead:
        statement = ahead.pop()
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.ImportFrom) and statement.level == 1:
            yield from (alias.asname or alias.name for alias in statement.names if alias.name != EVERY)
        elif isinstance(statement, ast.If | ast.Try | ast.With):
            ahead += [inner for inner in ast.iter_child_nodes(statement) if isinstance(inner, ast.stmt)]
