"""Tells whether what looks like a file of its own inside another is a member of an archive, stored as it is.

A ZIP archive is found from its end and an HDF5 file at powers of two, so that a tar archive whose last member is a
PyTorch checkpoint can be opened as a ZIP archive, and one whose first member is an HDF5 file as that. Such a reader
gets the member's own bytes, which are judged as a file of their own; there is no second face. What reaches over a
member's ends stays a reading of the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from modelsign.artifact.containers.rar import RAR4, RAR5, read_rar
from modelsign.artifact.containers.sevenzip import MARK, read_sevenzip
from modelsign.errors import ModelsignError
from modelsign.scan.archives.tars import looks_like_tar, tar_of

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["is_member"]

_known: WeakKeyDictionary[Reading, tuple[tuple[int, int], ...]] = WeakKeyDictionary()


def is_member(reading: Reading, start: int, end: int) -> bool:
    """Whether the bytes from ``start`` to ``end`` lie inside of one member of an archive that stores it as it is."""
    spans = _known.get(reading)
    if spans is None:
        spans = _known[reading] = tuple(_spans(reading))
    return any(first <= start and end <= last for first, last in spans)


def _spans(reading: Reading) -> list[tuple[int, int]]:
    """Return first byte and the byte behind the last of every such member."""
    head = reading.read_at(0, len(RAR5))
    try:
        if head.startswith(MARK):
            archive = read_sevenzip(reading)
            places = [
                archive.folders[one.folder].place_of(one.offset, one.size)
                for one in archive.members
                if one.folder is not None
            ]
            return [place for place in places if place is not None]
        if head.startswith((RAR4, RAR5)):
            found = [one.place for one in read_rar(reading).members if one.place is not None]
            return [(start, start + length) for start, length in found]
    except ModelsignError:
        return []
    if not looks_like_tar(reading):
        return []
    tar = tar_of(reading)
    if isinstance(tar, ModelsignError):
        return []
    return [(one.data, one.data + one.size) for one in tar.members if one.kind == "file"]
