"""Reads the header of a GGUF file: its metadata and the list of its tensors, by a cursor that never leaves the file.

Versions 1 to 3, of either byte order. Strings in arrays (vocabularies) are stepped over; nothing is allocated for a
size that the file only claims.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["MAGIC", "BrokenHeaderError", "Cursor", "Header", "OverflowingSizeError", "Tensor", "read_header"]

MAGIC: Final = b"GGUF"
_SIZES: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each scalar type (docs/gguf.md, ``gguf_metadata_value_type``)."""
_UINT32: Final = 4
_STRING: Final = 8
_ARRAY: Final = 9
_CHUNK: Final = 256 * 1024
_MOST: Final = 2**63 - 1
"""The largest size that the loaders' signed arithmetic holds."""
_LONGEST_KEY: Final = 65535
_LONGEST_NAME: Final = 255
_DIMENSIONS: Final = 4
_VERSIONS: Final = frozenset({1, 2, 3})
_LOW_HALF: Final = 0xFFFF
_ALIGNMENT: Final = "general.alignment"
_TEMPLATE: Final = "tokenizer.chat_template"


class BrokenHeaderError(Exception):
    """The header breaks the format's rules, at an offset; ``whole`` is False where the file ends too soon."""

    def __init__(self, text: str, offset: int, *, whole: bool = True) -> None:
        """Say what is wrong and where."""
        super().__init__(text)
        self.offset = offset
        self.whole = whole


class OverflowingSizeError(BrokenHeaderError):
    """A size that no loader's arithmetic holds."""


