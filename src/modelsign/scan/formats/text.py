"""Text on a closed list of names: model cards, licences, vocabularies.

Nothing loads such files as anything but lines of text. The list is data (``knowledge/inert.json``); the content must
be UTF-8 without control characters all the way through. Never guesses that some other text is harmless.
"""

from __future__ import annotations

import codecs
import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import BLOCK
from modelsign.scan.format import Format, Inspection
from modelsign.scan.tables import table

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


@functools.cache
def _names() -> tuple[frozenset[str], tuple[str, ...]]:
    rows = table("inert")["text"]
    exact = frozenset(row["name"].casefold() for row in rows if not row["name"].startswith("*"))
    return exact, tuple(row["name"][1:].casefold() for row in rows if row["name"].startswith("*"))


def _recognise(reading: Reading, name: str) -> bool:
    base = name.casefold().rsplit("/", 1)[-1]
    exact, suffixes = _names()
    return reading.size > 0 and (base in exact or base.endswith(suffixes))


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    while data := reading.read_at(position, BLOCK):
        position += len(data)
        try:
            text = decoder.decode(data, final=position >= reading.size)
        except UnicodeDecodeError:
            return Inspection(readable=False)
        if _CONTROL.search(text):
            return Inspection(readable=False)
    return Inspection(readable=True, inert=True)


FORMAT = Format(
    id="text",
    title="Text",
    description="UTF-8 text without control characters, under a name on a closed list.",
    recognise=_recognise,
    scan=_scan,
)
