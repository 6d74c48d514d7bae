"""Digests of a model's files: one pass over the bytes, on all processors, in constant memory.

Small files are hashed folder by folder, opened relative to a folder that is already open, by one
thread: over a few kilobytes, threads spend more on the interpreter's lock than they win. Large files
are shared out, one per task, since hashlib releases the lock. Nothing is cached between runs: a digest
kept by a file's times can be fooled.

Never follows a link, never maps a file.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from typing import TYPE_CHECKING, Final

from modelsign.artifact.model import Artifact, unreadable
from modelsign.artifact.walk import FILE_FLAGS
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from hashlib import _Hash

    from modelsign.artifact.snapshot import Snapshot

__all__ = ["hash_artifact", "hash_descriptor", "hash_ranges"]

BUFFER: Final = 1024 * 1024
"""Bytes of one read of a large file; one buffer per thread."""
SMALL: Final = 64 * 1024
"""A file shorter than this is read in one go."""
ALONE: Final = 4 * 1024 * 1024
"""Up to this many bytes of large files, starting a thread costs more than it brings."""
MOST_THREADS: Final = 16


class _Work:
    """What the threads of one pass share. Deque and dict operations are atomic in CPython."""

    def __init__(self, artifact: Artifact, algorithm: str, progress: Callable[[int], None] | None) -> None:
        self.artifact = artifact
        self.new: Callable[..., _Hash] = getattr(hashlib, algorithm)
        self.progress = progress
        self.large: deque[str] = deque()
        self.digests: dict[str, str] = {}
        self.faults: list[ModelsignError] = []

    def hash_small(self, folder: str, names: Sequence[str]) -> list[str]:
        """Hash the files of one folder that one read can hold; return the others."""
        skip = len(folder) + 1 if folder else 0
        new, digests, progress, larger = self.new, self.digests, self.progress, []
        name = folder
        parent = self.artifact.open_folder(folder)
        try:
            for name in names:
                descriptor = os.open(name[skip:], FILE_FLAGS, dir_fd=parent)
                try:
                    data = os.read(descriptor, SMALL)
                    # Some file systems return less than there is: only an empty read is the end.
                    whole = len(data) < SMALL and not os.read(descriptor, 1)
                    if not data and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                        raise _replaced(name)  # a FIFO nobody writes to reads like an empty file
                finally:
                    os.close(descriptor)
                if whole:
                    digests[name] = new(data).hexdigest()
                    if progress:
                        progress(len(data))
                else:
                    larger.append(name)
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(parent)
        return larger

    def hash_large(self) -> None:
        """Hash large files, one after the other, until none is left or one failed; run by every thread."""
        try:
            while True:
                self._hash_one(self.large.popleft())
        except IndexError:  # another thread took the last file
            return
        except ModelsignError as fault:
            self.faults.append(fault)
            self.large.clear()

    def _hash_one(self, name: str) -> None:
        descriptor = self.artifact.descriptor(name)
        try:
            self.digests[name] = hash_descriptor(descriptor, name, new=self.new, progress=self.progress)
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(descriptor)


def hash_artifact(
    artifact: Artifact | Snapshot,
    *,
    algorithm: str = "sha256",
    names: Iterable[str] | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """Return name → digest in lowercase hex for every file of the manifest.

    ``algorithm`` is ``sha256`` or ``blake2b``. ``names`` are other files of the artifact to hash instead.
    ``progress`` is called with numbers of bytes, from any thread. A snapshot that has its digests already
    is not read again.

    Raises:
        KeyError: the artifact has no file of such a name.
        ModelsignError: ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

    """
    if not isinstance(artifact, Artifact):
        return {name: artifact.digests[name] for name in (artifact.names if names is None else names)}
    work = _Work(artifact, algorithm, progress)
    if names is None:
        wanted: Collection[str] = artifact.names
        larger = list(artifact.linked)
        for folder, members in artifact.spans:
            larger += work.hash_small(folder, members)
    else:
        wanted = set(names)
        larger = list(wanted)
    if larger:
        _hash_larger(work, larger, threads or min(len(os.sched_getaffinity(0)), MOST_THREADS))
    if len(work.digests) != len(wanted):
        raise error("INTERNAL", "a hashing thread ended without a result")
    return work.digests


def _hash_larger(work: _Work, names: Sequence[str], threads: int) -> None:
    sizes: dict[str, int] = {}
    for name in names:
        descriptor = work.artifact.descriptor(name)
        sizes[name] = os.fstat(descriptor).st_size
        os.close(descriptor)
    # The largest first, so that no thread is left alone with it at the end.
    work.large.extend(sorted(names, key=sizes.__getitem__, reverse=True))
    threads = min(threads, len(names)) if sum(sizes.values()) > ALONE else 1
    if threads > 1:
        _share(work, threads)
    else:
        work.hash_large()
    if work.faults:
        raise work.faults[0]


def _share(work: _Work, threads: int) -> None:
    import threading  # noqa: PLC0415 - a small model needs no thread

    crew = [threading.Thread(target=work.hash_large, daemon=True) for _ in range(threads - 1)]
    try:
        for thread in crew:
            thread.start()
        work.hash_large()
    except BaseException:
        work.large.clear()
        raise
    finally:
        for thread in crew:
            thread.join()


def hash_descriptor(
    descriptor: int,
    name: str,
    *,
    new: Callable[..., _Hash] = hashlib.sha256,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Return the digest of an open regular file from its current position to its end, lowercase hex.

    Raises:
        ModelsignError: ``FILE_CHANGED_WHILE_READ`` if its size or its times change meanwhile.
        OSError: the file cannot be read.

    """
    before = os.fstat(descriptor)
    hasher = new()
    buffer = memoryview(bytearray(min(BUFFER, before.st_size + 1)))
    buffers, total = [buffer], 0
    while count := os.readv(descriptor, buffers):
        hasher.update(buffer[:count])
        total += count
        if total > before.st_size:  # whoever appends faster than this reads shall not keep it busy
            raise _changed(name)
        if progress:
            progress(count)
    after = os.fstat(descriptor)
    if (total, before.st_mtime_ns, before.st_ctime_ns) != (after.st_size, after.st_mtime_ns, after.st_ctime_ns):
        raise _changed(name)
    return hasher.hexdigest()