class Tensor(NamedTuple):
    """One tensor's entry."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int
    place: int
    """Where its entry stands in the file."""


@dataclass(slots=True)
class Header:
    """What the header says; filled as far as it could be read."""

    alignment: int = 32
    templates: list[tuple[str, bytes]] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    flaws: list[tuple[str, int]] = field(default_factory=list)
    end: int = 0
    room: int = 4 * limits.TEMPLATES_CHARACTERS
    """Bytes of templates that may still be kept; below zero some were not."""


class Cursor:
    """A place in the file, and how numbers are read there."""

    def __init__(self, reading: Reading) -> None:
        """Begin behind the magic, with the byte order that gives a sensible version."""
        self._reading = reading
        self._chunk = b""
        self._start = 0
        self.at = len(MAGIC)
        self.order: str = "little"
        self.version = self.number(4)
        if self.version & _LOW_HALF == 0:
            self.order = "big"
            self.version = int.from_bytes(self.version.to_bytes(4, "little"), "big")
        self._wide = 4 if self.version == 1 else 8

    @property
    def left(self) -> int:
        """Bytes up to the end of the file."""
        return self._reading.size - self.at

    def take(self, length: int) -> bytes:
        """Return the next bytes.

        Raises:
            BrokenHeaderError: the file ends before.

        """
        if length > self.left:
            raise BrokenHeaderError("the file ends inside the header", self.at, whole=False)
        begin = self.at - self._start
        if begin < 0 or begin + length > len(self._chunk):
            self._chunk = self._reading.read_at(self.at, max(_CHUNK, length))
            self._start, begin = self.at, 0
        self.at += length
        return self._chunk[begin : begin + length]

    def number(self, length: int) -> int:
        """Return the next unsigned number of so many bytes."""
        return int.from_bytes(self.take(length), "big" if self.order == "big" else "little")

    def count(self) -> int:
        """Return a count or length, which version 1 stores in four bytes.

        Raises:
            OverflowingSizeError: it is beyond what signed arithmetic holds.

        """
        at = self.at
        value = self.number(self._wide)
        if value > _MOST:
            raise OverflowingSizeError(f"a count of {value}", at)
        return value

    def text(self, longest: int, what: str) -> str:
        """Return a short text.

        Raises:
            BrokenHeaderError: it is too long, not UTF-8, or holds NUL.

        """
        at, length = self.at, self.count()
        if length > min(longest, self.left):
            raise BrokenHeaderError(f"{what} of {length} bytes", at, whole=length <= self.left)
        try:
            word = self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise BrokenHeaderError(f"{what} that is not UTF-8", at) from None
        if "\0" in word or not word:
            raise BrokenHeaderError(f"{what} that is empty or holds NUL", at)
        return word

    def skip(self, length: int) -> None:
        """Go on by so many bytes.

        Raises:
            BrokenHeaderError: the file ends before.

        """
        if length > self.left:
            raise BrokenHeaderError("a value is longer than the file", self.at, whole=False)
        self.at += length

    def skip_texts(self, count: int) -> None:
        """Step over texts, a chunk of the file at a time."""
        wide, order = self._wide, "big" if self.order == "big" else "little"
        while count:
            chunk = self._reading.read_at(self.at, _CHUNK)
            place, last = 0, len(chunk) - wide
            while count and place <= last:
                length = int.from_bytes(chunk[place : place + wide], order)  # type: ignore[arg-type] # one of two words
                if length > _MOST:
                    raise OverflowingSizeError(f"a text of {length} bytes", self.at + place)
                place += wide + length
                count -= 1
            if not place:
                raise BrokenHeaderError("the file ends inside a list of texts", self.at, whole=False)
            self.skip(place)


def read_header(reading: Reading, header: Header) -> None:
    """Fill ``header`` as far as the file allows.

    Raises:
        BrokenHeaderError: from there on it cannot be read.

    """
    cursor = Cursor(reading)
    if cursor.version not in _VERSIONS:
        raise BrokenHeaderError(f"version {cursor.version} of GGUF is not known", len(MAGIC))
    tensors = _counted(cursor, limits.GGUF_TENSORS, "tensors")
    entries = _counted(cursor, limits.GGUF_ENTRIES, "entries of metadata")
    keys: set[str] = set()
    for _ in range(entries):
        at = cursor.at
        key = cursor.text(_LONGEST_KEY, "a key")
        kept = key if len(key) <= _LONGEST_NAME else hashlib.sha256(key.encode()).hexdigest()
        if kept in keys:
            header.flaws.append((f"the key {key[:100]} stands twice", at))
        keys.add(kept)
        _value(cursor, key, header)
    names: set[str] = set()
    for _ in range(tensors):
        tensor = _tensor(cursor)
        if tensor.name in names:
            header.flaws.append((f"the tensor {tensor.name[:100]} stands twice", tensor.place))
        names.add(tensor.name)
        header.tensors.append(tensor)
    header.end = cursor.at


def _counted(cursor: Cursor, most: int, what: str) -> int:
    at, number = cursor.at, cursor.count()
    if number > most:
        fault = OverflowingSizeError if number > _MOST // 64 else BrokenHeaderError
        raise fault(f"{number} {what}", at)
    return number


def _value(cursor: Cursor, key: str, header: Header) -> None:
    """Step over one value; keep what is judged further."""
    at, kind = cursor.at, cursor.number(4)
    if key == _ALIGNMENT:
        if kind != _UINT32:
            raise BrokenHeaderError(f"the type of {_ALIGNMENT} is not UINT32", at)
        header.alignment = cursor.number(4)
    elif kind == _STRING:
        length = cursor.count()
        if key == _TEMPLATE or key.startswith(f"{_TEMPLATE}."):
            header.room -= length
            if header.room >= 0:
                header.templates.append((key[:100], cursor.take(length)))
                return
        cursor.skip(length)
    elif kind == _ARRAY:
        _array(cursor, depth=1)
    elif kind in _SIZES:
        cursor.skip(_SIZES[kind])
    else:
        raise BrokenHeaderError(f"the value of {key[:100]} has the unknown type {kind}", at)


def _array(cursor: Cursor, *, depth: int) -> None:
    at, kind, count = cursor.at, cursor.number(4), cursor.count()
    if kind == _STRING:
        cursor.skip_texts(count)
    elif kind in _SIZES:
        if count > _MOST // 16:
            raise OverflowingSizeError(f"a list of {count} values", at)
        cursor.skip(_SIZES[kind] * count)
    elif kind == _ARRAY and depth < limits.GGUF_DEPTH and count <= limits.GGUF_ENTRIES:
        for _ in range(count):
            _array(cursor, depth=depth + 1)
    else:
        raise BrokenHeaderError(f"a list of {count} values of type {kind}", at)


def _tensor(cursor: Cursor) -> Tensor:
    place = cursor.at
    name = cursor.text(_LONGEST_NAME, "a tensor's name")
    dimensions = cursor.number(4)
    if dimensions > _DIMENSIONS:
        raise BrokenHeaderError(f"the tensor {name[:100]} has {dimensions} dimensions", place)
    shape = tuple(cursor.count() for _ in range(dimensions))
    return Tensor(name, shape, cursor.number(4), cursor.number(8), place)
