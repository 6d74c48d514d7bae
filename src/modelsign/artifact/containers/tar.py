"""Tar archives as every reader of them might see them.

Readers of tar disagree: on where an archive ends, on what follows a broken header, on whether a pax header's size or
the header's own counts (CVE-2025-62518), on data behind links and folders. So the archive is walked as Python's
``tarfile`` walks it, and where another reader would go on elsewhere, that place is walked as well and named as a
:class:`Flaw`. Each block is looked at as a header at most once. Never extracts, never follows a link.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.flaw import Flaw, FlawKind
from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.containers.tar_header import BLOCK, pax_records, read_header
from modelsign.artifact.reading import BLOCK as READ
from modelsign.artifact.reading import Slice
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.artifact.containers.tar_header import Header
    from modelsign.artifact.reading import Reading

__all__ = ["TarArchive", "TarMember", "looks_like_tar", "open_tar_member", "read_tar"]

_MAGIC: Final = b"ustar"
_MAGIC_AT: Final = 257
_ZEROS: Final = bytes(BLOCK)
_KINDS: Final = {
    b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "hard link", b"2": "symbolic link", b"3": "device",
    b"4": "device", b"5": "folder", b"6": "pipe",
}  # fmt: skip
_LONG: Final = {b"L": "path", b"K": "linkpath"}
_PAX: Final = {b"x", b"X", b"g"}
_OCTAL_SIZE: Final = 8**11
"""Sizes from here on do not fit into the header, so that pax headers stand in for it."""
_MORE_SPARSE: Final = 504


class TarMember(NamedTuple):
    """A member: ``kind`` is file, folder, hard link, symbolic link, device or pipe; ``link`` is where a link points."""

    name: str
    kind: str
    link: str
    mode: int
    size: int
    header: int
    data: int


@dataclass(frozen=True, slots=True)
class TarArchive:
    """The members of an archive in its order, in all readings together, and its flaws."""

    members: tuple[TarMember, ...]
    flaws: tuple[Flaw, ...]


def looks_like_tar(reading: Reading) -> bool:
    """Whether the first block is a header by its checksum, as tarfile decides, or carries the mark.

    The mark came later than tar. ``torch.load`` of a path asks tarfile first, so a file that is anything else besides
    is a tar archive to it.
    """
    block = reading.read_at(0, BLOCK)
    return block.startswith(_MAGIC, _MAGIC_AT) or read_header(block) is not None


def read_tar(reading: Reading) -> TarArchive:
    """Walk the archive.

    Raises:
        ModelsignError: ``SCAN_BUDGET`` for too many members, or for a name that is too long.

    """
    walk = _Walk(reading)
    walk.through(0)
    while walk.elsewhere:
        walk.aside(walk.elsewhere.pop())
    _check_names(walk.members, walk.flaws)
    return TarArchive(tuple(walk.members), tuple(walk.flaws))


def open_tar_member(reading: Reading, member: TarMember, most: int) -> Stream:
    """Open a member's bytes; the stream's ``fault`` says where they are not all there."""
    del most
    part = Slice(reading, member.data, member.size)
    fault = None if part.size == member.size else error("TAR_MALFORMED", f"{member.name} is cut short")
    return Stream(part, fault=fault)


@dataclass(slots=True)
class _Walk:
    """One archive's walk. ``own`` and ``common`` are what pax headers say of the next member, and of all."""

    reading: Reading
    members: list[TarMember] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    elsewhere: list[int] = field(default_factory=list)
    visited: set[int] = field(default_factory=set)
    own: dict[str, bytes] = field(default_factory=dict)
    common: dict[str, bytes] = field(default_factory=dict)

    def through(self, position: int) -> None:
        """Walk to the end of the bytes, over zeros and over what is no header."""
        ended = broken = False
        while block := self.reading.read_at(position, BLOCK):
            if block == _ZEROS[: len(block)]:
                ended = ended or len(block) == BLOCK
                position = self._behind_zeros(position)
                continue
            header = read_header(block)
            if header is None:
                if not broken:
                    self._flaw(FlawKind.OUTSIDE, "bytes that are no header stand between or behind members", position)
                ended = broken = True
                position += BLOCK
                continue
            if ended:
                self._flaw(FlawKind.OUTSIDE, "members stand behind the end of the archive", position)
                ended = False
            position = self._step(position, header)
        if not ended:
            self._flaw(FlawKind.DIRECTORY, "the archive has no end; it may be cut short", self.reading.size)

    def aside(self, position: int) -> None:
        """Walk from where another reader would go on, up to what was seen or is no header."""
        self.own = {}
        while position not in self.visited:
            header = read_header(self.reading.read_at(position, BLOCK))
            if header is None:
                return
            position = self._step(position, header)

    def _behind_zeros(self, position: int) -> int:
        while data := self.reading.read_at(position, READ):
            rest = data.lstrip(b"\0")
            if rest:
                return position + (len(data) - len(rest)) // BLOCK * BLOCK
            position += len(data)
        return position

    def _flaw(self, kind: FlawKind, message: str, position: int, name: str | None = None) -> None:
        if len(self.flaws) <= limits.SCAN_FINDINGS:
            self.flaws.append(Flaw(kind, message, name, position))

    def _step(self, position: int, header: Header) -> int:
        """Take one header and what belongs to it; return where the next one stands."""
        self.visited.add(position)
        if len(self.visited) > limits.SCAN_MEMBERS:
            raise error("SCAN_BUDGET", f"the archive has more than {limits.SCAN_MEMBERS} members")
        if header.odd:
            self._flaw(FlawKind.HEADER, "a number in a header is not written plainly", position)
        data = position + BLOCK
        if header.kind in _LONG or header.kind in _PAX:
            self._take_header(header, position, self._text(data, header.size))
            return data + _padded(header.size)
        if header.sparse_more:
            data = self._behind_sparse(data)
        size = self._size(header, position, data)
        member = self._member(header, position, data, size)
        self.own = {}
        self.members.append(member)
        if member.kind == "file":
            return data + _padded(size)
        if size:
            self._flaw(FlawKind.HEADER, f"a {member.kind} has data, which some skip", position, member.name)
            self.elsewhere.append(data + _padded(size))
        return data

    def _text(self, position: int, size: int) -> bytes:
        if size > limits.TAR_HEADER_BYTES:
            raise error("SCAN_BUDGET", f"a header of {size} bytes; the limit is {limits.TAR_HEADER_BYTES}")
        if self.reading.read_at(position + size, _padded(size) - size).strip(b"\0"):  # tarfile reads whole blocks
            self._flaw(FlawKind.HEADER, "a name or pax header goes on behind its size, which some read", position)
        return self.reading.read_at(position, size)

    def _take_header(self, header: Header, position: int, data: bytes) -> None:
        if header.kind in _LONG:
            key = _LONG[header.kind]
            if key in self.own:
                self._flaw(FlawKind.HEADER, f"{key} is given twice", position)
            self.own[key] = data.split(b"\0", 1)[0]
            return
        records, sound = pax_records(data)
        if not sound or not self.own.keys().isdisjoint(records):
            self._flaw(FlawKind.HEADER, "a pax header is malformed or says one thing twice", position)
        (self.common if header.kind == b"g" else self.own).update(records)
        if header.kind == b"g" and not records.keys().isdisjoint({"path", "linkpath", "size"}):
            self._flaw(FlawKind.HEADER, "a pax header gives all members one name or size", position)

    def _behind_sparse(self, position: int) -> int:
        while True:
            block = self.reading.read_at(position, BLOCK)
            position += BLOCK
            if len(block) < BLOCK or not block[_MORE_SPARSE]:
                return position

    def _size(self, header: Header, position: int, data: int) -> int:
        """Return the size by the pax header, if there is one; walk from the other size's end as well."""
        said = self.own.get("size", self.common.get("size"))
        if said is None:
            return header.size
        try:
            size = int(said.decode("ascii"))
        except ValueError:
            size = -1
        if size < 0 or not said.isdigit():
            self._flaw(FlawKind.HEADER, "a pax header gives a size that is no number", position)
            return header.size
        if size != header.size and not (header.size == 0 and size >= _OCTAL_SIZE):
            self._flaw(FlawKind.HEADER, f"a member has {header.size} bytes, and {size} by its pax header", position)
            self.elsewhere.append(data + _padded(header.size))
        return size

    def _member(self, header: Header, position: int, data: int, size: int) -> TarMember:
        said = {**self.common, **self.own}
        raw = said.get("path")
        if raw is None:
            raw = header.prefix + b"/" + header.name if header.prefix else header.name
            if header.prefix and not header.posix:
                self._flaw(FlawKind.NAME, "a name goes on in a field that not every reader looks at", position)
        name, link = _decoded(raw), _decoded(said.get("linkpath", header.link))
        if "\0" in name or "\\x" in name + link or b"\\" in raw:
            self._flaw(FlawKind.NAME, "a name holds a NUL or backslash, or is no UTF-8", position, name)
        if len(raw) > limits.NAME_BYTES or len(link) > limits.NAME_BYTES:
            self._flaw(FlawKind.NAME, "a name is longer than file systems allow", position)
        if header.kind == b"S" or any(key.startswith("GNU.sparse.") for key in said):
            self._flaw(FlawKind.UNREADABLE, f"{name} is stored with its holes left out", position, name)
        kind = _KINDS.get(header.kind)
        if kind is None:
            self._flaw(FlawKind.HEADER, f"{name} is of a kind that not every reader knows", position, name)
        elif header.kind == b"\0" and name.endswith("/"):
            kind = "folder"
        return TarMember(name, kind or "file", link, header.mode, size, position, data)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def _check_names(members: list[TarMember], flaws: list[Flaw]) -> None:
    """Name members that stand twice; folders may. A leading ``./`` does not count."""
    seen: set[str] = set()
    for member in members:
        folded = member.name.removeprefix("./").rstrip("/").casefold()
        if folded in seen and member.kind != "folder":
            flaws.append(Flaw(FlawKind.DUPLICATE, "the member stands twice in the archive", member.name, member.header))
        if member.kind != "folder":
            seen.add(folded)
