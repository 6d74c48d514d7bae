"""Word vectors as word2vec writes them in binary: how many and how long, then each word with its numbers.

Nothing marks such a file but two numbers in its first line. It is one where words and numbers fill it to the last byte;
a newline behind each vector, which the first program wrote, may be there or not. Readers take words and numbers from it
and nothing else.

Source: word2vec.c of Google's word2vec, the end of ``TrainModel``; gensim 4.4, models/keyedvectors.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.embeddings import BrokenWordsError, behind_words
from modelsign.scan.rules import BROKEN

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_FIRST: Final = re.compile(rb"([1-9][0-9]{0,11}) ([1-9][0-9]{0,6})\n", re.ASCII)
_HEAD: Final = 32
_WIDTH: Final = 4
_SHORTEST: Final = 2


def _header(reading: Reading) -> tuple[int, int, int] | None:
    """Return how many words there are, how long a vector is, and where the first word begins."""
    found = _FIRST.match(reading.read_at(0, _HEAD))
    return None if found is None else (int(found[1]), int(found[2]) * _WIDTH, found.end())


def _recognise(reading: Reading, name: str) -> bool:
    del name
    header = _header(reading)
    return header is not None and header[2] + header[0] * (header[1] + _SHORTEST) <= reading.size


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    header = _header(reading)
    if header is None:
        return Inspection(readable=False)
    count, room, start = header
    try:
        end = behind_words(reading, start, count, b" ", room)
    except BrokenWordsError as fault:
        return Inspection(readable=False, findings=(BROKEN.finding(str(fault)),))
    rest = reading.read_at(end, 2)
    return Inspection(readable=rest in {b"", b"\n"}, end=end)


FORMAT = Format(
    id="word2vec",
    title="word2vec vectors",
    description="Words, each with its numbers in binary, behind a line that says how many there are.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".bin",),
    rules=(BROKEN,),
)
