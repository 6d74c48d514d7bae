"""MessagePack as Flax, Orbax and msgpack-numpy write it: maps of arrays.

Of the extension types Flax' own are known (``flax/serialization.py``: 1 an array, 2 a complex number, 3 a scalar) and
the specification's timestamp (-1); any other is turned into objects by whatever the loading program registered. A
map by which msgpack-numpy would unpickle an array of objects is judged as the pickle it holds. Numbers are skipped.
Follows the MessagePack specification, flax 0.8 to 0.12 and msgpack-numpy 0.4.8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.reading import Slice
from modelsign.scan.format import Format, Inspection
from modelsign.scan.pickles import RULES as PICKLE_RULES
from modelsign.scan.pickles import scan_pickle
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import BrokenError, ExhaustedError, Window
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

EXTENSION: Final = Rule(
    "msgpack-extension",
    "the MessagePack file has values of an unknown extension type",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "What such a value becomes is decided by a function that the loading program registered for its number. Flax "
    "writes arrays, scalars and complex numbers alone.",
    "Find out which program wrote the file, and what it does with this type.",
    (
        "https://github.com/msgpack/msgpack/blob/master/spec.md",
        "https://flax.readthedocs.io/en/latest/api_reference/flax.serialization.html",
    ),
)
ARRAY: Final = Rule(
    "msgpack-array",
    "an array in the MessagePack file is not what its header says",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "Type, shape and number of bytes of an array do not fit together, or the type is none of numbers.",
    "Fetch the file again and compare its digest with the author's.",
)
_SIZES: Final[Mapping[str, int]] = {
    "bool": 1, "int8": 1, "uint8": 1, "int4": 1, "uint4": 1, "int2": 1, "uint2": 1, "float8_e4m3fn": 1,
    "float8_e4m3": 1, "float8_e3m4": 1, "float8_e8m0fnu": 1, "float8_e4m3b11fnuz": 1, "float8_e4m3fnuz": 1,
    "float8_e5m2": 1, "float8_e5m2fnuz": 1, "float4_e2m1fn": 1, "float6_e2m3fn": 1, "float6_e3m2fn": 1, "int16": 2,
    "uint16": 2, "float16": 2, "bfloat16": 2, "V2": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8,
    "float64": 8, "complex64": 8, "float128": 16, "complex128": 16, "complex256": 32,
}  # fmt: skip
"""Bytes of one number, by the names of types that NumPy and ml_dtypes have."""
_ARRAYS: Final = frozenset({1, 3})
_PLAIN: Final = frozenset({-1, 2})


def _marks() -> list[tuple[str, int, int]]:
    """Return, for each first byte, the kind of value, its length or count, and the bytes that give it instead."""
    table = [("", 0, 0)] * 256
    table[:0x80] = [("plain", value, 0) for value in range(0x80)]
    table[0x80:0x90] = [("map", count, 0) for count in range(16)]
    table[0x90:0xA0] = [("array", count, 0) for count in range(16)]
    table[0xA0:0xC0] = [("text", length, 0) for length in range(32)]
    table[0xC0] = table[0xC2] = table[0xC3] = ("plain", 0, 0)
    table[0xC4:0xC7] = table[0xD9:0xDC] = [("text", 0, width) for width in (1, 2, 4)]
    table[0xC7:0xCA] = [("extension", 0, width) for width in (1, 2, 4)]
    table[0xCA:0xD4] = [("plain", 0, width) for width in (4, 8, 1, 2, 4, 8, 1, 2, 4, 8)]
    table[0xD4:0xD9] = [("extension", length, 0) for length in (1, 2, 4, 8, 16)]
    table[0xDC:0xE0] = [("array", 0, 2), ("array", 0, 4), ("map", 0, 2), ("map", 0, 4)]
    table[0xE0:] = [("plain", 0, 0)] * 32
    return table


_MARKS: Final = _marks()
_KEY: Final = 16
"""Longest text that is looked at: the keys by which msgpack-numpy knows an array."""
_MAX_AXES: Final = 64


def _head(window: Window) -> tuple[str, int]:
    """Read what kind of value comes next, with its length or count; a plain one is read whole."""
    kind, value, width = _MARKS[window.take(1)[0]]
    if not kind:
        raise BrokenError("a mark that MessagePack does not have", window.at - 1)
    return kind, window.uint(width, "big") if width else value


@dataclass(slots=True)
class _Map:
    """A map that is being read: what it has of the keys by which msgpack-numpy knows an array of objects."""

    key: bytes = b""
    kind: bytes = b""
    data: tuple[int, int] | None = None

    def take(self, text: bytes, place: tuple[int, int], *, is_key: bool) -> None:
        """Take the next key or value; only short texts matter, and where the data lie."""
        if is_key:
            self.key = text
        elif self.key == b"kind":
            self.kind = text
        elif self.key == b"data":
            self.data = place


@dataclass(slots=True)
class _Walk:
    """One walk over one file, without recursion."""

    reading: Reading
    window: Window
    findings: dict[Finding, None] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Read one value and all in it; for each level it is known how many values are left, and of which map."""
        opened: list[tuple[int, _Map | None]] = [(1, None)]
        while opened:
            left, seen = opened.pop()
            if left == 0:
                if seen is not None:
                    self._judge_map(seen)
                continue
            opened.append((left - 1, seen))
            start = self.window.at
            kind, size = _head(self.window)
            if kind in {"map", "array"}:
                if len(opened) > limits.STREAM_DEPTH:
                    raise ExhaustedError("the file is nested too deeply", start)
                opened.append((2 * size, _Map()) if kind == "map" else (size, None))
            elif kind == "extension":
                self._extension(size, start)
            text = self._text(size) if kind == "text" else b""
            if seen is not None:
                seen.take(text, (self.window.at - size, size), is_key=left % 2 == 0)

    def _text(self, size: int) -> bytes:
        if size <= _KEY:
            return self.window.take(size)
        self.window.skip(size)
        return b""

    def _extension(self, size: int, start: int) -> None:
        number = self.window.sint(1, "big")
        end = self.window.at + size
        if number in _ARRAYS:
            self._array(size, start)
        elif number not in _PLAIN:
            self.findings[EXTENSION.finding(f"extension type {number}")] = None
        self.window.skip(end - self.window.at)

    def _array(self, size: int, start: int) -> None:
        """Check an array of Flax': a list of shape, name of the type, bytes."""
        end = self.window.at + size
        problem = self._array_problem(end)
        if problem:
            self.findings[ARRAY.finding(problem, offset=start)] = None

    def _array_problem(self, end: int) -> str | None:
        if self.window.left < end - self.window.at:
            raise BrokenError("the file is cut short", self.window.end)
        if _head(self.window) != ("array", 3):
            return "an array is no list of shape, type and bytes"
        kind, axes = _head(self.window)
        if kind != "array" or axes > _MAX_AXES:
            return "an array has no shape"
        wanted = 1
        for _ in range(axes):
            kind, length = _head(self.window)
            if kind != "plain":
                return "an array has no shape"
            wanted *= length
        kind, length = _head(self.window)
        name = self.window.take(length).decode("ascii", "replace") if kind == "text" and length <= _MAX_AXES else ""
        if name not in _SIZES:
            return f"an array has the type {name!r}"
        kind, length = _head(self.window)
        if kind != "text" or self.window.at + length != end or wanted * _SIZES[name] != length:
            return "an array's bytes do not fit its type and shape"
        return None

    def _judge_map(self, seen: _Map) -> None:
        """Judge the pickle that msgpack-numpy would load from a map with an array of objects."""
        if seen.data is None or seen.kind != b"O":
            return
        found = scan_pickle(Slice(self.reading, *seen.data), takes_members=False)
        self.findings.update(dict.fromkeys(found.findings))
        self.globals |= found.globals


