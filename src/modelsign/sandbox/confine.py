"""Confines the running process for good, by every layer the system has; each is optional, and what is missing is told.

Call it in a process of one thread that has imported all it will need: no path can be opened afterwards.
"""

from __future__ import annotations

import functools
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["LAYERS", "Confined", "Fences", "confine", "prepare"]

_GIB: Final = 1024**3
_DESCRIPTORS: Final = 32
_GRACE: Final = 5
"""Seconds between the signal that tells of spent processor time and the one that ends the process."""


@dataclass(frozen=True, slots=True)
class Fences:
    """The last bounds on a process, generous: its own budgets should stop it long before.

    ``memory_bytes`` of address space, ``cpu_seconds`` of processor time in all, ``file_bytes`` in the one file it was
    given to write to, ``wait_seconds`` that one answer is waited for.
    """

    memory_bytes: int = 8 * _GIB
    cpu_seconds: int = 3600
    file_bytes: int = 0
    wait_seconds: int = 4 * 3600


@dataclass(frozen=True, slots=True)
class Confined:
    """Which layers are in force; ``missing`` are those that are not, each as ``name: why``."""

    in_force: tuple[str, ...]
    missing: tuple[str, ...]


def _limit(fences: Fences) -> None:
    import resource  # noqa: PLC0415 - not on every system

    refused = []
    for name, soft, hard in (
        ("AS", fences.memory_bytes, fences.memory_bytes),
        ("CORE", 0, 0),
        ("CPU", fences.cpu_seconds, fences.cpu_seconds + _GRACE),
        ("FSIZE", fences.file_bytes, fences.file_bytes),
        ("NOFILE", _DESCRIPTORS, _DESCRIPTORS),
        ("NPROC", 0, 0),
    ):
        try:
            kind = getattr(resource, f"RLIMIT_{name}")
            most = resource.getrlimit(kind)[1]
            bounded = [bound if most == resource.RLIM_INFINITY else min(bound, most) for bound in (soft, hard)]
            resource.setrlimit(kind, (bounded[0], bounded[1]))
        except (AttributeError, OSError, ValueError):
            refused.append(name)
    if refused:
        raise OSError(0, f"RLIMIT_{', RLIMIT_'.join(refused)} cannot be set")


@functools.cache
def _linux() -> dict[str, Callable[[], None]]:
    """Import what Linux has; there are systems without ctypes."""
    from modelsign.sandbox import landlock, libc, seccomp  # noqa: PLC0415 - Linux alone

    def no_new_privileges() -> None:
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)

    return {"no-new-privileges": no_new_privileges, "landlock": landlock.restrict, "seccomp": seccomp.install}


def prepare() -> None:
    """Import what confining needs, once for all the children that a process forks."""
    with suppress(ImportError):
        import resource  # noqa: F401, PLC0415 - not on every system

        if sys.platform.startswith("linux"):
            _linux()


LAYERS: Final = ("rlimits", "no-new-privileges", "landlock", "seccomp")
"""The layers there are, in the order in which they are put in force; seccomp forbids the calls of the others."""


def confine(fences: Fences, layers: Iterable[str] = LAYERS) -> Confined:
    """Put the named layers in force, as far as the system has them."""
    prepare()  # behind the first layers nothing can be imported
    wanted = frozenset(layers)
    in_force, missing = [], []
    for name in LAYERS:
        why = _apply(name, fences) if name in wanted else "not asked for"
        if why:
            missing.append(f"{name}: {why}")
        else:
            in_force.append(name)
    return Confined(tuple(in_force), tuple(missing))


def _apply(name: str, fences: Fences) -> str:
    """Put a layer in force; return why not, or nothing."""
    try:
        if name == "rlimits":
            _limit(fences)
        elif sys.platform.startswith("linux"):
            _linux()[name]()
        else:
            return "Linux alone has it"
    except (ImportError, OSError) as fault:
        return str(getattr(fault, "strerror", None) or fault)
    return ""
