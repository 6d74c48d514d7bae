"""One flat list out of any result: what outputs made of findings (SARIF, GitHub, Markdown) show.

A scan's findings, a policy's rules that did not pass and a command's reasons become observations of one shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsign.verdict import (
    AcceptanceStatus,
    CheckResult,
    RuleMode,
    RuleOutcome,
    ScanResult,
    Severity,
    VerifyResult,
    VerifyVerdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.verdict import Report

__all__ = ["Observation", "observations"]


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing to show: a rule or reason id, how bad, a sentence, and where (a path relative to the model)."""

    rule: str
    severity: Severity
    message: str
    advice: str = ""
    path: str | None = None
    member: str | None = None
    offset: int | None = None
    sha256: str | None = None
    confidence: str = ""
    calls: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    accepted: str = ""
    """Why somebody accepts it for a time, where somebody does; it then decides no exit status."""

    @property
    def inside(self) -> str:
        """Where in the file: the member of a container and the byte, as far as they are known."""
        byte = "" if self.offset is None else f"byte {self.offset}"
        return " → ".join(filter(None, (self.member, byte)))

    @property
    def sureness(self) -> str:
        """How sure it is, in words; empty where that is not told."""
        return f"{self.confidence} confidence" if self.confidence else ""

    @property
    def next_step(self) -> str:
        """What to do, and what to read about it."""
        see = f"See {', '.join(self.references)}." if self.references else ""
        return " ".join(filter(None, (self.advice, see)))


def observations(report: Report) -> list[Observation]:
    """Return the observations of a report in a stable order."""
    found: list[Observation] = []
    result = report.result
    if isinstance(result, CheckResult):
        found += _of_check(result)
        result = result.scan
    if isinstance(result, ScanResult):
        found += _of_scan(result)
    if isinstance(result, VerifyResult) and result.verdict is VerifyVerdict.PARTIAL:
        found.append(_of_part(result))
    shown = {(one.rule, one.message) for one in found}
    found += [
        Observation(reason.code, Severity.HIGH, reason.message, reason.advice)
        for reason in report.reasons
        if (reason.code, reason.message) not in shown
    ]
    return found


def _of_part(result: VerifyResult) -> Observation:
    """Say of a part that is as signed what a clean list of observations would not: the model is not verified by it."""
    files = result.files
    message = f"PARTIAL: {files.checked} of {files.signed} signed files were looked at, and the model is not verified"
    return Observation(VerifyVerdict.PARTIAL.value, Severity.MEDIUM, message, "Verify without --only before loading.")


def _of_scan(result: ScanResult) -> Iterator[Observation]:
    used = [one for one in result.acceptances if one.status is AcceptanceStatus.USED]
    for file in result.files:
        for finding in file.findings:
            yield Observation(
                finding.rule,
                finding.severity,
                finding.message,
                finding.advice,
                path=file.path,
                member=finding.member,
                offset=finding.offset,
                sha256=file.sha256,
                confidence=finding.confidence.value,
                calls=finding.calls,
                references=finding.references,
                accepted=next((one.reason for one in used if one.concerns(file, finding)), ""),
            )


def _of_check(result: CheckResult) -> Iterator[Observation]:
    for rule in result.rules:
        if rule.result not in (RuleOutcome.PASS, RuleOutcome.WAIVED):
            severity = Severity.HIGH if rule.mode is RuleMode.ENFORCE else Severity.LOW
            message = f"{rule.id}: expected {rule.expected}; observed {rule.observed}"
            yield Observation(rule.code or f"POLICY_{rule.result}", severity, message, rule.advice)
