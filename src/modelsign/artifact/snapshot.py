"""A private copy of a model that nobody else can write: what is judged is what is loaded.

Every file is copied once into memory that is then sealed (memfd_create(2), fcntl(2) F_ADD_SEALS), and
hashed while it is copied. Whoever writes, renames or exchanges the files afterwards does not reach the
copy. Where the kernel has no memfd an unlinked temporary file takes its place, reopened read-only;
``sealed`` is False then, and another process of the same user could still write to it.

Holds what the manifest covers; never ``.git``, never evidence.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import TYPE_CHECKING, Final, Self

from modelsign.artifact.model import FileEntry, unreadable
from modelsign.artifact.reading import FileReading
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from modelsign.artifact.model import Artifact

__all__ = ["Snapshot", "take_snapshot"]

_CHUNK: Final = 1024 * 1024
_SPARE_DESCRIPTORS: Final = 64


class Snapshot:
    """A sealed copy of a model; a context manager with the surface of an Artifact.

    ``digests`` are name → SHA-256 hex for the files of the manifest and those aside, computed from the
    very bytes of the copy. ``sealed`` says whether the kernel keeps everybody from writing to it.
    """

    def __init__(self, artifact: Artifact) -> None:
        """Take the names of the artifact; :func:`take_snapshot` fills in the bytes."""
        self.name = artifact.name
        self.single_file = artifact.single_file
        self.files: tuple[FileEntry, ...] = ()
        self.aside: tuple[str, ...] = artifact.aside
        self.evidence: tuple[str, ...] = ()
        self.leftovers: tuple[str, ...] = ()
        self.ignored = artifact.ignored
        self.unmatched_ignores = artifact.unmatched_ignores
        self.warnings = artifact.warnings
        self.named_evidence = artifact.named_evidence
        self.ignores_git = artifact.ignores_git
        self.follows_links = artifact.follows_links
        self.digests: Mapping[str, str] = {}
        self.sealed = True
        self.descriptors: dict[str, int] = {}
        self._farms: list[str] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up the copy."""
        self.close()

    @property
    def names(self) -> tuple[str, ...]:
        """What the manifest covers, sorted by code points."""
        return tuple(entry.name for entry in self.files)

    def close(self) -> None:
        """Give up the copy and remove link farms; safe to call twice. Descriptors handed out stay open."""
        while self._farms:
            _remove(self._farms.pop())
        while self.descriptors:
            os.close(self.descriptors.popitem()[1])

    def open(self, name: str) -> FileReading:
        """Open one of the copies for random access.

        Raises:
            KeyError: the model has no such file.

        """
        return FileReading(self.descriptor(name), name)

    def descriptor(self, name: str) -> int:
        """Return a fresh read-only descriptor of one of the copies, at its start; the caller closes it.

        Raises:
            KeyError: the model has no such file.

        """
        return os.open(f"/proc/self/fd/{self.descriptors[name]}", os.O_RDONLY | os.O_CLOEXEC)

    def link_farm(self) -> str:
        """Make a private folder of links to the copies, for loaders that only take paths.

        The folder has mode 0700 and is removed by :meth:`close`; its links lead to this process's own
        descriptors, so it is of use to this process alone.

        Raises:
            ModelsignError: ``SNAPSHOT_FAILED``.

        """
        import tempfile  # noqa: PLC0415 - slow to import, and only path-taking loaders need it

        try:
            farm = tempfile.mkdtemp(prefix="modelsign-")
            self._farms.append(farm)
            top = os.path.join(farm, self.name if not self.single_file else "model")
            os.mkdir(top, 0o700)
            for entry in self.files:
                place = os.path.join(top, entry.name)
                os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
                os.symlink(f"/proc/{os.getpid()}/fd/{self.descriptors[entry.name]}", place)
        except OSError as fault:
            raise error("SNAPSHOT_FAILED", f"no folder of links could be made: {fault.strerror}") from None
        return top


