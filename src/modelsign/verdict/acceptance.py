"""A finding that somebody accepts, until it expires."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsign.verdict.scanning import FileScan, Finding

__all__ = ["Acceptance", "AcceptanceStatus"]


class AcceptanceStatus(StrEnum):
    """What an acceptance does to a result."""

    USED = "used"
    UNKNOWN = "unknown"
    """It is about no finding of this scan: the file has changed, or the finding is gone."""
    EXPIRED = "expired"
    REFUSED = "refused"
    """It is about findings that cannot be accepted."""


_WORDS = {
    AcceptanceStatus.UNKNOWN: "is about no finding of this scan",
    AcceptanceStatus.EXPIRED: "has expired",
    AcceptanceStatus.REFUSED: "is about what cannot be accepted: `incomplete` never is, `unsafe` only by a baseline "
    "that names the very bytes, with --insecure-accept-unsafe",
}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One accepted finding: of a rule, in a file of exactly these bytes, in that member of it.

    Given in place it has no ``sha256`` and is about any place in the file. ``expires`` is a time as in RFC 3339.
    """

    rule: str
    path: str
    member: str | None
    sha256: str | None
    expires: str
    reason: str
    status: AcceptanceStatus = AcceptanceStatus.UNKNOWN

    def concerns(self, file: FileScan, finding: Finding) -> bool:
        """Say whether it is about a finding."""
        if (self.rule, self.path) != (finding.rule, file.path):
            return False
        return self.sha256 is None or (self.sha256 == file.sha256 and self.member == finding.member)

    def warning(self) -> str:
        """Return what is wrong with it; empty where it is used."""
        words = _WORDS.get(self.status)
        return f"the acceptance of {self.rule} in {self.path} until {self.expires} {words}" if words else ""
