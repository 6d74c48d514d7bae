"""What a trust policy says: rule results and the one verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from modelsign.reasons import ExitStatus
from modelsign.verdict.jsonable import plain

if TYPE_CHECKING:
    from modelsign.errors import ModelsignError
    from modelsign.verdict.scanning import ScanResult
    from modelsign.verdict.signature import VerifyResult

__all__ = [
    "CheckResult",
    "EvidenceItem",
    "PolicyInput",
    "PolicyName",
    "RuleMode",
    "RuleOutcome",
    "RuleResult",
    "Verdict",
]


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
    """One verified signature or attestation a verdict looked at; ``digest`` is the SHA-256 of its bundle.

    ``signers`` are digests of keys, and of identities their names with who confirmed them.
    """

    source: str
    kind: str
    digest: str
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """What a verdict depends on beside policy, model and evidence: something that anchors trust, or takes it away.

    ``type`` is that of the policy's parameter. ``digest`` is the SHA-256 of a trust root document, of a root
    certificate, or of a revocation list's file (``absent`` where there is none); ``version`` is a revocation list's
    own, None where it could not be read.
    """

    parameter: str
    type: str
    digest: str
    version: int | None = None


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
    inputs: tuple[PolicyInput, ...] = ()

    def __bool__(self) -> bool:
        """Say whether the model is allowed; so that nobody takes an answer for a good one."""
        return self.verdict is Verdict.ALLOW

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
            "inputs": plain(self.inputs),
            "evidence": plain(self.evidence),
            "ignored_evidence": list(self.ignored_evidence),
        }
