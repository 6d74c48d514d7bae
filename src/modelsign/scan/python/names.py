"""Resolves names in a Python syntax tree to what they stand for: imports, aliases, ``getattr`` and its like.

Without regard to order or scope: a name that stands for two things is taken for both.
"""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, Final

from modelsign.scan.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Names", "capability", "constant", "method_capability"]

_DEPTH: Final = 60
_LONGEST: Final = 10_000
_ALIASES: Final = 16
_IMPORTERS: Final = frozenset({"builtins.__import__", "importlib.import_module", "importlib.__import__"})
_NAMESPACES: Final = frozenset({"builtins.globals", "builtins.vars", "builtins.locals"})
_GETTERS: Final = frozenset({"builtins.getattr", "inspect.getattr_static"})
_BUILTINS: Final = frozenset(
    {"eval", "exec", "execfile", "open", "compile", "__import__", "getattr", "globals", "vars", "locals", "breakpoint"}
)


@functools.cache
def _dangers() -> tuple[Mapping[str, str], Mapping[str, str]]:
    known = table("python")
    names = {name: group["capability"] for group in known["groups"] for name in group["names"]}
    methods = {name: group["capability"] for group in known["methods"] for name in group["names"]}
    return names, methods


def capability(name: str) -> str | None:
    """Return what a dotted name can do: ``execute``, ``native``, ``network``, …; None if it is not known for any."""
    return _dangers()[0].get(name)


def method_capability(name: str) -> str | None:
    """Return what a method of this name can do on any object; None if nothing is known."""
    return _dangers()[1].get(name)


def constant(node: ast.expr | None) -> str | None:
    """Return the text that an expression of constants comes to, or None."""
    parts: list[str] = []
    waiting = [node]
    length = 0
    while waiting and len(parts) < _LONGEST:
        part = waiting.pop()
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            waiting += [part.left, part.right]
        elif isinstance(part, ast.JoinedStr):
            waiting += part.values
        elif isinstance(part, ast.FormattedValue):
            waiting.append(part.value)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            parts.append(part.value)
            length += len(part.value)
        elif isinstance(part, ast.Call) and (inner := _joined(part)) is not None:
            waiting += inner
        else:
            return None
        if length > _LONGEST:
            return None
    return "".join(reversed(parts)) if not waiting else None


def _joined(call: ast.Call) -> list[ast.expr] | None:
    """Return the parts that ``"".join([…])`` joins."""
    by = call.func
    if not (isinstance(by, ast.Attribute) and by.attr == "join" and isinstance(by.value, ast.Constant)):
        return None
    if by.value.value == "" and len(call.args) == 1 and isinstance(call.args[0], (ast.List, ast.Tuple)):
        return list(call.args[0].elts)
    return None


class Names:
    """What the names of one module stand for."""

    def __init__(self, tree: ast.AST) -> None:
        """Collect imports, then plain assignments."""
        self._stands: dict[str, list[str]] = {}
        self._starred: list[str] = []
        assigned: list[tuple[str, ast.expr]] = []
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._imported(node)
            elif isinstance(node, ast.Assign):
                assigned += [(target.id, node.value) for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name) and node.value:
                assigned.append((node.target.id, node.value))
        for _ in range(2):  # an alias of an alias
            for name, value in assigned:
                for word in self.of(value):
                    self._add(name, word)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                self._add(alias.asname or name, name)
            elif not node.level:
                if alias.name == "*":
                    self._starred.append(node.module or "")
                self._add(alias.asname or alias.name, f"{node.module}.{alias.name}")

    def _add(self, name: str, stands_for: str) -> None:
        known = self._stands.setdefault(name, [])
        if stands_for not in known and len(known) < _ALIASES:
            known.append(stands_for)

    def of(self, node: ast.expr | None, depth: int = 0) -> list[str]:
        """Return the dotted names that an expression may stand for, with a dot before the module's own."""
        if node is None or depth > _DEPTH:
            return []
        found: list[str] = []
        if isinstance(node, ast.Name):
            found = self._named(node.id)
        elif isinstance(node, ast.Attribute):
            found = [_below(base, node.attr) for base in self.of(node.value, depth + 1)]
        elif isinstance(node, ast.Subscript):
            found = self._item(node, depth)
        elif isinstance(node, ast.Call):
            found = self._result(node, depth)
        elif isinstance(node, ast.NamedExpr):
            found = self.of(node.value, depth + 1)
        elif isinstance(node, (ast.IfExp, ast.BoolOp)):
            inner = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
            found = [name for part in inner[:_ALIASES] for name in self.of(part, depth + 1)]
        return found[:_ALIASES]

    def _named(self, name: str) -> list[str]:
        if name in {"__builtins__", "__builtin__"}:
            return ["builtins"]
        found = list(self._stands.get(name, [f".{name}"]))
        if name in _BUILTINS:
            found.append(f"builtins.{name}")
        return found + [f"{module}.{name}" for module in self._starred[:_ALIASES]]

    def _item(self, node: ast.Subscript, depth: int) -> list[str]:
        key = constant(node.slice)
        if key is None:
            return []
        found = []
        for base in self.of(node.value, depth + 1):
            if base == "sys.modules":
                found.append(key)
            elif base in {"builtins", "builtins.__dict__"} or base.endswith(".__dict__"):
                found.append(_below(base.removesuffix(".__dict__"), key))
            elif base.endswith("()") and base[:-2] in _NAMESPACES:
                found += self._named(key)
        return found

    def _result(self, node: ast.Call, depth: int) -> list[str]:
        found = []
        for name in self.of(node.func, depth + 1):
            if name in _IMPORTERS:
                module = constant(node.args[0]) if node.args else None
                found.append(module if module is not None else f"{name}()")
            elif name in _GETTERS and len(node.args) > 1:
                word = constant(node.args[1])
                found += [_below(base, word or "?") for base in self.of(node.args[0], depth + 1)]
            else:
                found.append(f"{name}()")
        return found[:_ALIASES]


def _below(base: str, name: str) -> str:
    """Return ``base.name``, where it is the name of something that could matter."""
    return f"{base}.{name}" if len(base) < 200 else "?"  # noqa: PLR2004 - longer than any known name
