"""Reads LevelDB tables, in which TensorFlow keeps the index of a checkpoint: sorted keys with their values.

Only what TensorFlow writes is read: blocks that are not compressed. Handles and lengths are checked against the file.

Source: LevelDB doc/table_format.md; ``tensorflow/core/lib/io/table.cc`` and ``block.cc``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.syntax.wire import Malformed, Span, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading

__all__ = ["Compressed", "entries", "is_table"]

_FOOTER: Final = 48
_MAGIC: Final = (0xDB4775248B80FB57).to_bytes(8, "little")
_TRAILER: Final = 5
_NUMBER: Final = 4
_MOST_KEY: Final = 64 * 1024
_KEY_BYTES_PER_BYTE: Final = 64
"""Bytes of keys, written out, for each byte of the table; what keys share with the one before takes none."""


class Compressed(Exception):
    """A block is compressed, which TensorFlow does not do; never leaves the readers."""


def is_table(reading: Reading) -> bool:
    """Whether the file ends like a table."""
    return reading.size >= _FOOTER and reading.read_at(reading.size - len(_MAGIC), len(_MAGIC)) == _MAGIC


def entries(reading: Reading) -> Iterator[tuple[bytes, Span]]:
    """Yield every key with the place of its value, in the order of the file.

    Raises:
        Malformed: a handle, a length or the order is wrong.
        Compressed: a block is compressed.

    """
    wire = Wire(reading)
    end = reading.size - _FOOTER
    at = end
    for _ in range(2):
        _, at = wire.varint(at, reading.size)
    index, _ = _handle(wire, at, reading.size, end)
    left = _KEY_BYTES_PER_BYTE * reading.size
    reached = 0
    for _, place in _block(wire, index):
        block, behind = _handle(wire, place.start, place.end, end)
        if behind != place.end:
            raise Malformed("a handle has a remainder")
        if block.start < reached:
            raise Malformed("blocks overlap or are out of order")
        reached = block.end
        for key, value in _block(wire, block):
            left -= len(key)
            if left < 0:
                raise Malformed("keys share more than a scan writes out")
            yield key, value


def _handle(wire: Wire, at: int, end: int, size: int) -> tuple[Span, int]:
    """Read the place of a block, which must lie in the file with its trailer."""
    offset, at = wire.varint(at, end)
    length, at = wire.varint(at, end)
    if offset + length + _TRAILER > size:
        raise Malformed("a block ends behind the file")
    return Span(offset, offset + length), at


def _block(wire: Wire, block: Span) -> Iterator[tuple[bytes, Span]]:
    """Yield the entries of one block; a key gives how much it shares with the one before it."""
    if wire.bytes(block.end, 1) != b"\x00":
        raise Compressed
    if block.end - block.start < _NUMBER:
        raise Malformed("a block is too short")
    restarts = int.from_bytes(wire.bytes(block.end - _NUMBER, _NUMBER), "little")
    end = block.end - _NUMBER * (restarts + 1)
    if end < block.start:
        raise Malformed("a block has more restarts than room")
    at = block.start
    key = b""
    while at < end:
        shared, at = wire.varint(at, end)
        added, at = wire.varint(at, end)
        length, at = wire.varint(at, end)
        if shared > len(key) or shared + added > _MOST_KEY or added + length > end - at:
            raise Malformed("an entry ends behind its block")
        key = key[:shared] + wire.bytes(at, added)
        at += added
        yield key, Span(at, at + length)
        at += length
