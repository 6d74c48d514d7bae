"""RAR archives, versions 4 and 5: the headers, and the bytes of members that are stored as they are.

Names, links, permissions and what is encrypted stand in the headers in the clear unless these are encrypted themselves.
RAR's own compression has one free reader, and it is not ours: members packed by it are listed and not read.

Follows RARLAB's technical note on RAR 5.0 and ``technote.txt`` of RAR 4.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.reading import Slice
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["RAR4", "RAR5", "RarArchive", "RarMember", "open_rar_member", "read_rar"]

RAR4: Final = b"Rar!\x1a\x07\x00"
RAR5: Final = b"Rar!\x1a\x07\x01\x00"
_UNIX4: Final = 3
_UNIX5: Final = 1
_STORED4: Final = 0x30
_MAIN4, _FILE4, _SERVICE4, _END4 = 0x73, 0x74, 0x7A, 0x7B
_MAIN5, _FILE5, _SERVICE5, _CRYPT5, _END5 = 1, 2, 3, 4, 5
_ENCRYPTION, _REDIRECTION = 1, 5
_LINKS5: Final = {1: "symbolic link", 2: "symbolic link", 3: "symbolic link", 4: "hard link", 5: "hard link"}
_TYPE: Final = 0o170000
_LINK: Final = 0o120000
_LONGEST_LINK: Final = 4096
_HEAD5: Final = 4 + 10


class RarMember(NamedTuple):
    """A member; ``place`` is where its bytes lie as they are, or None with ``why_not`` in words."""

    name: str
    link_kind: str
    link: str
    mode: int
    is_folder: bool
    size: int
    header: int
    place: tuple[int, int] | None
    why_not: str


@dataclass(slots=True)
class RarArchive:
    """An archive: its members, what is odd about its headers, and whether these are encrypted."""

    members: list[RarMember] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    encrypted_headers: bool = False


def read_rar(reading: Reading) -> RarArchive:
    """Read the headers.

    Raises:
        ModelsignError: ``RAR_MALFORMED`` or ``SCAN_BUDGET``.

    """
    archive = RarArchive()
    walk = _walk5 if reading.read_at(0, len(RAR5)) == RAR5 else _walk4
    end = walk(reading, archive)
    if end is not None and end < reading.size:
        archive.odd.append(f"{reading.size - end} bytes follow the archive")
    return archive


def _count(archive: RarArchive) -> None:
    if len(archive.members) >= limits.SCAN_MEMBERS:
        raise error("SCAN_BUDGET", f"the archive has more than {limits.SCAN_MEMBERS} members")


def _walk4(reading: Reading, archive: RarArchive) -> int | None:
    """Walk the blocks of version 4; return the offset behind the last, None where it cannot be known."""
    at = len(RAR4)
    for _ in range(limits.SCAN_MEMBERS):
        head = reading.read_at(at, 7)
        if len(head) < 7:  # noqa: PLR2004 - a block's fixed part
            archive.odd.append("the archive does not end; it may be cut short")
            return None
        kind, flags, size = head[2], int.from_bytes(head[3:5], "little"), int.from_bytes(head[5:7], "little")
        block = reading.read_at(at, size)
        if size < 7 or len(block) < size:  # noqa: PLR2004 - a block's fixed part
            raise error("RAR_MALFORMED", f"the block at {at} is cut short")
        if zlib.crc32(block[2:]) & 0xFFFF != int.from_bytes(block[:2], "little") and kind != _END4:
            archive.odd.append(f"the checksum of the block at {at} is wrong")
        data = int.from_bytes(block[7:11], "little") if flags & 0x8000 or kind in {_FILE4, _SERVICE4} else 0
        if kind == _MAIN4 and flags & 0x80:
            archive.encrypted_headers = True
            return None
        if kind in {_FILE4, _SERVICE4}:
            data = _file4(reading, archive, block, flags, at)
        at += size + data
        if kind == _END4:
            return at
    raise error("SCAN_BUDGET", f"the archive has more than {limits.SCAN_MEMBERS} blocks")


def _file4(reading: Reading, archive: RarArchive, block: bytes, flags: int, at: int) -> int:
    """Read a member's header of version 4; return the length of its bytes."""
    if len(block) < 32:  # noqa: PLR2004 - the fixed part of a member's header
        raise error("RAR_MALFORMED", f"the header at {at} is cut short")
    packed, size = int.from_bytes(block[7:11], "little"), int.from_bytes(block[11:15], "little")
    host, method, length = block[15], block[25], int.from_bytes(block[26:28], "little")
    mode = int.from_bytes(block[28:32], "little") if host == _UNIX4 else 0
    start = 32
    if flags & 0x100:
        packed += int.from_bytes(block[32:36], "little") << 32
        size += int.from_bytes(block[36:40], "little") << 32
        start = 40
    raw = block[start : start + length]
    if block[2] == _SERVICE4:
        return packed
    _count(archive)
    name = _name4(raw, unicode=bool(flags & 0x200)).replace("\\", "/")
    place = (at + len(block), packed)
    why_not = _why_not4(flags, method, packed, size)
    link = ""
    if mode & _TYPE == _LINK and not why_not:
        link = reading.read_at(place[0], min(packed, _LONGEST_LINK)).decode("utf-8", "replace")
    is_link = mode & _TYPE == _LINK
    archive.members.append(
        RarMember(
            name=name,
            link_kind="symbolic link" if is_link else "",
            link=link,
            mode=mode,
            is_folder=flags & 0xE0 == 0xE0,  # noqa: PLR2004 - the value for folders
            size=size,
            header=at,
            place=None if why_not else place,
            why_not=why_not,
        )
    )
    return packed


