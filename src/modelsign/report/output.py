"""What a member of ``report/`` is: one way to write a command's one document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["Output", "Render"]


class Render(Protocol):
    """Turns a report into a document; pure, total, no colour unless asked for."""

    def __call__(self, report: Report, *, colour: bool = False) -> str:
        """Return the document, ending in a newline."""
        ...


@dataclass(frozen=True, slots=True)
class Output:
    """One output format: its id on the command line, a title, a line about it, and its writer."""

    id: str
    title: str
    description: str
    media_type: str
    render: Render
