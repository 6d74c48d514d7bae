"""Argument patterns: what the knowledge says about the arguments of a reviewed call.

A signature is a list of patterns, one per argument; ``?p`` may be left out, a last ``*p`` takes the rest.
A pattern is alternatives joined by ``|``:

``any``; the type of a literal or container (``int``, ``str``, ``bytes``, ``none``, ``list``, …); ``number``;
``=text`` that very string; ``tuple``, ``tuple:p`` (every item); ``data`` (literals, containers, tuples of such);
``class`` (a reviewed class), ``class:NAME``, ``class#tag``; ``is:NAME``, ``is#tag`` (an instance of it);
``object`` (any instance of a reviewed class).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from modelsign.scan.machine import opcodes as op
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["fits", "fits_signature"]

_NUMBER: Final = frozenset({"int", "float", "bool"})
_KINDS: Final = _NUMBER | {"none", "str", "bytes", "bytearray", "list", "dict", "set", "frozenset"}
_DEPTH: Final = 32
_Seen: TypeAlias = "set[tuple[int, str]]"


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """A pattern taken apart by what it accepts of each sort of value."""

    anything: bool
    codes: frozenset[int]
    """Opcodes of literals and containers that are accepted whatever they hold: the quick answer."""
    kinds: frozenset[str]
    texts: frozenset[str]
    any_tuple: bool
    item: str | None
    any_class: bool
    classes: frozenset[str]
    class_tags: frozenset[str]
    any_object: bool
    objects: frozenset[str]
    object_tags: frozenset[str]
    item_codes: frozenset[int]
    """Opcodes of literals that a tuple may hold: the quick answer."""
    names: set[int] = field(default_factory=set)
    """Entries whose name fitted before, by identity: entries are made once and kept for ever."""
    instances: set[int] = field(default_factory=set)
    """Entries of whose class an instance fitted before."""


@cache
def _pattern(text: str) -> _Pattern:
    atoms = text.split("|")
    kinds = _kinds_of(set(atoms))
    item = "data" if "data" in atoms else next((atom[6:] for atom in atoms if atom.startswith("tuple:")), None)
    return _Pattern(
        anything="any" in atoms,
        codes=_codes(kinds),
        kinds=kinds,
        texts=_behind("=", atoms),
        any_tuple="tuple" in atoms,
        item=item,
        any_class="class" in atoms,
        classes=_behind("class:", atoms),
        class_tags=_behind("class#", atoms),
        any_object="object" in atoms,
        objects=_behind("is:", atoms),
        object_tags=_behind("is#", atoms),
        item_codes=frozenset() if item is None else _codes(_kinds_of({item})),
    )


def _kinds_of(atoms: set[str]) -> frozenset[str]:
    if "data" in atoms:
        return _KINDS
    return _KINDS & atoms | (_NUMBER if "number" in atoms else frozenset())


def _codes(kinds: frozenset[str]) -> frozenset[int]:
    """Return the opcodes of literals and containers of some types; INT may be a bool, so it takes a second look."""
    return frozenset(code for code, kind in op.KINDS.items() if kind in kinds and code != op.INT)


def _behind(prefix: str, atoms: list[str]) -> frozenset[str]:
    return frozenset(atom[len(prefix) :] for atom in atoms if atom.startswith(prefix))


_Compiled: TypeAlias = "tuple[tuple[_Pattern, ...], int, _Pattern | None]"
_compiled: dict[int, tuple[tuple[str, ...], _Compiled]] = {}
"""By identity, which is quicker than by value; the signature is kept, so that its identity stays its own."""


def _signature(signature: tuple[str, ...]) -> _Compiled:
    found = _compiled.get(id(signature))
    if found is None:
        found = _compiled[id(signature)] = (signature, _compile(signature))
    return found[1]


def _compile(signature: tuple[str, ...]) -> _Compiled:
    """Return the patterns, how many of them must be there, and the pattern of the rest."""
    rest = next((pattern[1:] for pattern in signature if pattern.startswith("*")), None)
    named = [pattern for pattern in signature if not pattern.startswith("*")]
    needed = sum(not pattern.startswith("?") for pattern in named)
    patterns = tuple(_pattern(pattern.removeprefix("?")) for pattern in named)
    return patterns, needed, None if rest is None else _pattern(rest)


def fits(source: Source, pattern: str, value: Value) -> bool:
    """Say whether a value is of a pattern."""
    return _fits(source, _pattern(pattern), value, 0, set())


def _fits(source: Source, pattern: _Pattern, value: Value, depth: int, seen: _Seen) -> bool:
    if pattern.anything:
        return True
    if isinstance(value, int):
        kind = source.kind(value if value >= 0 else ~value)
        return kind in pattern.kinds or (bool(pattern.texts) and kind == "str" and source.text(value) in pattern.texts)
    if isinstance(value, tuple):
        return pattern.any_tuple or (pattern.item is not None and _all_fit(source, pattern.item, value, depth, seen))
    entry = value.entry if isinstance(value, (Global, Instance)) else None
    if isinstance(value, Instance):
        return (
            value.cls in pattern.objects
            or (pattern.any_object and entry is not None)
            or (entry is not None and not pattern.object_tags.isdisjoint(entry.tags))
        )
    if entry is None or not entry.reference:
        return False
    return pattern.any_class or entry.name in pattern.classes or not pattern.class_tags.isdisjoint(entry.tags)


def _all_fit(source: Source, pattern: str, values: tuple[Value, ...], depth: int, seen: _Seen) -> bool:
    """Say whether every item fits; a tuple that stands in many places (``seen``) is looked at once."""
    if (id(values), pattern) in seen:
        return True
    item = _pattern(pattern)
    window, base = source.window, source.base
    for value in values:
        if type(value) is not int or not 0 <= value - base < len(window) or window[value - base] not in item.codes:
            break
    else:
        return True
    fit = depth < _DEPTH and all(_fits(source, item, value, depth + 1, seen) for value in values)
    if fit:
        seen.add((id(values), pattern))
    return fit


def fits_signature(source: Source, signature: tuple[str, ...], values: Sequence[Value]) -> bool:  # noqa: C901, PLR0912 - the quick answers stand in the loop, because it is the speed
    """Say whether positional arguments are of a signature."""
    patterns, needed, rest = _signature(signature)
    if len(values) < needed or (len(values) > len(patterns) and rest is None):
        return False
    window, base, known = source.window, source.base, source.texts
    end = base + len(window)
    for pattern, value in zip(patterns, values, strict=False):
        if type(value) is int:
            place = value if value >= 0 else ~value
            if base <= place < end and window[place - base] in pattern.codes:
                continue
            if pattern.texts and known.get(value, "") in pattern.texts:
                continue
        elif type(value) is tuple:
            codes = pattern.item_codes
            for item in value:
                if type(item) is not int or not base <= item < end or window[item - base] not in codes:
                    break
            else:
                if codes:
                    continue
        elif id(value.entry) in (pattern.names if type(value) is Global else pattern.instances):  # type: ignore[union-attr] # what has no entry is no known one
            continue
        if not _fits(source, pattern, value, 0, set()):
            return False
        if isinstance(value, (Global, Instance)) and value.entry is not None:
            (pattern.names if isinstance(value, Global) else pattern.instances).add(id(value.entry))
    return rest is None or all(_fits(source, rest, value, 0, set()) for value in values[len(patterns) :])
