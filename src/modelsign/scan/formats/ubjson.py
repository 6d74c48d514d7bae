"""UBJSON, as XGBoost writes its models since 1.6 (``.ubj``): objects, arrays and numbers, nothing that could run.

The whole file must be one object in the format's grammar, with strongly typed arrays (``$`` and ``#``) as XGBoost
writes them; their numbers are skipped. Follows the UBJSON specification, draft 12, and xgboost/src/common/json.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import BrokenError, ExhaustedError, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_INTEGERS: Final[Mapping[bytes, int]] = {b"i": 1, b"U": 1, b"I": 2, b"u": 2, b"l": 4, b"m": 4, b"L": 8, b"M": 8}
"""Bytes of each type of integer; lengths and counts are of one of them."""
_SIZES: Final[Mapping[bytes, int]] = {**_INTEGERS, b"d": 4, b"D": 8, b"C": 1, b"Z": 0, b"T": 0, b"F": 0, b"N": 0}
_NAME: Final = 4096
"""Longest key; XGBoost's have some twenty characters."""


def _length(window: Window) -> int:
    mark = window.take(1)
    if mark not in _INTEGERS:
        raise BrokenError("a length is no integer", window.at - 1)
    length = window.sint(_INTEGERS[mark], "big")
    if length < 0:
        raise BrokenError("a length is negative", window.at)
    return length


def _text(window: Window) -> None:
    window.skip(_length(window))


def _key(window: Window) -> None:
    length = _length(window)
    if length > _NAME:
        raise BrokenError("a key is longer than any of a model's", window.at)
    window.take(length).decode("utf-8")


def _array(window: Window) -> int | None:
    """Read an array's head; skip the numbers of a typed one. Return how many values follow: -1 up to the end mark."""
    kind = b""
    mark = window.take(1)
    if mark == b"$":
        kind, mark = window.take(1), window.take(1)
    if mark != b"#":
        if kind:
            raise BrokenError("a typed array has no count", window.at - 1)
        window.at -= 1
        return -1
    count = _length(window)
    if not kind:
        return count
    if kind not in _SIZES:
        raise BrokenError("a typed array of values that are no numbers", window.at)
    window.skip(count * _SIZES[kind])
    return None


def _walk(window: Window) -> None:
    """Read one object and all in it, without recursion; ``opened`` holds how many values a level has left."""
    if window.take(1) != b"{":
        raise BrokenError("the file is no object", 0)
    opened: list[tuple[str, int]] = [("object", -1)]
    while opened:
        kind, left = opened[-1]
        mark = window.take(1) if left < 0 else b""
        if left == 0 or mark == (b"}" if kind == "object" else b"]"):
            opened.pop()
            continue
        if left > 0:
            opened[-1] = (kind, left - 1)
        if kind == "object":
            window.at -= len(mark)
            _key(window)
            mark = b""
        inner = _value(window, mark or window.take(1))
        if inner is not None:
            if len(opened) >= limits.STREAM_DEPTH:
                raise ExhaustedError("the file is nested too deeply", window.at)
            opened.append(inner)
    if window.left:
        raise BrokenError("bytes follow the object", window.at)


def _value(window: Window, mark: bytes) -> tuple[str, int] | None:
    """Read one value; return the level it opens, if it does."""
    if mark == b"{":
        following = window.take(1)
        if following == b"#":
            return "object", _length(window)
        window.at -= 1
        return "object", -1
    if mark == b"[":
        count = _array(window)
        return None if count is None else ("array", count)
    if mark in {b"S", b"H"}:
        _text(window)
    elif mark in _SIZES:
        window.skip(_SIZES[mark])
    else:
        raise BrokenError("a mark that UBJSON does not have", window.at - 1)
    return None


def _recognise(reading: Reading, name: str) -> bool:
    if name.casefold().endswith(".ubj"):
        return reading.size > 0
    head = reading.read_at(0, 2)
    return head[:1] == b"{" and head[1:] in _INTEGERS


def _scan(reading: Reading, name: str) -> Inspection:
    named = name.casefold().endswith(".ubj")
    window = Window(reading)
    try:
        _walk(window)
    except ExhaustedError as halt:
        return Inspection(readable=True, findings=(BUDGET.finding(halt.message, offset=halt.offset),))
    except BrokenError as halt:
        return Inspection(readable=named, findings=(BROKEN.finding(halt.message, offset=halt.offset),))
    except UnicodeDecodeError:
        return Inspection(readable=named, findings=(BROKEN.finding("a key is no UTF-8", offset=window.at),))
    return Inspection(readable=True)


FORMAT = Format(
    id="ubjson",
    title="UBJSON (XGBoost)",
    description="Objects, arrays and numbers in binary, as XGBoost writes its models.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".ubj",),
    rules=(BROKEN, BUDGET),
)
