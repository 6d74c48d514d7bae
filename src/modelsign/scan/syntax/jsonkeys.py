"""Tells cheaply whether a JSON document could have a certain key, so that most need not be parsed to find out."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from modelsign import limits

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["document_bytes", "document_with_key"]

_known: Final[WeakKeyDictionary[Reading, bytes]] = WeakKeyDictionary()


@functools.cache
def _spellings(key: str) -> re.Pattern[bytes]:
    """Return a pattern for a key of ASCII letters, each of which may be escaped."""
    letters = (rb"(?:%c|\\u00(?i:%02x))" % (ord(letter), ord(letter)) for letter in key)
    return re.compile(b'"' + b"".join(letters) + b'"')


def document_bytes(reading: Reading) -> bytes:
    """Return the bytes of a document that is no longer than a scan reads; read once, however many ask."""
    data = _known.get(reading)
    if data is None:
        data = _known[reading] = reading.read_at(0, min(reading.size, limits.SCAN_JSON_BYTES))
    return data


def document_with_key(reading: Reading, key: str) -> bytes | None:
    """Return the bytes of a document that is an object and may have ``key``; None for anything else."""
    if reading.size > limits.SCAN_JSON_BYTES or not reading.read_at(0, 64).lstrip(b" \t\r\n").startswith(b"{"):
        return None
    data = document_bytes(reading)
    if key.encode() in data or (b"\\u00" in data and _spellings(key).search(data) is not None):
        return data
    return None
