"""The two ways in which Torch7 writes values: numbers in binary, or as text with blanks between them.

In text a value is followed by a newline, numbers of a storage by blanks; what is a string, or a storage of bytes, lies
there as it is. ``fscanf`` takes as much of a word for a number as it can and leaves the rest for the next one, so that
every word must be a number all the way through here, or the text is refused.

Source: torch7/lib/TH/THDiskFile.c and THFile.c, with longs of eight bytes; torch7/File.lua.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.window import BrokenError, ExhaustedError, Window

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["BinarySource", "TextSource"]

_BLANKS: Final = (b" ", b"\t", b"\n", b"\v", b"\f", b"\r")
_INTEGER: Final = re.compile(rb"[ \t-\r]*+([-+]?[0-9]{1,19})(?=[ \t-\r]|\Z)")
_NUMBER: Final = (
    rb"[-+]?+(?:[0-9]++(?:\.[0-9]*+)?+(?:[eE][-+]?+[0-9]++)?+|\.[0-9]++(?:[eE][-+]?+[0-9]++)?+|(?i:nan|inf(?:inity)?+))"
)
_NUMBERS: Final = re.compile(rb"(?:[ \t-\r]*+" + _NUMBER + rb"(?=[ \t-\r]|\Z))*+[ \t-\r]*+")
_WORD: Final = 64
_ROOM: Final = 64 * 1024
_AS_THEY_ARE: Final = frozenset({"Byte", "Char"})


class BinarySource(Window):
    """Values in binary."""

    def integer(self, width: int = 4) -> int:
        """Return the next whole number."""
        return self.sint(width, "little")

    def double(self) -> None:
        """Leave a number out."""
        self.skip(8)

    def raw(self, length: int) -> bytes:
        """Return the bytes of a short string."""
        return self.take(length)

    def leave(self, length: int) -> None:
        """Leave a string out."""
        self.skip(length)

    def numbers(self, kind: str, count: int, width: int) -> None:
        """Leave the numbers of a storage out, or a list of whole numbers."""
        del kind
        self.skip(count * width)


class TextSource(Window):
    """Values as text."""

    def __init__(self, reading: Reading) -> None:
        """Take the file."""
        super().__init__(reading)
        self._reading = reading
        self._words = limits.STREAM_STEPS

    def integer(self, width: int = 4) -> int:
        """Return the next whole number, and leave the newline behind it out."""
        found = _INTEGER.match(self._reading.read_at(self.at, min(_WORD, self.left)))
        if found is None or abs(int(found[1])) >> (8 * width - 1):
            raise BrokenError("there is no whole number", self.at)
        self._step(1)
        self.at += found.end()
        self._newline()
        return int(found[1])

    def double(self) -> None:
        """Leave a number out."""
        self.numbers("Double", 1, 8)

    def raw(self, length: int) -> bytes:
        """Return the bytes of a short string, and leave the newline behind it out."""
        data = self.take(length)
        self._newline()
        return data

    def leave(self, length: int) -> None:
        """Leave a string out, and the newline behind it."""
        self.skip(length)
        self._newline()

    def numbers(self, kind: str, count: int, width: int) -> None:
        """Leave the numbers of a storage out."""
        del width
        if kind in _AS_THEY_ARE:
            self.leave(count)
            return
        self._step(count)
        while count > 0:
            count -= self._some(count)
        self._newline()

    def _step(self, count: int) -> None:
        self._words -= count
        if self._words < 0:
            raise ExhaustedError("the file has more numbers than a scan reads", self.at)

    def _some(self, count: int) -> int:
        """Leave at most so many words out, as far as a block goes; return how many."""
        block = self._reading.read_at(self.at, min(_ROOM, self.left))
        if self.at + len(block) < self.end:
            block = block[: 1 + max(map(block.rfind, _BLANKS))]  # a word goes on in the next one
        words = block.split(None, count)
        done = min(len(words), count)
        used = len(block) - len(words[count]) if len(words) > count else len(block)
        if not done or _NUMBERS.fullmatch(block, 0, used) is None:
            raise BrokenError("a word is no number", self.at)
        if len(words) > count:
            used = len(block[:used].rstrip())
        self.at += used
        return done

    def _newline(self) -> None:
        if self._reading.read_at(self.at, 1) == b"\n":
            self.at += 1
