"""7z archives: the header, and the streams that members lie in one behind the other.

The header is often packed itself. A stream is unpacked once, however many members lie in it. Never extracts.

Follows ``DOC/7zFormat.txt`` of 7-Zip 24.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.sevenzip_folder import Coder, Folder, named, why_not
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["MARK", "SevenZip", "SevenZipMember", "read_sevenzip"]

MARK: Final = b"7z\xbc\xaf\x27\x1c"
_START: Final = 32
(
    _END, _HEADER, _PROPERTIES, _ADDITIONAL, _STREAMS, _FILES, _PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC, _FOLDER,
    _SIZES, _COUNT, _EMPTY_STREAM, _EMPTY_FILE, _ANTI,
) = range(17)  # fmt: skip
_NAMES: Final = 0x11
_ATTRIBUTES: Final = 0x15
_ENCODED: Final = 0x17
_LEVELS: Final = 4
_MOST_CODERS: Final = 32
_UNIX: Final = 0x8000
_REPARSE: Final = 0x400
_FOLDER_BIT: Final = 0x10


class SevenZipMember(NamedTuple):
    """A member: where it lies in which folder's stream (None where it has no bytes), and its attributes."""

    name: str
    folder: int | None
    offset: int
    size: int
    mode: int
    is_folder: bool
    is_reparse_point: bool


@dataclass(slots=True)
class SevenZip:
    """An archive: its members, its folders, and what is wrong with its header in words."""

    members: list[SevenZipMember] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    encrypted_header: bool = False


def read_sevenzip(reading: Reading) -> SevenZip:
    """Read the headers.

    Raises:
        ModelsignError: ``SEVENZIP_MALFORMED`` or ``SCAN_BUDGET``.

    """
    archive = SevenZip()
    header = _outer_header(reading, archive)
    for _ in range(_LEVELS):
        if not header:
            return archive
        walk = _Walk(reading, header)
        kind = walk.number()
        if kind == _HEADER:
            walk.header_into(archive)
            return archive
        folders = walk.streams()[0] if kind == _ENCODED else []
        if not folders:
            break
        if "encrypted" in folders[0].why_not:
            archive.encrypted_header = True
            return archive
        header = folders[0].whole(limits.ARCHIVE_HEADER_BYTES)
    raise error("SEVENZIP_MALFORMED", "there is no header where the archive says")


def _outer_header(reading: Reading, archive: SevenZip) -> bytes:
    """Return the header that the archive's first bytes point to."""
    start = reading.read_at(0, _START)
    if len(start) < _START or not start.startswith(MARK):
        raise error("SEVENZIP_MALFORMED", "the archive is cut short")
    if zlib.crc32(start[12:]) != int.from_bytes(start[8:12], "little"):
        archive.odd.append("the checksum of the start header is wrong")
    offset, size = int.from_bytes(start[12:20], "little"), int.from_bytes(start[20:28], "little")
    behind = reading.size - offset - size - _START
    if behind < 0:
        raise error("SEVENZIP_MALFORMED", "the header lies behind the end; the archive is cut short")
    if behind:
        archive.odd.append(f"{behind} bytes follow the archive")
    if size > limits.ARCHIVE_HEADER_BYTES:
        raise error("SCAN_BUDGET", f"the archive's header has {size} bytes")
    header = reading.read_at(_START + offset, size)
    if zlib.crc32(header) != int.from_bytes(start[28:32], "little"):
        archive.odd.append("the checksum of the header is wrong")
    return header


