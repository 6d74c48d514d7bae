"""Superblocks and object headers: where the root is, and which messages an object has.

Specification II.A (superblocks 0 to 3), IV.A.1 (object headers 1 and 2) and IV.A.2.q (continuations).
Checksums are not compared: libhdf5 refuses a file where they are wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.scan.archives.nesting import is_member
from modelsign.scan.hdf5.source import BrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.scan.hdf5.source import Cursor, Source

__all__ = ["Message", "Root", "find_superblock", "messages", "read_superblock"]

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_FIRST_USER_BLOCK: Final = 512
_CONTINUATION: Final = 0x10
_CHECKSUM: Final = 4
_V1_HEADER: Final = 8
_TIMES: Final = 0x20
_PHASES: Final = 0x10
_ORDER: Final = 0x04
_LATEST: Final = 3
_OLD: Final = 2


class Root(NamedTuple):
    """What the superblock says: addresses of the root's header, of its extension, of the driver's block; None if none.

    ``table`` is the root's symbol table as the superblock remembers it: B-tree and local heap.
    """

    header: int
    extension: int | None = None
    driver: int | None = None
    table: tuple[int, int] | None = None


class Message(NamedTuple):
    """One header message: its type (IV.A.2), whether it lies elsewhere, and its bytes."""

    kind: int
    shared: bool
    body: Cursor


def find_superblock(reading: Reading) -> int | None:
    """Return the offset of the superblock: at 0, or at 512 and its doubles; None if there is none.

    One that stands in a member of an archive is that member's own, and judged there.
    """
    if reading.read_at(0, len(SIGNATURE)) == SIGNATURE:
        return 0
    offset = _FIRST_USER_BLOCK
    while offset < reading.size:
        if reading.read_at(offset, len(SIGNATURE)) == SIGNATURE:
            return None if is_member(reading, offset, offset + len(SIGNATURE)) else offset
        offset *= 2
    return None


def read_superblock(source: Source) -> Root:
    """Read the superblock, and set the source's sizes."""
    head = source.read(0, 9)
    head.expect(SIGNATURE)
    version = head.uint(1)
    if version > _LATEST:
        raise BrokenError(f"the superblock has the version {version}", head.offset - 1)
    if version >= _OLD:
        sizes = source.read(9, 3)
        source.set_sizes(sizes.uint(1), sizes.uint(1), sizes.place)
        body = source.read(12, 4 * source.address_size)
        body.address()
        extension, _, header = body.address(), body.address(), body.address()
        return Root(header, None if extension == source.undefined else extension)
    sizes = source.read(13, 2)
    source.set_sizes(sizes.uint(1), sizes.uint(1), sizes.place)
    body = source.read(24 + 4 * (version == 1), 6 * source.address_size + 24)
    for _ in range(3):
        body.address()
    driver = body.address()
    body.address()
    header = body.address()
    cached = body.uint(4)
    body.uint(4)
    table = (body.address(), body.address()) if cached == 1 else None
    return Root(header, None, None if driver == source.undefined else driver, table)


def messages(source: Source, address: int) -> Iterator[Message]:
    """Yield the messages of an object header, through all its continuations."""
    first = source.read(address, 4)
    seen: set[int] = set()
    if first.data == b"OHDR":
        pending, order = _second_version(source, address)
        step = 4 + 2 * order
    else:
        pending, order = _first_version(source, address), False
        step = _V1_HEADER
    while pending:
        chunk = pending.pop()
        if chunk.place in seen:
            raise BrokenError("an object header continues in itself", chunk.place)
        seen.add(chunk.place)
        while chunk.left >= step:
            source.step(address)
            message = _message_2(chunk, order=order) if first.data == b"OHDR" else _message_1(chunk)
            if message.kind == _CONTINUATION and not message.shared:
                pending.append(_continuation(source, message.body, marked=first.data == b"OHDR"))
            else:
                yield message


def _first_version(source: Source, address: int) -> list[Cursor]:
    head = source.read(address, 12)
    if head.uint(1) != 1:
        raise BrokenError("an object header has an unknown version", head.place)
    head.take(7)
    return [source.read(address + 16, head.uint(4))]


def _second_version(source: Source, address: int) -> tuple[list[Cursor], bool]:
    head = source.read(address, 6)
    head.expect(b"OHDR")
    if head.uint(1) != _OLD:
        raise BrokenError("an object header has an unknown version", head.offset - 1)
    flags = head.uint(1)
    at = 6 + 16 * bool(flags & _TIMES) + 4 * bool(flags & _PHASES)
    width = 1 << (flags & 3)
    size = source.read(address + at, width).uint(width)
    return [source.read(address + at + width, size)], bool(flags & _ORDER)


def _continuation(source: Source, body: Cursor, *, marked: bool) -> Cursor:
    address, length = body.address(), body.length()
    chunk = source.read(address, length)
    if not marked:
        return chunk
    chunk.expect(b"OCHK")
    return chunk.rest(max(0, chunk.left - _CHECKSUM))


def _message_1(chunk: Cursor) -> Message:
    kind, size, flags = chunk.uint(2), chunk.uint(2), chunk.uint(1)
    chunk.take(3)
    return Message(kind, bool(flags & 2), chunk.rest(size))


def _message_2(chunk: Cursor, *, order: bool) -> Message:
    kind, size, flags = chunk.uint(1), chunk.uint(2), chunk.uint(1)
    if order:
        chunk.take(2)
    return Message(kind, bool(flags & 2), chunk.rest(size))
