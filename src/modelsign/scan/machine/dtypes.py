"""NumPy's dtypes: whether the state a pickle gives one says the truth about what lies in memory.

NumPy believes it. A dtype whose flags deny its objects turns bytes of the file into pointers, an offset beyond its
length reads and writes past an array, and so does a list shorter than the array of objects it fills. So a dtype's
state is reviewed down to its fields, and an array's state by its dtype. Follows ``arraydescr_setstate`` and
``array_setstate`` of NumPy 1.26 to 2.4. Never imports NumPy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine import rules
from modelsign.scan.machine.contents import Contents
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.scan.knowledge import Entry
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["REVIEWED", "UNKNOWN_LAYOUT", "Dtype", "flaw_of_array", "make_dtype", "review_state", "settle"]

_DTYPE: Final = "numpy.dtype"
REVIEWED: Final = frozenset({
    _DTYPE, "numpy.ndarray", "numpy.matrix", "numpy.rec.recarray", "numpy.ma.MaskedArray",
    "pandas.core.indexes.frozen.FrozenNDArray",
})  # fmt: skip
"""Classes whose state is reviewed here: those that end up in ``ndarray.__setstate__``, and dtypes."""
_KEEPING: Final = frozenset("OV")
"""Kinds whose states depend on what is in containers."""
UNKNOWN_LAYOUT: Final = "?"
_TEXT: Final = re.compile(r"[<>|=]?([biufcmMOSUV])([0-9]{1,9})", re.ASCII)
_STRUCTURES: Final = frozenset({"numpy.record", "numpy.void"})
_FLEXIBLE: Final = frozenset("SUV")
_UNITS: Final = {"U": 4}
_ORDERS: Final = frozenset("<>|=")
_VERSIONS: Final = {8: 3, 9: 4}
"""Length of a state to the version it begins with; the longer one ends with metadata."""
_ALIGNMENTS: Final = frozenset({1, 2, 4, 8, 16, 32, 64})
_OBJECT_FLAGS: Final = 63
_MEANS_OBJECTS: Final = 0b00011011
"""Flags of anything with objects: holds references, pickles as a list, is cleared first, needs the interpreter."""
_DENIED_WITHOUT: Final = 0b00000111
"""Flags that nothing without objects has: holds references, pickles as a list, is a pointer."""
_LARGEST: Final = 1 << 31
_VERSION, _ORDER, _SUBDTYPE, _NAMES, _FIELDS, _SIZE, _ALIGNMENT, _FLAGS, _METADATA = range(9)


@dataclass(slots=True, eq=False)
class Dtype(Instance):
    """A dtype made by its text; ``detail`` is that text, or what its state made of it.

    ``made`` is the offset of the call, ``kind`` NumPy's letter, ``size`` the bytes of an element where the text says
    so. ``settled`` says that its state was reviewed; ``objects``, ``size`` and ``order`` are true from then on.
    """

    made: int = 0
    kind: str = UNKNOWN_LAYOUT
    size: int | None = None
    objects: bool = False
    settled: bool = False
    order: str = ""


def make_dtype(judge: Judge, first: Value, entry: Entry | None, offset: int) -> Dtype:
    """Return what stands for ``numpy.dtype(first)``: a text, or one of NumPy's scalar classes."""
    text = _text(judge.source, first)
    made = Dtype(_DTYPE, entry, text or UNKNOWN_LAYOUT, made=offset)
    match = _TEXT.fullmatch(text) if text is not None else None
    if match is not None:
        made.kind, made.size = match[1], int(match[2]) * _UNITS.get(match[1], 1)
    elif isinstance(first, Global) and first.entry is not None and first.entry.name in _STRUCTURES:
        made.kind = "V"
    if made.kind in _KEEPING:
        judge.contents = judge.contents or Contents()
        if made.kind == "V":
            judge.contents.wait(offset)
    return made


def review_state(judge: Judge, target: Instance, state: Value, offset: int) -> None:
    """BUILD of a dtype or an array: note what is wrong with the state."""
    flaw: tuple[str, bool] | None
    if target.cls != _DTYPE:
        judge.last_use = offset
        flaw = flaw_of_array(judge.source, judge.contents, state)
    elif isinstance(target, Dtype) and target.made < judge.last_use:
        target.detail, target.settled = UNKNOWN_LAYOUT, False
        flaw = "changes after it may have been used", True
    else:
        flaw = settle(judge.source, judge.contents, target, state)
    if isinstance(target, Dtype) and judge.contents is not None:
        judge.contents.arrived(target.made)
    if flaw is not None:
        words, lies = flaw
        rule = rules.CAPABILITIES["native-code"] if lies else rules.UNREVIEWED_USE
        judge.note(rule, f"gives {target.cls} a state that {words}", offset)


