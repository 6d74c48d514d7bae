"""What a command hands to ``report``: a body of stable keys, reasons and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError
    from modelsign.reasons import ExitStatus

__all__ = ["Answer", "Report"]

_MOST_SHOWN: Final = 2000
"""Characters of a message that are shown: names and fields of other people's files stand in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reason as it is shown: code, message, advice."""

    code: str
    message: str
    advice: str

    @classmethod
    def of(cls, fault: ModelsignError) -> Answer:
        """Take the answer from an error; a message into which somebody wrote a book is cut."""
        message = fault.message if len(fault.message) <= _MOST_SHOWN else f"{fault.message[:_MOST_SHOWN]}…"
        return cls(fault.code, message, fault.advice)


@dataclass(frozen=True, slots=True)
class Report:
    """One command's one document: what ``report`` renders in every format.

    ``body`` holds the command's own stable keys. ``result`` is the value it was made from, for
    outputs that need more than the body (SARIF). ``text`` is the human text where the command has its own.
    ``place`` leads from the working directory to where the model's paths begin (empty, or ending in a slash); None
    where the model does not lie there.
    """

    command: str
    exit_status: ExitStatus
    body: Mapping[str, object] = field(default_factory=dict)
    reasons: tuple[Answer, ...] = ()
    warnings: tuple[str, ...] = ()
    result: object = None
    text: str | None = None
    place: str | None = None
