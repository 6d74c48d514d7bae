"""Text on a closed list of names: model cards, licences, vocabularies, tables, logs.

Nothing loads such files as anything but lines of text. The list is data (``knowledge/inert.json``); the content must
be text without control characters all the way through: UTF-8, UTF-16 with a mark, or an older eight-bit encoding,
which cannot be told from another and need not be. A ``.txt`` can be handed to a program as a chat template, so tags in
one are read as what they are. Never guesses that some other text is harmless.
"""

from __future__ import annotations

import codecs
import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.reading import BLOCK
from modelsign.scan.format import Format, Inspection
from modelsign.scan.jinja.judge import judged
from modelsign.scan.jinja.rules import TEMPLATE_RULES
from modelsign.scan.tables import table
from modelsign.verdict import Outcome

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_TEMPLATE: Final = ".txt"
_TAGS: Final = (b"{%", b"{{")


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
    wide = _UTF16.get(reading.read_at(0, 2))
    if not any(_is_plain(reading, encoding) for encoding in ((wide,) if wide else ("utf-8", "latin-1"))):
        return Inspection(readable=False)
    base = name.casefold().rsplit("/", 1)[-1]
    if base.endswith(_TEMPLATE) and base not in _names()[0] and reading.size <= limits.TEMPLATE_CHARACTERS:
        data = reading.read_at(0, reading.size)
        if any(tag in data for tag in _TAGS):
            found = judged(data.decode(wide or "utf-8", "replace"))
            unsafe = tuple(finding for finding in found if finding.outcome is Outcome.UNSAFE)
            return Inspection(readable=True, findings=unsafe, inert=True)
    return Inspection(readable=True, inert=True)


def _is_plain(reading: Reading, encoding: str) -> bool:
    """Whether all of it is text of that encoding without control characters."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    while data := reading.read_at(position, BLOCK):
        position += len(data)
        try:
            text = decoder.decode(data, final=position >= reading.size)
        except UnicodeDecodeError:
            return False
        if _CONTROL.search(text):
            return False
    return True


FORMAT = Format(
    id="text",
    title="Text",
    description="Text without control characters, under a name on a closed list.",
    recognise=_recognise,
    scan=_scan,
    rules=TEMPLATE_RULES,
)
