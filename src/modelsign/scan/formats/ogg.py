"""Ogg streams of sound: pages that follow each other (RFC 3533, 6). What is in them is never looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Magic
from modelsign.scan.plainfile import RULES, parts, scanning

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGIC: Final = b"OggS\0"
_HEAD: Final = 27


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(_MAGIC)) == _MAGIC


def _end(reading: Reading) -> int:
    at = 0
    for _ in parts():
        head = reading.read_at(at, _HEAD + 255)
        if not head.startswith(_MAGIC):
            break
        segments = head[_HEAD - 1] if len(head) >= _HEAD else 255
        at += _HEAD + segments + sum(head[_HEAD : _HEAD + segments])
    return at


FORMAT = Format(
    id="ogg",
    title="Ogg sound",
    description="Sound in pages that follow each other.",
    recognise=_recognise,
    scan=scanning(_end),
    magic=(Magic(0, _MAGIC),),
    extensions=(".ogg", ".oga", ".opus"),
    rules=RULES,
)