_LIST: Final = "patterns"
"""A list that spaCy's attribute ruler keeps; other files are maps."""


def _recognise(reading: Reading, name: str) -> bool:
    if name.casefold().endswith(".msgpack"):
        return reading.size > 0
    mark = reading.read_at(0, 1)
    if mark in {b"\x80", b"\x90"} and reading.size == 1:
        return True  # an empty map or list, as spaCy keeps of empty tables; no pickle is that short
    if mark == b"\x80":
        return False
    if name.casefold().rsplit("/", 1)[-1] == _LIST and (b"\x90" <= mark <= b"\x9f" or mark in {b"\xdc", b"\xdd"}):
        return True
    return mark[:1] in {b"\xde", b"\xdf"} or b"\x81" <= mark <= b"\x8f"


def _scan(reading: Reading, name: str) -> Inspection:
    named = name.casefold().endswith(".msgpack")
    walk = _Walk(reading, Window(reading))
    try:
        walk.run()
    except BrokenError as halt:
        rule = BUDGET if isinstance(halt, ExhaustedError) else BROKEN
        walk.findings[rule.finding(halt.message, offset=halt.offset)] = None
        readable = named or isinstance(halt, ExhaustedError) or bool(walk.globals)
        return Inspection(readable=readable, findings=tuple(walk.findings), globals=frozenset(walk.globals))
    if walk.window.left:
        walk.findings[BROKEN.finding("bytes follow the last value", offset=walk.window.at)] = None
    readable = named or not walk.window.left
    return Inspection(readable=readable, findings=tuple(walk.findings), globals=frozenset(walk.globals))


FORMAT = Format(
    id="msgpack",
    title="MessagePack (Flax)",
    description="Maps of arrays and numbers, as Flax and Orbax write them, and what other programs hang into them.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".msgpack",),
    rules=(EXTENSION, ARRAY, BROKEN, BUDGET, *PICKLE_RULES),
)
