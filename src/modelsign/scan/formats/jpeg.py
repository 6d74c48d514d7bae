"""JPEG pictures: segments from SOI to EOI, with coded data behind each scan's header (ITU-T T.81, annex B).

Cameras put further pictures behind the first (CIPA DC-007); each is followed like the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import BLOCK
from modelsign.scan.format import Format, Magic
from modelsign.scan.plainfile import RULES, Cut, number, parts, scanning

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_START: Final = b"\xff\xd8"
_MARK, _FILL, _END, _SCAN = 0xFF, 0xFF, 0xD9, 0xDA
_WITHIN: Final = frozenset({0x00, *range(0xD0, 0xD8)})
"""What follows 0xFF within coded data: a stuffed byte, or a restart."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, 3) == b"\xff\xd8\xff"


def _end(reading: Reading) -> int:
    at = 0
    for _ in parts():
        if reading.read_at(at, 3) != b"\xff\xd8\xff":
            break
        at = _picture(reading, at + 2)
    return at


def _picture(reading: Reading, at: int) -> int:
    """Follow the segments of one picture; return the offset behind EOI."""
    for _ in parts():
        mark, kind = number(reading, at, 1, "big"), number(reading, at + 1, 1, "big")
        if mark != _MARK:
            raise Cut(f"no segment begins at byte {at}")
        if kind == _FILL:
            at += 1
            continue
        if kind == _END:
            return at + 2
        length = number(reading, at + 2, 2, "big")
        if length < 2:  # noqa: PLR2004 - the length counts itself
            raise Cut(f"the segment at byte {at} has no length")
        at += 2 + length
        if kind == _SCAN:
            at = _coded(reading, at)
    return at


def _coded(reading: Reading, at: int) -> int:
    """Return where the next segment begins behind coded data."""
    while data := reading.read_at(at, BLOCK):
        place = data.find(b"\xff")
        while 0 <= place < len(data) - 1:
            if data[place + 1] not in _WITHIN and data[place + 1] != _FILL:
                return at + place
            place = data.find(b"\xff", place + 1)
        step = len(data) if place < 0 else place
        if place >= 0 and step == 0:
            break  # the very last byte
        at += step
    raise Cut("the picture ends within its coded data")


FORMAT = Format(
    id="jpeg",
    title="JPEG picture",
    description="A picture in segments from its start to its end.",
    recognise=_recognise,
    scan=scanning(_end),
    magic=(Magic(0, b"\xff\xd8\xff"),),
    extensions=(".jpg", ".jpeg"),
    rules=RULES,
)
