"""Bytes of an HDF5 file behind a budget: what every part of the reader reads from.

Addresses count from the superblock's own place, whatever the file says of it, as libhdf5 has it
(``H5F__super_read``). Reading is paid for by the byte, so that headers that overlap cost no more than a multiple
of the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["BrokenError", "Cursor", "ExhaustedError", "Source"]

_SIZES: Final = frozenset({2, 4, 8})


class BrokenError(ValueError):
    """The bytes are not what the specification asks for at this place."""

    def __init__(self, message: str, offset: int) -> None:
        """Take what is wrong, and the offset in the file."""
        super().__init__(message)
        self.message = message
        self.offset = offset


class ExhaustedError(BrokenError):
    """The file is beyond the budget."""


class Source:
    """The file's bytes by address, with sizes of addresses and lengths as the superblock gives them (in bytes)."""

    def __init__(self, reading: Reading, base: int) -> None:
        """Take the file and the superblock's place."""
        self.reading = reading
        self.base = base
        self.address_size = 8
        self.length_size = 8
        self._bytes_left = min(limits.HDF5_METADATA_BYTES, limits.HDF5_REREAD * reading.size + limits.MIB)
        self._steps_left = limits.HDF5_STEPS

    def set_sizes(self, address: int, length: int, offset: int) -> None:
        """Take the sizes that the superblock declares."""
        if address not in _SIZES or length not in _SIZES:
            raise BrokenError("addresses or lengths have a size that no HDF5 file has", offset)
        self.address_size = address
        self.length_size = length

    @property
    def undefined(self) -> int:
        """The address that stands for none."""
        return (1 << (8 * self.address_size)) - 1

    def step(self, address: int) -> None:
        """Count one entry, message or object."""
        self._steps_left -= 1
        if self._steps_left < 0:
            raise ExhaustedError("the file has more entries than a scan reads", self.base + address)

    def read(self, address: int, length: int) -> Cursor:
        """Return exactly ``length`` bytes at an address."""
        place = self.base + address
        if length > self._bytes_left:
            raise ExhaustedError("the file has more metadata than a scan reads, or reads the same again", place)
        if address < 0 or place + length > self.reading.size:
            raise BrokenError("an address leads beyond the file", min(place, self.reading.size))
        self._bytes_left -= length
        return Cursor(self, self.reading.read_at(place, length), place)


class Cursor:
    """Some bytes that are read from front to back; ``place`` is the offset of the first in the file."""

    def __init__(self, source: Source, data: bytes, place: int) -> None:
        """Take the bytes."""
        self._source = source
        self.data = data
        self.place = place
        self.at = 0

    @property
    def offset(self) -> int:
        """The offset in the file of the next byte."""
        return self.place + self.at

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.at

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        if length < 0 or self.at + length > len(self.data):
            raise BrokenError("a field ends beyond the part that holds it", self.offset)
        self.at += length
        return self.data[self.at - length : self.at]

    def uint(self, length: int) -> int:
        """Return the next little-endian number."""
        return int.from_bytes(self.take(length), "little")

    def address(self) -> int:
        """Return the next address."""
        return self.uint(self._source.address_size)

    def length(self) -> int:
        """Return the next length."""
        return self.uint(self._source.length_size)

    def expect(self, mark: bytes) -> None:
        """Take a mark that must stand here."""
        if self.take(len(mark)) != mark:
            raise BrokenError(f"the mark {mark.decode('ascii')} is missing", self.offset - len(mark))

    def text(self) -> bytes:
        """Return the bytes up to the next NUL, which is taken too."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise BrokenError("a text has no end", self.offset)
        return self.take(end + 1 - self.at)[:-1]

    def align(self) -> None:
        """Skip to the next multiple of eight, counted from the first byte."""
        self.take(min(-self.at % 8, self.left))

    def rest(self, length: int) -> Cursor:
        """Return the next ``length`` bytes as a cursor of their own."""
        place = self.offset
        return Cursor(self._source, self.take(length), place)