class _Walk:
    """Reads one header from front to back; everything must lie inside it."""

    def __init__(self, reading: Reading, data: bytes) -> None:
        self._reading = reading
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        if length < 0 or self._at + length > len(self._data):
            raise error("SEVENZIP_MALFORMED", "the header ends too early")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self) -> int:
        """Read a number: the leading ones of the first byte say how many bytes follow."""
        first = self.take(1)[0]
        extra = 8 - (first ^ 0xFF).bit_length()
        low = int.from_bytes(self.take(extra), "little")
        return low + ((first & ((1 << max(0, 7 - extra)) - 1)) << 8 * extra)

    def count(self) -> int:
        """Read how many things follow."""
        value = self.number()
        if value > limits.SCAN_MEMBERS:
            raise error("SCAN_BUDGET", f"the archive has {value} members or parts")
        return value

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[at >> 3] & 0x80 >> (at & 7)) for at in range(count)]

    def defined(self, count: int) -> list[bool]:
        return [True] * count if self.take(1) != b"\0" else self.bits(count)

    def header_into(self, archive: SevenZip) -> None:
        kind = self.number()
        if kind == _PROPERTIES:
            while self.number() != _END:
                self.take(self.number())
            kind = self.number()
        if kind == _ADDITIONAL:
            self.streams()
            kind = self.number()
        sizes: list[list[int]] = []
        if kind == _STREAMS:
            archive.folders, sizes = self.streams()
            kind = self.number()
        if kind == _FILES:
            self._files(archive, sizes)
            kind = self.number()
        if kind != _END or self._at != len(self._data):
            archive.odd.append("the header goes on behind its end")

    def streams(self) -> tuple[list[Folder], list[list[int]]]:
        """Read where the streams lie and how they are packed; return folders and the sizes of members in each."""
        places: list[tuple[int, int]] = []
        folders: list[Folder] = []
        crcs: list[bool] = []
        kind = self.number()
        if kind == _PACK:
            places = self._places()
            kind = self.number()
        if kind == _UNPACK:
            folders, crcs = self._folders(places)
            kind = self.number()
        sizes = [[folder.size] for folder in folders]
        if kind == _SUBSTREAMS:
            sizes = self._substreams(folders, crcs)
            kind = self.number()
        if kind != _END:
            raise error("SEVENZIP_MALFORMED", "the description of streams does not end")
        return folders, sizes

    def _places(self) -> list[tuple[int, int]]:
        position = _START + self.number()
        count = self.count()
        sizes = [0] * count
        kind = self.number()
        if kind == _SIZE:
            sizes = [self.number() for _ in range(count)]
            kind = self.number()
        if kind == _CRC:
            self._digests(count)
            kind = self.number()
        if kind != _END:
            raise error("SEVENZIP_MALFORMED", "the list of packed streams does not end")
        places = []
        for size in sizes:
            places.append((position, size))
            position += size
        return places

    def _digests(self, count: int) -> list[bool]:
        defined = self.defined(count)
        self.take(4 * sum(defined))
        return defined

    def _folders(self, places: list[tuple[int, int]]) -> tuple[list[Folder], list[bool]]:
        if self.number() != _FOLDER:
            raise error("SEVENZIP_MALFORMED", "the list of folders is missing")
        count = self.count()
        self._inside()
        described = [self._folder() for _ in range(count)]
        if self.number() != _SIZES:
            raise error("SEVENZIP_MALFORMED", "the sizes of folders are missing")
        folders = []
        place = 0
        for coders, order, final, streams, refusal in described:
            sizes = [self.number() for _ in range(sum(coder.outputs for coder in coders))]
            if place + streams > len(places):
                raise error("SEVENZIP_MALFORMED", "a folder has no packed stream")
            at = places[place] if streams else (0, 0)
            place += streams
            chain = [coders[index] for index in order]
            folders.append(Folder(self._reading, at, chain, sizes[final], refusal or why_not(chain)))
        crcs = [False] * count
        kind = self.number()
        if kind == _CRC:
            crcs = self._digests(count)
            kind = self.number()
        if kind != _END:
            raise error("SEVENZIP_MALFORMED", "the list of folders does not end")
        return folders, crcs

    def _inside(self) -> None:
        if self.take(1) != b"\0":
            raise error("SEVENZIP_MALFORMED", "a part of the header lies in another stream")

    def _folder(self) -> tuple[list[Coder], list[int], int, int, str]:
        """Read one folder; return its coders, the order they unpack in, whose output counts, and its packed streams."""
        count = self.number()
        if not 0 < count <= _MOST_CODERS:
            raise error("SEVENZIP_MALFORMED", f"a folder has {count} coders")
        coders = [self._coder() for _ in range(count)]
        inputs, outputs = sum(one.inputs for one in coders), sum(one.outputs for one in coders)
        if not 0 < outputs <= _MOST_CODERS or not outputs - 1 <= inputs <= _MOST_CODERS:
            raise error("SEVENZIP_MALFORMED", "a folder has too many streams, or none")
        pairs = [(self.number(), self.number()) for _ in range(outputs - 1)]
        packed = inputs - len(pairs)
        if packed > 1:
            for _ in range(packed):
                self.number()
        free = set(range(outputs)) - {output for _, output in pairs}
        final = min(free, default=0)
        if any(one.inputs != 1 or one.outputs != 1 for one in coders):
            odd = next(one.method for one in coders if one.inputs != 1 or one.outputs != 1)
            return coders, [], final, packed, why_not(coders) if "encrypted" in why_not(coders) else named(odd)
        return coders, _order(len(coders), pairs), final, packed, ""

    def _coder(self) -> Coder:
        flags = self.take(1)[0]
        method = self.take(flags & 0x0F).hex()
        inputs = outputs = 1
        if flags & 0x10:
            inputs, outputs = self.number(), self.number()
            if max(inputs, outputs) > _MOST_CODERS:
                raise error("SEVENZIP_MALFORMED", "a coder has too many streams")
        properties = self.take(self.number()) if flags & 0x20 else b""
        if flags & 0xC0:
            raise error("SEVENZIP_MALFORMED", "a coder is described in a way that is not known")
        return Coder(method, properties, inputs, outputs)

    def _substreams(self, folders: list[Folder], crcs: list[bool]) -> list[list[int]]:
        counts = [1] * len(folders)
        kind = self.number()
        if kind == _COUNT:
            counts = [self.count() for _ in folders]
            kind = self.number()
        if sum(counts) > limits.SCAN_MEMBERS:
            raise error("SCAN_BUDGET", f"the archive has {sum(counts)} members")
        sizes: list[list[int]] = []
        for folder, count in zip(folders, counts, strict=True):
            own = [self.number() for _ in range(count - 1)] if kind == _SIZE else []
            if len(own) < count - 1:
                raise error("SEVENZIP_MALFORMED", "the sizes of members are missing")
            rest = folder.size - sum(own)
            if rest < 0:
                raise error("SEVENZIP_MALFORMED", "the members of a folder are larger than it")
            sizes.append([*own, rest] if count else [])
        if kind == _SIZE:
            kind = self.number()
        if kind == _CRC:
            known = zip(counts, crcs, strict=True)
            self._digests(sum(count for count, crc in known if not (count == 1 and crc)))
            kind = self.number()
        if kind != _END:
            raise error("SEVENZIP_MALFORMED", "the list of members in folders does not end")
        return sizes

    def _files(self, archive: SevenZip, sizes: list[list[int]]) -> None:
        count = self.count()
        names = [""] * count
        attributes = [0] * count
        empty = [False] * count
        empty_files: list[bool] = []
        while (kind := self.number()) != _END:
            length = self.number()
            end = self._at + length
            if end > len(self._data):
                raise error("SEVENZIP_MALFORMED", "the header ends too early")
            if kind == _EMPTY_STREAM:
                empty = self.bits(count)
            elif kind == _EMPTY_FILE:
                empty_files = self.bits(sum(empty))
            elif kind == _ANTI and any(self.bits(sum(empty))):
                archive.odd.append("it deletes files where it is unpacked")
            elif kind == _NAMES:
                self._inside()
                names = _names(self.take(end - self._at), count)
            elif kind == _ATTRIBUTES:
                defined = self.defined(count)
                self._inside()
                attributes = [int.from_bytes(self.take(4), "little") if known else 0 for known in defined]
            if self._at > end:
                raise error("SEVENZIP_MALFORMED", "a list in the header is longer than it says")
            self._at = end
        archive.members = _members(names, attributes, empty, empty_files, sizes)