class _FlawError(Exception):
    """Why a state is not accepted; ``lies`` where NumPy would take bytes of the file for pointers or lengths."""

    def __init__(self, words: str, *, lies: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.lies = lies


def settle(source: Source, contents: Contents | None, dtype: Value, state: Value) -> tuple[str, bool] | None:
    """Review the state of a dtype and settle it; return what is wrong, and whether the state lies about memory."""
    if not isinstance(dtype, Dtype) or dtype.kind == UNKNOWN_LAYOUT:
        return "has a layout that nobody reviewed", False
    dtype.detail = UNKNOWN_LAYOUT
    try:
        size, objects = _review(source, contents, dtype, state)
    except _FlawError as flaw:
        return flaw.words, flaw.lies
    dtype.size, dtype.objects, dtype.settled = size, objects, True
    dtype.order = _text(source, state[_ORDER]) or "" if isinstance(state, tuple) else ""
    length = size // _UNITS.get(dtype.kind, 1)
    dtype.detail = "O8" if objects else f"{dtype.kind}{length}"
    return None


def _review(source: Source, contents: Contents | None, dtype: Dtype, state: Value) -> tuple[int, bool]:
    """Return the size of an element, and whether it holds objects."""
    if not isinstance(state, tuple) or len(state) not in _VERSIONS:
        raise _FlawError("has no known form")
    if _integer(source, state[_VERSION]) != _VERSIONS[len(state)] or _text(source, state[_ORDER]) not in _ORDERS:
        raise _FlawError("has no known form")
    if len(state) > _METADATA:
        _review_metadata(source, dtype.kind, state[_METADATA])
    flags = _integer(source, state[_FLAGS])
    if flags is None:
        raise _FlawError("has no known form")
    if dtype.kind == "O" and flags != _OBJECT_FLAGS:
        raise _FlawError("denies that it holds objects", lies=True)
    if dtype.kind in _FLEXIBLE:
        size, objects = _review_flexible(source, contents, dtype, state)
    else:
        size, objects = _review_fixed(source, dtype, state), dtype.kind == "O"
    if (flags & _MEANS_OBJECTS != _MEANS_OBJECTS) if objects else flags & _DENIED_WITHOUT:
        raise _FlawError("does not say the truth about its objects", lies=True)
    return size, objects


def _review_fixed(source: Source, dtype: Dtype, state: tuple[Value, ...]) -> int:
    """Review a kind whose length NumPy knows: nothing may be said about it."""
    unsaid = all(_integer(source, state[at]) == -1 for at in (_SIZE, _ALIGNMENT))
    if not unsaid or not _has_no_parts(source, state) or dtype.size is None:
        raise _FlawError("has parts or a length that its kind has not")
    return dtype.size


def _review_flexible(
    source: Source, contents: Contents | None, dtype: Dtype, state: tuple[Value, ...]
) -> tuple[int, bool]:
    size = _integer(source, state[_SIZE])
    if size is None or not 0 <= size < _LARGEST or _integer(source, state[_ALIGNMENT]) not in _ALIGNMENTS:
        raise _FlawError("has an impossible length or alignment")
    if dtype.size not in {None, size}:
        raise _FlawError("changes its length", lies=True)
    if _has_no_parts(source, state):
        return size, False
    if dtype.kind != "V":
        raise _FlawError("has parts that its kind has not")
    return size, _review_parts(source, contents, state, size)


def _has_no_parts(source: Source, state: tuple[Value, ...]) -> bool:
    return all(_is_none(source, state[at]) for at in (_SUBDTYPE, _NAMES, _FIELDS))


def _review_metadata(source: Source, kind: str, metadata: Value) -> None:
    if kind in "mM":
        if not isinstance(metadata, tuple) or len(metadata) != 2 or not isinstance(metadata[1], tuple):  # noqa: PLR2004 - a dict and the unit
            raise _FlawError("has a unit of no known form")
        unit = metadata[1]
        if len(unit) != 4 or any(_integer(source, number) is None for number in unit[1:]):  # noqa: PLR2004 - name and three numbers
            raise _FlawError("has a unit of no known form")
        metadata = metadata[0]
    if not _is_none(source, metadata) and not _is_dict(source, metadata):
        raise _FlawError("has metadata that is no dict")


def _review_parts(source: Source, contents: Contents | None, state: tuple[Value, ...], size: int) -> bool:
    """Say whether a subarray or the fields hold objects."""
    if not _is_none(source, state[_SUBDTYPE]):
        if not _is_none(source, state[_NAMES]) or not _is_none(source, state[_FIELDS]):
            raise _FlawError("has both fields and a subarray")
        return _review_subarray(source, state[_SUBDTYPE], size)
    fields = state[_FIELDS]
    items = contents.freeze(fields) if contents is not None and isinstance(fields, int) else None
    if items is None or not _is_dict(source, fields):
        raise _FlawError("has fields that nobody can follow")
    named = _texts(source, state[_NAMES])
    found = _review_fields(source, items, size)
    titled = {(title, part, offset) for name, (part, offset, title) in found.items() if name in named}
    others = [(name, *found[name][:2]) for name in found if name not in named]
    if len(set(named)) != len(named) or not set(named) <= set(found) or not titled.issuperset(others):
        raise _FlawError("has other names than fields", lies=True)
    spans = sorted((offset, offset + (part.size or 0)) for name, (part, offset, _) in found.items() if name in named)
    objects = any(part.objects for part, _, _ in found.values())
    if objects and any(end > start for (_, end), (start, _) in pairwise(spans)):
        raise _FlawError("has fields that share the bytes of objects", lies=True)
    return objects


def _review_subarray(source: Source, subarray: Value, size: int) -> bool:
    if not isinstance(subarray, tuple) or len(subarray) != 2:  # noqa: PLR2004 - dtype and shape
        raise _FlawError("has a subarray of no known form")
    base, shape = subarray
    count = _product(source, shape if isinstance(shape, tuple) else (shape,))
    if not isinstance(base, Dtype) or not base.settled or base.size is None or count is None:
        raise _FlawError("has a subarray that nobody can follow")
    if base.size * count != size:
        raise _FlawError("has a subarray of another length", lies=True)
    return base.objects


def _review_fields(source: Source, items: list[Value], size: int) -> Mapping[str, tuple[Dtype, int, str | None]]:
    found: dict[str, tuple[Dtype, int, str | None]] = {}
    for key, value in zip(items[::2], items[1::2], strict=False):
        name = _text(source, key)
        if name is None or name in found or not isinstance(value, tuple) or len(value) not in {2, 3}:
            raise _FlawError("has a field of no known form")
        part, offset = value[0], _integer(source, value[1])
        title = _text(source, value[2]) if len(value) > 2 else None  # noqa: PLR2004 - the title is the third
        if not isinstance(part, Dtype) or not part.settled or part.size is None or offset is None:
            hidden = isinstance(part, Dtype) and part.kind in _KEEPING
            raise _FlawError("has a field that nobody can follow", lies=hidden)
        if offset < 0 or offset + part.size > size:
            raise _FlawError("has a field beyond its length", lies=True)
        found[name] = (part, offset, title)
    return found


def flaw_of_array(source: Source, contents: Contents | None, state: Value) -> tuple[str, bool] | None:
    """Review the state of an array; return what is wrong, and whether the state lies about memory.

    NumPy compares the length of plain numbers with the shape itself. Of objects it takes as many from the list as
    the shape says, however many there are.
    """
    first = _integer(source, state[0]) if isinstance(state, tuple) and state else None
    rest = state[first is not None :] if isinstance(state, tuple) else ()
    if len(rest) < 4:  # noqa: PLR2004 - shape, dtype, order, data
        return "has no known form", False
    shape, dtype, _, data = rest[:4]
    count = _product(source, shape)
    if not isinstance(dtype, Dtype) or not dtype.settled or count is None:
        return "has a shape or a dtype that nobody can follow", False
    if not dtype.objects or count == 0:
        return None
    if not isinstance(data, int) or data >= 0 or source.kind(~data) != "list":
        return "holds objects that are in no list", False
    held = contents.length(data) if contents is not None else 0
    return None if held >= count else (f"takes {count} objects from a list of {held}", True)


def _integer(source: Source, value: Value | None) -> int | None:
    return source.integer(value) if isinstance(value, int) and value >= 0 else None


def _text(source: Source, value: Value) -> str | None:
    return source.text(value) if isinstance(value, int) and value >= 0 else None


def _texts(source: Source, values: Value) -> list[str]:
    texts = [_text(source, value) for value in values] if isinstance(values, tuple) else [None]
    known = [text for text in texts if text is not None]
    if len(known) != len(texts):
        raise _FlawError("has names that are no text")
    return known


def _product(source: Source, shape: Value) -> int | None:
    if not isinstance(shape, tuple):
        return None
    sizes = [_integer(source, item) for item in shape]
    known = [size for size in sizes if size is not None and 0 <= size < _LARGEST**2]
    return prod(known) if len(known) == len(sizes) else None


def _is_none(source: Source, value: Value) -> bool:
    return isinstance(value, int) and value >= 0 and source.kind(value) == "none"


def _is_dict(source: Source, value: Value) -> bool:
    return isinstance(value, int) and value < 0 and source.kind(~value) == "dict"
