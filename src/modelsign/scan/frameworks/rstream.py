"""The three encodings of R's serialisation: XDR, the machine's own binary (little-endian), and text.

Follows R 4.5 src/main/serialize.c (``InInteger``, ``InReal``, ``InString``, ``InWord``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from modelsign import limits
from modelsign.scan.window import BrokenError, Window

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["RStream"]

_WORD: Final = 100
"""Longest word of a text file (``char buf[100]``)."""
_SPACE: Final = frozenset(b" \t\n\r\f\v")
_OCTAL: Final = frozenset(b"01234567")
_OCTAL_DIGITS: Final = 3
_THREE: Final = 3


class RStream:
    """Integers, texts and runs of numbers from one file, in whichever encoding it has."""

    def __init__(self, reading: Reading, at: int) -> None:
        """Take the file and where its head begins."""
        self._window = Window(reading, at)
        self._text = False
        self._order: Literal["little", "big"] = "big"

    @property
    def at(self) -> int:
        """The offset of the next byte."""
        return self._window.at

    def head(self) -> None:
        """Read encoding, versions, and the name of the character encoding that version 3 has."""
        kind = self._window.take(2)
        self._text = kind == b"A\n"
        self._order = "little" if kind == b"B\n" else "big"
        version = self.integer()
        self.integer()
        self.integer()
        if version == _THREE:
            self._string(self.integer())

    def end(self) -> None:
        """Say that nothing follows: a loader reads no further, but nobody writes more."""
        if self._text:
            while self._window.left and self._window.take(1)[0] in _SPACE:
                pass
        if self._window.left:
            raise BrokenError("bytes follow the value", self.at)

    def integer(self) -> int:
        """Return the next integer."""
        if not self._text:
            return self._window.sint(4, self._order)
        word = self._word()
        if word == b"NA":
            return -(2**31)
        try:
            return int(word)
        except ValueError:
            raise BrokenError("a number is none", self.at) from None

    def peek_integer(self) -> int:
        """Return the next integer without moving on."""
        place = self._window.at
        value = self.integer()
        self._window.at = place
        return value

    def count(self) -> int:
        """Return the next length; -1 stands for one of 64 bits in two halves."""
        value = self.integer()
        if value == -1:
            value = (self.integer() << 32) + (self.integer() & 0xFFFFFFFF)
        if value < 0:
            raise BrokenError("a length is negative", self.at)
        return value

    def skip_numbers(self, count: int, width: int) -> None:
        """Leave a vector's elements out; complex ones are two words in text."""
        if not self._text:
            self._window.skip(count * width)
            return
        for _ in range(count * (2 if width == 16 else 1)):  # noqa: PLR2004 - complex
            self._word()

    def text(self) -> str:
        """Return the next text with its length before it; NA is empty."""
        length = self.integer()
        return "" if length == -1 else self._string(length)

    def _string(self, length: int) -> str:
        if length < 0:
            raise BrokenError("a text has a negative length", self.at)
        if self._text:
            return self._escaped(length)
        if length > limits.R_NAME_BYTES:
            self._window.skip(length)
            return ""
        return self._window.take(length).decode("utf-8", "replace")

    def _word(self) -> bytes:
        byte = self._window.take(1)
        while byte[0] in _SPACE:
            byte = self._window.take(1)
        word = bytearray()
        while byte[0] not in _SPACE:
            word += byte
            if len(word) > _WORD:
                raise BrokenError("a word is too long", self.at)
            if not self._window.left:
                break
            byte = self._window.take(1)
        return bytes(word)

    def _escaped(self, length: int) -> str:
        """Read a text of a text file: white space, then so many bytes, escaped as in C."""
        if length == 0:
            return ""
        byte = self._window.take(1)
        while byte[0] in _SPACE:
            byte = self._window.take(1)
        found = bytearray()
        for number in range(length):
            if number:
                byte = self._window.take(1)
            kept = self._unescaped() if byte == b"\\" else byte
            if len(found) < limits.R_NAME_BYTES:
                found += kept
        return found.decode("utf-8", "replace")

    def _unescaped(self) -> bytes:
        byte = self._window.take(1)
        digits = b""
        while byte[0] in _OCTAL and len(digits) < _OCTAL_DIGITS:
            digits += byte
            byte = self._window.take(1)
        if not digits:
            return byte
        self._window.at -= 1
        return bytes([int(digits, 8) & 0xFF])
