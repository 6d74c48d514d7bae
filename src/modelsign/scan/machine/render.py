"""Calls as pseudo-Python, for messages: short, and never longer than a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.values import Global, Instance, Unknown

if TYPE_CHECKING:
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["call_text", "value_text"]

_MOST: Final = 60
_ITEMS: Final = 6
_DEPTH: Final = 3
_CONTAINERS: Final = {"list": "[…]", "dict": "{…}", "set": "{…}", "frozenset": "frozenset(…)"}


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def _literal(source: Source, offset: int) -> str:
    kind = source.kind(offset)
    if kind == "str":
        text = source.text(offset)
        return "'…'" if text is None else _cut(repr(text))
    if kind in {"bytes", "bytearray"}:
        data = source.data(offset, _MOST * 4)
        return f"{kind}(…)" if data is None else _cut(repr(data))
    if kind == "int":
        number = source.integer(offset)
        return "…" if number is None or number.bit_length() > _MOST else str(number)
    return {"none": "None", "bool": "bool"}.get(kind, f"<{kind}>")


def value_text(source: Source, value: Value, depth: int = 0, *, named: bool = False) -> str:
    """Return a value as pseudo-Python; with ``named``, what a recorded call made by a name for its result."""
    if isinstance(value, int):
        return _CONTAINERS.get(source.kind(~value), "…") if value < 0 else _literal(source, value)
    if isinstance(value, Global):
        return value.path
    if isinstance(value, (Instance, Unknown)):
        if named and value.call:
            return f"v{value.call}"
        return f"<{value.cls}>" if isinstance(value, Instance) else "<computed>"
    if depth < _DEPTH:
        items = [value_text(source, item, depth + 1, named=named) for item in value[:_ITEMS]]
        return f"({', '.join(items)}{', …' if len(value) > _ITEMS else ''})"
    return "(…)"


def call_text(source: Source, name: str, arguments: Value, *, named: bool = False) -> str:
    """Return a call as pseudo-Python."""
    text = value_text(source, arguments, named=named)
    return f"{name}{text}" if isinstance(arguments, tuple) else f"{name}(*{text})"
