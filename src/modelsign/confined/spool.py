"""One unnamed file, shared by all the streams a child unpacks: it cannot open further ones.

Each stream gets pieces of the file as it grows, and gives them back when it is closed. All methods raise ``OSError``
where the disk, or the bound on the file's size, does not allow more.
"""

from __future__ import annotations

import os
from typing import Final

__all__ = ["Share", "SharedFile"]

_PIECE: Final = 1024 * 1024


class SharedFile:
    """An open unnamed file and the pieces of it that are free."""

    def __init__(self, descriptor: int) -> None:
        """Take a descriptor that can be read and written."""
        self.descriptor = descriptor
        self._free: list[int] = []
        self._pieces = 0

    def share(self) -> Share:
        """Return an empty share of the file."""
        return Share(self)

    def take(self) -> int:
        """Return where a free piece begins."""
        if self._free:
            return self._free.pop()
        self._pieces += 1
        return (self._pieces - 1) * _PIECE

    def give_back(self, pieces: list[int]) -> None:
        """Free pieces; a file nobody uses any more takes no space."""
        self._free += pieces
        if len(self._free) == self._pieces:
            os.ftruncate(self.descriptor, 0)
            self._free.clear()
            self._pieces = 0


class Share:
    """What one stream keeps in the shared file: written at its end, read anywhere."""

    def __init__(self, shared: SharedFile) -> None:
        """Begin with nothing."""
        self._shared = shared
        self._pieces: list[int] = []
        self._size = 0
        self._position = 0

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        rest = memoryview(data)
        while rest:
            inside = self._size % _PIECE
            if not inside:
                self._pieces.append(self._shared.take())
            written = os.pwrite(self._shared.descriptor, rest[: _PIECE - inside], self._pieces[-1] + inside)
            self._size += written
            rest = rest[written:]

    def seek(self, offset: int) -> None:
        """Go to where the next reading begins."""
        self._position = offset

    def read(self, length: int) -> bytes:
        """Return the bytes from there, fewer than ``length`` only at the end."""
        parts = []
        left = min(length, self._size - self._position)
        while left > 0:
            number, inside = divmod(self._position, _PIECE)
            part = os.pread(self._shared.descriptor, min(left, _PIECE - inside), self._pieces[number] + inside)
            if not part:
                raise OSError(0, "the unnamed file is shorter than what was written to it")
            parts.append(part)
            self._position += len(part)
            left -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Give the pieces back; safe to call twice."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        if pieces:
            self._shared.give_back(pieces)
