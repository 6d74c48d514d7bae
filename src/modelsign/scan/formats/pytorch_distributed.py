"""Shards of PyTorch's distributed checkpoints (``.distcp``): archives of ``torch.save``, one right behind the other.

Each tensor and each object is an archive of its own; a loader takes the one whose place stands in ``.metadata``, a
pickle beside the shards. A file is such a shard where archives of PyTorch's fill it from first to last byte. Each is
scanned as a file of its own, and so is an archive that lies inside of another, because a place could point there. What
a reader gets that takes the whole file for one archive is the last of them, or the first: where its directory would be
found at a third place, the file is left to the readers of ZIP archives, who refuse it.

Source: torch/distributed/checkpoint/filesystem.py of PyTorch 2.13; APPNOTE 6.3.10, 4.3.14 to 4.3.16.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.containers.zip import CENTRAL, LOCAL, ZipArchive
from modelsign.artifact.containers.zip_end import END_BYTES, find_end
from modelsign.artifact.reading import BLOCK, Slice
from modelsign.errors import error
from modelsign.scan.archives.zips import archive_of, is_pytorch_archive
from modelsign.scan.format import Format, Inspection, Magic, Member
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_END: Final = b"PK\x05\x06"
_END64: Final = b"PK\x06\x06"
_LOCATOR64: Final = b"PK\x06\x07"
_END_FIELDS: Final = struct.Struct("<12x2IH")
_END64_FIELDS: Final = struct.Struct("<40x2Q")
_LOCATOR_BYTES: Final = 20
_BEFORE: Final = _END64_FIELDS.size + _LOCATOR_BYTES
"""What may stand between a directory and its end record."""


class _Archive(NamedTuple):
    """An archive by its end record: first byte, the byte behind the last, and its directory's offset and size."""

    start: int
    end: int
    directory: int
    size: int


def _recognise(reading: Reading, name: str) -> bool:
    """Whether a file that begins as an archive ends with another one, which begins further on."""
    del name
    if reading.read_at(0, len(LOCAL)) != LOCAL:
        return False
    end = find_end(reading)
    if end is None:
        return False
    last = _archive_at(reading, end.position)
    return last is not None and last.start > 0 and last.end == reading.size


def _archive_at(reading: Reading, place: int) -> _Archive | None:
    """Return the archive that an end record at a place belongs to, where a member's header begins it."""
    first = max(0, place - _BEFORE)
    data = reading.read_at(first, place - first + END_BYTES)
    at = place - first
    if len(data) < at + END_BYTES:
        return None
    size, directory, comment = _END_FIELDS.unpack_from(data, at)
    behind = place
    if at == _BEFORE and data.startswith(_END64) and data.startswith(_LOCATOR64, _END64_FIELDS.size):
        size, directory = _END64_FIELDS.unpack_from(data)
        behind = first
    start = behind - size - directory
    if start < 0 or reading.read_at(start, len(LOCAL)) != LOCAL:
        return None
    return _Archive(start, place + END_BYTES + comment, directory, size)


def _ends(reading: Reading) -> Iterator[int]:
    """Yield every place where an end record could begin."""
    start = 0
    while data := reading.read_at(start, BLOCK):
        at = data.find(_END)
        while at >= 0:
            yield start + at
            at = data.find(_END, at + 1)
        if len(data) < BLOCK:
            return
        start += len(data) - len(_END) + 1


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    row: list[_Archive] = []
    inside: list[_Archive] = []
    at = 0
    for place in _ends(reading):
        found = _archive_at(reading, place)
        if found is None:
            continue
        if found.start == at:
            row.append(found)
            at = found.end
        else:
            inside.append(found)
        if len(row) + len(inside) > limits.SCAN_MEMBERS:
            raise error("SCAN_BUDGET", "the file holds more archives than a scan follows")
    if not row or at != reading.size or _has_another_face(reading, row) or not _all_are_saved(reading, row):
        return Inspection(readable=False)
    members = (*_members(reading, row, ""), *_members(reading, inside, "inside of another "))
    return Inspection(readable=True, members=members)


def _has_another_face(reading: Reading, row: list[_Archive]) -> bool:
    """Whether the last end record points to a directory of no archive, for who takes the file for a single one."""
    first, last = row[0], row[-1]
    if reading.read_at(last.directory, len(CENTRAL)) != CENTRAL:
        return False
    return (last.directory, last.size) != (first.directory, first.size)


def _all_are_saved(reading: Reading, row: list[_Archive]) -> bool:
    """Whether each is an archive of ``torch.save``: other archives in a row are no shard, and ambiguous."""
    archives = (archive_of(Slice(reading, one.start, one.end - one.start)) for one in row)
    return all(isinstance(archive, ZipArchive) and is_pytorch_archive(archive) for archive in archives)


def _members(reading: Reading, archives: list[_Archive], title: str) -> Iterator[Member]:
    for number, archive in enumerate(archives):
        yield Member(f"{title}archive {number}", functools.partial(_open, reading, archive))


def _open(reading: Reading, archive: _Archive, most: int) -> Stream:
    del most  # nothing is unpacked
    return Stream(Slice(reading, archive.start, archive.end - archive.start))


FORMAT = Format(
    id="pytorch-distributed",
    title="PyTorch distributed checkpoint",
    description="A shard of torch.distributed.checkpoint: archives of torch.save, one right behind the other.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, LOCAL),),
    extensions=(".distcp",),
    rules=(BROKEN, BUDGET),
    refines=("numpy", "pytorch", "pytorch-export", "zip"),
)
