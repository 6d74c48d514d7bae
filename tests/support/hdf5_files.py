"""Builds HDF5 files by hand: superblock 3, object headers 2, whatever messages a test wants, with checksums."""

from __future__ import annotations

import struct

MASK = 0xFFFFFFFF
SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOWHERE = b"\xff" * 8


def _turn(number: int, by: int) -> int:
    return (number << by | number >> (32 - by)) & MASK


def checksum(data: bytes) -> bytes:
    """Bob Jenkins' lookup3 of some bytes, as HDF5 stores it (``H5_checksum_lookup3``)."""
    a = b = c = (0xDEADBEEF + len(data)) & MASK
    at = 0
    while len(data) - at > 12:
        words = struct.unpack_from("<3I", data, at)
        a, b, c = (a + words[0]) & MASK, (b + words[1]) & MASK, (c + words[2]) & MASK
        for first, by in (("a", 4), ("b", 6), ("c", 8), ("a", 16), ("b", 19), ("c", 4)):
            if first == "a":
                a = (a - c) & MASK ^ _turn(c, by)
                c = (c + b) & MASK
            elif first == "b":
                b = (b - a) & MASK ^ _turn(a, by)
                a = (a + c) & MASK
            else:
                c = (c - b) & MASK ^ _turn(b, by)
                b = (b + a) & MASK
        at += 12
    words = struct.unpack("<3I", data[at:].ljust(12, b"\0"))
    a, b, c = (a + words[0]) & MASK, (b + words[1]) & MASK, (c + words[2]) & MASK
    if len(data) > at:
        c = ((c ^ b) - _turn(b, 14)) & MASK
        a = ((a ^ c) - _turn(c, 11)) & MASK
        b = ((b ^ a) - _turn(a, 25)) & MASK
        c = ((c ^ b) - _turn(b, 16)) & MASK
        a = ((a ^ c) - _turn(c, 4)) & MASK
        b = ((b ^ a) - _turn(a, 14)) & MASK
        c = ((c ^ b) - _turn(b, 24)) & MASK
    return struct.pack("<I", c)


def header(messages: list[tuple[int, bytes]]) -> bytes:
    """An object header of version 2."""
    body = b"".join(struct.pack("<BHB", kind, len(data), 0) + data for kind, data in messages)
    head = b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body
    return head + checksum(head)


def hard(name: str, address: int) -> tuple[int, bytes]:
    """A hard link to an object header."""
    return 6, b"\x01\x00" + bytes([len(name)]) + name.encode() + struct.pack("<Q", address)


def linked(name: str, kind: int, value: bytes) -> tuple[int, bytes]:
    """A link of another kind: 1 soft, 64 external, above of the user's own."""
    return 6, b"\x01\x08" + bytes([kind, len(name)]) + name.encode() + struct.pack("<H", len(value)) + value


def external(name: str, file: str = "other.h5", target: str = "/x") -> tuple[int, bytes]:
    """An external link."""
    return linked(name, 64, b"\0" + file.encode() + b"\0" + target.encode() + b"\0")


def text(name: str, value: bytes) -> tuple[int, bytes]:
    """An attribute that is one text of fixed length."""
    kind = b"\x13\x00\x00\x00" + struct.pack("<I", len(value))
    space = b"\x02\x00\x00\x00"
    raw = name.encode() + b"\0"
    return 12, struct.pack("<BBHHHB", 3, 0, len(raw), len(kind), len(space), 0) + raw + kind + space + value


LINK_INFO = (2, b"\0\0" + NOWHERE * 2)
GROUP_INFO = (10, b"\0\0")


def hdf5(
    *root: tuple[int, bytes],
    objects: tuple[bytes, ...] = (),
    extension: list[tuple[int, bytes]] | None = None,
    user_block: int = 0,
) -> bytes:
    """A file whose root group has these messages; ``objects`` follow the superblock and end where the root begins."""
    room = b"".join(objects)
    more = header(extension) if extension is not None else b""
    top = header([LINK_INFO, GROUP_INFO, *root])
    at = 48 + len(room)
    places = (user_block, -1 if extension is None else at, user_block + at + len(more) + len(top), at + len(more))
    head = SIGNATURE + b"\x03\x08\x08\x00" + b"".join(struct.pack("<q", place) for place in places)
    return bytes(user_block) + head + checksum(head) + room + more + top


def first(*messages: tuple[int, bytes]) -> tuple[int, bytes]:
    """The address of the first of the objects, and its header."""
    return 48, header(list(messages))
