"""Lets a caller watch the pickles that a scan walks, without passing through every reader.

``scan/trace.py`` watches to disassemble them. A watcher sees and changes nothing of the scan.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["Watcher", "enter", "watcher"]


class Watcher(Protocol):
    """What is told of a scan while it runs."""

    def enter(self, path: str | None, where: str) -> None:
        """Be told what is looked at next: a file where ``path`` is given, and the path inside it."""
        ...

    def pickles(
        self, reading: Reading, start: int, end: int, findings: Sequence[Finding], skips: Mapping[int, int]
    ) -> None:
        """Be told of pickles from ``start`` to ``end``; ``skips`` are arrays between opcodes, by where they start."""
        ...


watcher: Final[ContextVar[Watcher | None]] = ContextVar("watcher", default=None)
"""Who watches the running scan."""


def enter(where: str, *, path: str | None = None) -> None:
    """Tell whoever watches what is looked at next."""
    watching = watcher.get()
    if watching is not None:
        watching.enter(path, where)
