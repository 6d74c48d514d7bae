"""Digests of a model's files: one pass over the bytes, on all processors, in constant memory.

Small files are hashed folder by folder, opened relative to a folder that is already open, by one
thread: over a few kilobytes, threads spend more on the interpreter's lock than they win. Large files
are shared out, one task each, since hashing releases the lock; a large file is split inside where only
its shards are wanted. Nothing is cached between runs: a digest kept by a file's times can be fooled.

Never follows a link, never maps a file.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.artifact.algorithms import hasher_of
from modelsign.artifact.manifest import FILES, Digests, Serialization, shard_name
from modelsign.artifact.model import Artifact, unreadable
from modelsign.artifact.shards import Pass, hash_pass, hash_spans, stamp
from modelsign.artifact.walk import FILE_FLAGS
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import AbstractContextManager

    from modelsign.artifact.algorithms import Hasher
    from modelsign.artifact.snapshot import Snapshot

__all__ = ["hash_artifact", "hash_descriptor", "hash_model", "hash_shards"]

SMALL: Final = 64 * 1024
"""A file shorter than this is read in one go."""
ALONE: Final = 4 * 1024 * 1024
"""Up to this many bytes of large files, starting a thread costs more than it brings."""
PIECE: Final = 32 * 1024 * 1024
"""Shards of one file are handed out in groups of at least so many bytes."""
MOST_THREADS: Final = 16


class _Task(NamedTuple):
    """A large file to read through, or shards of one to read from anywhere."""

    name: str
    weight: int
    planned: tuple[int, int, int]
    spans: tuple[tuple[int, int], ...] | None = None


class _Work:
    """What the threads of one pass share. Deque and dict operations are atomic in CPython."""

    def __init__(  # noqa: PLR0913 - the settings of one pass
        self,
        artifact: Artifact | Snapshot,
        serialization: Serialization,
        *,
        tree: bool,
        sizes: bool = True,
        expected: Mapping[str, int] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.artifact = artifact
        self.serialization = serialization
        self.expected = expected
        self.progress = progress
        self.listed_by = hasher_of(serialization.algorithm)
        simple = serialization.shard_size is None and (serialization.algorithm == "sha256" or not tree)
        # One hasher does where the manifest lists whole files under the tree digest's algorithm, or there is no tree.
        self.whole_by: Callable[..., Hasher] | None = self.listed_by if simple else hashlib.sha256 if tree else None
        self.simple = simple
        self.keep = None if simple and not sizes and progress is None else self._keep
        self.large: deque[_Task] = deque()
        self.whole: dict[str, str] = {}
        self.listed: dict[str, str] = self.whole if simple else {}
        self.sizes: dict[str, int] = {}
        self.finished: list[_Task] = []
        self.faults: list[ModelsignError] = []
        self.second: ThreadPoolExecutor | None = None

    def hash_small(self, folder: str, names: Iterable[str]) -> list[str]:
        """Hash the files of one folder that one read can hold; return the others."""
        skip = len(folder) + 1 if folder else 0
        new, whole, keep, larger = self.whole_by, self.whole, self.keep, []
        name = folder
        parent = self.artifact.open_folder(folder)  # type: ignore[union-attr] # a snapshot has no folders, all is large
        try:
            for name in names:
                descriptor = os.open(name[skip:], FILE_FLAGS, dir_fd=parent)
                try:
                    data = os.read(descriptor, SMALL)
                    # Some file systems return less than there is: only an empty read is the end.
                    all_of_it = len(data) < SMALL and not os.read(descriptor, 1)
                    if not data and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                        raise _replaced(name)  # a FIFO nobody writes to reads like an empty file
                finally:
                    os.close(descriptor)
                if not all_of_it:
                    larger.append(name)
                    continue
                if new:
                    whole[name] = new(data).hexdigest()
                if keep:
                    keep(name, data)
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(parent)
        return larger

    def _keep(self, name: str, data: bytes) -> None:
        """Keep what else is wanted of a small file: its size, its listed digests, and that it was read."""
        self.sizes[name] = len(data)
        if self.progress:
            self.progress(len(data))
        if self.simple or not self._as_expected(name, len(data)):
            return
        new, algorithm = self.listed_by, self.serialization.algorithm
        if self.serialization.shard_size is None:
            self.listed[name] = new(data).hexdigest()
            return
        for start, end in self.serialization.spans(len(data)):
            one = end - start == len(data) and algorithm == "sha256" and name in self.whole
            self.listed[shard_name(name, start, end)] = self.whole[name] if one else new(data[start:end]).hexdigest()

    def _as_expected(self, name: str, size: int) -> bool:
        return self.expected is None or self.serialization.shard_size is None or self.expected.get(name) == size

    def plan(self, names: Iterable[str]) -> None:
        """Turn large files into tasks, the largest first, so that no thread is left alone with it at the end."""
        tasks: list[_Task] = []
        for name in names:
            descriptor = self.artifact.descriptor(name)
            planned = stamp(descriptor)
            os.close(descriptor)
            size = planned[0]
            if self.whole_by is None and self.serialization.shard_size is not None:
                self.sizes[name] = size
                spans = self.serialization.spans(size) if self._as_expected(name, size) else []
                tasks += _grouped(name, spans, planned)
            else:
                tasks.append(_Task(name, size, planned))
        self.add(tasks)

    def add(self, tasks: Iterable[_Task]) -> None:
        """Put tasks on the list, the heaviest first."""
        self.large.extend(sorted(tasks, key=lambda task: task.weight, reverse=True))

    def run(self, threads: int | None) -> None:
        """Do every task on the list."""
        count = len(self.large)
        most = threads or min(len(os.sched_getaffinity(0)), MOST_THREADS)
        weight = sum(task.weight for task in self.large)
        crew = min(most, count) if weight > ALONE else 1
        # Where processors would stand idle, the second digest of a file gets a thread of its own.
        spare = not self.simple and self.whole_by is not None and most > count and weight > PIECE
        with _one_thread() if spare else nullcontext() as self.second:
            if crew > 1:
                _share(self, crew)
            else:
                self.hash_large()
        if self.faults:
            raise self.faults[0]
        if len(self.finished) != count:
            raise error("INTERNAL", "a hashing thread ended without a result")

    def hash_large(self) -> None:
        """Do tasks, one after the other, until none is left or one failed; run by every thread."""
        try:
            while True:
                task = self.large.popleft()
                self._do(task)
                self.finished.append(task)
        except IndexError:  # another thread took the last task
            return
        except ModelsignError as fault:
            self.faults.append(fault)
            self.large.clear()

    def _do(self, task: _Task) -> None:
        descriptor = self.artifact.descriptor(task.name)
        try:
            if task.spans is None:
                self._pass(task, descriptor)
            else:
                digests = hash_spans(
                    descriptor, task.name, task.spans, self.listed_by, planned=task.planned, progress=self.progress
                )
                for (start, end), digest in zip(task.spans, digests, strict=True):
                    self.listed[shard_name(task.name, start, end)] = digest
        except OSError as fault:
            raise unreadable(task.name, fault) from None
        finally:
            os.close(descriptor)

    def _pass(self, task: _Task, descriptor: int) -> None:
        name, serialization = task.name, self.serialization
        size = os.fstat(descriptor).st_size
        listing = not self.simple and self._as_expected(name, size)
        wanted = Pass(
            self.whole_by,
            self.listed_by if listing else None,
            serialization.shard_size,
            shared=serialization.algorithm == "sha256",
        )
        whole, listed, size = hash_pass(descriptor, name, wanted, second=self.second, progress=self.progress)
        if whole is not None:
            self.whole[name] = whole
        if listing:
            self.listed.update(zip(serialization.names(name, size), listed, strict=True))
        self.sizes[name] = size


def hash_artifact(
    artifact: Artifact | Snapshot,
    *,
    algorithm: str = "sha256",
    names: Iterable[str] | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, str]:
    """Return name → digest in lowercase hex for every file of the manifest.

    ``algorithm`` is one of ``algorithms.ALGORITHMS``. ``names`` are other files of the artifact to hash instead.
    ``progress`` is called with numbers of bytes, from any thread. A snapshot that has its SHA-256 digests already
    is not read again.

    Raises:
        KeyError: the artifact has no file of such a name.
        ModelsignError: ``FILE_UNREADABLE``, ``FILE_CHANGED_WHILE_READ`` or ``HASH_UNSUPPORTED``.

    """
    if not isinstance(artifact, Artifact) and algorithm == "sha256":
        return {name: artifact.digests[name] for name in (artifact.names if names is None else names)}
    work = _Work(artifact, Serialization(algorithm), tree=False, sizes=False, progress=progress)
    _hash_files(work, names, threads)
    return work.whole


def hash_model(  # noqa: PLR0913 - the settings of one pass
    artifact: Artifact | Snapshot,
    serialization: Serialization = FILES,
    *,
    tree: bool = True,
    names: Iterable[str] | None = None,
    expected: Mapping[str, int] | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Digests:
    """Compute, in one pass over the bytes, the digests that a serialization lists and SHA-256 of whole files.

    Without ``tree`` the whole files are not hashed where the manifest does not ask for it; then the shards of one
    file are shared out among the processors too. ``names`` are the files to hash, by default those of the manifest.
    ``expected`` are sizes by name: a file of another size gets no shards, so that whoever wrote a manifest
    does not decide how many are computed.

    Raises:
        KeyError: the artifact has no file of such a name.
        ModelsignError: ``FILE_UNREADABLE``, ``FILE_CHANGED_WHILE_READ`` or ``HASH_UNSUPPORTED``.

    """
    sealed = not isinstance(artifact, Artifact) and artifact.sealed
    work = _Work(artifact, serialization, tree=tree and not sealed, expected=expected, progress=progress)
    _hash_files(work, names, threads)
    whole = work.whole if serialization.algorithm == "sha256" or not work.simple else {}
    if sealed and tree:  # nobody can have written to it since its digests were taken
        whole = {name: artifact.digests[name] for name in work.sizes}  # type: ignore[union-attr] # a snapshot
    return Digests(serialization, work.listed, whole, work.sizes)


def hash_shards(
    artifact: Artifact,
    algorithm: str,
    spans: Mapping[str, Sequence[tuple[int, int]]],
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Digests:
    """Return the digests of some byte ranges (start, end) of some files, and these files' sizes.

    Raises:
        KeyError: the artifact has no file of such a name.
        ModelsignError: as :func:`hash_model`.

    """
    work = _Work(artifact, Serialization(algorithm, 1), tree=False, progress=progress)
    tasks: list[_Task] = []
    for name, wanted in spans.items():
        descriptor = artifact.descriptor(name)
        planned = stamp(descriptor)
        os.close(descriptor)
        work.sizes[name] = planned[0]
        tasks += _grouped(name, wanted, planned)
    work.add(tasks)
    work.run(threads)
    return Digests(work.serialization, work.listed, {}, work.sizes)


def _hash_files(work: _Work, names: Iterable[str] | None, threads: int | None) -> None:
    artifact = work.artifact
    wanted: Collection[str] = artifact.names if names is None else set(names)
    if isinstance(artifact, Artifact):
        spans: Iterable[tuple[str, Iterable[str]]] = artifact.spans
        if names is not None:
            spans = ((folder, [name for name in members if name in wanted]) for folder, members in artifact.spans)
        larger = [name for name in artifact.linked if name in wanted] if artifact.links else []
        larger += [name for folder, members in spans if members for name in work.hash_small(folder, members)]
        if names is not None:  # those aside, which stand in no folder's list
            larger += wanted.difference(work.whole, work.sizes, larger)  # type: ignore[attr-defined] # a set, here
    else:
        larger = list(wanted)
    if larger:
        work.plan(larger)
        work.run(threads)


def _grouped(name: str, spans: Sequence[tuple[int, int]], planned: tuple[int, int, int]) -> list[_Task]:
    """Make tasks of shards of one file, so that none is tiny."""
    tasks, group, weight = [], [], 0
    for start, end in spans:
        group.append((start, end))
        weight += end - start
        if weight >= PIECE:
            tasks.append(_Task(name, weight, planned, tuple(group)))
            group, weight = [], 0
    if group:
        tasks.append(_Task(name, weight, planned, tuple(group)))
    return tasks


def _one_thread() -> AbstractContextManager[ThreadPoolExecutor]:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import, and rarely wanted

    return ThreadPoolExecutor(1)


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
    new: Callable[..., Hasher] = hashlib.sha256,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Return the digest of an open regular file from its start to its end, lowercase hex.

    Raises:
        ModelsignError: ``FILE_CHANGED_WHILE_READ`` if its size or its times change meanwhile.
        OSError: the file cannot be read.

    """
    whole, _, _ = hash_pass(descriptor, name, Pass(new, None), progress=progress)
    return whole or ""


def _replaced(name: str) -> ModelsignError:
    return error("FILE_CHANGED_WHILE_READ", f"{name} was replaced while the model was read")
