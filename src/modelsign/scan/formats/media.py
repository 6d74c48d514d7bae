"""Sounds, films, pictures and fonts that are told by their first bytes alone.

Programs show or play them and no loader of models reads them; the list is data (``knowledge/media.json``). Unlike the
formats with a reader of their own they are not followed to their end, so that such a file is never inert, and that two
formats in one file are a finding.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.tables import table

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]


_FRAMES: Final = 4
"""Frames that are looked at; four headers do not turn up by chance."""
_HERTZ: Final = (44100, 48000, 32000)
_RATES: Final = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
"""Thousands of bits a second of layer III, by the index in the header, of MPEG 1 and of later ones."""


@functools.cache
def _marks() -> tuple[tuple[tuple[int, bytes], ...], ...]:
    return tuple(tuple((at, bytes.fromhex(value)) for at, value in row["marks"]) for row in table("media")["media"])


def _frame(head: bytes) -> int:
    """Return the length of an MPEG audio frame of layer III by its header; 0 where it is none (ISO/IEC 11172-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004 - synchronisation and layer
        return 0
    rate, sampling, newest = head[2] >> 4, head[2] >> 2 & 3, bool(head[1] & 8)
    if sampling == 3 or (not head[1] & 0x10 and newest):  # noqa: PLR2004 - reserved values
        return 0
    hertz = _HERTZ[sampling] >> (0 if newest else 1 if head[1] & 0x10 else 2)
    return (144 if newest else 72) * _RATES[newest][rate] * 1000 // hertz + (head[2] >> 1 & 1)


def _is_sound(reading: Reading) -> bool:
    """Whether frames of MPEG audio follow each other from the start."""
    at = 0
    for _ in range(_FRAMES):
        length = _frame(reading.read_at(at, 4))
        if not length:
            return False
        at += length
    return at <= reading.size


def _recognise(reading: Reading, name: str) -> bool:
    del name
    head = reading.read_at(0, 32)
    return _is_sound(reading) or any(all(head.startswith(value, at) for at, value in marks) for marks in _marks())


def _scan(reading: Reading, name: str) -> Inspection:
    return Inspection(readable=_recognise(reading, name))


FORMAT = Format(
    id="media",
    title="Sound, film, picture or font",
    description="Media told by their first bytes, which programs show or play.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".mp3", ".flac", ".mid", ".webm", ".bmp", ".tiff", ".ico", ".ttf", ".otf", ".woff2"),
)
