"""Why a walk ends early. Inside the machine alone: the outside sees findings."""

from __future__ import annotations

__all__ = ["Broken", "Exhausted", "Halt"]


class Halt(Exception):
    """The walk cannot go on at ``offset``."""

    def __init__(self, message: str, offset: int) -> None:
        """Take what happened, and where."""
        super().__init__(message)
        self.message = message
        self.offset = offset


class Broken(Halt):
    """The bytes are no pickle from here on; a loader stops here too."""


class Exhausted(Halt):
    """A budget ran out; a loader would go on."""