def _replaced(name: str) -> ModelsignError:
    return error("FILE_CHANGED_WHILE_READ", f"{name} was replaced while the model was read")


def _changed(name: str) -> ModelsignError:
    return error("FILE_CHANGED_WHILE_READ", f"{name} was written to while it was read")


def hash_ranges(descriptor: int, name: str, ranges: Sequence[tuple[int, int]], *, algorithm: str) -> list[str] | None:
    """Return the digests of byte ranges (start, end) of an open file, which is closed.

    The ranges must follow one another and cover the file end to end; None where they do not.

    Raises:
        ModelsignError: ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

    """
    try:
        size = os.fstat(descriptor).st_size
        edges = [0, *(end for _, end in ranges)]
        if [start for start, _ in ranges] != edges[:-1] or edges[-1] != size:
            return None
        return [_hash_range(descriptor, name, end - start, algorithm) for start, end in ranges]
    except OSError as fault:
        raise unreadable(name, fault) from None
    finally:
        os.close(descriptor)


def _hash_range(descriptor: int, name: str, length: int, algorithm: str) -> str:
    hasher: _Hash = getattr(hashlib, algorithm)()
    buffer = memoryview(bytearray(max(1, min(BUFFER, length))))
    while length > 0:
        count = os.readv(descriptor, [buffer[: min(len(buffer), length)]])
        if not count:
            raise _changed(name)
        hasher.update(buffer[:count])
        length -= count
    return hasher.hexdigest()
