"""What everything returns: verdicts, outcomes, findings and evidence, as frozen values.

Nothing here reads a file, prints, or decides; each result knows its stable JSON body
(``body()``) and the exit status it calls for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from modelsign.reasons import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsign.errors import ModelsignError

__all__ = [
    "Answer",
    "CheckResult",
    "EvidenceItem",
    "FileLedger",
    "FileScan",
    "Finding",
    "Opinion",
    "Outcome",
    "PolicyName",
    "Report",
    "Rule",
    "RuleMode",
    "RuleOutcome",
    "RuleResult",
    "ScanResult",
    "Severity",
    "Signer",
    "Verdict",
    "VerifyResult",
    "VerifyVerdict",
    "plain",
    "worst",
]


def plain(value: object) -> object:
    """Turn dataclasses, enums and tuples into JSON types; mappings keep their order."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(item) for item in value)
    return value


# --- scanning ---------------------------------------------------------------------------


class Severity(StrEnum):
    """How bad one finding is."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Outcome(StrEnum):
    """What a scan says of one file, or of a model. Only ``clean`` is clean."""

    CLEAN = "clean"
    UNVERIFIED = "unverified"
    UNSUPPORTED = "unsupported"
    INCOMPLETE = "incomplete"
    UNSAFE = "unsafe"


_BADNESS = {outcome: rank for rank, outcome in enumerate(Outcome)}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of some outcomes; ``clean`` when there are none."""
    return max(outcomes, key=_BADNESS.__getitem__, default=Outcome.CLEAN)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a scanner can observe; a value with a stable id.

    ``outcome`` is what a file becomes when the rule fires. ``references`` are CVE or GHSA
    ids or URLs of specifications.
    """

    id: str
    title: str
    severity: Severity
    outcome: Outcome
    description: str
    advice: str
    references: tuple[str, ...] = ()

    def finding(self, message: str, *, member: str | None = None, offset: int | None = None) -> Finding:
        """Record that this rule fired."""
        return Finding(self.id, self.severity, self.outcome, message, member, offset)


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation by one rule.

    ``member`` is the path inside a container, ``offset`` the byte offset in the member
    (or in the file), where known.
    """

    rule: str
    severity: Severity
    outcome: Outcome
    message: str
    member: str | None = None
    offset: int | None = None


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
    only the first two are opinions.
    """

    engine: str
    version: str | None
    status: str
    findings: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What the scan says of a model."""

    outcome: Outcome
    ruleset_digest: str
    files: tuple[FileScan, ...]
    opinions: tuple[Opinion, ...] = ()

    def exit_status(self, accepted: frozenset[Outcome] = frozenset()) -> ExitStatus:
        """All clean 0, any unsafe 1, any other 3, nothing 4; ``incomplete`` is never accepted."""
        if not self.files:
            return ExitStatus.NOTHING
        left = {file.outcome for file in self.files} | {self.outcome}
        left -= (accepted - {Outcome.INCOMPLETE, Outcome.UNSAFE}) | {Outcome.CLEAN}
        if Outcome.UNSAFE in left:
            return ExitStatus.NEGATIVE
        return ExitStatus.UNDECIDED if left else ExitStatus.OK

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
        }


# --- signatures -------------------------------------------------------------------------


class VerifyVerdict(StrEnum):
    """What ``verify`` says of a model."""

    VERIFIED = "VERIFIED"
    REFUSED = "REFUSED"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, as far as it was verified.

    ``key_digest`` is the SHA-256 of the DER SubjectPublicKeyInfo, lowercase hex, of the
    canonical form of the key (one key in two encodings has one digest). ``time`` is ISO 8601.
    """

    method: str
    algorithm: str
    key_digest: str
    identity: str | None = None
    issuer: str | None = None
    time: str | None = None
    time_proof: str | None = None


@dataclass(frozen=True, slots=True)
class FileLedger:
    """Which files a verification covered; names are relative to the model."""

    signed: int = 0
    checked: int = 0
    unsigned: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What ``verify`` found. ``reasons`` is empty exactly when the verdict is VERIFIED."""

    verdict: VerifyVerdict
    root_digest: str | None
    tree_digest: str | None
    signed_root_digest: str | None
    oms: bool
    format: str | None
    signers: tuple[Signer, ...]
    files: FileLedger
    reasons: tuple[ModelsignError, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def exit_status(self) -> ExitStatus:
        """The first reason's status; 0 when verified."""
        return self.reasons[0].exit_status if self.reasons else ExitStatus.OK

    def body(self) -> dict[str, object]:
        """The stable JSON body of ``verify``."""
        return {
            "verdict": self.verdict.value,
            "root_digest": self.root_digest,
            "tree_digest": self.tree_digest,
            "signed_root_digest": self.signed_root_digest,
            "oms": self.oms,
            "format": self.format,
            "signers": plain(self.signers),
            "files": plain(self.files),
        }


# --- policy -----------------------------------------------------------------------------


class Verdict(StrEnum):
    """What a trust policy says of a model. Every gate treats UNDECIDED as DENY."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    UNDECIDED = "UNDECIDED"


class RuleOutcome(StrEnum):
    """What one policy rule says."""

    PASS = "PASS"  # noqa: S105 - the word of the specification, not a password
    FAIL = "FAIL"
    INDETERMINATE = "INDETERMINATE"
    WAIVED = "WAIVED"


class RuleMode(StrEnum):
    """Whether a rule can deny. ``warn`` rules are shown and never decide."""

    ENFORCE = "enforce"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One policy rule's result, explained."""

    id: str
    result: RuleOutcome
    mode: RuleMode
    expected: str
    observed: str
    evidence: tuple[str, ...] = ()
    advice: str = ""
    code: str | None = None
    """The reason code where the result is not PASS."""


@dataclass(frozen=True, slots=True)
class PolicyName:
    """Which policy decided: its name and the SHA-256 of its canonical form, parameters included."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One verified signature or attestation a verdict looked at; ``digest`` is the SHA-256 of its bundle."""

    source: str
    kind: str
    digest: str
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The one verdict on a model, rule by rule, with the evidence it rests on."""

    verdict: Verdict
    policy: PolicyName
    rules: tuple[RuleResult, ...]
    tree_digest: str | None = None
    scan: ScanResult | None = None
    signatures: tuple[VerifyResult, ...] = ()
    ignored_evidence: tuple[str, ...] = ()
    reasons: tuple[ModelsignError, ...] = ()
    warnings: tuple[str, ...] = ()
    time: str | None = None
    evidence: tuple[EvidenceItem, ...] = ()

    @property
    def exit_status(self) -> ExitStatus:
        """0 allow, 1 deny, 3 undecided."""
        return {
            Verdict.ALLOW: ExitStatus.OK,
            Verdict.DENY: ExitStatus.NEGATIVE,
            Verdict.UNDECIDED: ExitStatus.UNDECIDED,
        }[self.verdict]

    def body(self) -> dict[str, object]:
        """The stable JSON body of ``check``."""
        return {
            "verdict": self.verdict.value,
            "policy": plain(self.policy),
            "time": self.time,
            "tree_digest": self.tree_digest,
            "rules": plain(self.rules),
            "scan": self.scan.body() if self.scan else None,
            "signatures": [result.body() for result in self.signatures],
            "evidence": plain(self.evidence),
            "ignored_evidence": list(self.ignored_evidence),
        }


# --- what a command hands to report -----------------------------------------------------


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
