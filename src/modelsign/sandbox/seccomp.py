"""A seccomp filter: the calls a process needs that computes, reads open descriptors and answers; nothing else.

A list of what is allowed, so that a call nobody thought of is refused. Refused calls fail with ``EPERM``: opening any
path, sockets, new processes and programs, signals to others, ptrace, memory that can be executed. Calls under another
numbering (32 bit, x32) kill the process.

Source: seccomp(2), Linux's ``include/uapi/linux/seccomp.h`` and ``filter.h``; numbers from ``asm/unistd_64.h`` (x86-64)
and ``asm-generic/unistd.h`` (AArch64).
"""

from __future__ import annotations

import ctypes
import os
from struct import pack
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.sandbox.libc import PR_SET_SECCOMP, prctl

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["filter_program", "install"]

_EPERM: Final = 1
_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL: Final = 0x80000000
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16
_PROT_EXEC: Final = 4
_X32: Final = 0x40000000


class _Machine(NamedTuple):
    """How one architecture numbers calls: its audit number, its column below, and where other numberings begin."""

    audit: int
    column: int
    most: int | None


_MACHINES: Final[Mapping[str, _Machine]] = {
    "x86_64": _Machine(0xC000003E, 0, _X32),
    "aarch64": _Machine(0xC00000B7, 1, None),
}

# The calls by x86-64's and AArch64's numbers, the most frequent first; None where an architecture has no such call.
_CALLS: Final[tuple[tuple[str, int | None, int | None], ...]] = (
    ("pread64", 17, 67),
    ("read", 0, 63),
    ("recvfrom", 45, 207),
    ("recvmsg", 47, 212),
    ("sendto", 44, 206),
    ("sendmsg", 46, 211),
    ("close", 3, 57),
    ("fstat", 5, 80),
    ("newfstatat", 262, 79),
    ("munmap", 11, 215),
    ("brk", 12, 214),
    ("mremap", 25, 216),
    ("madvise", 28, 233),
    ("futex", 202, 98),
    ("pwrite64", 18, 68),
    ("write", 1, 64),
    ("ftruncate", 77, 46),
    ("lseek", 8, 62),
    ("fcntl", 72, 25),
    ("statx", 332, 291),
    ("rt_sigaction", 13, 134),
    ("rt_sigprocmask", 14, 135),
    ("rt_sigreturn", 15, 139),
    ("sigaltstack", 131, 132),
    ("restart_syscall", 219, 128),
    ("poll", 7, None),
    ("ppoll", 271, 73),
    ("sched_yield", 24, 124),
    ("nanosleep", 35, 101),
    ("clock_nanosleep", 230, 115),
    ("clock_gettime", 228, 113),
    ("gettimeofday", 96, 169),
    ("getpid", 39, 172),
    ("gettid", 186, 178),
    ("getrusage", 98, 165),
    ("getrandom", 318, 278),
    ("sysinfo", 99, 179),
    ("membarrier", 324, 283),
    ("set_robust_list", 273, 99),
    ("rseq", 334, 293),
    ("exit", 60, 93),
    ("exit_group", 231, 94),
)
_MAPS: Final = (("mmap", 9, 222), ("mprotect", 10, 226))
"""Allowed where the memory is not to be executed."""
_TGKILL: Final = (234, 131)
"""Allowed where the process ends itself, as abort(3) does."""


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return pack("=HBBI", code, yes, no, value)


def _argument(index: int) -> int:
    """Return where the low half of an argument lies; both architectures are little-endian."""
    return _ARGUMENTS + 8 * index


def filter_program(machine: str, process: int) -> bytes:
    """Return the filter for a machine (``os.uname``) and the process id it will run in.

    Raises:
        OSError: the numbers of this machine are not known here.

    """
    if machine not in _MACHINES:
        raise OSError(0, f"the system calls of {machine} are not known")
    audit, column, most = _MACHINES[machine]
    refuse, allow = _step(_RETURN, _ERRNO | _EPERM), _step(_RETURN, _ALLOW)
    steps = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, audit, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _NUMBER)]
    if most is not None:
        steps += [_step(_AT_LEAST, most, 0, 1), _step(_RETURN, _KILL)]
    for _, *numbers in _CALLS:
        number = numbers[column]
        if number is not None:
            steps += [_step(_EQUAL, number, 0, 1), allow]
    for _, *known in _MAPS:
        steps += [_step(_EQUAL, known[column], 0, 4), _step(_LOAD, _argument(2)), _step(_ANY_BIT, _PROT_EXEC, 0, 1)]
        steps += [refuse, allow]
    steps += [_step(_EQUAL, _TGKILL[column], 0, 4), _step(_LOAD, _argument(0)), _step(_EQUAL, process, 1, 0)]
    steps += [refuse, allow, refuse]
    return b"".join(steps)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def install() -> None:
    """Put the filter in force for this process, for good; it must not gain privileges any more.

    Raises:
        OSError: the kernel refused, or the machine is unknown.

    """
    steps = filter_program(os.uname().machine, os.getpid())
    program = _Program(len(steps) // 8, steps)
    prctl(PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(program))
