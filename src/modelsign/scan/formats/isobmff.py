"""Films, sounds and pictures in boxes: MP4, M4A, QuickTime, AVIF, HEIC (ISO/IEC 14496-12, 4.2).

The outermost boxes must fill the file; what is inside them is never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.scan.format import Format, Magic
from modelsign.scan.plainfile import RULES, Cut, number, parts, scanning

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_TO_THE_END, _LARGE, _LEAST = 0, 1, 8


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(4, 4) == b"ftyp"


def _end(reading: Reading) -> int:
    at = 0
    for _ in parts():
        length, kind = number(reading, at, 4, "big"), reading.read_at(at + 4, 4)
        if len(kind) < 4 or min(kind) < 0x20:  # noqa: PLR2004 - four characters
            raise Cut(f"no box begins at byte {at}")
        if length == _TO_THE_END:
            return reading.size
        if length == _LARGE:
            length = number(reading, at + 8, 8, "big")
        if length < _LEAST:
            raise Cut(f"the box at byte {at} is shorter than its head")
        at += length
        if at >= reading.size:
            break
    return at


FORMAT = Format(
    id="isobmff",
    title="MP4 film and its kin",
    description="Films, sounds and pictures in boxes that fill the file: MP4, M4A, QuickTime, AVIF, HEIC.",
    recognise=_recognise,
    scan=scanning(_end),
    magic=(Magic(4, b"ftyp"),),
    extensions=(".mp4", ".m4a", ".mov", ".avif", ".heic"),
    rules=RULES,
)
