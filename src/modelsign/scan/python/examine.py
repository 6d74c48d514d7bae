"""Says what Python source would do while it is imported, and what its functions could do later.

The tree is walked from the module's own statements: class bodies, decorators, default values and conditions run on
import, bodies of functions only where something that runs on import mentions them. Nothing is compiled or run.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.scan.python.grammar import is_too_deep, newer_than_known
from modelsign.scan.python.names import Names, capability, constant, method_capability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Act", "UnreadableSourceError", "decoded", "examined", "parsed"]

_COOKIE: Final = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
_MODULES: Final = frozenset({"os", "builtins", "subprocess", "posix", "nt", "sys", "importlib", "ctypes", "pty"})
_HANDED: Final = frozenset({"execute", "native", "deserialise"})
_METACLASSES: Final = frozenset({".type", "abc.ABCMeta", "enum.EnumMeta", "enum.EnumType"})
_MOST_BRACES: Final = 20_000
"""Python 3.11 goes through an f-string again for each pair of braces in it."""
_BOM: Final = b"\xef\xbb\xbf"
_REFUSED: Final = "the source is not Python 3.11, or is nested too deeply"
_WRITING: Final = frozenset("wax+")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_ON_IMPORT: Final = frozenset({"__getattr__", "__dir__", "__init_subclass__", "__set_name__", "__class_getitem__"})
"""Functions that Python itself calls while a module or its classes are made."""
_OPENERS: Final = frozenset({"builtins.open", "io.open", "codecs.open", "pathlib.Path().open"})


class Act(NamedTuple):
    """Something dangerous that the source does."""

    line: int
    what: str
    name: str
    on_import: bool


class UnreadableSourceError(Exception):
    """The source cannot be read as Python."""


def decoded(data: bytes) -> str:
    """Return source as text, by its declared encoding (PEP 263).

    Raises:
        UnreadableSourceError: it is in another encoding than UTF-8 or Latin-1, or breaks it.

    """
    head = b"\n".join(data.removeprefix(_BOM).splitlines()[:2]) if len(data) < limits.SOURCE_BYTES else data[:1000]
    found = _COOKIE.search(head)
    label = found[1].decode("ascii", "replace").lower().replace("_", "-") if found else "utf-8"
    if label in {"utf-8", "utf8", "ascii", "us-ascii", "utf-8-unix", "utf-8-sig"}:
        encoding = "utf-8"
    elif label in {"latin-1", "iso-8859-1", "iso-latin-1", "latin1"}:
        encoding = "latin-1"
    else:
        raise UnreadableSourceError(f"the source declares the encoding {label[:40]}")
    try:
        return data.removeprefix(_BOM).decode(encoding)
    except UnicodeDecodeError as fault:
        raise UnreadableSourceError(f"the source is not UTF-8 (byte {fault.start})") from None


def parsed(text: str) -> ast.Module:
    """Return the syntax tree of Python 3.11's grammar, the same on every interpreter (``grammar.py``).

    Raises:
        UnreadableSourceError: it is no Python 3.11, or nested too deeply.

    """
    if text.count("{") > _MOST_BRACES:
        raise UnreadableSourceError(f"the source has more than {_MOST_BRACES} braces")
    newer = newer_than_known(text)
    if newer:
        raise UnreadableSourceError(f"the source is not read alike by every Python: {newer}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes and comparisons in the source
            tree = ast.parse(text, feature_version=(3, 11))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise UnreadableSourceError(_REFUSED) from None
    if is_too_deep(tree):
        raise UnreadableSourceError(_REFUSED)
    _number_fields(tree)
    return tree


def _number_fields(tree: ast.Module) -> None:
    """Give what stands in a formatted string the line of the string: parsers number it differently."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, line = waiting.pop()
        if line and isinstance(node, ast.expr):
            node.lineno = line
        inner = line or (node.lineno if isinstance(node, ast.JoinedStr) else 0)
        waiting += [(child, inner) for child in ast.iter_child_nodes(node)]


def examined(tree: ast.Module) -> list[Act]:
    """Return what the module does, in the order of its lines."""
    return _Examination(tree).acts()


