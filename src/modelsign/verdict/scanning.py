"""What a scan says: severities, outcomes, rules, findings, files and second opinions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from modelsign.reasons import ExitStatus
from modelsign.verdict.jsonable import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsign.verdict.acceptance import Acceptance
    from modelsign.verdict.tracing import Trace

__all__ = [
    "Comparison",
    "Confidence",
    "Confinement",
    "FileScan",
    "Finding",
    "Opinion",
    "Outcome",
    "Rule",
    "ScanResult",
    "Severity",
    "worst",
]


class Severity(StrEnum):
    """How bad one finding is."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(StrEnum):
    """How sure a finding is, whatever its severity.

    ``high``: the bytes leave no doubt. ``medium``: it holds in one of the ways in which the bytes can be read, or
    another scanner is sure of it. ``low``: another scanner suspects it.
    """

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Outcome(StrEnum):
    """What a scan says of one file, or of a model. Only ``clean`` is clean."""

    CLEAN = "clean"
    UNVERIFIED = "unverified"
    UNSUPPORTED = "unsupported"
    INCOMPLETE = "incomplete"
    UNSAFE = "unsafe"


_SURENESS = {confidence: rank for rank, confidence in enumerate(Confidence)}
_USED = "used"
_OMITTED = "findings-omitted"
_BADNESS = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of some outcomes; ``clean`` when there are none."""
    return max(outcomes, key=_BADNESS.__getitem__, default=Outcome.CLEAN)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a scanner can observe; a value with a stable id.

    ``outcome`` is what a file becomes when the rule fires. ``references`` are CVE or GHSA
    ids or URLs of specifications. ``confidence`` is how sure its findings are, unless a reader says less.
    """

    id: str
    title: str
    severity: Severity
    outcome: Outcome
    description: str
    advice: str
    references: tuple[str, ...] = ()
    confidence: Confidence = Confidence.HIGH

    def finding(
        self,
        message: str,
        *,
        member: str | None = None,
        offset: int | None = None,
        calls: tuple[str, ...] = (),
        name: str | None = None,
    ) -> Finding:
        """Record that this rule fired."""
        return Finding(
            self.id,
            self.severity,
            self.outcome,
            message,
            member,
            offset,
            confidence=self.confidence,
            calls=calls,
            references=self.references,
            advice=self.advice,
            name=name,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation by one rule.

    ``member`` is the path inside a container, ``offset`` the byte offset in the member
    (or in the file), where known. ``calls`` are the calls that lead to what is reported, in their order, as
    pseudo-Python; ``references`` and ``advice`` (what to do) are the rule's. ``name`` is the unknown name, as
    ``module.qualname``, where the finding is about nothing else: whoever trusts that name has no such finding.
    """

    rule: str
    severity: Severity
    outcome: Outcome
    message: str
    member: str | None = None
    offset: int | None = None
    confidence: Confidence = Confidence.HIGH
    calls: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    advice: str = ""
    name: str | None = None

    def at_most(self, confidence: Confidence) -> Finding:
        """Return it with no more confidence than given."""
        if _SURENESS[self.confidence] <= _SURENESS[confidence]:
            return self
        return replace(self, confidence=confidence)


@dataclass(frozen=True, slots=True)
class FileScan:
    """What the scan says of one file. ``sha256`` is None if not all of it was read."""

    path: str
    sha256: str | None
    size: int
    format: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    loadable: bool = True
    """False only for inert files: no loader takes code from them."""
    globals: tuple[str, ...] = ()
    """Names a pickle imports, as ``module.qualname``, sorted; for restricted loading."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What another scanner said. It can add findings and never lowers an outcome.

    ``status`` is ``findings``, ``no findings``, ``nothing scanned``, ``failed`` or ``absent``;
    only the first two are opinions. ``files`` has a word for each file it looked at, by path: ``unsafe``,
    ``doubtful``, ``nothing found`` or ``failed``; a file that is missing there was not looked at.
    """

    engine: str
    version: str | None
    status: str
    findings: tuple[str, ...] = ()
    message: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Who says what of one file: the outcome of the scan alone, and a word of each scanner that was asked.

    The words are those of :class:`Opinion`, and ``not looked at``.
    """

    path: str
    outcome: Outcome
    opinions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Confinement:
    """What held the scan while it ran. It says nothing of the files, and no outcome depends on it.

    ``in_force`` are the layers around the scanner, ``process`` (one of its own) the first; none where the scan ran in
    the caller's process. ``missing`` are those that are not, each as ``layer: why``.
    """

    in_force: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in one line."""
        lacking = "; ".join(self.missing)
        if not self.in_force:
            return f"not confined: {lacking}"
        return f"confined by: {', '.join(self.in_force)}{f' (without {lacking})' if lacking else ''}"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What the scan says of a model. ``rules`` are those that fired, for outputs that explain them."""

    outcome: Outcome
    ruleset_digest: str
    files: tuple[FileScan, ...]
    opinions: tuple[Opinion, ...] = ()
    rules: tuple[Rule, ...] = ()
    comparison: tuple[Comparison, ...] = ()
    """Who says what of each file, where that was asked for."""
    traces: tuple[Trace, ...] = ()
    """The pickles disassembled, where that was asked for."""
    acceptances: tuple[Acceptance, ...] = ()
    """Findings that somebody accepts; they change no outcome, only whether it counts for the exit status."""
    confinement: Confinement | None = field(default=None, compare=False)
    """What held the scan while it ran, where that was recorded; two scans that say the same are the same."""

    def exit_status(self, accepted: frozenset[Outcome] = frozenset()) -> ExitStatus:
        """All clean 0, any unsafe 1, any other 3, nothing 4; ``incomplete`` is never accepted."""
        if not self.files:
            return ExitStatus.NOTHING
        left = {self.left(file) for file in self.files}
        if self.outcome is not worst(file.outcome for file in self.files):
            left.add(self.outcome)
        left -= (accepted - {Outcome.INCOMPLETE, Outcome.UNSAFE}) | {Outcome.CLEAN}
        if Outcome.UNSAFE in left:
            return ExitStatus.NEGATIVE
        return ExitStatus.UNDECIDED if left else ExitStatus.OK

    def left(self, file: FileScan) -> Outcome:
        """Return a file's outcome without what was accepted; its own where findings are missing from the list."""
        used = [one for one in self.acceptances if one.status == _USED and one.path == file.path]
        whole = file.outcome is worst(finding.outcome for finding in file.findings)
        if not used or not whole or any(finding.rule == _OMITTED for finding in file.findings):
            return file.outcome
        kept = (finding for finding in file.findings if not any(one.concerns(file, finding) for one in used))
        return worst(finding.outcome for finding in kept)

    def body(self) -> dict[str, object]:
        """The stable JSON body of ``scan``."""
        return {
            "outcome": self.outcome.value,
            "ruleset_digest": self.ruleset_digest,
            "files": [
                {
                    "path": file.path,
                    "sha256": file.sha256,
                    "size": file.size,
                    "format": file.format,
                    "outcome": file.outcome.value,
                    "findings": plain(file.findings),
                }
                for file in self.files
            ],
            "opinions": plain(self.opinions),
            "comparison": plain(self.comparison),
            "traces": plain(self.traces),
            "acceptances": plain(self.acceptances),
            "confinement": plain(self.confinement),
        }
