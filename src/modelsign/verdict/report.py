"""What a command hands to ``report``: a body of stable keys, reasons and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError
    from modelsign.reasons import ExitStatus

__all__ = ["Answer", "Report"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reason as it is shown: code, message, advice."""

    code: str
    message: str
    advice: str

    @classmethod
    def of(cls, fault: ModelsignError) -> Answer:
        """Take the answer from an error."""
        return cls(fault.code, fault.message, fault.advice)


@dataclass(frozen=True, slots=True)
class Report:
    """One command's one document: what ``report`` renders in every format.

    ``body`` holds the command's own stable keys. ``result`` is the value it was made from, for
    outputs that need more than the body (SARIF). ``text`` is the human text where the command has its own.
    """

    command: str
    exit_status: ExitStatus
    body: Mapping[str, object] = field(default_factory=dict)
    reasons: tuple[Answer, ...] = ()
    warnings: tuple[str, ...] = ()
    result: object = None
    text: str | None = None