class _Examination:
    """One module: its names, its functions, and what has been reached from the import on."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._names = Names(tree)
        self._functions: dict[str, list[ast.AST]] = {}
        self._classes: dict[str, list[ast.ClassDef]] = {}
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._functions.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.ClassDef):
                self._classes.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._functions.setdefault(target.id, []).append(node.value)

    def acts(self) -> list[Act]:
        """Walk what runs on import, then the rest."""
        reached: set[int] = set()
        bodies: set[int] = set()
        found: set[Act] = set()
        waiting: list[ast.AST] = [self._tree]
        for name in _ON_IMPORT & self._functions.keys():
            self._enter(self._functions[name], bodies, waiting)
        for one in (one for classes in self._classes.values() for one in classes):
            if _METACLASSES & {name for base in one.bases for name in self._names.of(base)}:
                self._enter(one.body, bodies, waiting)
        while waiting:
            node = waiting.pop()
            if id(node) in reached:
                continue
            reached.add(id(node))
            found.update(self._judged(node, on_import=True))
            self._mention(node, bodies, waiting)
            waiting += _running(node)
        for node in ast.walk(self._tree):
            if id(node) not in reached:
                found.update(self._judged(node, on_import=False))
        return sorted(found)

    def _enter(self, functions: Iterable[ast.AST], bodies: set[int], waiting: list[ast.AST]) -> None:
        for function in functions:
            if isinstance(function, _FUNCTIONS) and id(function) not in bodies:
                bodies.add(id(function))
                waiting += function.body if isinstance(function.body, list) else [function.body]

    def _mention(self, node: ast.AST, bodies: set[int], waiting: list[ast.AST]) -> None:
        """Go into the functions that a node mentions, and into the special methods of a class that it calls."""
        word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if word in self._functions and isinstance(getattr(node, "ctx", None), ast.Load):
            self._enter(self._functions[word], bodies, waiting)
        if not isinstance(node, ast.Call):
            return
        for argument in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(argument, ast.Lambda):
                self._enter([argument], bodies, waiting)
        for name in self._names.of(node.func):
            for made in self._classes.get(name.removesuffix("()").removeprefix("."), ()):
                methods = (part for part in made.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)))
                self._enter([one for one in methods if one.name.startswith("__")], bodies, waiting)

    def _judged(self, node: ast.AST, *, on_import: bool) -> Iterator[Act]:
        if isinstance(node, ast.Call):
            yield from self._call(node, on_import=on_import)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                yield from self._handed(decorator, on_import=on_import)
        elif isinstance(node, ast.Assign) and not all(isinstance(target, ast.Name) for target in node.targets):
            yield from self._handed(node.value, on_import=on_import)
        elif isinstance(node, ast.Dict):
            for value in node.values:
                yield from self._handed(value, on_import=on_import)

    def _handed(self, node: ast.expr, *, on_import: bool) -> Iterator[Act]:
        """Judge a function that is handed on, to be called by somebody else."""
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)):
            return
        for name in self._names.of(node):
            what = capability(name)
            if what in _HANDED:
                yield Act(node.lineno, str(what), f"{name} is handed on", on_import)

    def _call(self, node: ast.Call, *, on_import: bool) -> Iterator[Act]:
        names = self._names.of(node.func)
        for name in names:
            what = capability(name)
            if what:
                yield Act(node.lineno, what, f"{name} is called", on_import)
            elif name in _OPENERS and _writes(node):
                yield Act(node.lineno, "write", f"{name} is called to write", on_import)
            elif name == "builtins.__import__" and node.args and _is_hidden(node.args[0]):
                yield Act(node.lineno, "execute", "__import__ is called with a name that is not constant", on_import)
            elif name.endswith(".?") and name.split(".")[0] in _MODULES:
                yield Act(
                    node.lineno, "execute", f"{name[:-2]} is asked for a function that is not constant", on_import
                )
        if isinstance(node.func, ast.Attribute) and (what := method_capability(node.func.attr)):
            yield Act(node.lineno, what, f"the method {node.func.attr} is called", on_import)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(argument, (ast.Name, ast.Attribute, ast.Subscript)):
                yield from self._handed(argument, on_import=on_import)


def _is_hidden(name: ast.expr) -> bool:
    """Whether the name of a module is put together, other than from that of its own package."""
    own = {"__name__", "__package__"}
    return constant(name) is None and not any(isinstance(part, ast.Name) and part.id in own for part in ast.walk(name))


def _writes(call: ast.Call) -> bool:
    """Whether ``open`` is called to write; a mode that is not constant may be any."""
    mode = call.args[1] if len(call.args) > 1 else None
    for keyword in call.keywords:
        mode = keyword.value if keyword.arg == "mode" else mode
    if mode is None:
        return False
    text = constant(mode)
    return text is None or bool(_WRITING & set(text))


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a node that run when it does: not the bodies of functions, nor what only a script runs."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from node.decorator_list
        yield node.args
        if node.returns is not None:
            yield node.returns
    elif isinstance(node, ast.Lambda):
        yield node.args
    elif isinstance(node, ast.If) and _is_script_only(node.test):
        yield node.test
        yield from node.orelse
    else:
        yield from ast.iter_child_nodes(node)


def _is_script_only(test: ast.expr) -> bool:
    """Whether a condition is ``__name__ == "__main__"``."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        constant(side) == "__main__" for side in sides
    )
