"""The few system calls that Python's ``os`` does not have: prctl(2) and syscall(2), by ctypes.

Linux alone. Every function raises ``OSError`` where the kernel refuses, and nothing else.
"""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Final

__all__ = ["PR_SET_DUMPABLE", "PR_SET_NO_NEW_PRIVS", "PR_SET_PDEATHSIG", "PR_SET_SECCOMP", "prctl", "syscall"]

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    library.prctl.restype = ctypes.c_int
    library.syscall.restype = ctypes.c_long
    return library


def prctl(option: int, argument: int, address: int = 0) -> None:
    """Change something about this process (prctl(2)); ``address`` is that of a structure, for options with one.

    Raises:
        OSError: the kernel refused.

    """
    if _library().prctl(option, argument, address, 0, 0):
        _refused()


def syscall(number: int, *arguments: int) -> int:
    """Call a system call by its number, with numbers and addresses as arguments.

    Raises:
        OSError: the kernel refused.

    """
    result: int = _library().syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
    if result < 0:
        _refused()
    return result


def _refused() -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
