"""The blocks of a tar archive: one header, and the records of a pax header.

Follows POSIX.1-2017 (pax, "ustar Interchange Format" and "pax Header Block") and the GNU format, as Python's
``tarfile`` reads them, since PyTorch, NeMo and Keras unpack with it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["BLOCK", "Header", "pax_records", "read_header"]

BLOCK: Final = 512
"""Bytes of one block."""
_SUM: Final = slice(148, 156)
_SPARSE_MORE: Final = 482
_POSITIVE: Final = 0o200
_NEGATIVE: Final = 0o377
_SIGN: Final = 0x7F
_OCTAL: Final = re.compile(rb" *[0-7]*[ \0]*", re.ASCII)
_RECORD: Final = re.compile(rb"([1-9][0-9]{0,9}) ", re.ASCII)


class Header(NamedTuple):
    """One header: its fields as bytes, numbers read. ``odd`` says that a number is not written plainly."""

    name: bytes
    prefix: bytes
    link: bytes
    mode: int
    size: int
    kind: bytes
    posix: bool
    sparse_more: bool
    odd: bool


def read_header(block: bytes) -> Header | None:
    """Read a header; None where its checksum does not fit, or there are no 512 bytes."""
    if len(block) < BLOCK:
        return None
    wanted = _number(block[_SUM])
    if not wanted:
        return None
    blanked = block[: _SUM.start] + b" " * 8 + block[_SUM.stop :]
    unsigned = sum(blanked)
    if wanted != unsigned and wanted != unsigned - 256 * sum(byte > _SIGN for byte in blanked):
        return None
    mode, size = _number(block[100:108]), _number(block[124:136])
    plain = all(_OCTAL.fullmatch(block[part]) for part in (slice(100, 108), slice(124, 136)))
    odd = mode is None or size is None or size < 0 or not (plain or block[124] == _POSITIVE)
    return Header(
        name=_text(block[:100]),
        prefix=_text(block[345:500]),
        link=_text(block[157:257]),
        mode=mode or 0,
        size=max(size or 0, 0),
        kind=block[156:157],
        posix=block[257:263] == b"ustar\0",
        sparse_more=block[156:157] == b"S" and bool(block[_SPARSE_MORE]),
        odd=odd,
    )


def pax_records(data: bytes) -> tuple[dict[str, bytes], bool]:
    """Read ``length key=value`` lines; False where they are malformed, or say one thing twice."""
    found: dict[str, bytes] = {}
    position = 0
    while position < len(data) and data[position]:
        match = _RECORD.match(data, position)
        if match is None:
            return found, False
        end = position + int(match[1])
        key, equals, value = data[match.end() : end].partition(b"=")
        if not equals or end > len(data) or not value.endswith(b"\n"):
            return found, False
        name = key.decode("utf-8", "backslashreplace")
        if name in found:
            return found, False
        found[name] = value[:-1]
        position = end
    return found, not data[position:].strip(b"\0")


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def _number(field: bytes) -> int | None:
    """Read a number as tarfile does: base 256 behind a mark in its first byte, else octal text."""
    if field[0] in {_POSITIVE, _NEGATIVE}:
        return int.from_bytes(field[1:], "big") - (256 ** (len(field) - 1) if field[0] == _NEGATIVE else 0)
    try:
        return int(_text(field).decode("ascii").strip() or "0", 8)
    except ValueError:
        return None
