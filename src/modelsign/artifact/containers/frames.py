"""LZ4 and Zstandard frames, unpacked by the C libraries of their authors through required dependencies.

Both come with every installation (``lz4``; ``compression.zstd`` or its backport), so that no verdict depends on what is
installed. What a frame may ask for is looked up in its header first: a window beyond the limit is a budget, and a
dictionary nobody has is a broken stream.

Follows RFC 8878 (sections 3.1.1 and 3.1.2) and the LZ4 Frame Format 1.6.4.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["LZ4", "ZSTD", "Lz4Frame", "ZstdFrame", "behind_skippable", "is_skippable"]

ZSTD: Final = b"\x28\xb5\x2f\xfd"
LZ4: Final = b"\x04\x22\x4d\x18"
_SKIPPABLE: Final = b"\x2a\x4d\x18"
_SKIPPABLE_FIRST: Final = 0x50
_SKIPPABLE_LAST: Final = 0x5F
_SINGLE_SEGMENT: Final = 0x20
_DICTIONARY: Final = 0x03
_LZ4_DICTIONARY: Final = 0x01
_ZSTD_HEADER: Final = 18
_LZ4_HEADER: Final = 5
_LEAST_WINDOW_LOG: Final = 10
_CONTENT_SIZES: Final = (0, 2, 4, 8)
_DICTIONARY_SIZES: Final = (0, 1, 2, 4)
_SMALL_SIZES_ADD: Final = 256


def is_skippable(head: bytes) -> bool:
    """Whether these bytes begin a frame of a user's data, which readers of both formats skip."""
    return head[1:4] == _SKIPPABLE and _SKIPPABLE_FIRST <= head[0] <= _SKIPPABLE_LAST


def behind_skippable(reading: Reading, position: int = 0) -> int:
    """Return the offset of the first frame from ``position`` that is not skipped; at most a bounded number is."""
    for _ in range(limits.SCAN_FRAMES):
        head = reading.read_at(position, 8)
        if not is_skippable(head):
            break
        position += 8 + int.from_bytes(head[4:8], "little")
    return position


class Lz4Frame:
    """Unpacks one LZ4 frame; the interface is that of ``bz2.BZ2Decompressor``."""

    def __init__(self) -> None:
        """Begin a frame."""
        import lz4.frame  # noqa: PLC0415 - rarely needed, and a library of its own

        self._decoder: Any = lz4.frame.LZ4FrameDecompressor()
        self._started = False
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return bool(self._decoder.eof)

    @property
    def unused_data(self) -> bytes:
        """The bytes behind the frame that were handed in with it."""
        return self._decoder.unused_data or b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes more.

        Raises:
            ValueError: the frame is damaged, or needs a dictionary.

        """
        if not self._started and len(data) >= _LZ4_HEADER:
            self._started = True
            if data.startswith(LZ4) and data[4] & _LZ4_DICTIONARY:
                raise ValueError("it needs a dictionary")
        try:
            out: bytes = self._decoder.decompress(data, max_length)
        except (RuntimeError, EOFError) as trouble:
            raise ValueError(str(trouble)) from None
        self.needs_input = bool(self._decoder.needs_input) and len(out) < max_length
        return out


class ZstdFrame:
    """Unpacks one Zstandard frame, or skips one of a user's data; the interface of ``bz2.BZ2Decompressor``."""

    def __init__(self) -> None:
        """Begin a frame."""
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 - rarely needed
        else:
            from backports import zstd  # noqa: PLC0415 - rarely needed

        self._failure = zstd.ZstdError
        window = limits.SCAN_ZSTD_WINDOW_BYTES.bit_length() - 1
        self._decoder = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window})
        self._head = b""

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        """Whether more bytes must be handed in before more come out."""
        return self._decoder.needs_input

    @property
    def unused_data(self) -> bytes:
        """The bytes behind the frame that were handed in with it."""
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes more.

        Raises:
            ValueError: the frame is damaged, or needs a dictionary.
            ModelsignError: ``SCAN_BUDGET`` where its window is larger than the limit.

        """
        if len(self._head) < _ZSTD_HEADER:
            self._head += data[: _ZSTD_HEADER - len(self._head)]
            _check_zstd(self._head)
        try:
            return self._decoder.decompress(data, max_length)
        except self._failure as trouble:
            raise ValueError(str(trouble)) from None


def _check_zstd(head: bytes) -> None:
    """Refuse a frame whose header asks for too much, or for what nobody has."""
    if len(head) < len(ZSTD) + 1 or not head.startswith(ZSTD):
        return
    descriptor = head[4]
    at = 5
    window = 0
    single = descriptor & _SINGLE_SEGMENT
    if not single:
        if len(head) <= at:
            return
        exponent, mantissa = head[at] >> 3, head[at] & 7
        base = 1 << (_LEAST_WINDOW_LOG + exponent)
        window = base + base // 8 * mantissa
        at += 1
    size = _DICTIONARY_SIZES[descriptor & _DICTIONARY]
    if any(head[at : at + size]):
        raise ValueError("it needs a dictionary")
    at += size
    width = _CONTENT_SIZES[descriptor >> 6] or 1
    if single and len(head) >= at + width:
        window = int.from_bytes(head[at : at + width], "little") + (_SMALL_SIZES_ADD if width == 2 else 0)  # noqa: PLR2004 - RFC 8878, 3.1.1.1.4
    if window > limits.SCAN_ZSTD_WINDOW_BYTES:
        raise error("SCAN_BUDGET", f"the zstd stream needs a window of {window} bytes")
