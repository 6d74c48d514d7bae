"""What readers of word vectors share: words of unknown length between parts of a known one, read block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import BLOCK

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["BrokenWordsError", "behind_words"]

_LONGEST: Final = 64 * 1024
"""Bytes of one word."""


class BrokenWordsError(ValueError):
    """The words and what follows each do not lie as they should."""


def behind_words(reading: Reading, at: int, count: int, mark: bytes, skipped: int) -> int:
    """Return the offset behind so many words, each of which ends with a mark that some bytes follow.

    Raises:
        BrokenWordsError: the file ends before, or a word is too long.

    """
    block, start = b"", at
    for _ in range(count):
        found = block.find(mark, at - start) if start <= at < start + len(block) else -1
        if found < 0:
            start, block = at, reading.read_at(at, BLOCK if skipped < BLOCK else _LONGEST)
            found = block.find(mark, 0, _LONGEST)
        elif found > at - start + _LONGEST:
            found = -1
        if found < 0:
            raise BrokenWordsError(f"no word at byte {at}")
        at = start + found + 1 + skipped
        if at > reading.size:
            raise BrokenWordsError("the last word is cut short")
    return at
