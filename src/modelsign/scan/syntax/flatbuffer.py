"""Reads FlatBuffers: tables, vectors and text at offsets, each checked against the file before it is followed.

A table is read when it is asked for, a vector never as a whole, so numbers stay unread. Nothing here knows a schema:
fields are numbered from 0 in the order of their declaration.

Source: flatbuffers.dev/internals, and ``flatbuffers/verifier.h`` for what a verifier refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading

__all__ = ["Damaged", "FlatBuffer", "Table", "Vector"]

_OFFSET: Final = 4
_SHORT: Final = 2
_MOST: Final = 2**31 - 1
"""A FlatBuffer has at most 2 GiB; what TensorFlow Lite keeps behind it is not part of it."""


class Damaged(Exception):
    """An offset or a length leads out of the file; never leaves the readers of flat buffers."""


class Vector(NamedTuple):
    """A vector's first element and its number of elements."""

    start: int
    length: int


class FlatBuffer:
    """A file that begins with the offset of its root table. ``steps`` counts what was read, against a budget."""

    def __init__(self, reading: Reading, steps: int) -> None:
        """Take the bytes and the number of tables and vectors that may be read."""
        self._reading = reading
        self._size = reading.size
        self._left = steps

    def root(self) -> Table:
        """Return the root table."""
        return self.table(self.number(0, _OFFSET))

    def table(self, at: int) -> Table:
        """Return the table at an offset; its list of fields must lie in the file."""
        self._step()
        if not 0 < at <= _MOST:
            raise Damaged(f"a table at {at}")
        head = at - self.number(at, _OFFSET, signed=True)
        if head < 0:
            raise Damaged(f"the table at {at} describes itself in front of the file")
        length = self.number(head, _SHORT)
        if length < 2 * _SHORT or length % _SHORT:
            raise Damaged(f"the table at {at} has a description of {length} bytes")
        fields = self.bytes(head + 2 * _SHORT, length - 2 * _SHORT)
        size = self.number(head + _SHORT, _SHORT)
        self._within(at, size)
        return Table(self, at, size, fields)

    def number(self, at: int, width: int, *, signed: bool = False) -> int:
        """Return a number of ``width`` bytes."""
        return int.from_bytes(self.bytes(at, width), "little", signed=signed)

    def bytes(self, at: int, length: int) -> bytes:
        """Return bytes, all of which must lie in the file."""
        self._within(at, length)
        return self._reading.read_at(at, length)

    def vector(self, at: int, width: int) -> Vector:
        """Return the vector at an offset, all of which must lie in the file; ``width`` is that of one element."""
        self._step()
        length = self.number(at, _OFFSET)
        self._within(at + _OFFSET, length * width)
        return Vector(at + _OFFSET, length)

    def tables(self, vector: Vector) -> Iterator[Table]:
        """Yield the tables of a vector of tables."""
        for place in range(vector.start, vector.start + vector.length * _OFFSET, _OFFSET):
            yield self.table(place + self.number(place, _OFFSET))

    def _within(self, at: int, length: int) -> None:
        if at < 0 or length < 0 or at + length > self._size:
            raise Damaged(f"{length} bytes at {at} are not in the file")

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Damaged("more tables and vectors than are looked at")


class Table:
    """One table; a field that is not there has its default."""

    def __init__(self, buffer: FlatBuffer, at: int, size: int, fields: bytes) -> None:
        """Take where the table lies, its size, and the offsets of its fields."""
        self.buffer = buffer
        self.at = at
        self._size = size
        self._fields = fields

    def place(self, number: int) -> int | None:
        """Return where a field lies, or None where it is not there."""
        raw = self._fields[number * _SHORT : (number + 1) * _SHORT]
        offset = int.from_bytes(raw, "little")
        if not offset:
            return None
        if offset >= self._size:
            raise Damaged(f"field {number} of the table at {self.at} lies outside it")
        return self.at + offset

    def number(self, number: int, width: int, default: int = 0, *, signed: bool = False) -> int:
        """Return a field that is a number of ``width`` bytes."""
        place = self.place(number)
        return default if place is None else self.buffer.number(place, width, signed=signed)

    def _followed(self, number: int) -> int | None:
        place = self.place(number)
        return None if place is None else place + self.buffer.number(place, _OFFSET)

    def table(self, number: int) -> Table | None:
        """Return a field that is a table."""
        at = self._followed(number)
        return None if at is None else self.buffer.table(at)

    def vector(self, number: int, width: int) -> Vector:
        """Return a field that is a vector of elements of ``width`` bytes; empty where it is not there."""
        at = self._followed(number)
        return Vector(0, 0) if at is None else self.buffer.vector(at, width)

    def tables(self, number: int) -> Iterator[Table]:
        """Yield the tables of a field that is a vector of tables."""
        yield from self.buffer.tables(self.vector(number, _OFFSET))

    def text(self, number: int, most: int = 1000) -> str:
        """Return a field that is text; what is longer than ``most`` bytes is cut and ends in …."""
        found = self.vector(number, 1)
        text = self.buffer.bytes(found.start, min(found.length, most)).decode("utf-8", "backslashreplace")
        return text if found.length <= most else text + "…"

    def numbers(self, number: int, width: int, most: int, *, signed: bool = True) -> list[int]:
        """Return a field that is a vector of numbers.

        Raises:
            Damaged: it has more than ``most``.

        """
        found = self.vector(number, width)
        if found.length > most:
            raise Damaged(f"a list of {found.length} numbers, the limit is {most}")
        data = self.buffer.bytes(found.start, found.length * width)
        return [int.from_bytes(data[at : at + width], "little", signed=signed) for at in range(0, len(data), width)]