def _order(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """Return coders in the order they unpack: from the one whose input is packed to the one whose output counts."""
    behind = {output: entry for entry, output in pairs}
    starts = set(range(count)) - {entry for entry, _ in pairs}
    order: list[int] = []
    at: int | None = min(starts, default=None)
    while at is not None and at not in order and at < count:
        order.append(at)
        at = behind.get(at)
    if len(order) != count:
        raise error("SEVENZIP_MALFORMED", "the coders of a folder are no chain")
    return order


def _names(data: bytes, count: int) -> list[str]:
    names = data.decode("utf-16-le", "replace").split("\0")
    if len(names) != count + 1 or names[-1]:
        raise error("SEVENZIP_MALFORMED", "there are more or fewer names than members")
    return names[:-1]


def _members(
    names: list[str], attributes: list[int], empty: list[bool], empty_files: list[bool], sizes: list[list[int]]
) -> list[SevenZipMember]:
    places = (
        (folder, size, first) for folder, own in enumerate(sizes) for size, first in zip(own, _sums(own), strict=True)
    )
    kinds = iter(empty_files)
    members = []
    for name, attribute, is_empty in zip(names, attributes, empty, strict=True):
        mode = attribute >> 16 if attribute & _UNIX else 0
        reparse = bool(attribute & _REPARSE)
        if is_empty:
            is_folder = not next(kinds, False) or bool(attribute & _FOLDER_BIT)
            members.append(SevenZipMember(name, None, 0, 0, mode, is_folder, reparse))
            continue
        folder, size, first = next(places, (None, 0, 0))
        if folder is None:
            raise error("SEVENZIP_MALFORMED", "there are more members than streams")
        members.append(SevenZipMember(name, folder, first, size, mode, is_folder=False, is_reparse_point=reparse))
    if next(places, None) is not None:
        raise error("SEVENZIP_MALFORMED", "there are streams that belong to no member")
    return members


def _sums(sizes: list[int]) -> list[int]:
    starts = [0]
    for size in sizes[:-1]:
        starts.append(starts[-1] + size)
    return starts[: len(sizes)]
