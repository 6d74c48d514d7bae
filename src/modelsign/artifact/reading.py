"""Random access to one stream of bytes whose digest is that of the very bytes read.

A scanner wants to look at the end of a file before its middle, and its findings and the file's
digest must come from the same bytes (DESIGN, security rule 6). So the file is opened once; each
block that anybody looks at is remembered by its digest, and the pass that computes the file's
SHA-256 compares every remembered block again. A file that is written to in between is refused,
without a private copy and in constant memory.

Never maps a file, never opens a path twice, never follows the path again.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final, Protocol, Self

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["BLOCK", "BytesReading", "FileReading", "Reading", "Slice"]

BLOCK: Final = 256 * 1024
"""Bytes of one block; the unit of reading and of comparing."""
_CACHED_BLOCKS: Final = 4


class Reading(Protocol):
    """Bytes that can be read at any offset, any number of times, always the same."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset``, fewer than ``length`` only at the end."""
        ...


class BytesReading:
    """A reading over bytes in memory."""

    def __init__(self, data: bytes) -> None:
        """Take the bytes; they are not copied."""
        self._data = data

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self._data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset``, fewer than ``length`` only at the end."""
        return self._data[offset : offset + length] if offset >= 0 and length > 0 else b""

    def sha256(self) -> str:
        """Return the SHA-256 of all the bytes, lowercase hex."""
        return hashlib.sha256(self._data).hexdigest()


class Slice:
    """A reading over a part of another reading: one member of a container."""

    def __init__(self, whole: Reading, offset: int, length: int) -> None:
        """Take the part's place; it is cut to what ``whole`` has."""
        self._whole = whole
        self._offset = max(0, min(offset, whole.size))
        self._size = max(0, min(length, whole.size - self._offset))

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset`` in the part, fewer than ``length`` only at its end."""
        if offset < 0 or length <= 0:
            return b""
        return self._whole.read_at(self._offset + offset, min(length, self._size - offset))


class FileReading:
    """A reading over an open file; it owns the descriptor and closes it."""

    def __init__(self, descriptor: int, name: str) -> None:
        """Take an open descriptor of a regular file, and the name for messages."""
        self._descriptor = descriptor
        self._name = name
        self._size = os.fstat(descriptor).st_size
        self._cache: dict[int, bytes] = {}
        self._seen: dict[int, bytes] = {}
        self._running = hashlib.sha256()
        self._hashed = 0
        self._digest: str | None = None
        self.progress: Callable[[int], None] | None = None
        """Called with how many bytes from the start on are in the digest, block by block."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the descriptor."""
        self.close()

    def close(self) -> None:
        """Close the descriptor; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def fileno(self) -> int:
        """Return the descriptor, for who hands the file to another process; it stays this reading's own."""
        return self._descriptor

    @property
    def size(self) -> int:
        """The number of bytes when the file was opened."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset``, fewer than ``length`` only at the end.

        Raises:
            ModelsignError: ``FILE_CHANGED_WHILE_READ`` or ``FILE_UNREADABLE``.

        """
        end = min(offset + length, self._size)
        if offset < 0 or end <= offset:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        start = offset - first * BLOCK
        if first == last:
            return self._block(first)[start : start + end - offset]
        joined = b"".join([self._block(number) for number in range(first, last + 1)])
        return joined[start : start + end - offset]

    def sha256(self) -> str:
        """Return the SHA-256 of the whole file, lowercase hex, bound to everything read before.

        Raises:
            ModelsignError: ``FILE_CHANGED_WHILE_READ`` or ``FILE_UNREADABLE``.

        """
        if self._digest is None:
            blocks = -(-self._size // BLOCK)
            for number in range(self._hashed, blocks):
                self._running.update(self._cache.get(number) or self._fetch(number))
                self._tell(number + 1)
            if os.fstat(self._descriptor).st_size != self._size:
                raise self._changed()
            self._digest = self._running.hexdigest()
        return self._digest

    def _block(self, number: int) -> bytes:
        block = self._cache.get(number)
        if block is None:
            block = self._fetch(number)
            if number not in self._seen:
                self._seen[number] = hashlib.sha256(block).digest()
            if number == self._hashed:
                self._running.update(block)
                self._hashed += 1
                self._tell(self._hashed)
            while len(self._cache) >= _CACHED_BLOCKS:
                del self._cache[next(iter(self._cache))]
            self._cache[number] = block
        return block

    def _fetch(self, number: int) -> bytes:
        start = number * BLOCK
        wanted = min(BLOCK, self._size - start)
        try:
            block = os.pread(self._descriptor, wanted, start)
            while len(block) < wanted:
                more = os.pread(self._descriptor, wanted - len(block), start + len(block))
                if not more:
                    raise self._changed()
                block += more
        except OSError as fault:
            raise error("FILE_UNREADABLE", f"{self._name}: {fault.strerror}") from None
        seen = self._seen.get(number)
        if seen is not None and hashlib.sha256(block).digest() != seen:
            raise self._changed()
        return block

    def _tell(self, blocks: int) -> None:
        if self.progress is not None:
            self.progress(min(blocks * BLOCK, self._size))

    def _changed(self) -> Exception:
        return error("FILE_CHANGED_WHILE_READ", f"{self._name} was written to while it was read")
