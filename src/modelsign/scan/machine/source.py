"""The bytes under the machine: lines, counts and literals at absolute offsets, read when asked for.

Literals are parsed as ``_pickle.c`` parses them, not as ``pickletools`` does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine import opcodes as op

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["MARGIN", "Source"]

_CHUNK: Final = 64 * 1024
_NAME_BYTES: Final = 4096
_QUOTES: Final = 2
MARGIN: Final = 16
"""More than the longest fixed opcode: one byte, eight of count, and the byte behind it."""
_LONG_NUMBER: Final = 4000
"""From about here on versions of CPython differ over the digits of a number."""
_KEPT_TEXT: Final = 64
_KEPT_TEXTS: Final = 4096
_STRTOL: Final = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")
_ESCAPE: Final = re.compile(rb"\\(\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2})")
_SIMPLE: Final = {
    b"\n": b"", b"\\": b"\\", b"'": b"'", b'"': b'"', b"a": b"\a", b"b": b"\b",
    b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
}  # fmt: skip


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if code in _SIMPLE:
        return _SIMPLE[code]
    return bytes([int(code[1:], 16) if code[:1] == b"x" else int(code, 8) & 0xFF])


class Source:
    """Parses pieces of one reading."""

    def __init__(self, reading: Reading) -> None:
        """Take the bytes."""
        self.reading = reading
        self.size = reading.size
        self.window = b""
        self.base = 0
        self.held = 0
        self.at_end = False
        self.texts: dict[int, str] = {}

    def look(self, offset: int, length: int) -> int:
        """Have the bytes from ``offset`` at hand, in ``window``; return where in it they start.

        A window that reaches the end of the bytes has some zeros behind it (``held`` is its length without them).
        A window is kept for whatever starts in it: a stream of many small pickles reads its bytes once.
        """
        if self.base <= offset < self.base + self.held - (0 if self.at_end else MARGIN):
            return offset - self.base
        window = self.reading.read_at(offset, length)
        self.base, self.held = offset, len(window)
        self.at_end = offset + len(window) >= self.size
        self.window = window + bytes(MARGIN) if self.at_end else window
        return 0

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, from the window where they are in it."""
        start = offset - self.base
        if start >= 0 and start + length <= self.held:
            return self.window[start : start + length]
        return self.reading.read_at(offset, length)

    def line_end(self, start: int) -> int:
        """Return the offset behind the line feed that ends the line from ``start``; -1 if there is none."""
        place = start - self.base
        if 0 <= place < self.held:
            found = self.window.find(b"\n", place, self.held)
            if found >= 0:
                return self.base + found + 1
            start = self.base + self.held
        while start < self.size:
            chunk = self.reading.read_at(start, _CHUNK)
            found = chunk.find(b"\n")
            if found >= 0:
                return start + found + 1
            start += len(chunk)
        return -1

    def number(self, offset: int, width: int) -> int:
        """Return the unsigned little-endian integer of ``width`` bytes."""
        return int.from_bytes(self.read(offset, width), "little")

    def kind(self, offset: int) -> str:
        """Return the type name of the literal or container whose opcode stands at ``offset``."""
        start = offset - self.base
        inside = 0 <= start < self.held
        code = self.window[start] if inside else self.reading.read_at(offset, 1)[0]
        if code == op.INT and self.read(offset + 1, 3) in (b"00\n", b"01\n"):
            return "bool"
        return op.KINDS[code]

    def content(self, offset: int) -> tuple[int, int]:
        """Return the place (start, length) of a counted literal's content; length -1 if it is not one."""
        width = op.COUNT_BYTES.get(self.read(offset, 1)[0], 0)
        if not width:
            return offset, -1
        return offset + 1 + width, self.number(offset + 1, width)

    def text(self, offset: int, most: int = _NAME_BYTES) -> str | None:
        """Return the string literal at ``offset``; None if it is no string, too long, or not decodable."""
        found = self.texts.get(offset)
        if found is None:
            found = self._text(offset, most)
            if found is not None and len(found) <= _KEPT_TEXT and len(self.texts) < _KEPT_TEXTS:
                self.texts[offset] = found
        return found

    def _text(self, offset: int, most: int) -> str | None:
        code = self.read(offset, 1)[0]
        if op.KINDS.get(code) != "str":
            return None
        raw = self._line(offset + 1, most * 4) if code in op.TEXT_LITERALS else self._counted(offset, most * 4)
        if raw is None:
            return None
        try:
            if code == op.UNICODE:
                found = raw.decode("raw-unicode-escape")
            elif code == op.STRING:
                found = self._quoted(raw)
            elif code in {op.BINSTRING, op.SHORT_BINSTRING}:
                found = raw.decode("latin-1")
            else:
                found = raw.decode("utf-8", "surrogatepass")
        except ValueError:
            return None
        return found if len(found) <= most else None

    def integer(self, offset: int) -> int | None:
        """Return the integer literal at ``offset`` as C reads it; None if it is none or very long."""
        code = self.read(offset, 1)[0]
        if code == op.BININT1:
            return self.number(offset + 1, 1)
        if code == op.BININT2:
            return self.number(offset + 1, 2)
        if code == op.BININT:
            return int.from_bytes(self.read(offset + 1, 4), "little", signed=True)
        if code in {op.LONG1, op.LONG4}:
            raw = self._counted(offset, 64)
            return None if raw is None else int.from_bytes(raw, "little", signed=True)
        if code in {op.INT, op.LONG}:
            line = self._line(offset + 1, 256)
            return None if line is None else parse_integer(line)
        return None

    def data(self, offset: int, most: int) -> bytes | None:
        """Return the content of a bytes literal of at most ``most`` bytes."""
        return self._counted(offset, most) if self.kind(offset) in {"bytes", "bytearray"} else None

    def _counted(self, offset: int, most: int) -> bytes | None:
        start, length = self.content(offset)
        return self.read(start, length) if 0 <= length <= most else None

    def _line(self, start: int, most: int) -> bytes | None:
        line = self.read(start, most)
        end = line.find(b"\n")
        return line[:end] if end >= 0 else None

    @staticmethod
    def _quoted(raw: bytes) -> str:
        if len(raw) < _QUOTES or raw[0] != raw[-1] or raw[:1] not in (b"'", b'"'):
            message = "a STRING without quotes"
            raise ValueError(message)
        return _ESCAPE.sub(_unescape, raw[1:-1]).decode("latin-1")


