"""The rule on what the local scan says of the files.

It looks at the scan of the very bytes being judged, made here; a scan somebody else attested is an attestation.
``unsafe`` and ``incomplete`` are never accepted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from modelsign.policy.rule import Context, FilePatterns, Judgement, PolicyRule, RuleKind
from modelsign.policy.scanned import check_files, listed, scanned, where
from modelsign.verdict import Outcome, RuleOutcome, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.verdict import FileScan, ScanResult

__all__ = ["RULE_KIND", "Acceptable", "ScanRule"]

_OMITTED: Final = "findings-omitted"
_UNDECIDED: Final = frozenset({Outcome.UNSUPPORTED, Outcome.INCOMPLETE})
"""Outcomes that format support or a larger budget could still decide."""


class Acceptable(StrEnum):
    """The outcomes a policy can accept."""

    CLEAN = "clean"
    UNVERIFIED = "unverified"
    UNSUPPORTED = "unsupported"


TrustedName = Annotated[str, Meta(pattern=r"^[^\W\d]\w*(\.[^\W\d]\w*)+$(?!\n)", max_length=1000)]
"""A name in a pickle, as ``module.qualname``; exactly this one."""


class ScanRule(PolicyRule, tag="scan", frozen=True, kw_only=True):
    """Every file concerned has an outcome in ``accept``, in a scan made here of these bytes.

    A rule with ``files`` that concerns no file fails, unless it says ``if_present``. ``trust_globals`` are unknown
    names in pickles (``module.qualname``) that this rule takes for safe; a name with a known danger never is.
    """

    accept: Annotated[tuple[Acceptable, ...], Meta(min_length=1, max_length=3)]
    files: FilePatterns | None = None
    if_present: bool = False
    trust_globals: Annotated[tuple[TrustedName, ...], Meta(min_length=1, max_length=1000)] | None = None

    def __post_init__(self) -> None:
        """Refuse patterns that cannot be used."""
        check_files(self.files, if_present=self.if_present)


def judge(rule: ScanRule, context: Context) -> Judgement:
    """Compare the outcome of every file concerned, and of the model where it is worse than its files."""
    found = scanned(rule.files, context)
    if isinstance(found, Judgement):
        return found
    scan, files = found
    accepted = {outcome.value for outcome in rule.accept}
    left = [file for file in files if _outcome(rule, file) not in accepted]
    beyond = _beyond(scan) - {Outcome(value) for value in accepted}
    outcomes = {file.outcome for file in left} | beyond
    if rule.files and not files and not rule.if_present and outcomes <= _UNDECIDED:
        return Judgement(RuleOutcome.FAIL, "no file of the model matches", (), "POLICY_NO_FILE")
    if not outcomes:
        counts = ", ".join(_counts(files)) or "no file concerned"
        return Judgement(RuleOutcome.PASS, counts)
    observed = _observed(left, beyond)
    if outcomes <= _UNDECIDED:
        return Judgement(RuleOutcome.INDETERMINATE, observed, (), "POLICY_SCAN_UNDECIDED")
    return Judgement(RuleOutcome.FAIL, observed, (), "POLICY_SCAN_DENIED")


def _outcome(rule: ScanRule, file: FileScan) -> Outcome:
    """Return a file's outcome without the findings about names the rule trusts, as if the scan had trusted them."""
    trusted = frozenset(rule.trust_globals or ())
    whole = file.outcome is worst(finding.outcome for finding in file.findings)
    if not trusted or not whole or any(finding.rule == _OMITTED for finding in file.findings):
        return file.outcome
    return worst(finding.outcome for finding in file.findings if finding.name not in trusted)


def _beyond(scan: ScanResult) -> set[Outcome]:
    """Return the model's own outcome where no file accounts for it (a second opinion, a budget)."""
    files = worst(file.outcome for file in scan.files)
    return {scan.outcome} if worst((files, scan.outcome)) != files else set()


def _counts(files: list[FileScan]) -> list[str]:
    outcomes = [file.outcome for file in files]
    return [f"{outcomes.count(outcome)} {outcome}" for outcome in Outcome if outcome in outcomes]


def _observed(left: list[FileScan], beyond: set[Outcome]) -> str:
    worst_first = sorted(left, key=lambda file: (-list(Outcome).index(file.outcome), file.path))
    words = [f"{file.path} is {file.outcome}{_why(file)}" for file in worst_first]
    words += [f"the model as a whole is {outcome}" for outcome in sorted(beyond)]
    return listed(words)


def _why(file: FileScan) -> str:
    ids = sorted({finding.rule for finding in file.findings if finding.outcome == file.outcome})
    return f" ({', '.join(ids[:3])})" if ids else ""


def expected(rule: ScanRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    del parameters
    trusting = f", trusting {listed(rule.trust_globals)}" if rule.trust_globals else ""
    return f"{where(rule.files, if_present=rule.if_present)} scanned here as {' or '.join(rule.accept)}{trusting}"


RULE_KIND = RuleKind(
    id="scan",
    title="Local scan",
    description=(
        "The scan made here, of the bytes that are judged, gives every file the rule concerns an outcome that is "
        "accepted. Unsafe and incomplete never are."
    ),
    rule=ScanRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=False,
    parameters=lambda _: (),
    doubts=lambda _: (),
)
