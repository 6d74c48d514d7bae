"""GIF pictures: a screen, then images and extensions in short blocks, to the trailer (GIF89a specification)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import BLOCK
from modelsign.scan.format import Format, Magic
from modelsign.scan.plainfile import RULES, Cut, number, parts, scanning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGICS: Final = (b"GIF87a", b"GIF89a")
_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_MOST_BLOCKS: Final = 4_000_000
_HAS_TABLE: Final = 0x80


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, 6) in _MAGICS


def _table(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & _HAS_TABLE else 0


def _end(reading: Reading) -> int:
    at = 13 + _table(number(reading, 10, 1, "big"))
    blocks = parts(_MOST_BLOCKS)
    for _ in parts():
        kind = number(reading, at, 1, "big")
        if kind == _TRAILER:
            at += 1
            break
        if kind == _IMAGE:
            at = _blocks(reading, at + 11 + _table(number(reading, at + 9, 1, "big")), blocks)
        elif kind == _EXTENSION:
            at = _blocks(reading, at + 2, blocks)
        else:
            raise Cut(f"no block begins at byte {at}")
    return at


def _blocks(reading: Reading, at: int, blocks: Iterator[int]) -> int:
    """Follow blocks of at most 255 bytes to the empty one; return the offset behind it."""
    base, data = at, b""
    for _ in blocks:
        if at - base >= len(data):
            base, data = at, reading.read_at(at, BLOCK)
            if not data:
                raise Cut(f"it ends within the blocks at byte {at}")
        length = data[at - base]
        at += 1 + length
        if not length:
            break
    return at


FORMAT = Format(
    id="gif",
    title="GIF picture",
    description="A picture in blocks from its screen to its trailer.",
    recognise=_recognise,
    scan=scanning(_end),
    magic=tuple(Magic(0, magic) for magic in _MAGICS),
    extensions=(".gif",),
    rules=RULES,
)