def parse_integer(line: bytes) -> int | None:
    """Read the decimal text of INT and LONG as C does: strtol with base 0, then PyLong_FromString.

    ``010`` is 8, ``0x10`` is 16, ``10L`` is the LONG form. A NUL ends the text, which is 0 if nothing stands before it.
    """
    if line[:1] == b"\0":
        return 0
    line = line.split(b"\0", 1)[0]
    match = _STRTOL.fullmatch(line.removesuffix(b"L"))
    if match:
        digits = match.group(2)
        base = 16 if digits[:2].lower() == b"0x" else 8 if digits[:1] == b"0" else 10
        try:
            value = int(digits, base)
        except ValueError:
            return None
        return -value if match.group(1) == b"-" else value
    try:
        return int(line.removesuffix(b"L"), 0)
    except ValueError:
        return None


def is_literal(code: int, line: bytes) -> bool:
    """Say whether CPython accepts the line of a text opcode; where its versions differ, the one that accepts counts."""
    if code in {op.INT, op.LONG}:
        return len(line) > _LONG_NUMBER or parse_integer(line) is not None
    if code == op.FLOAT:
        try:
            float(line.split(b"\0", 1)[0])
        except ValueError:
            return False
        return True
    if code == op.STRING:
        line = line.rstrip(b" \t\r\n\x0b\x0c")
        return len(line) >= _QUOTES and line[0] == line[-1] and line[:1] in (b"'", b'"')
    return True
