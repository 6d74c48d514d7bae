"""The one exception tree; every error has a stable code, an exit status and advice.

::

    ModelsignError
    ├── Refused          exit 1: the verdict is negative
    ├── UsageError       exit 2: called wrongly, or no trust source named
    ├── Undecided        exit 3: malformed, unreadable, unsupported, a limit hit
    └── NothingToCheck   exit 4: an empty model

The code decides the class: use :func:`error`, which looks it up in the catalog.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.reasons import CATALOG, ExitStatus, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ExitStatus",
    "ModelsignError",
    "NothingToCheck",
    "Reason",
    "Refused",
    "Undecided",
    "UsageError",
    "error",
]


class ModelsignError(Exception):
    """Anything modelsign refuses or fails at.

    ``details`` holds the facts of this case (names, digests) for machine-readable output;
    values are JSON types.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        advice: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Take the reason's code, this case's message, and advice where the catalog's is too general."""
        super().__init__(message)
        self.reason: Reason = CATALOG[code]
        self.message = message
        self.advice = self.reason.advice if advice is None else advice
        self.details: dict[str, object] = dict(details or {})

    @property
    def code(self) -> str:
        """The stable reason code."""
        return self.reason.code

    @property
    def exit_status(self) -> ExitStatus:
        """The status a command ends with."""
        return self.reason.exit_status


class Refused(ModelsignError):
    """The verdict is negative (exit 1)."""


class UsageError(ModelsignError):
    """The caller asked for something that makes no sense (exit 2)."""


class Undecided(ModelsignError):
    """No verdict could be reached (exit 3); gates refuse."""


class NothingToCheck(ModelsignError):
    """There is nothing to sign, scan or check (exit 4)."""


_CLASSES: dict[ExitStatus, type[ModelsignError]] = {
    ExitStatus.NEGATIVE: Refused,
    ExitStatus.USAGE: UsageError,
    ExitStatus.UNDECIDED: Undecided,
    ExitStatus.NOTHING: NothingToCheck,
    ExitStatus.INTERRUPTED: Undecided,
}


def error(
    code: str,
    message: str,
    *,
    advice: str | None = None,
    details: Mapping[str, object] | None = None,
) -> ModelsignError:
    """Return the exception for a reason code, of the class its exit status calls for.

    Raises:
        KeyError: the code is not in the catalog (a bug, found by the contract test).

    """
    return _CLASSES[CATALOG[code].exit_status](code, message, advice=advice, details=details)