def take_snapshot(artifact: Artifact, *, most_bytes: int | None = None) -> Snapshot:
    """Copy every file of the model into sealed memory while hashing it.

    Raises:
        ModelsignError: ``SNAPSHOT_TOO_LARGE`` if the copies would hold more than ``most_bytes``,
            ``SNAPSHOT_FAILED``, ``FILE_UNREADABLE`` or ``FILE_CHANGED_WHILE_READ``.

    """
    names = artifact.names + artifact.aside
    _want_descriptors(len(names))
    snapshot = Snapshot(artifact)
    left = most_bytes
    digests: dict[str, str] = {}
    sizes: dict[str, int] = {}
    try:
        for name in names:
            digests[name], sizes[name] = _copy(artifact, name, snapshot, left)
            left = None if left is None else left - sizes[name]
    except BaseException:
        snapshot.close()
        raise
    snapshot.digests = digests
    snapshot.files = tuple(FileEntry(name, sizes[name]) for name in artifact.names)
    return snapshot


def _copy(artifact: Artifact, name: str, snapshot: Snapshot, left: int | None) -> tuple[str, int]:
    source = artifact.descriptor(name)
    try:
        before = os.fstat(source)
        if left is not None and before.st_size > left:
            raise error("SNAPSHOT_TOO_LARGE", f"{name} does not fit into the limit of the private copy")
        target = _new_copy(snapshot)
        snapshot.descriptors[name] = target
        digest, size = _transfer(source, target, name, before.st_size)
        after = os.fstat(source)
    finally:
        os.close(source)
    if (size, before.st_mtime_ns, before.st_ctime_ns) != (after.st_size, after.st_mtime_ns, after.st_ctime_ns):
        raise error("FILE_CHANGED_WHILE_READ", f"{name} was written to while it was read")
    if snapshot.sealed:
        fcntl.fcntl(
            target, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        )
    else:
        snapshot.descriptors[name] = os.open(f"/proc/self/fd/{target}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(target)
    return digest, size


def _transfer(source: int, target: int, name: str, expected: int) -> tuple[str, int]:
    hasher = hashlib.sha256()
    buffer = memoryview(bytearray(min(_CHUNK, expected + 1)))
    size = 0
    while True:
        try:
            count = os.readv(source, [buffer])
        except OSError as fault:
            raise unreadable(name, fault) from None
        if not count:
            return hasher.hexdigest(), size
        size += count
        if size > expected:
            raise error("FILE_CHANGED_WHILE_READ", f"{name} grew while it was read")
        hasher.update(buffer[:count])
        written = 0
        while written < count:
            try:
                written += os.write(target, buffer[written:count])
            except OSError as fault:
                raise error("SNAPSHOT_FAILED", f"{name} could not be copied: {fault.strerror}") from None


def _new_copy(snapshot: Snapshot) -> int:
    try:
        if hasattr(os, "memfd_create"):
            return os.memfd_create("modelsign", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    except OSError as fault:
        raise error("SNAPSHOT_FAILED", f"no sealed memory: {fault.strerror}") from None
    import tempfile  # noqa: PLC0415 - the way of old kernels

    snapshot.sealed = False
    try:
        return os.open(tempfile.gettempdir(), os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as fault:
        raise error("SNAPSHOT_FAILED", f"no temporary file: {fault.strerror}") from None


def _want_descriptors(count: int) -> None:
    """Raise the soft limit on open files as far as the hard limit allows."""
    import resource  # noqa: PLC0415 - only snapshots need it

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = len(os.listdir("/proc/self/fd")) + count + _SPARE_DESCRIPTORS
    if wanted <= soft:
        return
    if wanted > hard:
        raise error("SNAPSHOT_FAILED", f"a copy of {count} files needs {wanted} descriptors; the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _remove(farm: str) -> None:
    import shutil  # noqa: PLC0415 - slow to import, and only link farms need it

    shutil.rmtree(farm, ignore_errors=True)
