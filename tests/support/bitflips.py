"""Turns every bit of a document, one at a time, and says in which value of its JSON the bit lies."""

from __future__ import annotations

import bisect
import json
import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

STRUCTURE = "structure"
"""What is in no value: brackets, names of members, white space."""
_DECODER = json.JSONDecoder()


class Flip(NamedTuple):
    """A document with one bit turned, and where: the path of the value, such as ``a.b[0].c``."""

    data: bytes
    offset: int
    bit: int
    where: str


def flips(data: bytes, *, sample: int | None = None, seed: str = "7") -> Iterator[Flip]:
    """Yield the document with each bit turned, or with a seeded sample of its bits."""
    places: Iterator[int] | list[int] = iter(range(8 * len(data)))
    if sample is not None and sample < 8 * len(data):
        places = sorted(random.Random(seed).sample(range(8 * len(data)), sample))
    found = _values(data) if data[:1] in (b"{", b"[") else []
    starts = [start for start, _, _ in found]
    for place in places:
        offset, bit = divmod(place, 8)
        changed = bytearray(data)
        changed[offset] ^= 1 << bit
        yield Flip(bytes(changed), offset, bit, _where(found, starts, offset))


def _where(found: list[tuple[int, int, str]], starts: list[int], offset: int) -> str:
    place = bisect.bisect_right(starts, offset) - 1
    if place >= 0 and found[place][0] <= offset < found[place][1]:
        return found[place][2]
    return STRUCTURE


def _values(data: bytes) -> list[tuple[int, int, str]]:
    """Return where each text, number or word is, without its quotation marks, in ASCII JSON."""
    text = data.decode("ascii")
    found: list[tuple[int, int, str]] = []

    def skip(at: int) -> int:
        while text[at] in " \n\t\r,:":
            at += 1
        return at

    def read(at: int, path: str) -> int:
        at = skip(at)
        if text[at] == "{":
            at = skip(at + 1)
            while text[at] != "}":
                name, at = _DECODER.raw_decode(text, at)
                at = skip(read(at, f"{path}.{name}" if path else name))
            return at + 1
        if text[at] == "[":
            at, number = skip(at + 1), 0
            while text[at] != "]":
                at, number = skip(read(at, f"{path}[{number}]")), number + 1
            return at + 1
        _, end = _DECODER.raw_decode(text, at)
        quoted = text[at] == '"'
        found.append((at + quoted, end - quoted, path))
        return end

    read(0, "")
    return found
