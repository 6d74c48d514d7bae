"""Names the formats that have no reader, by their first bytes or by their name.

The table is data (``knowledge/marks.json``). A mark adds a reading that nobody can judge; it never takes one away.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign.scan.tables import table

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["Mark", "by_content", "by_name", "is_loadable", "is_text"]

_LOADABLE: Final = (b"PK\x03\x04", b"\x1f\x8b", b"\x93NUMPY", *(bytes([0x80, number]) for number in range(2, 6)))
_TEXT_PICKLE: Final = re.compile(rb"\(*(?:c[A-Za-z_]|[ISVXTUNK\x8c\]}])")
"""How a pickle without a protocol begins that imports something: at once, or behind the arguments of INST or OBJ."""
_STRONG: Final = 4
_HEAD: Final = 4096
_TEXT_SAMPLE: Final = 4096
_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t\n\r\f"))
"""What no text holds, of the characters of C0."""


def is_loadable(head: bytes) -> bool:
    """Say whether even a member that is declared to be plain numbers must be read as a file of its own."""
    return head.startswith(_LOADABLE) or (head[:1] in {b"(", b"c"} and _TEXT_PICKLE.match(head) is not None)


@dataclass(frozen=True, slots=True)
class Mark:
    """A format without a reader.

    ``adds``: the mark is a reading of its own even where a reader understands the bytes, because a loader would run
    or interpret such a file. Content marks of less than four bytes turn up by chance and add nothing.
    """

    id: str
    title: str
    adds: bool = True


@functools.cache
def _contents() -> tuple[tuple[int, bytes, Mark], ...]:
    entries = table("marks")["content"]
    return tuple(
        (row["offset"], value, Mark(row["id"], row["title"], len(value) >= _STRONG))
        for row in entries
        for value in [bytes.fromhex(row["hex"])]
    )


@functools.cache
def _names() -> tuple[tuple[str, Mark], ...]:
    return tuple(
        (row["suffix"].casefold(), Mark(row["id"], row["title"], row["adds"])) for row in table("marks")["names"]
    )


def by_content(reading: Reading) -> Mark | None:
    """Return the format that the first bytes give away, or None."""
    head = reading.read_at(0, _HEAD)
    for offset, value, mark in _contents():
        if head.startswith(value, offset):
            return mark
    return None


def by_name(name: str) -> Mark | None:
    """Return the format that a file of this name is taken for, or None; letter case does not matter."""
    folded = name.casefold()
    base = folded.rsplit("/", 1)[-1]
    for suffix, mark in _names():
        if base == suffix or (suffix.startswith(".") and base.endswith(suffix)):
            return mark
    return None


def is_text(reading: Reading) -> bool:
    """Whether the beginning looks like text, for the name of an unknown format."""
    sample = reading.read_at(0, _TEXT_SAMPLE)
    return bool(sample) and len(sample.translate(None, _CONTROLS)) == len(sample)
