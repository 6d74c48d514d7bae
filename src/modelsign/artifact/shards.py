"""Digests of byte ranges of one open file: whole files and their shards in one pass, or shards alone from anywhere.

A manifest of shards needs the digests of byte ranges, its tree digest those of whole files. Both are taken from the
same read, so that they are of the same bytes. The whole-file digest is one chain that nothing can split; where it is
not wanted, the shards of one file can be hashed by as many processors, or machines, as there are.

Reads descriptors that others opened; never a path.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from modelsign.artifact.algorithms import Hasher
    from modelsign.errors import ModelsignError

__all__ = ["BUFFER", "WIDE", "Pass", "changed", "hash_pass", "hash_spans", "stamp"]

BUFFER: Final = 1024 * 1024
"""Bytes of one read of a large file; one buffer per thread."""
WIDE: Final = 4 * 1024 * 1024
"""Bytes of one read where each block is handed to a second thread."""


class Pass(NamedTuple):
    """What one pass over a file computes.

    ``whole`` makes the hasher of the whole file, None where it is not wanted. ``listed`` makes the hasher of the
    manifest's algorithm, None where that is ``whole`` itself, or nothing; ``shard_size`` None lists the whole file.
    ``shared`` says that both are one algorithm, so that the first shard is the beginning of the whole.
    """

    whole: Callable[..., Hasher] | None
    listed: Callable[..., Hasher] | None
    shard_size: int | None = None
    shared: bool = False


def stamp(descriptor: int) -> tuple[int, int, int]:
    """Return size and times of an open file; whoever writes to it changes one of them."""
    found = os.fstat(descriptor)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def changed(name: str) -> ModelsignError:
    """Return the refusal of a file that did not hold still."""
    return error("FILE_CHANGED_WHILE_READ", f"{name} was written to while it was read")


def hash_pass(
    descriptor: int,
    name: str,
    wanted: Pass,
    *,
    second: ThreadPoolExecutor | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[str | None, list[str], int]:
    """Read an open regular file once; return the digest of the whole, those of the listed ranges, and the size.

    ``second`` is a thread that takes half of the work where there are two digests to compute.

    Raises:
        ModelsignError: ``FILE_CHANGED_WHILE_READ`` if its size or its times change meanwhile.
        OSError: the file cannot be read.

    """
    before = stamp(descriptor)
    running = _Running(wanted, before[0], second)
    buffer = memoryview(bytearray(min(WIDE if second else BUFFER, before[0] + 1)))
    total = 0
    while count := os.readv(descriptor, [buffer[: running.room(total, len(buffer))]]):
        if total + count > before[0]:  # whoever appends faster than this reads shall not keep it busy
            raise changed(name)
        running.take(buffer[:count], total)
        total += count
        if progress:
            progress(count)
    if total != before[0] or stamp(descriptor) != before:
        raise changed(name)
    whole, listed = running.finish(total)
    return whole, listed, total


class _Running:
    """The hashers of one pass; a block never reaches over the end of a shard."""

    def __init__(self, wanted: Pass, size: int, second: ThreadPoolExecutor | None) -> None:
        self.whole = wanted.whole() if wanted.whole else None
        self.new = wanted.listed
        self.listed = wanted.listed() if wanted.listed else None
        self.lists_whole = wanted.shard_size is None
        self.step = wanted.shard_size or max(size, 1)
        self.shared = wanted.shared and wanted.whole is not None
        self.second = second
        self.done: list[str] = []

    def room(self, total: int, most: int) -> int:
        return min(most, self.step - total % self.step) if self.listed else most

    def take(self, block: memoryview, total: int) -> None:
        first = self.shared and total < self.step
        whole, listed = self.whole, None if first else self.listed
        if whole and listed and self.second:
            other = self.second.submit(listed.update, block)
            whole.update(block)
            other.result()
        else:
            for hasher in (whole, listed):
                if hasher:
                    hasher.update(block)
        if self.listed and (total + len(block)) % self.step == 0:
            self._close(first=first)

    def _close(self, *, first: bool) -> None:
        hasher = self.whole if first else self.listed
        if hasher and self.new:
            self.done.append(hasher.copy().hexdigest() if first else hasher.hexdigest())
            self.listed = self.new()

    def finish(self, total: int) -> tuple[str | None, list[str]]:
        if self.listed and (total % self.step or (self.lists_whole and not self.done)):
            self._close(first=self.shared and total < self.step)
        return self.whole.hexdigest() if self.whole else None, self.done


def hash_spans(  # noqa: PLR0913 - the plan of one reading
    descriptor: int,
    name: str,
    spans: Sequence[tuple[int, int]],
    new: Callable[..., Hasher],
    *,
    planned: tuple[int, int, int],
    progress: Callable[[int], None] | None = None,
) -> list[str]:
    """Return the digests of byte ranges (start, end) of an open file whose :func:`stamp` was ``planned``.

    Raises:
        ModelsignError: ``FILE_CHANGED_WHILE_READ`` if the file is not, or not any more, the one that was planned for.
        OSError: the file cannot be read.

    """
    longest = max((end - start for start, end in spans), default=0)
    buffer = memoryview(bytearray(max(1, min(BUFFER, longest))))
    digests = []
    for start, end in spans:
        hasher, at = new(), start
        while at < end:
            count = os.preadv(descriptor, [buffer[: min(len(buffer), end - at)]], at)
            if not count:
                raise changed(name)
            hasher.update(buffer[:count])
            at += count
            if progress:
                progress(count)
        digests.append(hasher.hexdigest())
    if stamp(descriptor) != planned:
        raise changed(name)
    return digests
