"""Argument patterns: what the knowledge says about the arguments of a reviewed call.

A signature is a list of patterns, one per argument; ``?p`` may be left out, a last ``*p`` takes the rest.
A pattern is alternatives joined by ``|``:

``any``; the type of a literal or container (``int``, ``str``, ``bytes``, ``none``, ``list``, …); ``number``;
``=text`` that very string; ``tuple``, ``tuple:p`` (every item); ``data`` (literals, containers, tuples of such);
``class`` (a reviewed class), ``class:NAME``, ``class#tag``; ``is:NAME``, ``is#tag`` (an instance of it);
``object`` (any instance of a reviewed class).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["fits", "fits_signature"]

_NUMBER: Final = frozenset({"int", "float", "bool"})
_DEPTH: Final = 32


@cache
def _alternatives(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("|"))


def fits(source: Source, pattern: str, value: Value, depth: int = 0) -> bool:
    """Say whether a value is of a pattern."""
    return any(_fits_one(source, atom, value, depth) for atom in _alternatives(pattern))


def _fits_one(source: Source, atom: str, value: Value, depth: int) -> bool:
    if atom == "any" or depth > _DEPTH:
        return atom == "any"
    if isinstance(value, int):
        return _fits_data(source, atom, value)
    if isinstance(value, tuple):
        if atom == "tuple":
            return True
        inner = "data" if atom == "data" else atom.removeprefix("tuple:")
        return (atom == "data" or inner != atom) and all(fits(source, inner, item, depth + 1) for item in value)
    if isinstance(value, Global):
        return _fits_class(atom, value)
    return isinstance(value, Instance) and _fits_instance(atom, value)


def _fits_data(source: Source, atom: str, value: int) -> bool:
    if atom == "data":
        return True
    kind = source.kind(value if value >= 0 else ~value)
    if atom == "number":
        return kind in _NUMBER
    if atom.startswith("="):
        return kind == "str" and source.text(value) == atom[1:]
    return kind == atom


def _fits_class(atom: str, value: Global) -> bool:
    if value.entry is None or not value.entry.reference:
        return False
    name, _, tag = atom.partition("#")
    if tag:
        return name == "class" and tag in value.entry.tags
    name, _, wanted = atom.partition(":")
    return name == "class" and (not wanted or wanted == value.entry.name)


def _fits_instance(atom: str, value: Instance) -> bool:
    name, _, tag = atom.partition("#")
    if tag:
        return name == "is" and value.entry is not None and tag in value.entry.tags
    name, _, wanted = atom.partition(":")
    if name == "is":
        return wanted == value.cls
    return atom == "object" and value.entry is not None


def fits_signature(source: Source, signature: Sequence[str], values: Sequence[Value]) -> bool:
    """Say whether positional arguments are of a signature."""
    position = 0
    for pattern in signature:
        if pattern.startswith("*"):
            return all(fits(source, pattern[1:], value) for value in values[position:])
        if position >= len(values):
            return pattern.startswith("?")
        if not fits(source, pattern.removeprefix("?"), values[position]):
            return False
        position += 1
    return position == len(values)
