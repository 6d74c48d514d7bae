"""Reads protobuf's text format by writing it as the binary message it stands for, which the other readers then walk.

So a graph as text is judged by the very code that judges the graph in binary. Numbers other than integers become
zeros, names of enumerations become their value where a reader needs it and 0 elsewhere; lengths have a fixed width, so
that one pass suffices, and places in the message are mapped back to places in the text. What the schema does not know
is left out and told.

Source: protobuf.dev/reference/protobuf/textformat-spec.
"""

from __future__ import annotations

import bisect
import functools
import re
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax.protobuf import UNKNOWN, Walk
from modelsign.scan.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.protobuf import Handler
    from modelsign.verdict import Finding

__all__ = ["TextMessage", "first_name"]

_SPACE: Final = re.compile(rb"(?>(?:[ \t\r\n\f\v]+|#[^\n]*)*)")
_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_BRACKETED: Final = re.compile(rb"\[\s*([A-Za-z0-9_./-]+)\s*\]")
_STRING: Final = re.compile(rb"""(?s)"((?>(?:[^"\\\n]+|\\.)*))"|'((?>(?:[^'\\\n]+|\\.)*))'""")
_NUMBER: Final = re.compile(rb"-?[ \t]*(?:0[xX][0-9A-Fa-f]+|[0-9.][0-9A-Za-z.+-]*|[A-Za-z_][A-Za-z0-9_]*)")
_INTEGER: Final = re.compile(rb"-?(?:0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,22})")
_ESCAPE: Final = re.compile(rb"(?s)\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_WIDTHS: Final = {"fixed32": 4, "fixed64": 8}
_WIRES: Final = {"varint": 0, "fixed64": 1, "fixed32": 5}
_LENGTH_WIDTH: Final = 5
_CLOSES: Final = {b"{": b"}", b"<": b">"}
_MOST_UNKNOWN: Final = 20
_BEGINNING: Final = 4096


class _Field(NamedTuple):
    number: int
    kind: str


class _Frame(NamedTuple):
    """A message that is being read; ``fields`` is None where it is left out."""

    fields: Mapping[bytes, _Field] | None
    message: str
    close: bytes
    length_at: int


class _Refused(Exception):
    """The text is no message."""


def first_name(reading: Reading) -> bytes | None:
    """Return the name of the first field, where the file begins like a message in text; else None."""
    data = reading.read_at(0, _BEGINNING)
    at = _SPACE.match(data).end()  # type: ignore[union-attr] # matches everywhere
    name = _NAME.match(data, at)
    if name is None:
        return None
    at = _SPACE.match(data, name.end()).end()  # type: ignore[union-attr] # matches everywhere
    return name.group() if data[at : at + 1] in {b":", b"{", b"<"} else None


class TextMessage:
    """A message in text of less than 2 GiB, which ``walk`` turns into a walk over the same message in binary."""

    def __init__(self, text: bytes, schema: str, enumerations: Mapping[str, int]) -> None:
        """Take the text, the name of the schema's table, and the values of names that a reader needs."""
        self._text = text
        self._schema = schema
        self._enumerations = enumerations
        self._out = bytearray()
        self._from = array("I")
        self._to = array("I")
        self._odd: dict[Finding, None] = {}
        self._stack: list[_Frame] = []
        self._at = 0

    def walk(self, root: str, handlers: Mapping[str, Handler]) -> Walk:
        """Return a walk over the message of type ``root``; ``findings`` of this object come on top of the walk's."""
        try:
            self._read(root)
        except _Refused as fault:
            self._odd.setdefault(BROKEN.finding(f"the text is no message: {fault}", offset=self._at))
            while len(self._stack) > 1:
                self._close()
        return Walk(BytesReading(bytes(self._out)), self._schema, handlers)

    @property
    def size(self) -> int:
        """The number of bytes of the binary message."""
        return len(self._out)

    def findings(self) -> list[Finding]:
        """Return what was odd about the text."""
        return list(self._odd)

    def placed(self, finding: Finding) -> Finding:
        """Put a finding at the text that the place in the message came from."""
        if finding.offset is None:
            return finding
        index = bisect.bisect_right(self._from, finding.offset) - 1
        return replace(finding, offset=self._to[index] if index >= 0 else 0)

    def _read(self, root: str) -> None:
        self._stack = [_Frame(_fields(self._schema)[root], root, b"", 0)]
        self._skip()
        while self._at < len(self._text):
            self._step()
        if len(self._stack) > 1:
            raise _Refused("it ends inside of a message")

    def _step(self) -> None:
        """Read one field or the end of a message, and what separates it from the next."""
        if self._text[self._at : self._at + 1] == self._stack[-1].close:
            self._at += 1
            self._close()
        else:
            self._one()
        self._skip()
        if self._text[self._at : self._at + 1] in {b",", b";"}:
            self._at += 1
            self._skip()

    def _skip(self) -> None:
        self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr] # matches everywhere

    def _one(self) -> None:
        """Read one field."""
        frame = self._stack[-1]
        began = self._at
        found = _NAME.match(self._text, began) or _BRACKETED.match(self._text, began)
        if found is None:
            raise _Refused("a name is missing")
        self._at = found.end()
        name = found.group()
        known = frame.fields.get(name) if frame.fields is not None else None
        if name.startswith(b"[") and frame.message == "google.protobuf.Any":
            known = self._any(found.group(1))
        elif known is None and frame.fields is not None:
            self._unknown(name.decode("ascii", "replace"), frame, began)
        self._skip()
        colon = self._text[self._at : self._at + 1] == b":"
        if colon:
            self._at += 1
            self._skip()
        first = self._text[self._at : self._at + 1]
        if first == b"[":
            self._list(known, began)
        elif first in _CLOSES:
            self._open(known, first, began)
        elif colon:
            self._scalar(known)
        else:
            raise _Refused("a value is missing")

    def _any(self, url: bytes) -> _Field | None:
        """Write the type of a message that an Any spells out, which then is the value."""
        message = url.rpartition(b"/")[2].decode("ascii")
        self._key(1, 2)
        self._out += _varint(len(url)) + url
        return _Field(2, message) if message in _fields(self._schema) else None

    def _unknown(self, name: str, frame: _Frame, began: int) -> None:
        if len(self._odd) < _MOST_UNKNOWN:
            finding = UNKNOWN.finding(f"field {name[:100]} of {frame.message.rpartition('.')[2]}", offset=began)
            self._odd.setdefault(finding)

    def _list(self, known: _Field | None, began: int) -> None:
        self._at += 1
        self._skip()
        while self._text[self._at : self._at + 1] != b"]":
            first = self._text[self._at : self._at + 1]
            if first in _CLOSES:
                depth = len(self._stack)
                self._open(known, first, began)
                self._skip()
                while len(self._stack) > depth + 1 or self._text[self._at : self._at + 1] != self._stack[-1].close:
                    if self._at >= len(self._text):
                        raise _Refused("it ends inside of a message")
                    self._step()
                self._at += 1
                self._close()
            else:
                self._scalar(known)
            self._skip()
            if self._text[self._at : self._at + 1] == b",":
                self._at += 1
                self._skip()
            elif self._text[self._at : self._at + 1] != b"]":
                raise _Refused("a list does not end")
        self._at += 1

    def _open(self, known: _Field | None, first: bytes, began: int) -> None:
        """Enter a message."""
        if len(self._stack) > limits.PROTOBUF_DEPTH:
            raise _Refused(f"messages are nested more than {limits.PROTOBUF_DEPTH} deep")
        self._at += 1
        fields = _fields(self._schema).get(known.kind) if known is not None else None
        if known is not None and fields is None:
            raise _Refused("a message stands where a value belongs")
        if known is not None:
            self._key(known.number, 2)
            self._out += bytes(_LENGTH_WIDTH)
            self._from.append(len(self._out))
            self._to.append(began)
        message = known.kind if known is not None else ""
        self._stack.append(_Frame(fields, message, _CLOSES[first], len(self._out)))

    def _close(self) -> None:
        """Leave a message and write its length, in five bytes whatever it is."""
        frame = self._stack.pop()
        if frame.fields is None:
            return
        length = len(self._out) - frame.length_at
        padded = bytes(length >> 7 * place & 0x7F | (0x80 if place < _LENGTH_WIDTH - 1 else 0) for place in range(5))
        self._out[frame.length_at - _LENGTH_WIDTH : frame.length_at] = padded

    def _scalar(self, known: _Field | None) -> None:
        """Read one value and write it as its field wants it."""
        if self._text[self._at : self._at + 1] in {b'"', b"'"}:
            value = self._strings()
            if known is not None and known.kind == "bytes":
                self._key(known.number, 2)
                self._out += _varint(len(value)) + value
            elif known is not None:
                raise _Refused("text stands where another value belongs")
            return
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            raise _Refused("a value is missing")
        self._at = found.end()
        if known is None:
            return
        if known.kind not in _WIRES:
            raise _Refused("a value of the wrong kind")
        self._key(known.number, _WIRES[known.kind])
        width = _WIDTHS.get(known.kind)
        self._out += bytes(width) if width else _varint(self._integer(found.group()))

    def _integer(self, text: bytes) -> int:
        """Return the value of a number, of a truth value, or of an enumeration's name."""
        text = text.replace(b" ", b"").replace(b"\t", b"")
        if not _INTEGER.fullmatch(text):
            if text in {b"true", b"True", b"t"}:
                return 1
            return self._enumerations.get(text.decode("ascii", "replace"), 0)
        digits = text.lstrip(b"-")
        base = 16 if digits[:2] in {b"0x", b"0X"} else 8 if digits.startswith(b"0") and len(digits) > 1 else 10
        try:
            value = int(digits, base)
        except ValueError:
            raise _Refused("a number that is none") from None
        return (-value if text.startswith(b"-") else value) & (2**64 - 1)

    def _strings(self) -> bytes:
        """Read texts that stand one behind the other, which are one."""
        parts = []
        while found := _STRING.match(self._text, self._at):
            self._at = found.end()
            raw = found.group(1) if found.group(1) is not None else found.group(2)
            parts.append(_ESCAPE.sub(_unescaped, raw) if b"\\" in raw else raw)
            self._skip()
        if not parts:
            raise _Refused("a text does not end")
        return b"".join(parts)

    def _key(self, number: int, wire: int) -> None:
        self._out += _varint(number << 3 | wire)


def _unescaped(found: re.Match[bytes]) -> bytes:
    octal, hexadecimal, short, long, letter = found.groups()
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal is not None:
        return bytes([int(hexadecimal, 16)])
    if letter is not None:
        return _LETTERS.get(letter, letter)
    number = int(short or long, 16)
    return chr(min(number, 0x10FFFF)).encode("utf-8", "surrogatepass")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@functools.cache
def _fields(schema: str) -> dict[str, dict[bytes, _Field]]:
    """Return the fields of every message of a schema, by name."""
    messages: dict[str, dict[str, list[str]]] = table(f"schemas/{schema}")["messages"]
    return {
        message: {
            name.encode(): _Field(int(number), spelled.removesuffix("*")) for number, (name, spelled) in fields.items()
        }
        for message, fields in messages.items()
    }
