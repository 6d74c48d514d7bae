"""The other readings of a pickle whose frames do not fit: what ``_pickle.Unpickler(file)`` reads.

CPython before 3.13.15 and 3.14.7 (gh-154848) prefetches a frame, and where an opcode or argument needs more bytes
than are left of it, drops the rest of the frame and reads on behind it; so does every version where the pickle stops
before its frame and another is read behind it. ``pickle.loads`` reads straight on, and so does a reader of a file that
can be looked into ahead (``peek``), as long as the frame lies within what it sees. How much that is, is the file's
affair: each frame that does not fit may be dropped or not, and each combination is a reading of its own.
This yields the bytes in the order in which such readers consume them.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine import opcodes as op

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.machine.source import Source

__all__ = ["ARGUMENTS", "LINES", "Segments", "file_readings"]

LINES: Final = {op.GLOBAL: 2, op.INST: 2, op.PERSID: 1, op.GET: 1, op.PUT: 1} | dict.fromkeys(op.TEXT_LITERALS, 1)
"""How many lines follow an opcode."""
ARGUMENTS: Final = {
    op.BININT1: 1, op.BININT2: 2, op.BININT: 4, op.BINFLOAT: 8, op.BINGET: 1, op.LONG_BINGET: 4, op.BINPUT: 1,
    op.LONG_BINPUT: 4, op.EXT1: 1, op.EXT2: 2, op.EXT4: 4, op.PROTO: 1, op.FRAME: 8,
}  # fmt: skip
"""How many bytes follow an opcode."""
_COPIED: Final = frozenset({op.BINBYTES, op.SHORT_BINBYTES, op.BINBYTES8, op.BYTEARRAY8})
"""Literals whose content is copied in two parts, so that nothing is dropped."""
_MOST: Final = 1_000_000
_READINGS: Final = 8
"""So many readings are followed."""


class Segments:
    """A reading made of parts of another reading, one after the other."""

    def __init__(self, whole: Reading, parts: list[tuple[int, int]]) -> None:
        """Take the parts as (start, end) offsets."""
        self._whole = whole
        self._parts = [(start, min(end, whole.size)) for start, end in parts if start < min(end, whole.size)]
        self.size: int = sum(end - start for start, end in self._parts)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset``, fewer than ``length`` only at the end."""
        found = []
        for start, end in self._parts:
            if length <= 0:
                break
            if offset < end - start:
                piece = self._whole.read_at(start + offset, min(length, end - start - offset))
                found.append(piece)
                length -= len(piece)
                offset = 0
            else:
                offset -= end - start
        return b"".join(found)


class _Reader:
    """A file reader with a buffer: ``position`` is where it reads, ``buffered`` the end of what it holds."""

    def __init__(self, source: Source, start: int, drops: tuple[bool, ...]) -> None:
        """Take whether to drop the rest of a frame, each time that it comes to that; from then on always."""
        self.source = source
        self.position = self.buffered = self._kept = start
        self.parts: list[tuple[int, int]] = []
        self.drops = drops
        self.asked = 0
        """How often there was a rest to drop."""

    def take(self, length: int, *, copied: bool = False) -> int:
        """Read ``length`` bytes; return where they stand."""
        if self.position + length > self.buffered:
            if self.position < self.buffered and not copied:
                self._jump()
            self.buffered = self.position + length
        start = self.position
        self.position += length
        return start

    def take_line(self) -> bool:
        """Read a line; say whether there was one."""
        end = self.source.line_end(self.position)
        if end > self.buffered > self.position:
            self._jump()
            end = self.source.line_end(self.position)
        self.buffered = max(self.buffered, end)
        self.position = end if end >= 0 else self.source.size
        return end >= 0

    def _jump(self) -> None:
        self.asked += 1
        if self.asked <= len(self.drops) and not self.drops[self.asked - 1]:
            self.buffered = self.position
            return
        self.parts.append((self._kept, self.position))
        self.position = self._kept = self.buffered

    def finish_pickle(self) -> None:
        """Let go of what is left of a frame, as the next pickle is read by an unpickler of its own."""
        if self.position < self.buffered:
            self._jump()

    def finish(self) -> list[tuple[int, int]]:
        return [*self.parts, (self._kept, max(self._kept, self.source.size))]


def file_readings(source: Source, start: int) -> tuple[list[Segments], bool]:
    """Return the bytes in each order in which readers of files consume them, but the order that they are in.

    The second value says that there are more than are returned.
    """
    found: list[Segments] = []
    ahead: deque[tuple[bool, ...]] = deque([()])
    while ahead and len(found) < _READINGS:
        drops = ahead.popleft()
        reader = _read(source, start, drops)
        if reader.parts:
            found.append(Segments(source.reading, reader.finish()))
        settled = drops + (True,) * (reader.asked - len(drops))
        ahead.extend((*settled[:place], False) for place in range(len(drops), min(reader.asked, _READINGS)))
    return found, bool(ahead)


def _read(source: Source, start: int, drops: tuple[bool, ...]) -> _Reader:
    """Let a reader go through the opcodes."""
    reader = _Reader(source, start, drops)
    for _ in range(_MOST):
        place = reader.take(1)
        if place >= source.size:
            break
        code = source.read(place, 1)[0]
        if not _argument(reader, code):
            break
        if code == op.STOP:
            reader.finish_pickle()
    return reader


def _argument(reader: _Reader, code: int) -> bool:
    if code in op.COUNT_BYTES:
        width = op.COUNT_BYTES[code]
        place = reader.take(width)
        reader.take(reader.source.number(place, width), copied=code in _COPIED)
    elif code in LINES:
        return all(reader.take_line() for _ in range(LINES[code]))
    elif code in ARGUMENTS:
        place = reader.take(ARGUMENTS[code])
        if code == op.FRAME:
            length = reader.source.number(place, 8)
            if length > reader.source.size:
                return False
            reader.take(length)
            reader.position -= length
    return True
