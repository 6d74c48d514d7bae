"""Streams that come out of a container: a part of it as it lies there, or bytes unpacked from it.

Unpacking never stops with an exception: what came out before a stream broke off could have been
loaded, so it is kept, and ``fault`` says why there is no more. Unpacked bytes stay in memory up to a
limit and then move to an unnamed file, so that memory is bounded whatever a stream claims. A process that can open no
file is given one beforehand and says so (``spool_file``).
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol, Self

from modelsign import limits
from modelsign.artifact.containers.frames import LZ4, ZSTD, Lz4Frame, ZstdFrame, is_skippable
from modelsign.artifact.reading import BLOCK
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from modelsign.artifact.reading import Reading

__all__ = ["CODECS", "Decoder", "SpoolFile", "Stream", "spool_file", "unpack", "unpack_exactly"]


class Decoder(Protocol):
    """What bz2, lzma and (wrapped) zlib, lz4 and zstd decoders have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether more bytes must be handed in before more come out."""
        ...

    @property
    def unused_data(self) -> bytes:
        """The bytes behind the stream that were handed in with it."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes more."""
        ...


class _Zlib:
    """A zlib decoder with the interface that bz2 and lzma have."""

    def __init__(self, window_bits: int) -> None:
        self._decoder = zlib.decompressobj(window_bits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        out = self._decoder.decompress(self._decoder.unconsumed_tail + data, max_length)
        self.needs_input = not self._decoder.unconsumed_tail and len(out) < max_length
        return out


_PIECE: Final = 4096
"""The first bytes handed to a decoder; a long row of tiny streams costs little more than their bytes."""

CODECS: Final[Mapping[str, Callable[[], Decoder]]] = {
    "deflate": lambda: _Zlib(-zlib.MAX_WBITS),
    "zlib": lambda: _Zlib(zlib.MAX_WBITS),
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.SCAN_LZMA_MEMORY_BYTES),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=limits.SCAN_LZMA_MEMORY_BYTES),
    "lz4": Lz4Frame,
    "zstd": ZstdFrame,
}
"""The decoders by the name of what they unpack."""
_DAMAGE: Final = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)
"""What they raise when bytes are not theirs."""


class Stream:
    """A reading over a member of a container; it may own an unnamed file and gives it back on exit.

    ``unpacked`` is what the stream costs of the budget; ``fault`` is why its bytes are not all there is.
    """

    def __init__(
        self, reading: Reading, *, unpacked: int = 0, fault: ModelsignError | None = None, spool: _Spool | None = None
    ) -> None:
        """Take the bytes, what they cost, and what went wrong."""
        self._reading = reading
        self._spool = spool
        self.unpacked = unpacked
        self.fault = fault

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the unnamed file back."""
        if self._spool is not None:
            self._spool.close()

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._reading.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset``, fewer than ``length`` only at the end."""
        return self._reading.read_at(offset, length)


class SpoolFile(Protocol):
    """An unnamed file that is written to at its end and read anywhere; its methods raise ``OSError``."""

    def write(self, data: bytes, /) -> object:
        """Add bytes at the end."""
        ...

    def seek(self, offset: int, /) -> object:
        """Go to where the next reading begins."""
        ...

    def read(self, length: int, /) -> bytes:
        """Return the bytes from there, fewer than ``length`` only at the end."""
        ...

    def close(self) -> None:
        """Give the file up."""
        ...


def _temporary() -> SpoolFile:
    import tempfile  # noqa: PLC0415 - slow to import, and rarely needed

    return tempfile.TemporaryFile(prefix="modelsign-")


spool_file: Final[ContextVar[Callable[[], SpoolFile]]] = ContextVar("spool_file", default=_temporary)
"""Makes the file for what does not stay in memory."""


