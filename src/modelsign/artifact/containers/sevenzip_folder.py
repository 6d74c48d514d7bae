"""Streams of a 7z archive: which coders they were packed by, and how they are unpacked.

Copy, LZMA, LZMA2 (with Delta and branch filters before it), Deflate, BZip2, Zstandard and LZ4 are unpacked by the
codecs that every installation has. What is encrypted, or packed in another way, is named and not read.

Follows ``DOC/Methods.txt`` of 7-Zip 24, and the plugins of 7-Zip ZS for Zstandard and LZ4.
"""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modelsign import limits
from modelsign.artifact.containers.stream import CODECS, Stream, unpack_exactly
from modelsign.artifact.reading import BytesReading, Slice
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.containers.stream import Decoder
    from modelsign.artifact.reading import Reading

__all__ = ["Coder", "Folder", "named", "why_not"]

_COPY: Final = "00"
_FILTERS: Final = {
    "03": lzma.FILTER_DELTA, "04": lzma.FILTER_X86, "03030103": lzma.FILTER_X86, "05": lzma.FILTER_POWERPC,
    "03030205": lzma.FILTER_POWERPC, "06": lzma.FILTER_IA64, "03030401": lzma.FILTER_IA64, "07": lzma.FILTER_ARM,
    "03030501": lzma.FILTER_ARM, "08": lzma.FILTER_ARMTHUMB, "03030701": lzma.FILTER_ARMTHUMB,
    "09": lzma.FILTER_SPARC, "03030805": lzma.FILTER_SPARC,
}  # fmt: skip
_PLAIN: Final = {"040108": "deflate", "040202": "bz2", "04f71101": "zstd", "04f71104": "lz4"}
_LZMA: Final = "030101"
_LZMA2: Final = "21"
_NAMED: Final = {
    "06f10701": "encrypted by AES", "030401": "packed by PPMd", "0303011b": "packed by BCJ2",
    "040109": "packed by Deflate64",
}  # fmt: skip
_LZMA_PROPERTIES: Final = 5
_LARGEST_LZMA2: Final = 40


class Coder(NamedTuple):
    """One step of packing: its method in hex, its properties, its numbers of streams."""

    method: str
    properties: bytes
    inputs: int
    outputs: int


class Folder:
    """A stream of members one behind the other. ``why_not`` says why it cannot be unpacked, or is empty."""

    def __init__(self, reading: Reading, place: tuple[int, int], coders: list[Coder], size: int, refusal: str) -> None:
        """Take the archive, offset and length of the packed bytes, the coders in the order they unpack, the size."""
        self.size = size
        self.why_not = refusal
        self._start = place[0]
        self._packed = Slice(reading, *place)
        self._whole = self._packed.size == place[1]
        self._coders = coders
        self._stream: Stream | None = None

    def open(self, offset: int, length: int, most: int) -> Stream:
        """Open a part of the unpacked stream, which is unpacked by whoever asks first."""
        if self._stream is None:
            try:
                self._stream = self._unpack(most)
            except ModelsignError as refusal:
                self._stream = Stream(BytesReading(b""), fault=refusal)
        stream = self._stream
        part = Slice(stream, offset, length)
        fault = None if part.size == length else stream.fault or error("SEVENZIP_MALFORMED", "a member is cut short")
        return Stream(part, unpacked=part.size, fault=fault)

    def place_of(self, offset: int, length: int) -> tuple[int, int] | None:
        """Return the first byte of a part of the stream in the archive, and the one behind it; None if it is packed."""
        if self.why_not or any(coder.method != _COPY for coder in self._coders):
            return None
        return self._start + offset, self._start + offset + length

    def whole(self, most: int) -> bytes:
        """Return all unpacked bytes.

        Raises:
            ModelsignError: they are more than ``most``, or damaged.

        """
        if self.why_not:
            raise error("SEVENZIP_MALFORMED", f"the header is {self.why_not}")
        if self.size > most:
            raise error("SCAN_BUDGET", f"the archive's header has {self.size} bytes, the limit is {most}")
        with self._unpack(most) as stream:
            if stream.fault is not None:
                raise stream.fault
            return stream.read_at(0, stream.size)

    def _unpack(self, most: int) -> Stream:
        factory = None if self.why_not else _decoder(self._coders)
        if factory is None:
            whole = self._whole and self._packed.size == self.size
            return Stream(self._packed, fault=None if whole else error("SEVENZIP_MALFORMED", "a stream is cut short"))
        return unpack_exactly(self._packed, factory, self.size, most)


def why_not(coders: list[Coder]) -> str:
    """Say why a chain of coders cannot be unpacked, or nothing."""
    for coder in coders:
        if coder.method in _NAMED:
            return _NAMED[coder.method]
    working = [coder for coder in coders if coder.method != _COPY]
    methods = [coder.method for coder in working]
    if not methods or (len(methods) == 1 and methods[0] in {*_PLAIN, _LZMA, _LZMA2}):
        return ""
    if methods[0] == _LZMA2 and len(methods) < 4 and all(one in _FILTERS for one in methods[1:]):  # noqa: PLR2004 - liblzma's limit
        return ""
    return f"packed by the methods {', '.join(methods)[:100]}"


def named(method: str) -> str:
    """Say in words what a method that cannot be unpacked does."""
    return _NAMED.get(method, "packed from several streams")


def _decoder(coders: list[Coder]) -> Callable[[], Decoder] | None:
    """Return what makes a decoder for a chain that can be unpacked; None where the bytes lie there as they are."""
    working = [coder for coder in coders if coder.method != _COPY]
    if not working:
        return None
    first = working[0]
    if first.method in _PLAIN:
        return CODECS[_PLAIN[first.method]]
    filters = [_filter(coder) for coder in reversed(working[1:])]
    filters.append(_lzma(first) if first.method == _LZMA else _lzma2(first))
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)


def _filter(coder: Coder) -> dict[str, Any]:
    kind = _FILTERS[coder.method]
    if kind == lzma.FILTER_DELTA:
        return {"id": kind, "dist": (coder.properties[0] if coder.properties else 0) + 1}
    return {"id": kind}


def _lzma(coder: Coder) -> dict[str, Any]:
    if len(coder.properties) != _LZMA_PROPERTIES or coder.properties[0] >= 9 * 5 * 5:
        raise error("SEVENZIP_MALFORMED", "the properties of LZMA are no such")
    rest, lc = divmod(coder.properties[0], 9)
    pb, lp = divmod(rest, 5)
    dictionary = _dictionary(int.from_bytes(coder.properties[1:], "little"))
    return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}


def _lzma2(coder: Coder) -> dict[str, Any]:
    if len(coder.properties) != 1 or coder.properties[0] > _LARGEST_LZMA2:
        raise error("SEVENZIP_MALFORMED", "the properties of LZMA2 are no such")
    step = coder.properties[0]
    return {"id": lzma.FILTER_LZMA2, "dict_size": _dictionary((2 | step & 1) << step // 2 + 11)}


def _dictionary(size: int) -> int:
    if size > limits.SCAN_LZMA_MEMORY_BYTES:
        raise error("SCAN_BUDGET", f"unpacking needs a dictionary of {size} bytes")
    return max(size, 4096)
