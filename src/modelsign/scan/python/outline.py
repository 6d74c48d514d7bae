"""What a module of Python has to do with the files beside it: its relative imports and its classes."""

from __future__ import annotations

import ast
from typing import Final

__all__ = ["outline"]

_MOST: Final = 60
_NAMES: Final = 40


def outline(tree: ast.Module) -> tuple[str, ...]:
    """Return relative imports, wherever they stand, and classes at the top, as lines of Python; bounded, then ``…``."""
    lines: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = ", ".join(alias.name for alias in node.names[:_NAMES])
            lines[f"from {'.' * node.level}{node.module or ''} import {names}"] = None
            if len(node.names) > _NAMES:
                lines["…"] = None
    waiting: list[ast.stmt] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            lines[f"class {node.name}"] = None
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            waiting += [*reversed(node.body), *getattr(node, "orelse", ())]
    known = list(lines)
    return tuple(known if len(known) <= _MOST else [*known[:_MOST], "…"])
