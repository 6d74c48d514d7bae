"""The attestation store: ``model.intoto.jsonl``, one Sigstore bundle a line (in-toto attestation, bundle).

The file as a whole is not authenticated and its order means nothing: lines that are not bundles, or that nobody
trusted signed, are ignored and listed, because whoever can write the store can add and remove lines.

Appending takes a lock on the folder, keeps every byte that is there, and replaces the file whole.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign import files, limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.bundle import parse_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.signing.bundle import Bundle

__all__ = ["StoredLine", "append_line", "locked", "read_lines", "refuse_other_file", "store_place"]

_LOCK_TRIES: Final = 200
_LOCK_PAUSE: Final = 0.05
"""Seconds between two tries; ten seconds in all, where an append takes some hundredths of one."""


def store_place(model: str | os.PathLike[str]) -> str:
    """Return where the attestations of a model lie unless the caller says otherwise."""
    location = os.fspath(model)
    return os.path.join(location, "model.intoto.jsonl") if os.path.isdir(location) else f"{location}.intoto.jsonl"  # noqa: PTH112, PTH118 - strings, as in artifact


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One line of a store. ``bundle`` is None where the line is not a bundle; then ``problem`` says why.

    ``number`` counts from 1, ``digest`` is the SHA-256 of the line without its line end.
    """

    number: int
    digest: str
    bundle: Bundle | None
    problem: ModelsignError | None = None


def read_lines(data: bytes) -> tuple[StoredLine, ...]:
    """Read the lines of a store; empty lines are passed over.

    Raises:
        ModelsignError: ``ATTESTATION_STORE_UNUSABLE`` where the store is larger than its limits.

    """
    if len(data) > limits.STORE_BYTES:
        raise error("ATTESTATION_STORE_UNUSABLE", f"the store has more than {limits.STORE_BYTES} bytes")
    raw = data.split(b"\n")
    if len(raw) > limits.STORE_LINES + 1:
        raise error("ATTESTATION_STORE_UNUSABLE", f"the store has more than {limits.STORE_LINES} lines")
    return tuple(_line(number, line.strip(b" \t\r")) for number, line in enumerate(raw, 1) if line.strip(b" \t\r"))


def _line(number: int, line: bytes) -> StoredLine:
    digest = hashlib.sha256(line).hexdigest()
    try:
        return StoredLine(number, digest, parse_bundle(line))
    except ModelsignError as fault:
        fault.__context__ = None  # with its traceback, the refusal of ten bytes would keep thousands
        return StoredLine(number, digest, None, fault.with_traceback(None))


def refuse_other_file(path: str | os.PathLike[str]) -> None:
    """Refuse a file that holds something and no attestation: a path named by mistake, such as a key or a README.

    Raises:
        ModelsignError: ``ATTESTATION_STORE_UNUSABLE``.

    """
    target = os.fspath(path)
    lines = [line for line in _existing(target)[0].split(b"\n") if line.strip(b" \t\r")]
    if lines and not any(_line(0, line).bundle for line in lines):
        raise error("ATTESTATION_STORE_UNUSABLE", f"{target!r} holds no attestation, so none is added to it")


def append_line(path: str | os.PathLike[str], bundle: bytes) -> int:
    """Append one bundle to a store, making the store if there is none; return the number of its line.

    What the store holds is kept byte for byte. A process that appends at the same time waits.

    Raises:
        ModelsignError: ``ATTESTATION_STORE_UNUSABLE``, ``ATTESTATION_STORE_LOCKED`` or ``OUTPUT_UNWRITABLE``.

    """
    if b"\n" in bundle:
        raise error("ATTESTATION_STORE_UNUSABLE", "a bundle in a store is one line")
    target = os.fspath(path)
    with locked(os.path.dirname(os.path.abspath(target))):  # noqa: PTH100, PTH120 - strings throughout
        before, mode = _existing(target)
        if before and not before.endswith(b"\n"):
            before += b"\n"
        after = before + bundle + b"\n"
        number = after.count(b"\n")
        if len(after) > limits.STORE_BYTES or number > limits.STORE_LINES:
            raise error("ATTESTATION_STORE_UNUSABLE", f"the store {target!r} is full")
        files.write_atomic(target, after, mode=mode, force=True)
        return number


def _existing(target: str) -> tuple[bytes, int]:
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return b"", 0o644
    if not stat.S_ISREG(found.st_mode):
        raise error("ATTESTATION_STORE_UNUSABLE", f"{target!r} is not a regular file")
    try:
        return files.read_bounded(target, limits.STORE_BYTES, what="attestation store"), stat.S_IMODE(found.st_mode)
    except ModelsignError as fault:
        raise error("ATTESTATION_STORE_UNUSABLE", fault.message) from None


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """Hold the folder's lock: the file itself is replaced, so a lock on it would guard nothing."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as fault:
        raise error("OUTPUT_UNWRITABLE", f"{folder!r}: {fault.strerror}") from None
    try:
        try:
            _take_lock(descriptor, folder)
        except OSError as fault:
            if fault.errno not in {errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK, errno.EBADF}:
                raise
            raise error("OUTPUT_UNWRITABLE", f"{folder!r}: this file system has no locks") from None
        yield
    finally:
        os.close(descriptor)


def _take_lock(descriptor: int, folder: str) -> None:
    """Take the lock in a bounded number of tries: whoever may open the folder can hold it for ever."""
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE)
        else:
            return
    raise error("ATTESTATION_STORE_LOCKED", f"another process holds the lock of {folder!r}")
