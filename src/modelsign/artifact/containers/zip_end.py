"""The end of a ZIP archive: its end record, the ZIP64 record behind it, and where they place the directory.

``zipfile`` measures the directory back from its end; PyTorch's miniz goes where the offset points; a streaming
reader never looks here. Where they would differ, every place is given and the difference is a flaw.
Follows APPNOTE 6.3.10, sections 4.3.14 to 4.3.16.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.flaw import Flaw, FlawKind

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["END_BYTES", "End", "find_end"]

_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"
_END_FORMAT: Final = struct.Struct("<4s4H2IH")
END_BYTES: Final = _END_FORMAT.size
"""The length of an end record without its comment."""
_END64_FORMAT: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_SIZE: Final = 20
_TAIL: Final = 0xFFFF + _END_FORMAT.size
_FULL16: Final = 0xFFFF
_FULL32: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class End:
    """What the end records claim. ``directory_end`` is where the directory must stop."""

    position: int
    directory_end: int
    count: int
    directory_size: int
    directory_start: int
    flaws: tuple[Flaw, ...]

    def starts(self) -> list[tuple[int, int]]:
        """Every place where a reader would look for the directory, with what it adds to the offsets in it."""
        measured = self.directory_end - self.directory_size
        shift = measured - self.directory_start
        places = [(measured, shift)] if shift == 0 else [(measured, shift), (self.directory_start, 0)]
        return [(start, base) for start, base in places if 0 <= start <= self.directory_end]


def find_end(reading: Reading) -> End | None:
    """Find the last end record that has room, as ``zipfile`` and miniz do; None where there is none."""
    start = max(0, reading.size - _TAIL)
    tail = reading.read_at(start, _TAIL)
    at = tail.rfind(_END, 0, max(0, len(tail) - _END_FORMAT.size + len(_END)))
    if at < 0:
        return None
    _, disk, directory_disk, here, total, size, offset, comment = _END_FORMAT.unpack_from(tail, at)
    position = start + at
    flaws = _around(tail, at, position, comment)
    record = _find_end64(reading, position)
    if record is None:
        agree = here == total and not disk and not directory_disk
        end = End(position, position, total, size, offset, ())
    else:
        at64, fields = record
        _, length, _, _, disk64, directory_disk64, here64, total64, size64, offset64 = fields
        pointed = int.from_bytes(reading.read_at(position - _LOCATOR_SIZE, _LOCATOR_SIZE)[8:16], "little")
        behind = at64 + 12 + length
        agree = (
            pointed == at64
            and behind == position - _LOCATOR_SIZE
            and here64 == total64
            and not disk64
            and not directory_disk64
            and {disk, directory_disk} <= {0, _FULL16}
            and here in {here64, _FULL16}
            and total in {total64, _FULL16}
            and size in {size64, _FULL32}
            and offset in {offset64, _FULL32}
        )
        end = End(position, at64, total64, size64, offset64, ())
    if not agree:
        flaws.append(Flaw(FlawKind.DIRECTORY, "the end records contradict each other", offset=position))
    if end.directory_end - end.directory_size != end.directory_start:
        flaws.append(Flaw(FlawKind.OUTSIDE, "the directory does not lie where the end record points", offset=position))
    return End(position, end.directory_end, end.count, end.directory_size, end.directory_start, tuple(flaws))


def _around(tail: bytes, at: int, position: int, comment: int) -> list[Flaw]:
    """Compare what follows the end record with the comment it declares."""
    extra = len(tail) - at - _END_FORMAT.size - comment
    if extra > 0:
        return [Flaw(FlawKind.OUTSIDE, f"{extra} bytes follow the archive", offset=position)]
    if extra < 0:
        return [Flaw(FlawKind.DIRECTORY, f"the archive's comment is {-extra} bytes short", offset=position)]
    return []


def _find_end64(reading: Reading, position: int) -> tuple[int, tuple[int, ...]] | None:
    """Find the ZIP64 end record, where ``zipfile`` looks for it or where the locator points."""
    if position < _LOCATOR_SIZE:
        return None
    locator = reading.read_at(position - _LOCATOR_SIZE, _LOCATOR_SIZE)
    if not locator.startswith(_LOCATOR64):
        return None
    pointed = int.from_bytes(locator[8:16], "little")
    for at in (position - _LOCATOR_SIZE - _END64_FORMAT.size, pointed):
        record = reading.read_at(at, _END64_FORMAT.size)
        if len(record) == _END64_FORMAT.size and record.startswith(_END64):
            return at, _END64_FORMAT.unpack(record)
    return None