def _why_not4(flags: int, method: int, packed: int, size: int) -> str:
    if flags & 0x04:
        return "encrypted"
    if flags & 0x03:
        return "split over several files"
    return "" if method == _STORED4 and packed == size else "packed by RAR's own method"


def _name4(raw: bytes, *, unicode: bool) -> str:
    """Decode a name of version 4: plain bytes, or these and how the letters of the full name differ."""
    plain, mark, coded = raw.partition(b"\0")
    if not unicode or not mark:
        return raw.decode("utf-8", "replace")
    if not coded:
        return plain.decode("utf-8", "replace")
    high, at, flags, bits = coded[0], 1, 0, 0
    out: list[int] = []
    while at < len(coded):
        if not bits:
            flags, bits, at = coded[at], 8, at + 1
        bits -= 2
        kind = flags >> bits & 3
        piece = coded[at : at + 2]
        if kind == 3 and piece:  # noqa: PLR2004 - a run taken from the plain name
            count = (piece[0] & 0x7F) + 2
            shift = piece[1] if piece[0] & 0x80 and len(piece) > 1 else 0
            top = high << 8 if piece[0] & 0x80 else 0
            run = plain[len(out) : len(out) + count]
            out += [(letter + shift & 0xFF) | top for letter in run] if top or shift else list(run)
            at += 2 if piece[0] & 0x80 else 1
        elif piece:
            wide = kind == 2  # noqa: PLR2004 - a letter of two bytes
            low = piece[0] | (piece[1] << 8 if wide and len(piece) > 1 else 0)
            out.append(low | (high << 8 if kind == 1 else 0))
            at += 2 if wide else 1
    return "".join(map(chr, out)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Fields:
    """Reads the fields of one header of version 5."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._offset = at
        self.at = 0

    def take(self, length: int) -> bytes:
        if length < 0 or self.at + length > len(self._data):
            raise error("RAR_MALFORMED", f"the header at {self._offset} is cut short")
        self.at += length
        return self._data[self.at - length : self.at]

    def number(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says more follows
                return value
        raise error("RAR_MALFORMED", f"a number in the header at {self._offset} does not end")


def _walk5(reading: Reading, archive: RarArchive) -> int | None:
    """Walk the blocks of version 5; return the offset behind the last, None where it cannot be known."""
    at = len(RAR5)
    for _ in range(limits.SCAN_MEMBERS):
        head = reading.read_at(at, _HEAD5)
        if len(head) < 7:  # noqa: PLR2004 - a checksum and three numbers
            archive.odd.append("the archive does not end; it may be cut short")
            return None
        sizes = _Fields(head[4:], at)
        size = sizes.number()
        if size > limits.RAR_HEADER_BYTES:
            raise error("RAR_MALFORMED", f"the header at {at} has {size} bytes")
        whole = reading.read_at(at + 4, sizes.at + size)
        if len(whole) < sizes.at + size:
            raise error("RAR_MALFORMED", f"the header at {at} is cut short")
        if zlib.crc32(whole) != int.from_bytes(head[:4], "little"):
            archive.odd.append(f"the checksum of the header at {at} is wrong")
        fields = _Fields(whole[sizes.at :], at)
        kind, flags = fields.number(), fields.number()
        extra = fields.number() if flags & 1 else 0
        data = fields.number() if flags & 2 else 0
        behind = at + 4 + len(whole)
        if kind == _CRYPT5:
            archive.encrypted_headers = True
            return None
        if kind == _FILE5:
            _count(archive)
            archive.members.append(_file5(fields, extra, (behind, data), at, flags))
        at = behind + data
        if kind == _END5:
            return at
    raise error("SCAN_BUDGET", f"the archive has more than {limits.SCAN_MEMBERS} blocks")


def _file5(fields: _Fields, extra: int, place: tuple[int, int], at: int, block: int) -> RarMember:
    """Read a member's header of version 5 behind its common part."""
    flags, size, attributes = fields.number(), fields.number(), fields.number()
    fields.take(4 * bool(flags & 2) + 4 * bool(flags & 4))
    method, host = fields.number() >> 7 & 7, fields.number()
    name = fields.take(fields.number()).decode("utf-8", "replace")
    records = _Fields(fields.take(extra), at) if extra else None
    encrypted = False
    kind = link = ""
    left = extra
    while records is not None and left > 0:
        length = records.number()
        began = records.at
        what = records.number()
        if what == _ENCRYPTION:
            encrypted = True
        elif what == _REDIRECTION:
            number = records.number()
            records.number()
            kind = _LINKS5.get(number, "symbolic link")
            link = records.take(records.number()).decode("utf-8", "replace")
        records.take(max(0, began + length - records.at))
        left = extra - records.at
    why_not = "encrypted" if encrypted else "split over several files" if block & 0x18 else ""
    if not why_not and (method or place[1] != size):
        why_not = "packed by RAR's own method"
    mode = attributes if host == _UNIX5 else 0
    return RarMember(name, kind, link, mode, bool(flags & 1), size, at, None if why_not else place, why_not)


def open_rar_member(reading: Reading, member: RarMember, most: int) -> Stream:
    """Open the bytes of a member that lies there as it is; the stream's ``fault`` says where they are not all there."""
    del most
    start, length = member.place or (0, 0)
    part = Slice(reading, start, length)
    fault = None if part.size == length else error("RAR_MALFORMED", f"{member.name} is cut short")
    return Stream(part, fault=fault)
