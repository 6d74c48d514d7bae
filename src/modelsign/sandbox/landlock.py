"""Landlock: no file below any path, no TCP port, no process outside, for this process and for good.

Everything that the running kernel's version of Landlock can forbid is forbidden, without exception. Descriptors that
are open already stay as they are.

Source: landlock(7), Linux's ``include/uapi/linux/landlock.h``; versions 1 to 6.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

from modelsign.sandbox.libc import syscall

__all__ = ["restrict"]

_CREATE_RULESET: Final = 444
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_FILES: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Kinds of access to files by version of Landlock: the lowest so many bits."""
_NETWORK: Final = 4
"""The first version that knows TCP: bind and connect."""
_SCOPES: Final = 6
"""The first version that knows abstract UNIX sockets and signals."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def restrict() -> None:
    """Forbid all that can be forbidden; the process must not gain privileges any more.

    Raises:
        OSError: the kernel has no Landlock, or it is switched off.

    """
    version = syscall(_CREATE_RULESET, 0, 0, _ASK_VERSION)
    ruleset = _Ruleset(
        files=(1 << _FILES[min(version, max(_FILES))]) - 1,
        network=3 if version >= _NETWORK else 0,
        scopes=3 if version >= _SCOPES else 0,
    )
    # Older kernels refuse a structure longer than theirs unless what they do not know is zero, which it is.
    descriptor = syscall(_CREATE_RULESET, ctypes.addressof(ruleset), ctypes.sizeof(ruleset), 0)
    try:
        syscall(_RESTRICT_SELF, descriptor, 0)
    finally:
        os.close(descriptor)
