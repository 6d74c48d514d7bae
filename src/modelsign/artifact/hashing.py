"""Digests of a model's files: one pass over the bytes, on all processors, in constant memory.

Small files are hashed in runs of one folder, so that each is opened relative to a folder that is
already open; a large file is a task of its own. hashlib releases the interpreter's lock, so threads
are enough. Nothing is cached between runs: a digest kept by a file's times can be fooled.

Never follows a link, never maps a file.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from typing import TYPE_CHECKING, Final

from modelsign.artifact.model import Artifact, FileEntry, unreadable
from modelsign.artifact.walk import FILE_FLAGS
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from hashlib import _Hash

    from modelsign.artifact.snapshot import Snapshot

    _Task = Callable[["_Work"], None]

__all__ = ["hash_artifact", "hash_descriptor"]

BUFFER: Final = 1024 * 1024
"""Bytes of one read of a large file; one buffer per thread."""
SMALL: Final = 64 * 1024
"""Up to this size a file is read in one go."""
RUN: Final = 256
"""Small files in one task."""
ALONE: Final = 4 * 1024 * 1024
"""Up to this many bytes in all, starting a thread costs more than it brings."""
MOST_THREADS: Final = 16


class _Work:
    """What the threads of one pass share. Deque and dict operations are atomic in CPython."""

    def __init__(self, artifact: Artifact, algorithm: str, progress: Callable[[int], None] | None) -> None:
        self.artifact = artifact
        self.new: Callable[..., _Hash] = getattr(hashlib, algorithm)
        self.progress = progress
        self.tasks: deque[_Task] = deque()
        self.digests: dict[str, str] = {}
        self.faults: list[ModelsignError] = []

    def run(self) -> None:
        """Work until no task is left or one failed."""
        try:
            while self.tasks:
                self.tasks.popleft()(self)
        except IndexError:  # another thread took the last task
            return
        except ModelsignError as fault:
            self.faults.append(fault)
            self.tasks.clear()


def hash_artifact(
    artifact: Artifact | Snapshot,
    *,
    algorithm: str = "sha256",
    aside: bool = False,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """Return name → digest in lowercase hex for every file of the manifest.

    ``algorithm`` is ``sha256`` or ``blake2b``. ``aside`` adds the files under git's names. ``progress`` is
    called with numbers of bytes, from any thread. A snapshot that has its digests already is not read again.

    Raises:
        ModelsignError: ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

    """
    if not isinstance(artifact, Artifact):
        return dict(artifact.digests)
    work = _Work(artifact, algorithm, progress)
    entries = artifact.files + artifact.aside if aside else artifact.files
    _plan(work, artifact, aside=aside)
    total = sum(entry.size for entry in entries)
    wanted = threads or min(len(os.sched_getaffinity(0)), MOST_THREADS)
    _run(work, 1 if total <= ALONE else min(wanted, len(work.tasks)))
    if work.faults:
        raise work.faults[0]
    if len(work.digests) != len(entries):
        raise error("INTERNAL", "a hashing thread ended without a result")
    return work.digests


def _plan(work: _Work, artifact: Artifact, *, aside: bool) -> None:
    large: list[FileEntry] = []
    for folder, entries in artifact.spans:
        small = [entry for entry in entries if entry.size <= SMALL]
        large += [entry for entry in entries if entry.size > SMALL] if len(small) < len(entries) else []
        for first in range(0, len(small), RUN):
            work.tasks.append(_small_task(folder, small[first : first + RUN]))
    sizes = dict(artifact.files) if artifact.linked else {}
    large += [FileEntry(name, sizes[name]) for name in artifact.linked]
    if aside:
        large += artifact.aside
    # The largest first, so that no thread is left alone with it at the end.
    large.sort(key=lambda entry: entry.size)
    work.tasks.extendleft(map(_large_task, large))


def _run(work: _Work, threads: int) -> None:
    if threads <= 1:
        work.run()
        return
    import threading  # noqa: PLC0415 - a small model needs no thread

    crew = [threading.Thread(target=work.run, daemon=True) for _ in range(threads - 1)]
    try:
        for thread in crew:
            thread.start()
        work.run()
    except BaseException:
        work.tasks.clear()
        raise
    finally:
        for thread in crew:
            thread.join()


def _small_task(folder: str, entries: Sequence[FileEntry]) -> _Task:
    skip = len(folder) + 1 if folder else 0

    def hash_run(work: _Work) -> None:
        parent = work.artifact.open_folder(folder)
        new, digests, done = work.new, work.digests, 0
        name = folder
        try:
            for name, size in entries:
                descriptor = os.open(name[skip:], FILE_FLAGS, dir_fd=parent)
                try:
                    # One byte more than was listed shows a file that grew.
                    data = os.read(descriptor, size + 1)
                finally:
                    os.close(descriptor)
                if len(data) != size:
                    raise _changed(name)
                digests[name] = new(data).hexdigest()
                done += size
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(parent)
        if work.progress:
            work.progress(done)

    return hash_run


def _large_task(entry: FileEntry) -> _Task:
    def hash_one(work: _Work) -> None:
        descriptor = work.artifact.descriptor(entry.name)
        try:
            work.digests[entry.name] = hash_descriptor(descriptor, entry.name, new=work.new, progress=work.progress)
        except OSError as fault:
            raise unreadable(entry.name, fault) from None
        finally:
            os.close(descriptor)

    return hash_one


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
        if progress:
            progress(count)
    after = os.fstat(descriptor)
    if (total, before.st_mtime_ns, before.st_ctime_ns) != (after.st_size, after.st_mtime_ns, after.st_ctime_ns):
        raise _changed(name)
    return hasher.hexdigest()


def _changed(name: str) -> ModelsignError:
    return error("FILE_CHANGED_WHILE_READ", f"{name!r} was written to while it was read")
