"""PNG pictures: chunks of a length, a type, data and a checksum, from IHDR to IEND (W3C PNG, third edition, 5).

No chunk holds a program; text chunks are text. Checksums are not compared: the pixels are never looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Magic
from modelsign.scan.plainfile import RULES, Cut, number, parts, scanning

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_BESIDE: Final = 12
"""Bytes of a chunk beside its data."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(_MAGIC)) == _MAGIC


def _end(reading: Reading) -> int:
    at, first = len(_MAGIC), True
    for _ in parts():
        length, kind = number(reading, at, 4, "big"), reading.read_at(at + 4, 4)
        if len(kind) < 4 or not kind.isalpha() or (first and kind != b"IHDR"):  # noqa: PLR2004 - a type's bytes
            raise Cut(f"no chunk begins at byte {at}")
        at, first = at + length + _BESIDE, False
        if at > reading.size or kind == b"IEND":
            break
    return at


FORMAT = Format(
    id="png",
    title="PNG picture",
    description="A picture in chunks from its header to its end.",
    recognise=_recognise,
    scan=scanning(_end),
    magic=(Magic(0, _MAGIC),),
    extensions=(".png",),
    rules=RULES,
)
