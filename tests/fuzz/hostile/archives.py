"""Changes tar and ZIP archives by their headers, with checksums made right again, so that readers get past them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

BLOCK = 512
TAR_FIELDS = ((0, 100), (100, 8), (124, 12), (124, 12), (156, 1), (156, 1), (157, 100), (257, 8), (345, 155))
"""Offset and length of name, mode, size, type, link, mark and prefix (POSIX.1-1988 ustar)."""
TAR_VALUES = (
    b"", b"0", b"7", b"00000000005\0", b"5\0", b" 5 ", b"-1", b"77777777777", b"0000000o005", b"5x", b"1_0",
    b"\x80" + bytes(10) + b"\x05", b"\xff" * 12, b"1", b"2", b"5", b"L", b"K", b"x", b"g", b"S", b"D", b"\0", b"A",
    b"/", b"..", b"a/../b", b"./a", b"a\0b", b"a/", b"ustar\x0000", b"ustar  \0", b"\xe4", b"\xc3\xa4", b"a" * 100,
)  # fmt: skip
PAX = (b"size=5", b"size=1", b"path=x", b"path=", b"size=-1", b"linkpath=y", b"GNU.sparse.size=3", b"hdrcharset=BINARY")
ZIP_VALUES = (0, 1, 2, 5, 8, 10, 40, 99, 255, 0x800, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFF)


def changed_tar(chance: random.Random, data: bytes) -> bytes:
    """Change one field of one header, or put a header in, double one, or drop one."""
    found = bytearray(data.ljust(2 * BLOCK, b"\0"))
    place = chance.randrange(len(found) // BLOCK) * BLOCK
    match chance.randrange(6):
        case 0:
            found[place:place] = _pax(chance)
        case 1:
            other = chance.randrange(len(found) // BLOCK) * BLOCK
            found[place:place] = found[other : other + BLOCK]
        case 2:
            del found[place : place + BLOCK]
        case _:
            offset, length = chance.choice(TAR_FIELDS)
            value = chance.choice(TAR_VALUES)[:length]
            whole = value.ljust(length, b"\0") if chance.random() < 0.7 else value
            found[place + offset : place + offset + len(whole)] = whole
            _sum(found, place)
    return bytes(found)


def _sum(found: bytearray, place: int) -> None:
    found[place + 148 : place + 156] = b" " * 8
    found[place + 148 : place + 156] = b"%06o\0 " % sum(found[place : place + BLOCK])


def _pax(chance: random.Random) -> bytes:
    """Return an extended header of one record (POSIX.1-2001), its length right or not."""
    record = b" " + chance.choice(PAX) + b"\n"
    length = len(record) + 2 + chance.choice((0, 0, 0, 1, -1))
    text = b"%d" % length + record
    header = bytearray(BLOCK)
    header[0:1], header[124:136], header[156:157] = b"p", b"%011o\0" % len(text), chance.choice((b"x", b"g", b"L"))
    header[257:265] = b"ustar\x0000"
    _sum(header, 0)
    behind = chance.choice((b"", b"", b"", b"x", b"8 path=b\n"))
    return bytes(header) + (text + behind).ljust(BLOCK, b"\0")


def changed_zip(chance: random.Random, data: bytes) -> bytes:
    """Change a number of a header, in the local one and in the directory alike or in one alone."""
    found = bytearray(data)
    field, length = chance.choice(((0, 2), (2, 2), (4, 2), (10, 4), (14, 4), (18, 4), (22, 2), (24, 2)))
    value = chance.choice(ZIP_VALUES) & ((1 << 8 * length) - 1)
    number = chance.randrange(3)
    for mark, shift in ((b"PK\x03\x04", 4), (b"PK\x01\x02", 6)):
        place = -1
        for _ in range(number + 1):
            place = found.find(mark, place + 1)
            if place < 0:
                break
        else:
            if chance.random() < 0.8:
                at = place + shift + field
                found[at : at + length] = value.to_bytes(length, "little")
    end = found.rfind(b"PK\x05\x06")
    if end >= 0 and chance.random() < 0.2:
        at = end + chance.choice((8, 10, 12, 16, 20))
        found[at : at + 2] = struct.pack("<H", chance.choice(ZIP_VALUES) & 0xFFFF)
    return bytes(found)
