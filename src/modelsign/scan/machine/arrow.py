"""Arrow's arrays: whether the lengths and offsets that a pickle gives one lie within its buffers.

``pyarrow.lib._restore_array`` believes them: a buffer that is too short, an offset beyond the text, an index beyond a
dictionary, and a count of nulls that is none read and write past memory as soon as somebody looks at the array. Checked
is what ``Array.validate(full=True)`` would (cpp/src/arrow/array/validate.cc, Arrow 10 to 26), of the types below; any
other type is not known to be safe. Text need not be UTF-8, which readers refuse by themselves, but its last character
must end within it. Numbers are little-endian, as on every machine there are packages for. Never imports pyarrow.
"""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import BytesReading, Slice
from modelsign.scan import knowledge
from modelsign.scan.machine import rules
from modelsign.scan.machine.values import EMPTY_BYTES, Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Global, Value

__all__ = ["ARROW", "is_checked_array"]

_ARRAY: Final = "pyarrow.lib.Array"
_CHUNKS: Final = "pyarrow.lib.ChunkedArray"
_TYPE: Final = "pyarrow.lib.DataType"
_BUFFER: Final = "pyarrow.lib.Buffer"
_INTEGERS: Final = {
    "int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q",
}  # fmt: skip
"""Name of a type to its code in ``array``."""
_WIDTHS: Final = {
    **{name: array(code).itemsize for name, code in _INTEGERS.items()},
    "halffloat": 2, "float": 4, "double": 8, "date32[day]": 4, "date64[ms]": 8, "time32[s]": 4, "time32[ms]": 4,
    "time64[us]": 8, "time64[ns]": 8, "duration[s]": 8, "duration[ms]": 8, "duration[us]": 8, "duration[ns]": 8,
}  # fmt: skip
"""Bytes of one value, by the name that Arrow's types write of themselves."""
_TEXTS: Final = {"string": 4, "large_string": 8, "binary": 4, "large_binary": 8}
"""Bytes of one offset into the text."""
_UNITS: Final = frozenset({"s", "ms", "us", "ns"})
_LARGEST: Final = 1 << 40
_PARTS: Final = 7
_CHUNK: Final = 64 * 1024
"""Numbers looked at in one go."""
_CHARACTER: Final = 4
_NAMES: Final = 10_000
"""Texts that are looked at wherever they stand: they may be names of columns."""
_NP: Final = b"np"
_UNKNOWN_NULLS: Final = -1


@dataclass(slots=True, eq=False)
class _Type(Instance):
    """A data type: its name, and bytes per value, of an offset, or 0 for bits and nothing."""

    name: str = ""
    kind: str = ""
    width: int = 0
    parts: tuple[_Type, ...] = ()
    """Of a dictionary: the types of its indices and its values."""


@dataclass(slots=True, eq=False)
class _Buffer(Instance):
    """A buffer; ``content`` is the value that holds its bytes."""

    content: Value = 0


@dataclass(slots=True, eq=False)
class _Array(Instance):
    """An array, or chunks of some, that was found to be within its buffers."""

    type: str = ""


