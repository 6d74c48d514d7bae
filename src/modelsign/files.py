"""Small whole files: bounded reads and atomic writes.

Never used for a model's own files; those are read through ``artifact``.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Final

from modelsign.errors import error

__all__ = ["is_scratch", "read_bounded", "write_atomic"]

_PARENT: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_UNNAMED: Final[int] = getattr(os, "O_TMPFILE", 0)
_SCRATCH: Final = ".modelsign-"
_SCRATCH_END: Final = ".part"
_SCRATCH_LENGTH: Final = len(_SCRATCH) + 16 + len(_SCRATCH_END)


def read_bounded(path: str | os.PathLike[str], most_bytes: int, *, what: str = "file") -> bytes:
    """Read a regular file of at most ``most_bytes`` bytes.

    Raises:
        ModelsignError: ``INPUT_UNREADABLE`` or ``INPUT_TOO_LARGE``.

    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as fault:
        raise error("INPUT_UNREADABLE", f"{what} {os.fspath(path)!r}: {_words(fault)}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise error("INPUT_UNREADABLE", f"{what} {os.fspath(path)!r} is not a regular file")
        # What is known to be too large is not read; else one read takes it all, without a second copy.
        data = _read(descriptor, most_bytes + 1, status.st_size + 1) if status.st_size <= most_bytes else None
    except OSError as fault:
        raise error("INPUT_UNREADABLE", f"{what} {os.fspath(path)!r}: {_words(fault)}") from None
    finally:
        os.close(descriptor)
    if data is None or len(data) > most_bytes:
        raise error("INPUT_TOO_LARGE", f"{what} {os.fspath(path)!r} has more than {most_bytes} bytes")
    return data


def _read(descriptor: int, most_bytes: int, piece: int) -> bytes:
    parts, left = [], most_bytes
    while left and (part := os.read(descriptor, min(left, piece))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def write_atomic(path: str | os.PathLike[str], data: bytes, *, mode: int = 0o644, force: bool = False) -> None:
    """Write a file so that it is there whole or not at all.

    The bytes go to a file without a name in the same folder (open(2), O_TMPFILE), are flushed to disk, and get the
    final name last. Without ``force`` an existing name is never replaced (link, not rename). Only a replacement needs
    a second name for a moment, and so does a file system without unnamed files: see :func:`is_scratch`. A regular file
    or a link is replaced, never a device, a pipe or a socket: ``/dev/null`` would be gone for everybody.

    Raises:
        ModelsignError: ``OUTPUT_EXISTS`` or ``OUTPUT_UNWRITABLE``.

    """
    place = os.fspath(path)
    folder, name = os.path.split(place)
    try:
        parent = os.open(folder or ".", _PARENT)
        try:
            _publish(parent, name, data, mode, force=force)
        finally:
            os.close(parent)
    except FileExistsError:
        raise error("OUTPUT_EXISTS", f"{place!r} exists already") from None
    except (OSError, ValueError) as fault:
        raise error("OUTPUT_UNWRITABLE", f"{place!r}: {_words(fault)}") from None


def is_scratch(name: str) -> bool:
    """Say whether a base name is one of those under which whole files wait to replace others.

    A process that is killed in that moment leaves one behind. Nobody signs or loads it.
    """
    return len(name) == _SCRATCH_LENGTH and name.startswith(_SCRATCH) and name.endswith(_SCRATCH_END)


def _publish(parent: int, name: str, data: bytes, mode: int, *, force: bool) -> None:
    if _UNNAMED:
        try:
            _write_unnamed(parent, name, data, mode, force=force)
        except FileExistsError:
            raise
        except OSError:  # perhaps for want of O_TMPFILE or /proc; what else is wrong shows again
            pass
        else:
            return
    _write_named(parent, name, data, mode, force=force)


def _write_unnamed(parent: int, name: str, data: bytes, mode: int, *, force: bool) -> None:
    descriptor = os.open(".", os.O_WRONLY | _UNNAMED | os.O_CLOEXEC, mode, dir_fd=parent)
    try:
        _fill(descriptor, data)
        source = f"/proc/self/fd/{descriptor}"
        try:
            os.link(source, name, dst_dir_fd=parent, follow_symlinks=True)  # the link in /proc, by linkat(2)
        except FileExistsError:
            if not force:
                raise
            scratch = _scratch()
            os.link(source, scratch, dst_dir_fd=parent, follow_symlinks=True)
            _give_name(parent, scratch, name, force=True)
    finally:
        os.close(descriptor)


def _write_named(parent: int, name: str, data: bytes, mode: int, *, force: bool) -> None:
    scratch = _scratch()
    descriptor = os.open(
        scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=parent
    )
    try:
        _fill(descriptor, data)
        _give_name(parent, scratch, name, force=force)
    finally:
        _remove(parent, scratch)
        os.close(descriptor)


def _give_name(parent: int, scratch: str, name: str, *, force: bool) -> None:
    try:
        if force:
            _check_replaceable(parent, name)
            os.replace(scratch, name, src_dir_fd=parent, dst_dir_fd=parent)
        else:
            os.link(scratch, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
    finally:
        _remove(parent, scratch)


def _check_replaceable(parent: int, name: str) -> None:
    try:
        mode = os.lstat(name, dir_fd=parent).st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):  # a folder is refused by rename(2)
        raise ValueError("is not a regular file, and only such are replaced")


def _remove(parent: int, scratch: str) -> None:
    with contextlib.suppress(OSError):  # it is gone where it was renamed; else nothing may hide the first fault
        os.unlink(scratch, dir_fd=parent)


def _scratch() -> str:
    return f"{_SCRATCH}{os.urandom(8).hex()}{_SCRATCH_END}"


def _fill(descriptor: int, data: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as stream:
        stream.write(data)
    os.fsync(descriptor)


def _words(fault: OSError | ValueError) -> str:
    return fault.strerror or str(fault) if isinstance(fault, OSError) else str(fault)
