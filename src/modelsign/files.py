"""Small whole files: bounded reads and atomic writes.

Never used for a model's own files; those are read through ``artifact``.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from modelsign.errors import error

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_bounded", "write_atomic"]


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
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise error("INPUT_UNREADABLE", f"{what} {os.fspath(path)!r} is not a regular file")
        data = _read(descriptor, most_bytes + 1)
    except OSError as fault:
        raise error("INPUT_UNREADABLE", f"{what} {os.fspath(path)!r}: {_words(fault)}") from None
    finally:
        os.close(descriptor)
    if len(data) > most_bytes:
        raise error("INPUT_TOO_LARGE", f"{what} {os.fspath(path)!r} has more than {most_bytes} bytes")
    return data


def _read(descriptor: int, most_bytes: int) -> bytes:
    parts, left = [], most_bytes
    while left and (part := os.read(descriptor, min(left, 1024 * 1024))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def write_atomic(path: str | os.PathLike[str], data: bytes, *, mode: int = 0o644, force: bool = False) -> None:
    """Write a file so that it is there whole or not at all.

    The bytes go to a new file in the same folder, are flushed to disk, and take the final
    name last. Without ``force`` an existing name is never replaced (link, not rename).

    Raises:
        ModelsignError: ``OUTPUT_EXISTS`` or ``OUTPUT_UNWRITABLE``.

    """
    import secrets  # noqa: PLC0415 - two of the slowest imports on the way to a verdict, which writes nothing
    from pathlib import Path  # noqa: PLC0415 - same

    target = Path(path)
    scratch = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        _write_new(scratch, data, mode)
        if force:
            scratch.replace(target)
        else:
            os.link(scratch, target, follow_symlinks=False)
    except FileExistsError:
        raise error("OUTPUT_EXISTS", f"{str(target)!r} exists already") from None
    except OSError as fault:
        raise error("OUTPUT_UNWRITABLE", f"{str(target)!r}: {_words(fault)}") from None
    finally:
        scratch.unlink(missing_ok=True)


def _write_new(scratch: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(descriptor, "wb", closefd=True) as stream:  # noqa: PTH123 - a descriptor, not a path
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)


def _words(fault: OSError | ValueError) -> str:
    return fault.strerror or str(fault) if isinstance(fault, OSError) else str(fault)
