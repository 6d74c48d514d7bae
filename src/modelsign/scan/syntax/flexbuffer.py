"""Reads the one kind of FlexBuffer that matters to a scan: a vector whose elements are text or blobs.

Source: flatbuffers.dev/flexbuffers and ``flatbuffers/flexbuffers.h``: the root stands at the end, offsets go backwards.
"""

from __future__ import annotations

from typing import Final

__all__ = ["texts"]

_VECTOR, _STRING, _BLOB = 10, 5, 25
_TAIL: Final = 3
_WIDTHS: Final = frozenset({1, 2, 4, 8})
_MOST: Final = 16


def texts(data: bytes) -> list[bytes] | None:
    """Return the elements of the root vector that are text or blobs; None where the root is no such vector."""
    if len(data) < _TAIL or data[-1] not in _WIDTHS or data[-2] >> 2 != _VECTOR:
        return None
    width, inner = data[-1], 1 << (data[-2] & 3)
    start = _behind(data, len(data) - 2 - width, width)
    length = None if start is None else _number(data, start - inner, inner)
    if start is None or length is None or length > _MOST:
        return None
    found = []
    for index in range(length):
        packed = _number(data, start + length * inner + index, 1)
        place = _behind(data, start + index * inner, inner)
        if packed is None or packed >> 2 not in {_STRING, _BLOB} or place is None:
            return None
        sized = 1 << (packed & 3)
        room = _number(data, place - sized, sized)
        if room is None or place + room > len(data):
            return None
        found.append(data[place : place + room])
    return found


def _number(data: bytes, at: int, width: int) -> int | None:
    return int.from_bytes(data[at : at + width], "little") if 0 <= at <= len(data) - width else None


def _behind(data: bytes, at: int, width: int) -> int | None:
    """Follow an offset, which counts backwards from where it stands."""
    offset = _number(data, at, width)
    return None if offset is None or offset > at else at - offset
