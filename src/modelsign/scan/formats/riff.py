"""RIFF files: WebP pictures, WAVE sounds and AVI films, in chunks that fill the file.

Sources: Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), RFC 9649 for WebP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Magic
from modelsign.scan.plainfile import RULES, Cut, number, parts, scanning

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_FORMS: Final = frozenset({b"WEBP", b"WAVE", b"AVI "})


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, 4) == b"RIFF" and reading.read_at(8, 4) in _FORMS


def _end(reading: Reading) -> int:
    end = 8 + number(reading, 4, 4, "little")
    at = 12
    for _ in parts():
        if at >= end:
            break
        kind, length = reading.read_at(at, 4), number(reading, at + 4, 4, "little")
        if not kind.isascii() or not kind.decode("ascii").isprintable():
            raise Cut(f"no chunk begins at byte {at}")
        at += 8 + length + length % 2
    if at > end + 1:
        raise Cut("the last chunk is longer than the file says it is")
    return max(end, min(at, reading.size))


FORMAT = Format(
    id="riff",
    title="WebP picture, WAVE sound or AVI film",
    description="Pictures, sounds and films in chunks that fill the file.",
    recognise=_recognise,
    scan=scanning(_end),
    magic=(Magic(0, b"RIFF"),),
    extensions=(".webp", ".wav", ".avi"),
    rules=RULES,
)
