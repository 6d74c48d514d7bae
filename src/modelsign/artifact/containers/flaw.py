"""What two readers of one container could understand differently."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Flaw", "FlawKind"]


class FlawKind(StrEnum):
    """The kinds of such places."""

    OUTSIDE = "outside"
    """Bytes that belong to no member: before, between or behind."""
    DIRECTORY = "directory"
    """The end records, the count or the size of the directory contradict each other."""
    HEADER = "header"
    """A local header says other than the directory."""
    DUPLICATE = "duplicate"
    """Two members whose names are the same, or differ in letter case alone."""
    OVERLAP = "overlap"
    """Members that share bytes."""
    NAME = "name"
    """A name that leaves the archive, or that readers decode differently."""
    UNREADABLE = "unreadable"
    """A member that is encrypted, or packed by a method without a reader."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One such place. ``offset`` counts from the start of the container's bytes."""

    kind: FlawKind
    message: str
    member: str | None = None
    offset: int | None = None
