"""ZIP archives as every reader of them might see them.

Readers of ZIP disagree: some believe the central directory, some the local headers, some count entries, some
measure them, and PyTorch's ignores checksums, several flags and letter case. So nothing is believed here: the
directory is read, every local header is compared with it, all bytes are accounted for, and whatever two readers
could understand differently is a :class:`Flaw`. Checksums are not compared: some loaders ignore them, and the
bytes are judged as they are. Never extracts to a path, never trusts a declared size.

Follows PKWARE's APPNOTE 6.3.10, and what ``zipfile`` and PyTorch's miniz do where they depart from it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.flaw import Flaw, FlawKind
from modelsign.artifact.containers.stream import Stream, unpack
from modelsign.artifact.containers.zip_end import find_end
from modelsign.artifact.reading import BLOCK, BytesReading, Slice
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.containers.zip_end import End
    from modelsign.artifact.reading import Reading

__all__ = ["CENTRAL", "LOCAL", "ZipArchive", "ZipMember", "looks_like_zip", "open_member", "read_archive"]

CENTRAL: Final = b"PK\x01\x02"
LOCAL: Final = b"PK\x03\x04"
_DESCRIPTOR = b"PK\x07\x08"
_CENTRAL_FORMAT: Final = struct.Struct("<4s6H3I5H2I")
_LOCAL_FORMAT: Final = struct.Struct("<4s5H3I2H")
_SIZES32: Final = struct.Struct("<2I")
_SIZES64: Final = struct.Struct("<2Q")
_FULL32: Final = 0xFFFFFFFF
_ZIP64_EXTRA: Final = 0x0001
_FLAG_DESCRIPTOR: Final = 0x0008
_FLAG_UTF8: Final = 0x0800
_UNREADABLE_FLAGS: Final = 0x0001 | 0x0020 | 0x0040 | 0x2000
"""Encrypted, patch data, strong encryption, masked headers: no loader of models reads such members."""
_CODECS: Final = {8: "deflate", 12: "bz2"}
_NO_FOLDERS: Final = frozenset({"", ".", ".."})
_GUESSED_ROOM: Final = 512
"""Bytes read at once for a header with its name and extra field; more are fetched where needed."""


class ZipMember(NamedTuple):
    """A member as the directory describes it.

    ``name`` is decoded as UTF-8 where the bytes allow, else as code page 437. ``header`` is the offset of the
    local header; ``data`` that of the member's bytes, None if there is no local header. ``mode`` is that of Unix, or 0.
    """

    name: str
    method: int
    flags: int
    packed_size: int
    size: int
    header: int
    data: int | None
    mode: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder and holds nothing."""
        return self.name.endswith("/") and self.size == 0 and self.packed_size == 0


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """The members of an archive in the directory's order, and its flaws."""

    members: tuple[ZipMember, ...]
    flaws: tuple[Flaw, ...]


def looks_like_zip(reading: Reading) -> bool:
    """Whether some reader would find members in these bytes: from their end, or by a local header at their start.

    End marks turn up in numbers by chance; one that leads to no directory leads no reader to a member.
    """
    if reading.read_at(0, 4) == LOCAL:
        return True
    end = find_end(reading)
    if end is None:
        return False
    empty = end.position == 0 and end.count == 0
    return empty or any(reading.read_at(start, 4) == CENTRAL for start, _ in end.starts())


def read_archive(reading: Reading) -> ZipArchive:
    """Read the directory and compare it with everything else in the archive.

    Raises:
        ModelsignError: ``ZIP_MALFORMED`` where there is no directory to read; ``SCAN_BUDGET`` for too many members.

    """
    end = find_end(reading)
    if end is None:
        raise error("ZIP_MALFORMED", "the archive has no end record; it may be cut short")
    flaws = list(end.flaws)
    members: list[ZipMember] = []
    first = end.directory_end
    for start, base in end.starts():
        found = _read_directory(reading, start, base, end, flaws)
        first = min(first, start) if found else first
        members += found
    if not members and (end.count or end.directory_size):
        raise error("ZIP_MALFORMED", "the archive's directory is not where its end record points")
    _check_names(members, flaws)
    _check_coverage(reading, members, first, flaws)
    return ZipArchive(tuple(members), tuple(flaws))


