"""Reads manifests and nodes of OCDBT, the key-value store in which TensorStore, and so Orbax, keeps arrays.

A node is a header, a body that may be packed with Zstandard, and a checksum. Its body has a table of files and columns
of numbers; every count is held against the bytes that are left before anything is made of it. What is taken from a node
is which files it refers to, whether its places can be, and the values it holds itself.

Source: "Storage format" of tensorstore's ocdbt driver (tensorstore/kvstore/ocdbt/index.rst), and its format/*.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.artifact.containers.stream import unpack
from modelsign.artifact.reading import Slice
from modelsign.scan.relative import why_escapes
from modelsign.scan.syntax.checksums import crc32c

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading

__all__ = [
    "BTREE",
    "MAGICS",
    "MANIFEST",
    "VERSIONS",
    "BadNodeError",
    "Node",
    "NodeBudgetError",
    "frame_end",
    "read_node",
]

MANIFEST: Final = b"\x0c\xdb\x3a\x2a"
BTREE: Final = b"\x0c\xdb\x20\xde"
VERSIONS: Final = b"\x0c\xdb\x12\x34"
MAGICS: Final = (MANIFEST, BTREE, VERSIONS)
_LENGTH_AT, _VERSION_AT, _COMPRESSION_AT, _BODY_AT, _CHECKSUM = 4, 12, 13, 14, 4
_ZSTD: Final = 1
_MOST_LENGTH: Final = 64 * 1024 * 1024
"""Bytes of a node; tensorstore writes 8 MiB before packing, unless it is told otherwise."""
_MOST_CHECKED: Final = 256 * 1024
"""Bytes of a node whose checksum is compared."""
_MOST_PATH: Final = 65535
_MOST_PLACE: Final = 2**63 - 1
_MISSING: Final = 2**64 - 1
"""Offset and length of the root of an empty store."""
_MOST_VARINT: Final = 10
_FRAME_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_MOST_BLOCKS: Final = 4_000_000


class BadNodeError(ValueError):
    """The bytes are no node, or one that contradicts itself. ``sure``: by their first 14 bytes they were to be one."""

    def __init__(self, message: str, *, sure: bool = True) -> None:
        """Take what is wrong."""
        super().__init__(message)
        self.sure = sure


class NodeBudgetError(BadNodeError):
    """The node is beyond what is unpacked."""


class Place(NamedTuple):
    """Where something lies: the file's path, offset and length."""

    path: str
    offset: int
    length: int


class Node(NamedTuple):
    """A node: its length, that of its body, why paths in it leave the store, its places, the values that it holds."""

    length: int
    unpacked: int
    escapes: tuple[str, ...]
    places: tuple[Place, ...]
    values: tuple[bytes, ...]


def read_node(reading: Reading, at: int, most: int) -> Node:
    """Read the manifest or node at an offset, whose body has at most ``most`` bytes.

    Raises:
        BadNodeError: it is none, is cut short, or does not agree with itself.
        NodeBudgetError: it is longer than that.

    """
    head = reading.read_at(at, _BODY_AT)
    magic = head[:_LENGTH_AT]
    if len(head) < _BODY_AT or magic not in MAGICS:
        raise BadNodeError("there is no node", sure=magic in MAGICS and not at)
    length = int.from_bytes(head[_LENGTH_AT:_VERSION_AT], "little")
    if head[_VERSION_AT] or head[_COMPRESSION_AT] > _ZSTD:
        raise BadNodeError(
            f"version {head[_VERSION_AT]} of the format, compression {head[_COMPRESSION_AT]}", sure=not at
        )
    size = length - _BODY_AT - _CHECKSUM
    if size < 0 or length > reading.size - at or length > _MOST_LENGTH:
        raise BadNodeError(f"a node of {length} bytes", sure=not at or 0 <= size <= _MOST_LENGTH)
    if length <= _MOST_CHECKED:
        whole = reading.read_at(at, length)
        if crc32c(whole[:-_CHECKSUM]) != int.from_bytes(whole[-_CHECKSUM:], "little"):
            raise BadNodeError("the checksum is wrong")
    body = _body(Slice(reading, at + _BODY_AT, size), most, packed=head[_COMPRESSION_AT] == _ZSTD)
    return _Reader(body).read(magic, length)


def _body(packed_body: Reading, most: int, *, packed: bool) -> bytes:
    if not packed:
        return packed_body.read_at(0, packed_body.size)
    with unpack(packed_body, "zstd", most) as stream:
        if stream.fault is not None:
            kind = NodeBudgetError if stream.fault.code == "SCAN_BUDGET" else BadNodeError
            raise kind(stream.fault.message)
        return stream.read_at(0, stream.size)


