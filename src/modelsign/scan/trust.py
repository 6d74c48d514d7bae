"""Names a caller takes for safe beyond those known to be, for the time of one scan.

They reach the pickle machine without passing through every reader. A name with a known danger is never among them
in effect: trust fills gaps in knowledge, it overrules none.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_trusted", "trusted_names", "trusting"]

_NOBODY: Final[frozenset[str]] = frozenset()
trusted_names: Final[ContextVar[frozenset[str]]] = ContextVar("trusted_names", default=_NOBODY)
"""The names, as ``module.qualname``."""


def is_trusted(name: str) -> bool:
    """Whether the running scan takes a name for safe."""
    return name in trusted_names.get()


class trusting:  # noqa: N801 - reads as a verb: with trusting(names)
    """Take names for safe within a block."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the names."""
        self._names = frozenset(names)

    def __enter__(self) -> None:
        """Begin to trust."""
        self._token = trusted_names.set(self._names)

    def __exit__(self, *_: object) -> None:
        """Trust no longer."""
        trusted_names.reset(self._token)
