"""Reads a file from front to back a field at a time, without holding more of it than a window.

For formats that are streams of small fields: what is long (numbers of tensors) is skipped, never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from modelsign import limits

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["BrokenError", "ExhaustedError", "Window"]

_ROOM: Final = 64 * limits.KIB


class BrokenError(ValueError):
    """The bytes are not what the format asks for at this place."""

    def __init__(self, message: str, offset: int) -> None:
        """Take what is wrong, and the offset in the file."""
        super().__init__(message)
        self.message = message
        self.offset = offset


class ExhaustedError(BrokenError):
    """The file is beyond the budget."""


class Window:
    """A place in a file; every read moves it on, and is counted as one step."""

    def __init__(self, reading: Reading, at: int = 0, end: int | None = None) -> None:
        """Take the file, the first place, and the place behind the last."""
        self._reading = reading
        self.at = at
        self.end = reading.size if end is None else end
        self._start = 0
        self._held = b""
        self._steps = limits.STREAM_STEPS

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.at

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        begin = self.at - self._start
        if self.at + length > self.end:
            raise BrokenError("the file is cut short", self.end)
        self._steps -= 1
        if self._steps < 0:
            raise ExhaustedError("the file has more fields than a scan reads", self.at)
        if begin < 0 or begin + length > len(self._held):
            if length > limits.STREAM_FIELD_BYTES:
                raise ExhaustedError("a field is longer than a scan keeps", self.at)
            self._start, begin = self.at, 0
            self._held = self._reading.read_at(self.at, max(length, min(_ROOM, self.left)))
            if len(self._held) < length:
                raise BrokenError("the file is cut short", self.end)
        self.at += length
        return self._held[begin : begin + length]

    def skip(self, length: int) -> None:
        """Leave bytes out; they must be there."""
        if length < 0 or self.at + length > self.end:
            raise BrokenError("the file is cut short", self.end)
        self.at += length

    def uint(self, length: int, order: Literal["little", "big"]) -> int:
        """Return the next number without a sign."""
        return int.from_bytes(self.take(length), order)

    def sint(self, length: int, order: Literal["little", "big"]) -> int:
        """Return the next number with a sign."""
        return int.from_bytes(self.take(length), order, signed=True)
