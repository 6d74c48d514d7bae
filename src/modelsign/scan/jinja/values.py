"""What is known of a value in a template: constants, text put together from them, or anything from outside.

A value stands for all it may be at once; nothing is ever left out of it, so that a name which a template hides
in constants is found, and a name that it assembles in some other way is told from one that the caller hands in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ANYTHING",
    "MADE",
    "NUMBER",
    "Value",
    "added",
    "concatenated",
    "container",
    "either",
    "reached",
    "repeated",
    "texts",
    "transformed",
    "widened",
]

_MOST_TEXTS: Final = 32
_LONGEST: Final = 4096
_REPEATS: Final = 256
_DEEPEST: Final = 4


class Value(NamedTuple):
    """One value.

    ``texts`` are constant texts it may be; ``other`` is True where it may be something else besides; ``made`` where
    that may be text that the template assembled and whose beginning is not known to be harmless. ``number`` is its
    constant value, ``numeric`` is True where it is surely a number. ``items`` is what lies in it where the template
    wrote a list or dictionary, ``fields`` by their names. ``name`` is how it was reached (``messages.items``).
    """

    texts: frozenset[str] = frozenset()
    other: bool = True
    made: bool = False
    number: float | None = None
    numeric: bool = False
    items: Value | None = None
    fields: tuple[tuple[str, Value], ...] = ()
    name: str = ""
    base: Value | None = None


ANYTHING: Final = Value()
NUMBER: Final = Value(numeric=True)
MADE: Final = Value(made=True)


def reached(value: Value, name: str, base: Value | None = None, *, other: bool = False) -> Value:
    """Return a value by the name by which it was reached, and from what; a call by position costs a third."""
    words, or_other, made, number, numeric, items, fields, _, _ = value
    if base is not None and base.base is not None:
        base = Value(*base[:-1])
    return Value(words, or_other or other, made, number, numeric, items, fields, name, base)


def texts(*words: str) -> Value:
    """Return the value that is one of some constant texts."""
    return Value(frozenset(words), other=False)


def either(values: Iterable[Value], start: Value | None = None) -> Value:
    """Return a value that may be any of these."""
    joined = start
    for value in values:
        joined = value if joined is None else _either(joined, value)
    return joined or ANYTHING


def _either(one: Value, two: Value) -> Value:
    if one == two:
        return one
    words = one.texts | two.texts
    crowded = len(words) > _MOST_TEXTS
    items = [value.items for value in (one, two) if value.items is not None]
    return Value(
        texts=frozenset(sorted(words, key=_suspicion)[:_MOST_TEXTS]) if crowded else words,
        other=one.other or two.other or crowded,
        made=one.made or two.made or (crowded and any(map(_suspicious, words))),
        numeric=one.numeric and two.numeric,
        items=either(items) if items else None,
        fields=(*one.fields, *two.fields)[:_MOST_TEXTS],
        name=one.name if one.name == two.name else "",
    )


def container(values: Iterable[Value], fields: tuple[tuple[str, Value], ...] = ()) -> Value:
    """Return a list or dictionary that holds these values; what lies deeper than some levels is all one."""
    inside = either(values)._replace(fields=(), name="", base=None)
    return Value(items=_flat(inside, 1), fields=fields)


def _flat(value: Value, depth: int) -> Value:
    if value.items is None:
        return value
    if depth < _DEEPEST:
        return value._replace(items=_flat(value.items, depth + 1))
    return _either(value._replace(items=None), value.items._replace(items=None))._replace(numeric=False)


def widened(before: Value, after: Value) -> Value:
    """Return a value that no longer takes up new texts; what they could become is kept."""
    fresh = after.texts - before.texts
    if not fresh:
        return after
    return after._replace(texts=before.texts, other=True, made=after.made or any(map(_suspicious, fresh)))


def _suspicion(word: str) -> tuple[bool, str]:
    return (not _suspicious(word), word)


def _suspicious(word: str) -> bool:
    """Whether a name with an underscore in front could be had from this text."""
    return "_" in word or "%" in word or "{" in word


def concatenated(left: Value, right: Value) -> Value:
    """Return ``left ~ right``."""
    words = {
        one + two for one in left.texts for two in right.texts if len(one) + len(two) <= _LONGEST
    }  # at most _MOST_TEXTS squared
    if left.other or left.made or len(words) > _MOST_TEXTS or (left.texts and right.texts and not words):
        harmless = left.numeric
    elif right.other or right.made:
        harmless = all(word and not word.startswith("_") for word in left.texts)
    else:
        return Value(frozenset(words), other=False)
    kept = frozenset(sorted(words, key=_suspicion)[:_MOST_TEXTS])
    return Value(kept, made=not harmless)


def added(left: Value, right: Value) -> Value:
    """Return ``left + right``: a sum, two lists in one, or a concatenation."""
    if left.numeric and right.numeric:
        known = left.number is not None and right.number is not None
        return NUMBER._replace(number=(left.number or 0) + (right.number or 0) if known else None)
    if left.items is not None or right.items is not None:
        return container(value.items or ANYTHING for value in (left, right))
    if any(one.numeric and not two.texts and not two.made for one, two in ((left, right), (right, left))):
        return NUMBER
    return concatenated(left, right)


def repeated(value: Value, count: float) -> Value:
    """Return constant text several times over."""
    times = int(min(count, _REPEATS))
    return Value(frozenset((word * times)[:_LONGEST] for word in value.texts), other=value.other, made=value.made)


def transformed(value: Value, *others: Value) -> Value:
    """Return what some function makes of a value, and of others it is given."""
    parts = [*(part for part in (value, *others)), *(part.items for part in (value, *others) if part.items)]
    return Value(made=any(part.made or any(map(_suspicious, part.texts)) for part in parts))
