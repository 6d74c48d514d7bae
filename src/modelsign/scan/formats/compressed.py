"""Compressed streams: gzip, zlib, bz2, xz, lzma, LZ4 and Zstandard, as joblib and others wrap pickles in; and zfiles.

The stream is unpacked within the scan's budget, into memory or an unnamed file, and what comes out is scanned as a file
of its own. A stream that breaks off is judged as far as it goes: a loader would have seen as much. Frames of a user's
data before LZ4 and Zstandard frames are skipped, as their tools do. A zfile of joblib before 0.10 is ``ZF``, the length
as 19 characters, perhaps a space, and a zlib stream (joblib/numpy_pickle_compat.py).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.frames import LZ4, ZSTD, behind_skippable, is_skippable
from modelsign.artifact.containers.stream import unpack
from modelsign.artifact.reading import Slice
from modelsign.scan.format import Format, Inspection, Magic, Member
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MARKS: Final = (("gzip", b"\x1f\x8b\x08"), ("bz2", b"BZh"), ("xz", b"\xfd7zXZ\x00"), ("lz4", LZ4), ("zstd", ZSTD))
_FRAMES: Final = ("lz4", "zstd")
_LZMA: Final = b"\x5d\x00"
_ZLIB: Final = b"\x78"
_ZLIB_DEFLATE: Final = 0x08
_ZLIB_MULTIPLE: Final = 31
_ZLIB_DICTIONARY: Final = 0x20
_PROBE: Final = 4096
_ZFILE: Final = b"ZF0x"
_ZFILE_HEADER: Final = 21
_SUFFIXES: Final = (".gz", ".gzip", ".z", ".bz2", ".xz", ".lzma", ".lz4", ".zst", ".zstd")


def _codec(reading: Reading) -> str | None:
    """Name the codec that the first bytes call for.

    The marks of zlib and lzma are so short that other files carry them by chance; there the first bytes must unpack.
    """
    head = reading.read_at(0, 8)
    for codec, mark in _MARKS:
        if head.startswith(mark):
            return codec
    if is_skippable(head):
        head = reading.read_at(behind_skippable(reading), 8)
        return next((codec for codec, mark in _MARKS if codec in _FRAMES and head.startswith(mark)), None)
    if head.startswith(_LZMA) and _unpacks(reading, "lzma", damaged=True):
        return "lzma"
    if len(head) > 1 and head[0] & 0x0F == _ZLIB_DEFLATE and not head[1] & _ZLIB_DICTIONARY:
        number = int.from_bytes(head[:2], "big")
        if number % _ZLIB_MULTIPLE == 0 and _unpacks(reading, "zlib", damaged=head.startswith(_ZLIB)):
            return "zlib"
    return None


def _unpacks(reading: Reading, codec: str, *, damaged: bool) -> bool:
    """Whether something comes out; ``damaged`` streams count where loaders take the first bytes at their word."""
    with unpack(reading, codec, _PROBE) as stream:
        broken = stream.fault is not None and stream.fault.code == "PACKED_STREAM_BROKEN"
        return not broken or (damaged and stream.size > 0)


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(_ZFILE)) == _ZFILE or _codec(reading) is not None


def _scan(reading: Reading, name: str) -> Inspection:
    if reading.read_at(0, len(_ZFILE)) == _ZFILE:
        start = _ZFILE_HEADER + (reading.read_at(_ZFILE_HEADER, 1) == b" ")
        inside = Slice(reading, start, reading.size)
        return Inspection(readable=True, members=(Member("zfile", functools.partial(unpack, inside, "zlib")),))
    codec = _codec(reading)
    if codec is None:
        return Inspection(readable=False)
    base = name.rsplit("/", 1)[-1]
    inner = next((base[: -len(suffix)] for suffix in _SUFFIXES if base.casefold().endswith(suffix)), "")
    member = Member(inner or f"{codec} stream", functools.partial(unpack, reading, codec))
    return Inspection(readable=True, members=(member,))


FORMAT = Format(
    id="compressed",
    title="Compressed stream",
    description="A gzip, zlib, bz2, xz, lzma, LZ4 or Zstandard stream, or joblib's zfile; what comes out is scanned.",
    recognise=_recognise,
    scan=_scan,
    magic=(
        Magic(0, b"\x1f\x8b"),
        Magic(0, b"BZh"),
        Magic(0, b"\xfd7zXZ\x00"),
        Magic(0, LZ4),
        Magic(0, ZSTD),
        Magic(0, b"\x78"),
        Magic(0, _ZFILE),
    ),
    extensions=_SUFFIXES,
    rules=(BROKEN, BUDGET),
)
