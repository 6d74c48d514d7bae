"""SentencePiece models: pieces of words with scores, and how they were made (sentencepiece_model.proto).

All of it is text and numbers; the library builds tables from it and runs nothing. Recognised by the outermost fields:
pieces, the trainer's and the normaliser's settings. Other fields may stand there from 200 on, for extensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.syntax.wire import Span, Wire, outline, shape

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_PIECES, _TRAINER, _LAST = 1, 2, 5
_LENGTH, _FIXED32, _VARINT = 2, 5, 0
_OF_A_PIECE: Final = {1: _LENGTH, 2: _FIXED32, 3: _VARINT}
_MOST_OF_A_PIECE: Final = 8
_OF_THE_TRAINER: Final = range(1, 60)


def _recognise(reading: Reading, name: str) -> bool:
    del name
    found = outline(reading) if reading.read_at(0, 1) == b"\x0a" else None
    if not found or _PIECES not in found or _TRAINER not in found or max(found) > _LAST:
        return False
    if any(place.wire != _LENGTH for places in found.values() for place in places):
        return False
    wire = Wire(reading)
    for place in found[_PIECES]:
        piece = shape(wire, Span(place.start, place.end), _MOST_OF_A_PIECE)
        if not piece or not all(_OF_A_PIECE.get(key) == part.wire for key, parts in piece.items() for part in parts):
            return False
    trainer = shape(wire, Span(found[_TRAINER][0].start, found[_TRAINER][0].end), 1000)
    return trainer is not None and trainer.keys() <= set(_OF_THE_TRAINER)


def _scan(reading: Reading, name: str) -> Inspection:
    return Inspection(readable=_recognise(reading, name), inert=True)


FORMAT = Format(
    id="sentencepiece",
    title="SentencePiece model",
    description="Pieces of words with scores and settings: text and numbers alone.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".spm",),
)
