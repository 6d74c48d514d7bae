"""Heaps: the local one of older groups, the global one of variable-length texts, the fractal one of many entries.

Specification III.D, III.E, III.G.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.hdf5.source import BrokenError
from modelsign.scan.hdf5.trees import records

if TYPE_CHECKING:
    from modelsign.scan.hdf5.source import Cursor, Source

__all__ = ["FractalHeap", "GlobalHeaps", "local_heap"]

_HUGE_RECORD: Final = 1
_TINY: Final = 2
_LONG_IDS: Final = 18
_OBJECT_HEAD: Final = 8


def local_heap(source: Source, address: int) -> Cursor:
    """Return the data segment of a local heap (III.D)."""
    head = source.read(address, 8 + 2 * source.length_size + source.address_size)
    head.expect(b"HEAP")
    head.take(4)
    size = head.length()
    head.length()
    return source.read(head.address(), size)


class GlobalHeaps:
    """The global heap collections of a file (III.E), each looked through once."""

    def __init__(self, source: Source) -> None:
        """Take the file."""
        self._source = source
        self._known: dict[int, dict[int, tuple[int, int]]] = {}

    def object(self, address: int, index: int, most: int) -> bytes:
        """Return at most ``most`` bytes of an object in a collection."""
        if address not in self._known:
            self._known[address] = self._collection(address)
        place = self._known[address].get(index)
        if place is None:
            raise BrokenError(f"the global heap has no object {index}", self._source.base + address)
        return self._source.read(place[0], min(place[1], most)).data

    def _collection(self, address: int) -> dict[int, tuple[int, int]]:
        source = self._source
        head = source.read(address, 8 + source.length_size)
        head.expect(b"GCOL")
        head.take(4)
        end = address + head.length()
        at = address + head.at
        found = {}
        while at + _OBJECT_HEAD + source.length_size <= end:
            source.step(at)
            entry = source.read(at, _OBJECT_HEAD + source.length_size)
            index = entry.uint(2)
            entry.take(6)
            size = entry.length()
            if index == 0:
                break
            at += entry.at
            found[index] = (at, size)
            at += size + -size % 8
        return found


def _bytes_for(most: int) -> int:
    """Return how many bytes hold a number up to ``most`` (``H5VM_limit_enc_size``)."""
    return max(1, (most.bit_length() + 7) // 8)


class FractalHeap:
    """A fractal heap (III.G): objects by their heap ids."""

    def __init__(self, source: Source, address: int) -> None:
        """Read the heap's header."""
        self._source = source
        head = source.read(address, 22 + 12 * source.length_size + 3 * source.address_size)
        head.expect(b"FRHP")
        head.take(1)
        self._id_length, filtered, self._flags = head.uint(2), head.uint(2), head.uint(1)
        if filtered:
            raise BrokenError("a fractal heap is packed by filters", head.offset)
        most = head.uint(4)
        head.length()
        self._huge = head.address()
        head.length()
        head.address()
        for _ in range(8):
            head.length()
        self._width, self._start, self._most_direct = head.uint(2), head.length(), head.length()
        bits = head.uint(2)
        head.take(2)
        self._root, self._rows = head.address(), head.uint(2)
        if not _is_power(self._width) or not _is_power(self._start) or not _is_power(self._most_direct):
            raise BrokenError("a fractal heap has sizes that are no powers of two", head.offset)
        self._offset_bytes = (bits + 7) // 8
        self._length_bytes = min((self._most_direct.bit_length() - 1 + 7) // 8, _bytes_for(most))
        self._direct_rows = self._most_direct.bit_length() - self._start.bit_length() + 2
        self._ids: dict[int, tuple[int, int]] | None = None

    def object(self, identifier: Cursor) -> Cursor:
        """Return the object of a heap id."""
        first = identifier.uint(1)
        kind = first >> 4 & 3
        if kind == 0:
            offset = identifier.uint(self._offset_bytes)
            size = identifier.uint(self._length_bytes)
            return self._source.read(self._place(offset), size)
        if kind == _TINY:
            size = first & 15 if self._id_length <= _LONG_IDS else (first & 15) << 8 | identifier.uint(1)
            return identifier.rest(size + 1)
        return self._huge_object(identifier)

    def _huge_object(self, identifier: Cursor) -> Cursor:
        source = self._source
        if self._id_length - 1 >= source.address_size + source.length_size:
            address = identifier.address()
            return source.read(address, identifier.length())
        if self._ids is None:
            self._ids = {}
            for record in records(source, self._huge, _HUGE_RECORD):
                address, size = record.address(), record.length()
                self._ids[record.length()] = (address, size)
        number = identifier.uint(min(self._id_length - 1, source.length_size))
        if number not in self._ids:
            raise BrokenError("a fractal heap lacks a huge object", identifier.place)
        return source.read(*self._ids[number])

    def _place(self, offset: int) -> int:
        """Return the address of an offset in the heap's managed space, through the doubling table."""
        if not self._rows:
            return self._root + offset
        source, address = self._source, self._root
        while True:
            row, column, start, size = self._cell(offset)
            if row < self._direct_rows:
                entry = row * self._width + column
            else:
                direct = self._direct_rows * self._width
                entry = direct + (row - self._direct_rows) * self._width + column
            source.step(address)
            head = 5 + source.address_size + self._offset_bytes
            source.read(address, 4).expect(b"FHIB")
            address = source.read(address + head + entry * source.address_size, source.address_size).address()
            offset -= start
            if row < self._direct_rows or size <= self._most_direct:
                return address + offset

    def _cell(self, offset: int) -> tuple[int, int, int, int]:
        """Return row, column, start and size of the block that holds an offset (``H5HF__dtable_lookup``)."""
        if offset < self._start * self._width:
            column = offset // self._start
            return 0, column, column * self._start, self._start
        row = offset.bit_length() - (self._start * self._width).bit_length() + 1
        size = self._start << (row - 1)
        begin = 1 << (offset.bit_length() - 1)
        column = (offset - begin) // size
        return row, column, begin + column * size, size


def _is_power(number: int) -> bool:
    return number > 0 and not number & (number - 1)