class _FlawError(Exception):
    """Why an array is not accepted; ``lies`` where Arrow would read or write beyond memory."""

    def __init__(self, words: str, *, lies: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.lies = lies


def is_checked_array(value: Value) -> bool:
    """Say whether a value is an array of Arrow's that was looked into."""
    return isinstance(value, _Array)


# --- types and buffers ------------------------------------------------------------------------


def _make_type(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``type_for_alias('large_string')``, ``timestamp('ns', None)``, ``binary(8)``, ``dictionary(int8, string)``."""
    found = _KINDS[function.name](judge, arguments) if isinstance(arguments, tuple) else None
    if found is None:
        return judge.unreviewed(function, arguments, offset)
    name, kind, width, parts = found
    return _Type(_TYPE, knowledge.allowed(_TYPE), name=name, kind=kind, width=width, parts=parts)


_Made = tuple[str, str, int, tuple[_Type, ...]]


def _by_alias(judge: Judge, arguments: tuple[Value, ...]) -> _Made | None:
    name = _text(judge, arguments[0]) if len(arguments) == 1 else None
    if name in _WIDTHS:
        return name, "numbers", _WIDTHS[name], ()
    if name in _TEXTS:
        return name, "text", _TEXTS[name], ()
    return (name, name, 0, ()) if name in {"null", "bool"} else None


def _timestamp(judge: Judge, arguments: tuple[Value, ...]) -> _Made | None:
    if len(arguments) not in {1, 2}:
        return None
    unit = _text(judge, arguments[0])
    zone = "" if len(arguments) == 1 or _is_none(judge, arguments[1]) else _text(judge, arguments[1])
    return None if unit not in _UNITS or zone is None else (f"timestamp[{unit}, {zone}]", "numbers", 8, ())


def _binary(judge: Judge, arguments: tuple[Value, ...]) -> _Made | None:
    width = _integer(judge, arguments[0]) if len(arguments) == 1 else None
    return None if width is None or not 0 < width < _LARGEST else (f"binary[{width}]", "numbers", width, ())


def _dictionary(judge: Judge, arguments: tuple[Value, ...]) -> _Made | None:
    del judge
    if len(arguments) not in {2, 3}:
        return None
    index, value = arguments[:2]
    if not isinstance(index, _Type) or not isinstance(value, _Type) or index.name not in _INTEGERS or value.parts:
        return None
    return f"dictionary[{index.name}, {value.name}]", "dictionary", index.width, (index, value)


_KINDS: Final[dict[str, Callable[[Judge, tuple[Value, ...]], _Made | None]]] = {
    "type_for_alias": _by_alias,
    "timestamp": _timestamp,
    "binary": _binary,
    "dictionary": _dictionary,
}


def _make_buffer(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``py_buffer(b'…')``: the bytes as they lie in the file; remembers where."""
    if isinstance(arguments, tuple) and len(arguments) == 1 and _lies_in_file(judge, arguments[0]):
        return _Buffer(_BUFFER, knowledge.allowed(_BUFFER), content=arguments[0])
    return judge.unreviewed(function, arguments, offset)


def _lies_in_file(judge: Judge, value: Value) -> bool:
    if isinstance(value, Instance):
        return value.cls in {"builtins.bytes", "builtins.bytearray"} and bool(value.detail)
    return isinstance(value, int) and value >= 0 and judge.source.kind(value) in {"bytes", "bytearray"}


def _content(judge: Judge, value: Value) -> Reading:
    """Return the bytes of a buffer; each time they are asked for counts as work."""
    source = judge.source
    if isinstance(value, Instance) and value.detail == EMPTY_BYTES:
        return BytesReading(b"")
    place = int(value.detail) if isinstance(value, Instance) else value
    start, length = source.content(place) if isinstance(place, int) else (0, -1)
    if length < 0 or not isinstance(place, int):
        raise _FlawError("has a buffer that nobody can follow")
    if source.kind(place) != "str":
        return Slice(source.reading, start, length)
    try:  # the bytes of protocol 2 are written as text, in UTF-8
        return BytesReading(source.reading.read_at(start, length).decode().encode("latin-1"))
    except ValueError:
        raise _FlawError("has a buffer that nobody can follow") from None


# --- arrays -------------------------------------------------------------------------------------


def _restore(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``_restore_array((type, length, nulls, offset, buffers, children, dictionary))``."""
    try:
        found = _check(judge, *_given(arguments, 1))
    except _FlawError as flaw:
        return _refused(judge, function, arguments, offset, flaw)
    finally:
        _let_go(judge)
    return _Array(_ARRAY, knowledge.allowed(_ARRAY), type=found.name)


def _chunked(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``chunked_array([array, …], type)``: arrays of one type; anything else would be asked for its methods."""
    try:
        name = _type_of_chunks(judge, *_given(arguments, 2))
    except _FlawError as flaw:
        return _refused(judge, function, arguments, offset, flaw)
    finally:
        _let_go(judge)
    return _Array(_CHUNKS, knowledge.allowed(_CHUNKS), type=name)


def _given(arguments: Value, count: int) -> tuple[Value, ...]:
    if not isinstance(arguments, tuple) or len(arguments) != count:
        raise _FlawError("has no known form")
    return arguments


def _type_of_chunks(judge: Judge, chunks: Value, declared: Value) -> str:
    names = [one.type if isinstance(one, _Array) else "" for one in _listed(judge, chunks)]
    names.append(declared.name if isinstance(declared, _Type) else "")
    if len(set(names)) != 1 or not names[0]:
        raise _FlawError("has chunks that nobody reviewed")
    return names[0]


def _refused(judge: Judge, function: Global, arguments: Value, offset: int, flaw: _FlawError) -> Value:
    function.called = True
    text, call = judge.chain.add(function.path, arguments)
    rule = rules.CAPABILITIES["native-code"] if flaw.lies else rules.UNREVIEWED_USE
    judge.note(rule, f"calls {text}: the array {flaw.words}", offset, call=call)
    return Instance("object", call=call)


def _let_go(judge: Judge) -> None:
    if judge.contents is not None:
        judge.contents.lists_done()


def _listed(judge: Judge, value: Value) -> list[Value]:
    """Return what a list holds that was made since the function was named."""
    is_list = isinstance(value, int) and value < 0 and judge.source.kind(~value) == "list"
    items = judge.contents.listed(value) if is_list and judge.contents is not None and isinstance(value, int) else None
    if items is None:
        raise _FlawError("has lists that nobody can follow")
    return items


def _check(judge: Judge, parts: Value) -> _Type:
    """Check an array that is taken apart; return its type."""
    kind, *numbers, listed, children, dictionary = _given(parts, _PARTS)
    if not isinstance(kind, _Type):
        raise _FlawError("has a type that nobody reviewed")
    length, nulls, offset = _lengths(judge, numbers)
    buffers = [_buffer(judge, one) for one in _listed(judge, listed)]
    if _listed(judge, children) or (kind.kind != "dictionary" and not _is_none(judge, dictionary)):
        raise _FlawError("has parts that its type has not")
    if len(buffers) != _BUFFERS[kind.kind]:
        raise _FlawError("has another number of buffers than its type", lies=True)
    if kind.kind == "null":
        return kind
    _check_nulls(buffers[0], length, nulls, offset)
    if kind.kind == "text":
        _check_text(judge, buffers[1], buffers[2], kind, length, offset)
        return kind
    bits = 1 if kind.kind == "bool" else 8 * kind.width
    if length and (buffers[1].size if buffers[1] else 0) < ((length + offset) * bits + 7) // 8:
        raise _FlawError("is longer than its buffer", lies=True)
    if kind.kind == "dictionary":
        _check_indices(judge, kind, buffers, length, offset, dictionary)
    return kind


def _lengths(judge: Judge, values: list[Value]) -> tuple[int, int, int]:
    """Return length, number of nulls and offset."""
    length, nulls, offset = (_integer(judge, value) for value in values)
    if length is None or offset is None or nulls is None:
        raise _FlawError("has no known form")
    if not 0 <= length < _LARGEST or not 0 <= offset < _LARGEST:
        raise _FlawError("has an impossible length", lies=True)
    return length, nulls, offset


_BUFFERS: Final = {"null": 1, "bool": 2, "numbers": 2, "dictionary": 2, "text": 3}


def _buffer(judge: Judge, value: Value) -> Reading | None:
    if _is_none(judge, value):
        return None
    if not isinstance(value, _Buffer):
        raise _FlawError("has a buffer that nobody reviewed")
    return _content(judge, value.content)


def _check_nulls(bits: Reading | None, length: int, nulls: int, offset: int) -> None:
    """Count the nulls: kernels make room by their number. Where it is 0, Arrow lets go of the marks."""
    if bits is None:
        if nulls not in {0, _UNKNOWN_NULLS}:
            raise _FlawError("counts nulls that are not marked", lies=True)
        return
    if not length:
        known = 0
    elif bits.size < (length + offset + 7) // 8:
        raise _FlawError("is longer than the marks of its nulls", lies=nulls != 0)
    else:
        known = length - _ones(bits, offset, length)
    if nulls not in {known, _UNKNOWN_NULLS}:
        raise _FlawError(f"counts {nulls} nulls of {known}", lies=nulls != 0)


def _ones(bits: Reading, offset: int, length: int) -> int:
    """Count the bits that are set, from one on."""
    first, last, found = offset // 8, (offset + length + 7) // 8, 0
    for place in range(first, last, _CHUNK):
        data = bits.read_at(place, min(_CHUNK, last - place))
        number = int.from_bytes(data, "little")
        if place + len(data) == last:
            number &= (1 << (offset + length - 8 * place)) - 1
        if place == first:
            number >>= offset % 8
        found += number.bit_count()
    return found


def _check_text(  # noqa: PLR0913, PLR0917 - the parts of an array
    judge: Judge, offsets: Reading | None, text: Reading | None, kind: _Type, length: int, offset: int
) -> None:
    """Check that offsets go up and stay within the text, and that no character is cut off by its end."""
    held = offsets.size if offsets is not None else 0
    if text is None:
        raise _FlawError("has no text", lies=bool(length))
    if offsets is None or (not length and not held):
        if length or offset:
            raise _FlawError("has no offsets", lies=bool(length))
        return
    if held < (length + offset + 1) * kind.width:
        raise _FlawError("has fewer offsets than its length", lies=True)
    before, size = 0, text.size
    looks = length < _NAMES or (judge.contents is not None and judge.contents.is_waiting)
    judge.may_hold_np |= not looks
    for numbers in _numbers(offsets, "i" if kind.width == 4 else "q", offset, length + 1):  # noqa: PLR2004 - bytes
        values = numbers.tolist()
        if values[0] < before or values != sorted(values):
            raise _FlawError("has offsets that do not go up", lies=True)
        if looks and _holds_np(text, [before, *values]):
            judge.may_hold_np = True
        before = values[-1]
    if before > size:
        raise _FlawError(f"has an offset of {before} into {size} bytes of text", lies=True)
    if kind.name.endswith("string") and _is_cut(text.read_at(max(size - _CHARACTER, 0), _CHARACTER)):
        raise _FlawError("ends in the middle of a character")


def _holds_np(text: Reading, offsets: list[int]) -> bool:
    """Say whether a text is ``np``: a formula that asks ``np`` for a function must not find a column of that name."""
    short = (start for start, end in pairwise(offsets) if end - start == len(_NP))
    return any(text.read_at(start, len(_NP)) == _NP for start in short)


def _is_cut(end: bytes) -> bool:
    """Say whether a reader of UTF-8 would look for more bytes than there are."""
    lengths = (4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1 for byte in end)  # noqa: PLR2004 - RFC 3629
    return any(place + length > len(end) for place, length in enumerate(lengths))


def _numbers(data: Reading, code: str, first: int, count: int) -> Iterator[array[int]]:
    """Yield numbers from one on, some at a time."""
    for start in range(first, first + count, _CHUNK):
        numbers: array[int] = array(code)
        wanted = min(_CHUNK, first + count - start)
        numbers.frombytes(data.read_at(start * numbers.itemsize, wanted * numbers.itemsize))
        if sys.byteorder == "big":
            numbers.byteswap()
        yield numbers


def _check_indices(  # noqa: PLR0913, PLR0917 - the parts of an array
    judge: Judge, kind: _Type, buffers: list[Reading | None], length: int, offset: int, dictionary: Value
) -> None:
    """Check that every index that is not marked as null is one of the dictionary's."""
    index, value = kind.parts
    if _check(judge, dictionary).name != value.name:
        raise _FlawError("has a dictionary of another type", lies=True)
    count = _integer(judge, dictionary[1]) if isinstance(dictionary, tuple) else None
    bits, indices = buffers
    if not length or indices is None or count is None:
        return
    place = offset
    for numbers in _numbers(indices, _INTEGERS[index.name], offset, length):
        if min(numbers) < 0 or max(numbers) >= count:
            data = b"" if bits is None else bits.read_at(place // 8, len(numbers) // 8 + 2)
            marks = int.from_bytes(data, "little") >> place % 8
            valid = bin(marks)[:1:-1] if bits is not None else "1" * len(numbers)
            wrong = (not 0 <= number < count for number in numbers)
            if any(bad and mark == "1" for bad, mark in zip(wrong, valid, strict=False)):
                raise _FlawError("has an index beyond its dictionary", lies=True)
        place += len(numbers)


# --- values ---------------------------------------------------------------------------------------


def _integer(judge: Judge, value: Value) -> int | None:
    is_integer = isinstance(value, int) and value >= 0 and judge.source.kind(value) == "int"
    return judge.source.integer(value) if is_integer and isinstance(value, int) else None


def _text(judge: Judge, value: Value) -> str | None:
    return judge.source.text(value, 100) if isinstance(value, int) and value >= 0 else None


def _is_none(judge: Judge, value: Value) -> bool:
    return isinstance(value, int) and value >= 0 and judge.source.kind(value) == "none"


ARROW: Final[dict[str, Callable[[Judge, Global, Value, int], Value]]] = {
    "arrow-type": _make_type,
    "arrow-buffer": _make_buffer,
    "arrow-array": _restore,
    "arrow-chunks": _chunked,
}