def open_member(reading: Reading, member: ZipMember, most: int) -> Stream:
    """Open a member's bytes; the stream's ``fault`` says where they are not all there."""
    if member.data is None:
        return Stream(BytesReading(b""), fault=error("ZIP_MALFORMED", f"{member.name} has no local header"))
    packed = Slice(reading, member.data, member.packed_size)
    if member.method == 0:
        whole = packed.size == member.packed_size == member.size
        fault = None if whole else error("ZIP_MALFORMED", f"{member.name} does not have the size it declares")
        return Stream(packed, fault=fault)
    codec = _CODECS.get(member.method)
    if codec is None:
        return Stream(packed, fault=error("ZIP_MALFORMED", f"{member.name} is packed by method {member.method}"))
    stream = unpack(packed, codec, most)
    if stream.fault is None and stream.size != member.size:
        stream.fault = error("ZIP_MALFORMED", f"{member.name} unpacks to {stream.size} bytes, not {member.size}")
    return stream


def _read_directory(reading: Reading, start: int, base: int, end: End, flaws: list[Flaw]) -> list[ZipMember]:
    members: list[ZipMember] = []
    position = start
    while position < end.directory_end:
        header = reading.read_at(position, _CENTRAL_FORMAT.size + _GUESSED_ROOM)
        if len(header) < _CENTRAL_FORMAT.size or not header.startswith(CENTRAL):
            break
        if len(members) >= limits.SCAN_MEMBERS:
            raise error("SCAN_BUDGET", f"the archive has more than {limits.SCAN_MEMBERS} members")
        fields = _CENTRAL_FORMAT.unpack_from(header)
        length = _CENTRAL_FORMAT.size + sum(fields[10:13])
        if length > len(header):
            header = reading.read_at(position, length)
        members.append(_read_member(reading, base, header, fields, position, flaws))
        position += length
    if position != end.directory_end or len(members) != end.count:
        message = f"the directory has {len(members)} entries in {position - start} bytes, and declares others"
        flaws.append(Flaw(FlawKind.DIRECTORY, message, offset=start))
    return members


def _read_member(  # noqa: PLR0913, PLR0917 - one header with its surroundings
    reading: Reading, base: int, header: bytes, fields: tuple[int, ...], position: int, flaws: list[Flaw]
) -> ZipMember:
    _, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = fields[:12]
    mode, place = fields[15] >> 16, fields[16]
    raw = header[_CENTRAL_FORMAT.size : _CENTRAL_FORMAT.size + name_length]
    name = _decode(raw)
    extra = header[_CENTRAL_FORMAT.size + name_length :][:extra_length]
    sound = True
    if extra:
        size, packed, place, sound = _sizes(extra, size, packed, place)
    if not sound or fields[13]:
        flaws.append(Flaw(FlawKind.DIRECTORY, f"{name} has a broken entry in the directory", name, position))
    if flags & _UNREADABLE_FLAGS:
        flaws.append(Flaw(FlawKind.UNREADABLE, f"{name} is marked as encrypted or patched", name, position))
    elif method and method not in _CODECS:
        flaws.append(Flaw(FlawKind.UNREADABLE, f"{name} is packed by method {method}", name, position))
    if not name.isascii() and not flags & _FLAG_UTF8:
        flaws.append(Flaw(FlawKind.NAME, f"{name} is not marked as UTF-8, so readers decode it differently", name))
    local = reading.read_at(base + place, _LOCAL_FORMAT.size + _GUESSED_ROOM) if base + place >= 0 else b""
    if len(local) < _LOCAL_FORMAT.size or not local.startswith(LOCAL):
        flaws.append(Flaw(FlawKind.HEADER, f"{name} has no local header", name, base + place))
        return ZipMember(name, method, flags, packed, size, base + place, None, mode)
    known = _LOCAL_FORMAT.unpack_from(local)
    length = _LOCAL_FORMAT.size + known[9] + known[10]
    if length > len(local):
        local = reading.read_at(base + place, length)
    if not _same_header(local, known, (flags, method, crc, packed, size), raw):
        flaws.append(Flaw(FlawKind.HEADER, f"{name} is described otherwise by its local header", name, base + place))
    return ZipMember(name, method, flags, packed, size, base + place, base + place + length, mode)


