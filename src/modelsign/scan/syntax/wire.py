"""The lowest level of protobuf: keys, varints, lengths, over a window on a reading.

Nothing here knows a schema. Length-delimited fields are stepped over without being read. ``outline`` lists the
outermost fields of a file, by which formats without a mark of their own tell whether a file may be theirs.

Source: protobuf.dev/programming-guides/encoding; a key has at most 5 bytes and a varint at most 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

from modelsign import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsign.artifact.reading import Reading

__all__ = ["Malformed", "Place", "Span", "Wire", "outline", "shape"]

_WINDOW: Final = 64 * 1024
_MOST_VARINT: Final = 10
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}
_MOST_KEY: Final = 2**32 - 1
_MOST_VALUE: Final = 2**64 - 1


class Malformed(Exception):
    """Bytes that no protobuf parser takes; never leaves the readers that walk messages."""


class Span(NamedTuple):
    """A part of the file: first byte, and the byte behind the last."""

    start: int
    end: int


class Place(NamedTuple):
    """One field: its number and wire type, its value where it is a number, and where its value lies."""

    number: int
    wire: int
    value: int
    start: int
    end: int


class Wire:
    """Reads keys and numbers at any offset of a reading, through a window."""

    def __init__(self, reading: Reading) -> None:
        """Take the bytes."""
        self._reading = reading
        self._base = 0
        self._data = b""

    def bytes(self, start: int, length: int) -> bytes:
        """Return some bytes of the file."""
        begin = start - self._base
        if begin >= 0 and begin + length <= len(self._data):
            return self._data[begin : begin + length]
        return self._reading.read_at(start, length)

    def field(self, at: int, end: int) -> Place:
        """Read the field that begins at ``at`` in a message that ends at ``end``.

        Raises:
            Malformed: the bytes are no field, or one that ends behind the message.

        """
        key, at = self.varint(at, end)
        number, wire = key >> 3, key & 7
        if key > _MOST_KEY or not number:
            raise Malformed(f"{key} is no key of a field")
        if wire == _VARINT:
            value, behind = self.varint(at, end)
            return Place(number, wire, value, at, behind)
        if wire == _LENGTH:
            length, at = self.varint(at, end)
            if length > end - at:
                raise Malformed(f"field {number} ends behind its message")
            return Place(number, wire, length, at, at + length)
        width = _WIDTHS.get(wire)
        if width is None:
            raise Malformed(f"field {number} has the wire type {wire}")
        if width > end - at:
            raise Malformed(f"field {number} ends behind its message")
        return Place(number, wire, int.from_bytes(self.bytes(at, width), "little"), at, at + width)

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Read a varint; return it and the offset behind it.

        Raises:
            Malformed: it has more than ten bytes or does not end.

        """
        place = at - self._base
        data = self._data
        if place < 0 or place + _MOST_VARINT > len(data):
            self._base = at
            self._data = data = self._reading.read_at(at, _WINDOW)
            place = 0
        most = min(end - at, _MOST_VARINT, len(data) - place)
        if most > 0 and data[place] < 0x80:  # noqa: PLR2004 - most numbers have one byte
            return data[place], at + 1
        value = shift = 0
        for index in range(most):
            byte = data[place + index]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says more follows
                return value & _MOST_VALUE, at + index + 1
            shift += 7
        raise Malformed("a number does not end")

    def packed(self, wire: int, start: int, end: int, most: int) -> Iterator[int]:
        """Yield the numbers of a packed field, at most ``most`` and one more.

        Raises:
            Malformed: the last number does not end with the field.

        """
        width = _WIDTHS.get(wire, 0)
        for _ in range(most + 1):
            if start >= end:
                return
            if width:
                if width > end - start:
                    raise Malformed("a packed number does not end")
                yield int.from_bytes(self.bytes(start, width), "little")
                start += width
            else:
                value, start = self.varint(start, end)
                yield value


_known: WeakKeyDictionary[Reading, Mapping[int, list[Place]] | None] = WeakKeyDictionary()
_FIRST: Final = 4


def outline(reading: Reading) -> Mapping[int, list[Place]] | None:
    """Return the outermost fields by number, the first few of each; None where the bytes are no message.

    Looked up once for a reading, however many formats ask.
    """
    if reading not in _known:
        _known[reading] = shape(Wire(reading), Span(0, reading.size), limits.PROTOBUF_OUTLINE)
    return _known[reading]


def shape(wire: Wire, place: Span, most: int) -> Mapping[int, list[Place]] | None:
    """Return the first few fields of each number in a message; None where it is none or has more than ``most``."""
    found: dict[int, list[Place]] = {}
    at = place.start
    try:
        for _ in range(most):
            if at >= place.end:
                return found
            one = wire.field(at, place.end)
            places = found.setdefault(one.number, [])
            if len(places) < _FIRST:
                places.append(one)
            at = one.end
    except Malformed:
        return None
    return None