class _Spool:
    """Bytes written once and then read at any offset: in memory while few, else in an unnamed file."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._file: SpoolFile | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self._file is None and self.size > limits.SCAN_MEMORY_BYTES:
            self._file = spool_file.get()()
            self._file.write(bytes(self._memory))
            self._memory = bytearray()
        if self._file is None:
            self._memory += data
        else:
            self._file.write(data)

    def read_at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length <= 0:
            return b""
        if self._file is None:
            return bytes(self._memory[offset : offset + length])
        self._file.seek(offset)
        return self._file.read(length)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __del__(self) -> None:
        """Give the file back where several members share it, and nobody knows who is the last."""
        self.close()


def unpack(source: Reading, codec: str, most: int) -> Stream:
    """Unpack a whole compressed stream, at most ``most`` bytes of it.

    The result's ``fault`` is ``PACKED_STREAM_BROKEN`` where the stream is damaged or cut short,
    ``PACKED_STREAM_TRAILING`` where other bytes follow it, ``SCAN_BUDGET`` where it is longer than ``most``,
    ``SCAN_SPOOL_FAILED`` where the disk would not take it.
    """
    spool = _Spool()
    try:
        fault = _unpack_into(spool, source, codec, most)
    except OSError as trouble:
        fault = error("SCAN_SPOOL_FAILED", f"unpacked bytes could not be kept: {trouble.strerror or trouble}")
    return Stream(spool, unpacked=spool.size, fault=fault, spool=spool)


def unpack_exactly(source: Reading, make: Callable[[], Decoder], size: int, most: int) -> Stream:
    """Unpack ``size`` bytes, at most ``most``, of a stream that does not say where it ends.

    The result's ``fault`` is as for :func:`unpack`; what follows the bytes is not looked at.
    """
    spool = _Spool()
    try:
        fault = _unpack_exactly(spool, source, make, min(size, most))
    except OSError as trouble:
        fault = error("SCAN_SPOOL_FAILED", f"unpacked bytes could not be kept: {trouble.strerror or trouble}")
    if fault is None and size > most:
        fault = error("SCAN_BUDGET", f"a stream unpacks to more than {most} bytes")
    return Stream(spool, unpacked=spool.size, fault=fault, spool=spool)


def _unpack_exactly(spool: _Spool, source: Reading, make: Callable[[], Decoder], wanted: int) -> ModelsignError | None:
    position = 0
    try:
        decoder = make()
        while spool.size < wanted and not decoder.eof:
            data = source.read_at(position, BLOCK) if decoder.needs_input else b""
            position += len(data)
            out = decoder.decompress(data, min(BLOCK, wanted - spool.size))
            if not data and not out:
                break
            spool.write(out)
    except _DAMAGE as trouble:
        return error("PACKED_STREAM_BROKEN", f"a stream is damaged: {trouble}")
    except ModelsignError as fault:
        return fault
    return None if spool.size == wanted else error("PACKED_STREAM_BROKEN", "a stream is cut short")


def _unpack_into(spool: _Spool, source: Reading, codec: str, most: int) -> ModelsignError | None:
    position = 0
    for _ in range(limits.SCAN_FRAMES):
        position, fault = _unpack_one(spool, source, codec, position, most)
        if fault is not None:
            return fault
        position = _behind_padding(source, codec, position)
        if position >= source.size:
            return None
        if not _starts_again(source, codec, position):
            return error("PACKED_STREAM_TRAILING", f"{source.size - position} bytes follow the {codec} stream")
    return error("SCAN_BUDGET", f"more than {limits.SCAN_FRAMES} {codec} streams follow each other")


def _unpack_one(
    spool: _Spool, source: Reading, codec: str, position: int, most: int
) -> tuple[int, ModelsignError | None]:
    """Unpack one stream or frame; return the offset behind it."""
    decoder = CODECS[codec]()
    piece = _PIECE
    while True:
        data = source.read_at(position, piece) if decoder.needs_input else b""
        if decoder.needs_input and not data:
            return position, error("PACKED_STREAM_BROKEN", f"the {codec} stream is cut short")
        position += len(data)
        piece = min(2 * piece, BLOCK)
        try:
            out = decoder.decompress(data, BLOCK)
        except _DAMAGE as trouble:
            return position, error("PACKED_STREAM_BROKEN", f"the {codec} stream is damaged: {trouble}")
        except ModelsignError as fault:
            return position, fault
        if spool.size + len(out) > most:
            spool.write(out[: most - spool.size])
            return position, error("SCAN_BUDGET", f"the {codec} stream unpacks to more than {most} bytes")
        spool.write(out)
        if decoder.eof:
            return position - len(decoder.unused_data), None


_STARTS: Final[Mapping[str, bytes]] = {
    "gzip": b"\x1f\x8b",
    "bz2": b"BZh",
    "xz": b"\xfd7zXZ\x00",
    "lz4": LZ4,
    "zstd": ZSTD,
}
"""Formats whose own readers go on with a further stream that follows directly, and how it starts."""
_WITH_SKIPPABLE: Final = frozenset({"lz4", "zstd"})


def _starts_again(source: Reading, codec: str, position: int) -> bool:
    start = _STARTS.get(codec)
    head = source.read_at(position, 8)
    return (start is not None and head.startswith(start)) or (codec in _WITH_SKIPPABLE and is_skippable(head))


def _behind_padding(source: Reading, codec: str, position: int) -> int:
    """Skip the zero bytes that gzip and xz readers skip after a stream."""
    if codec not in {"gzip", "xz"} or source.read_at(position, 1) != b"\0":
        return position
    while data := source.read_at(position, BLOCK):
        rest = data.lstrip(b"\x00")
        position += len(data) - len(rest)
        if rest:
            break
    return position