def _same_header(local: bytes, known: tuple[int, ...], central: tuple[int, int, int, int, int], raw: bytes) -> bool:
    """Compare a local header with the directory's entry; a data descriptor may stand for checksum and sizes."""
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = known
    name = local[_LOCAL_FORMAT.size : _LOCAL_FORMAT.size + name_length]
    extra = local[_LOCAL_FORMAT.size + name_length :][:extra_length]
    size, packed, _, sound = _sizes(extra, size, packed, 0)
    if (flags, method, name) != (central[0], central[1], raw) or not sound:
        return False
    deferred = (0, 0, 0) if flags & _FLAG_DESCRIPTOR else central[2:]
    return (crc, packed, size) in {central[2:], deferred}


def _sizes(extra: bytes, size: int, packed: int, place: int) -> tuple[int, int, int, bool]:
    """Take what is too large for 32 bits from the ZIP64 extra field; False where the field is broken."""
    position = 0
    seen = False
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        field = extra[position + 4 : position + 4 + length]
        position += 4 + length
        if kind != _ZIP64_EXTRA:
            continue
        if seen or len(field) < length:
            return size, packed, place, False
        seen = True
        numbers = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
        size = next(numbers, _FULL32) if size == _FULL32 else size
        packed = next(numbers, _FULL32) if packed == _FULL32 else packed
        place = next(numbers, _FULL32) if place == _FULL32 else place
    return size, packed, place, position <= len(extra)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _check_names(members: list[ZipMember], flaws: list[Flaw]) -> None:
    seen: dict[str, str] = {}
    for member in members:
        name = member.name
        folded = name.casefold()
        if folded in seen:
            flaws.append(Flaw(FlawKind.DUPLICATE, f"{name} stands twice in the archive", name, member.header))
        seen[folded] = name
        parts = name.rstrip("/").split("/")
        if "\\" in name or "\0" in name or not _NO_FOLDERS.isdisjoint(parts):
            flaws.append(Flaw(FlawKind.NAME, f"{name} is not a plain relative name", name, member.header))


def _check_coverage(reading: Reading, members: list[ZipMember], directory: int, flaws: list[Flaw]) -> None:
    """Account for every byte before the directory: headers, members, descriptors, zeros, and nothing else."""
    position = 0
    previous: ZipMember | None = None
    for start, stop, member in [*_regions(members), (directory, directory, None)]:
        if start < position:
            flaws.append(Flaw(FlawKind.OVERLAP, "members share bytes", member.name if member else None, start))
        elif start > position and not _accounted(reading, position, start, previous):
            flaws.append(Flaw(FlawKind.OUTSIDE, f"{start - position} bytes belong to no member", offset=position))
        position = max(position, stop)
        previous = member


def _regions(members: list[ZipMember]) -> Iterator[tuple[int, int, ZipMember]]:
    known = [member for member in members if member.data is not None]
    for member in sorted(known, key=lambda member: member.header):
        yield member.header, (member.data or 0) + member.packed_size, member


def _accounted(reading: Reading, start: int, stop: int, member: ZipMember | None) -> bool:
    """Whether a gap is the data descriptor of the member before it, or zeros."""
    if member is not None and member.flags & _FLAG_DESCRIPTOR:
        start = _behind_descriptor(reading, start, stop, member)
    while start < stop:
        block = reading.read_at(start, min(BLOCK, stop - start))
        if not block or block.strip(b"\x00"):
            return False
        start += len(block)
    return True


def _behind_descriptor(reading: Reading, start: int, stop: int, member: ZipMember) -> int:
    data = reading.read_at(start, min(24, stop - start))
    signed = 4 if data.startswith(_DESCRIPTOR) else 0
    for layout in (_SIZES32, _SIZES64):
        behind = signed + 4 + layout.size
        if len(data) >= behind and layout.unpack_from(data, signed + 4) == (member.packed_size, member.size):
            return start + behind
    return start
