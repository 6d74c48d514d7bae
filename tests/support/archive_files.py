"""Writes 7z and RAR archives by hand: stored members, any names, links, modes and flags. Nothing is ever unpacked."""

from __future__ import annotations

import lzma
import zlib
from typing import NamedTuple

from packed_files import EVIL


class Entry(NamedTuple):
    name: str
    data: bytes | None = b"{}"
    """None for a folder."""
    mode: int = 0
    link: tuple[int, str] = (0, "")
    """The kind and target of a redirection, in RAR 5."""
    method: int = 0
    flags: int = 0


LINK = 0o120777


def number7(value: int) -> bytes:
    """A number of 7z, in nine bytes where it has more than seven bits."""
    return bytes([value]) if value < 0x80 else b"\xff" + value.to_bytes(8, "little")


def bits(flags: list[bool]) -> bytes:
    out = bytearray((len(flags) + 7) // 8)
    for at, flag in enumerate(flags):
        out[at >> 3] |= (0x80 >> (at & 7)) * flag
    return bytes(out)


def sevenzip(
    *entries: Entry,
    coders: bytes = b"\x01\x01\x00",
    packed: bytes | None = None,
    pack_header: bool = False,
    places: int = 1,
) -> bytes:
    """A 7z archive with one folder; ``coders`` describes how its stream is packed, by default not at all.

    Of several ``places`` for packed bytes all but the first are empty.
    """
    full = [entry.data for entry in entries if entry.data]
    stream = b"".join(full)
    body = stream if packed is None else packed
    streams = b""
    if full:
        sizes = number7(len(body)) + b"\x00" * (places - 1)
        unpacked = number7(len(stream)) * coders[0]
        rest = b"".join(number7(len(one)) for one in full[:-1])
        streams = b"\x04\x06\x00" + number7(places) + b"\x09" + sizes + b"\x00"
        streams += b"\x07\x0b\x01\x00" + coders + b"\x0c" + unpacked + b"\x00"
        streams += b"\x08\x0d" + number7(len(full)) + b"\x09" + rest + b"\x00\x00"
    names = b"\x00" + b"".join(entry.name.encode("utf-16-le", "surrogatepass") + b"\0\0" for entry in entries)
    empty = bits([not entry.data for entry in entries])
    empty_file = bits([entry.data == b"" for entry in entries if not entry.data])
    attributes = b"\x01\x00" + b"".join(
        ((entry.mode << 16 | 0x8000) if entry.mode else 0).to_bytes(4, "little") for entry in entries
    )
    properties = ((0x0E, empty), (0x0F, empty_file), (0x11, names), (0x15, attributes))
    files = b"".join(bytes([kind]) + number7(len(data)) + data for kind, data in properties)
    header = b"\x01" + streams + b"\x05" + number7(len(entries)) + files + b"\x00\x00"
    if pack_header:
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 65536}]
        small = lzma.compress(header, lzma.FORMAT_RAW, filters=filters)
        encoded = (
            b"\x17\x06" + number7(len(body)) + b"\x01\x09" + number7(len(small)) + b"\x00"
            + b"\x07\x0b\x01\x00\x01\x21\x21\x01\x08\x0c" + number7(len(header)) + b"\x00\x00"
        )  # fmt: skip
        body, header = body + small, encoded
    return start7(body, header)


def start7(body: bytes, header: bytes) -> bytes:
    start = len(body).to_bytes(8, "little") + len(header).to_bytes(8, "little")
    start += zlib.crc32(header).to_bytes(4, "little")
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + zlib.crc32(start).to_bytes(4, "little") + start + body + header


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def block5(kind: int, fields: bytes = b"", data: bytes | None = None, extra: bytes = b"", flags: int = 0) -> bytes:
    flags |= bool(extra) | 2 * (data is not None)
    body = varint(kind) + varint(flags)
    body += (varint(len(extra)) if extra else b"") + (varint(len(data)) if data is not None else b"") + fields + extra
    body = varint(len(body)) + body
    return zlib.crc32(body).to_bytes(4, "little") + body + (data or b"")


def rar5(*entries: Entry, head: bytes = b"", end: bytes | None = None) -> bytes:
    """A RAR archive of version 5, of stored members."""
    out = b"Rar!\x1a\x07\x01\x00" + head + block5(1, b"\x00")
    for entry in entries:
        data = entry.data or b""
        name = entry.name.encode("utf-8", "surrogatepass")
        fields = varint(entry.data is None) + varint(len(data)) + varint(entry.mode) + varint(entry.method << 7)
        fields += varint(1) + varint(len(name)) + name
        extra = b""
        if entry.link[0]:
            target = entry.link[1].encode()
            record = varint(5) + varint(entry.link[0]) + varint(0) + varint(len(target)) + target
            extra = varint(len(record)) + record
        if entry.flags & 0x1000:
            extra += varint(3) + varint(1) + b"\x00\x00"
        out += block5(2, fields, data, extra, entry.flags & 0xFFF)
    return out + (block5(5, b"\x00") if end is None else end)


def block4(kind: int, fields: bytes = b"", flags: int = 0) -> bytes:
    body = bytes([kind]) + flags.to_bytes(2, "little") + (7 + len(fields)).to_bytes(2, "little") + fields
    return (zlib.crc32(body) & 0xFFFF).to_bytes(2, "little") + body


def rar4(*entries: Entry, flags: int = 0) -> bytes:
    """A RAR archive of version 4, of stored members."""
    out = b"Rar!\x1a\x07\x00" + block4(0x73, bytes(6), flags)
    for entry in entries:
        data = entry.data or b""
        name = entry.name.encode("utf-8", "surrogatepass")
        size = len(data).to_bytes(4, "little")
        fields = size + size + b"\x03" + bytes(8) + b"\x1d" + bytes([0x30 + entry.method])
        fields += len(name).to_bytes(2, "little") + entry.mode.to_bytes(4, "little") + name
        out += block4(0x74, fields, entry.flags | 0x8000 | 0xE0 * (entry.data is None)) + data
    return out + block4(0x7B, b"", 0x4000)


PLAIN = (Entry("sub", None), Entry("sub/config.json"), Entry("README.md", b"hello", 0o100644), Entry("empty.txt", b""))
GOOD: dict[str, dict[str, bytes]] = {
    "7z": {"a.7z": sevenzip(*PLAIN), "packed.7z": sevenzip(*PLAIN, pack_header=True), "none.7z": start7(b"", b"")},
    "rar": {"a.rar": rar5(*PLAIN), "old.rar": rar4(*PLAIN)},
}
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "7z": {
        "evil.7z": sevenzip(*PLAIN, Entry("m.dat", EVIL)),
        "climbs.7z": sevenzip(Entry("../../x.json")),
        "link.7z": sevenzip(Entry("x.json", b"/etc/passwd", LINK)),
        "ppmd.7z": sevenzip(Entry("x.json"), coders=b"\x01\x03\x03\x04\x01"),
    },
    "rar": {
        "evil.rar": rar5(*PLAIN, Entry("m.dat", EVIL)),
        "evil4.rar": rar4(*PLAIN, Entry("m.dat", EVIL)),
        "packed.rar": rar5(Entry("x.json", method=3)),
        "link.rar": rar5(Entry("x.json", b"", link=(1, "/etc/passwd"))),
    },
}
"""Files that must not be clean, by the format whose reader finds it."""
