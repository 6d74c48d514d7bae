"""Judges text that PyTorch evaluates as Python when it loads an exported program: sizes, conditions and guards.

Sizes go through ``sympy.sympify``, which is ``eval``; guards are put into a function by ``exec``. What exporters write
is arithmetic over symbols, and it is read as such: known functions, comparisons, numbers, and in guards what an input's
size is. Text that does more is code. Nothing is compiled or run.

Source: ``_parse_sym_expr`` in torch/_export/serde/serialize.py and ``_convert_guards_code_to_fn`` in
torch/export/_unlift.py of PyTorch 2.13; ``parse_expr`` of sympy 1.14.
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from typing import Final, NamedTuple

from modelsign import limits
from modelsign.scan.knowledge import capability
from modelsign.scan.python.grammar import is_too_deep
from modelsign.scan.tables import table

__all__ = ["Doubt", "why_not_plain"]

_PLAIN: Final = re.compile(r"[ -~]*", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|-?[0-9]+(?:[./][0-9]+)?(?:e[+-]?[0-9]+)?", re.ASCII)
_KEY: Final = re.compile(r"[A-Za-z0-9_ .:/-]*", re.ASCII)
_CALLED: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[\s\\]*\(", re.ASCII)
_STRING: Final = re.compile(r"(?<![A-Za-z0-9_])(?:'[^'\"]*'|\"[^'\"]*\")", re.ASCII)
"""A string without a prefix and without quotes in it: those that every Python reads alike, and all that is written."""
_ODD: Final = re.compile(r"[\\#]|[0-9_]{1000}", re.ASCII)
_LONGEST: Final = 16 * 1024
_NAMED: Final = frozenset({"Symbol", "Dummy", "Integer", "Float", "Rational"})
"""Functions of sympy that take text for a name or a number, and evaluate nothing of it."""
_FREE: Final = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.operator, ast.unaryop, ast.boolop,
    ast.cmpop, ast.expr_context, ast.Tuple, ast.List, ast.keyword,
)  # fmt: skip
_MATHS: Final = "math"
_POWERS: Final = frozenset({"Pow", "PowByNatural", "FloatPow", "LShift"})
_HIGHEST_POWER: Final = 64


class Doubt(NamedTuple):
    """Why text is not known to be harmless. ``certain``: it would run code."""

    text: str
    certain: bool


@functools.cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(name for group in table("operators/torch_export")[kind] for name in group["names"])


def why_not_plain(text: str, *, guard: bool) -> Doubt | None:
    """Say why evaluating ``text`` could do more than compute a size; None where it could not."""
    if len(text) > _LONGEST or not _PLAIN.fullmatch(text) or _is_odd(text):
        return Doubt("is too long, or holds signs that no size is written with", _looks_dangerous(text))
    if _depth(text) > limits.SOURCE_BRACKETS:
        return Doubt("is nested too deeply", _looks_dangerous(text))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval", feature_version=(3, 11))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Doubt("cannot be read", _looks_dangerous(text))
    if is_too_deep(tree):
        return Doubt("is nested too deeply", _looks_dangerous(text))
    return _judge(tree, guard=guard)


def _is_odd(text: str) -> bool:
    rest = _STRING.sub(" ", text)
    return _ODD.search(text) is not None or "'" in rest or '"' in rest


def _looks_dangerous(text: str) -> bool:
    """Whether text that was not taken apart names something with two underscores, or calls what runs code."""
    called = {match[1] for match in _CALLED.finditer(text[: limits.SOURCE_BYTES])}
    return "__" in text or any(capability("builtins", name) is not None for name in called)


def _depth(text: str) -> int:
    """Return how deeply brackets nest, those in text included."""
    deepest = depth = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _judge(tree: ast.AST, *, guard: bool) -> Doubt | None:
    """Return the worst of what the parts do."""
    worst: Doubt | None = None
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        doubt, inner = _part(node, guard=guard)
        if doubt is not None and (worst is None or doubt.certain > worst.certain):
            worst = doubt
        waiting += inner
    return worst


def _part(node: ast.AST, *, guard: bool) -> tuple[Doubt | None, list[ast.AST]]:
    """Judge one part; return the parts in it that are still to be judged."""
    children = list(ast.iter_child_nodes(node))
    if _is_immense(node):
        return Doubt("takes a power of a power, or a high one, which would be computed", certain=False), children
    if isinstance(node, ast.Call):
        return _call(node, guard=guard)
    doubt = None
    if isinstance(node, ast.Constant):
        doubt = _constant(node, guard=guard)
    elif isinstance(node, ast.Name):
        doubt = Doubt(f"names {node.id[:100]}", certain=True) if node.id.startswith("__") else None
    elif isinstance(node, ast.Attribute):
        known = guard and node.attr in _names("methods")
        doubt = None if known else Doubt(f"takes the attribute {node.attr[:100]}", certain=True)
    elif not isinstance(node, _FREE) and not (guard and isinstance(node, ast.Subscript)):
        doubt = Doubt(f"holds a {type(node).__name__.lower()}", certain=True)
    return doubt, children


def _power(node: ast.AST) -> list[ast.expr]:
    """Return the base and exponent of a power or a shift to the left; nothing of anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift):
        return [node.left, node.right]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _POWERS:
        return list(node.args)
    return []


def _is_immense(node: ast.AST) -> bool:
    """Whether a power may be a number of more digits than anybody waits for: exporters write squares."""
    parts = _power(node)
    inside = [inner for part in parts for inner in ast.walk(part)]
    exponents = (inner.value for part in parts[1:] for inner in ast.walk(part) if isinstance(inner, ast.Constant))
    return any(map(_power, inside)) or any(isinstance(one, int | float) and one > _HIGHEST_POWER for one in exponents)


def _constant(node: ast.Constant, *, guard: bool) -> Doubt | None:
    """Numbers are plain; text is where only guards have it: the keys of inputs."""
    if node.value is None or isinstance(node.value, bool | int | float):
        return None
    if guard and isinstance(node.value, str) and _KEY.fullmatch(node.value):
        return None
    return Doubt("hands text on to be evaluated", not guard)


def _call(node: ast.Call, *, guard: bool) -> tuple[Doubt | None, list[ast.AST]]:
    """Judge a call by what is called, and leave what it is called with to be judged, but for names of symbols."""
    arguments: list[ast.AST] = [*node.args, *node.keywords]
    called = node.func
    if isinstance(called, ast.Name):
        if called.id in _names("expressions"):
            if called.id in _NAMED:
                arguments = [one for one in arguments if not _is_word(one)]
            return None, arguments
        danger = capability("builtins", called.id)
        return Doubt(f"calls {called.id[:100]}", danger is not None), arguments
    if guard and isinstance(called, ast.Attribute):
        if called.attr in _names("methods"):
            return None, [called.value, *arguments]
        if isinstance(called.value, ast.Name) and called.value.id == _MATHS and not called.attr.startswith("_"):
            return None, arguments
    return Doubt("calls something", certain=True), [called, *arguments]


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _WORD.fullmatch(node.value) is not None