class _Reader:
    """Reads the body of one node."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0
        self._paths: list[str] = []
        self._escapes: dict[str, None] = {}
        self._places: list[Place] = []
        self._values: list[bytes] = []

    def read(self, magic: bytes, length: int) -> Node:
        if magic == MANIFEST:
            self._manifest()
        elif magic == VERSIONS:
            self._take(1)
            height = self._take(1)[0]
            self._files()
            if height:
                self._version_nodes(heights=False)
            else:
                self._versions()
        else:
            self._btree()
        if self._at != len(self._body):
            raise BadNodeError(f"{len(self._body) - self._at} bytes follow the entries")
        return Node(length, len(self._body), tuple(self._escapes), tuple(self._places), tuple(self._values))

    def _take(self, length: int) -> bytes:
        if length > len(self._body) - self._at:
            raise BadNodeError("the entries are cut short")
        self._at += length
        return self._body[self._at - length : self._at]

    def _number(self) -> int:
        value = shift = 0
        for _ in range(_MOST_VARINT):
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says more follows
                return value
            shift += 7
        raise BadNodeError("a number does not end")

    def _count(self) -> int:
        """Read how many entries follow, each of which has a byte at least."""
        count = self._number()
        if count > len(self._body) - self._at:
            raise BadNodeError(f"{count} entries in {len(self._body) - self._at} bytes")
        return count

    def _column(self, count: int) -> list[int]:
        small = self._body[self._at : self._at + count]
        if len(small) == count and small.isascii():
            self._at += count
            return list(small)
        return [self._number() for _ in range(count)]

    def _manifest(self) -> None:
        """Read a manifest; one of a kind other than 0 is numbered elsewhere, and ends with its settings."""
        kind = self._take(17)[16]
        self._column(2)
        self._take(1)
        method = self._number()
        if method > _ZSTD:
            raise BadNodeError(f"compression {method}")
        self._take(4 * method)
        if not kind:
            self._files()
            self._versions()
            self._version_nodes(heights=True)

    def _files(self) -> None:
        """Read the table of files: shared prefixes, the rest's lengths, base lengths, then the rests."""
        count = self._count()
        shared = [0, *self._column(count - 1)] if count else []
        rests, bases = self._column(count), self._column(count)
        path, room = b"", 16 * (len(self._body) + _MOST_PATH)
        for prefix, rest, base in zip(shared, rests, bases, strict=True):
            if prefix > len(path) or prefix + rest > _MOST_PATH or base > prefix + rest:
                raise BadNodeError("the paths of files contradict each other")
            path = path[:prefix] + self._take(rest)
            room -= len(path)
            if room < 0:
                raise BadNodeError("the paths of files are too long")
            self._path(path, base)

    def _path(self, path: bytes, base: int) -> None:
        text = path.decode("utf-8", "backslashreplace")
        self._paths.append(text)
        front = path[:base].decode("utf-8", "backslashreplace")
        behind = path[base:].decode("utf-8", "backslashreplace")
        reason = (why_escapes(behind) if path else None) or (why_escapes(front) if front else None)
        if reason is None and front and not front.endswith("/"):
            reason = "its two parts join in the middle of a name"
        if reason is not None:
            self._escapes.setdefault(f"{text[:200]!r}: {reason}")

    def _refer(self, count: int, lengths: list[int] | None = None) -> None:
        """Read columns of files, offsets, and lengths if they are not known yet."""
        files, offsets = self._column(count), self._column(count)
        lengths = self._column(count) if lengths is None else lengths
        for number, offset, length in zip(files, offsets, lengths, strict=True):
            if number >= len(self._paths):
                raise BadNodeError(f"file {number} of {len(self._paths)}")
            if (offset, length) == (_MISSING, _MISSING):
                continue
            if offset + length > _MOST_PLACE:
                raise BadNodeError("a place overflows")
            self._places.append(Place(self._paths[number], offset, length))

    def _versions(self) -> None:
        count = self._count()
        self._column(count)
        self._take(count)
        self._refer(count)
        self._column(3 * count)
        self._take(8 * count)

    def _version_nodes(self, *, heights: bool) -> None:
        count = self._count()
        self._column(count)
        self._refer(count)
        self._column(count)
        self._take(8 * count)
        if heights:
            self._take(count)

    def _btree(self) -> None:
        height = self._take(1)[0]
        self._files()
        count = self._count()
        if not count:
            raise BadNodeError("the node has no entry")
        self._keys(count, inner=height > 0)
        if height:
            self._refer(count)
            self._column(3 * count)
            return
        lengths, kinds = self._column(count), self._column(count)
        if max(kinds) > 1:
            raise BadNodeError("a value of an unknown kind")
        outside = [length for length, kind in zip(lengths, kinds, strict=True) if kind]
        self._refer(len(outside), outside)
        for length, kind in zip(lengths, kinds, strict=True):
            if not kind:
                self._values.append(self._take(length))

    def _keys(self, count: int, *, inner: bool) -> None:
        shared, rests = [0, *self._column(count - 1)], self._column(count)
        common = self._column(count) if inner else [0] * count
        length = 0
        for prefix, rest, inside in zip(shared, rests, common, strict=True):
            if prefix > length or inside > prefix + rest:
                raise BadNodeError("the keys contradict each other")
            length = prefix + rest
            self._take(rest)


def frame_end(reading: Reading, at: int) -> int | None:
    """Return the offset behind the Zstandard frame at an offset; None where there is none (RFC 8878, 3.1.1)."""
    head = reading.read_at(at, len(_FRAME_MAGIC) + 1)
    if len(head) <= len(_FRAME_MAGIC) or not head.startswith(_FRAME_MAGIC) or head[-1] & 0x08:
        return None
    flags = head[-1]
    single = flags >> 5 & 1
    at += len(head) + (1 - single) + (0, 1, 2, 4)[flags & 3] + ((single, 2, 4, 8)[flags >> 6])
    for kind, length, last in _blocks(reading, at):
        at += 3 + (1 if kind == 1 else length)
        if kind == 3 or at > reading.size:  # noqa: PLR2004 - the reserved kind of block
            return None
        if last:
            at += 4 * (flags >> 2 & 1)
            return at if at <= reading.size else None
    return None


def _blocks(reading: Reading, at: int) -> Iterator[tuple[int, int, int]]:
    for _ in range(_MOST_BLOCKS):
        head = int.from_bytes(reading.read_at(at, 3), "little")
        kind, length = head >> 1 & 3, head >> 3
        yield kind, length, head & 1
        at += 3 + (1 if kind == 1 else length)
        if at >= reading.size:
            return
