"""Test cases of a policy: facts, and the verdict they must lead to.

A file of cases names its policy, stand-ins for its parameters, and facts in place of a model: no key, no file and no
signature is needed to test a policy. A stand-in for a key or a root is any word, and counts as a distinct one.
Identities are no secret, so they stand as they are, and a case's signer must be meant by them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from modelsign import files, limits, timestamp
from modelsign.attest.envelope import predicate_of
from modelsign.errors import error
from modelsign.policy import strictyaml
from modelsign.policy.document import SHIPPED, Timestamp, load_policy
from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import AttestationFact, Facts, RevocationFact, SignatureFact
from modelsign.policy.identities import Identity
from modelsign.policy.parameters import bind_values
from modelsign.policy.rule import ParameterName, RuleId, Strict
from modelsign.policy.standins import SignerCase, recognised, stand_in
from modelsign.verdict import FileScan, Outcome, RuleOutcome, ScanResult, Verdict, worst

if TYPE_CHECKING:
    from datetime import datetime

    from modelsign.policy.document import Policy
    from modelsign.policy.parameters import BoundPolicy

__all__ = ["CaseResult", "CasesFile", "run_cases"]

Given = dict[ParameterName, tuple[str | Identity, ...]]


class FileCase(Strict, frozen=True, kw_only=True):
    """One file of the model: its format and what the local scan says."""

    format: str = "safetensors"
    outcome: Outcome = Outcome.CLEAN
    inert: bool = False


class SignatureCase(SignerCase, frozen=True, kw_only=True):
    """One model signature over all bytes; ``made_at`` is what the signer signed of it."""

    made_at: Timestamp | None = None


class AttestationCase(SignerCase, frozen=True, kw_only=True):
    """One attestation about the model."""

    predicate_type: str
    predicate: dict[str, Any] = msgspec.field(default_factory=dict)


class RevocationCase(Strict, frozen=True, kw_only=True):
    """One revocation list, by a stand-in's key; without ``list`` it stands for every list the parameters name."""

    key: str
    issued: Timestamp
    expires: Timestamp
    list: str | None = None
    version: Annotated[int, Meta(ge=1)] = 1
    revokes_model: bool = False


class Expectation(Strict, frozen=True, kw_only=True):
    """The verdict, and the results of the rules that the case is about."""

    verdict: Verdict
    rules: dict[RuleId, RuleOutcome] = msgspec.field(default_factory=dict)


class Case(Strict, frozen=True, kw_only=True):
    """Facts and what must follow from them."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    files: dict[str, FileCase] = msgspec.field(default_factory=dict)
    scanned: bool = True
    signatures: tuple[SignatureCase, ...] = ()
    attestations: tuple[AttestationCase, ...] = ()
    revocations: tuple[RevocationCase, ...] = ()
    parameters: Given = msgspec.field(default_factory=dict)
    now: Timestamp | None = None
    expect: Expectation


class CasesFile(Strict, frozen=True, kw_only=True):
    """A file of cases. ``policy`` is a shipped name, or a path relative to the file."""

    policy: str
    now: Timestamp
    parameters: Given = msgspec.field(default_factory=dict)
    cases: Annotated[tuple[Case, ...], Meta(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended; ``problems`` is empty where it passed."""

    policy: str
    name: str
    problems: tuple[str, ...]


def run_cases(path: str | os.PathLike[str]) -> tuple[CaseResult, ...]:
    """Run every case of a file.

    Raises:
        ModelsignError: ``POLICY_CASES_MALFORMED``, and what reading the file and its policy raises.

    """
    what = f"test file {os.fspath(path)}"
    data = files.read_bounded(path, limits.POLICY_BYTES, what="test file")
    value = strictyaml.loads(data, most_bytes=limits.POLICY_BYTES, what=what, code="POLICY_CASES_MALFORMED")
    try:
        content = msgspec.convert(value, CasesFile)
        times = {case.name: timestamp.read(case.now or content.now) for case in content.cases}
    except (msgspec.ValidationError, ValueError) as fault:
        raise error("POLICY_CASES_MALFORMED", f"the {what} is refused: {fault}") from None
    if len(times) != len(content.cases):
        raise error("POLICY_CASES_MALFORMED", f"the {what} is refused: two cases have one name")
    named = content.policy
    if named not in SHIPPED:
        named = os.path.join(os.path.dirname(os.fspath(path)), named)  # noqa: PTH118, PTH120 - strings throughout
    policy = load_policy(named)
    results = []
    for case in content.cases:
        given = dict(content.parameters) | dict(case.parameters)
        bound = bind_values(policy, {name: _values(policy, name, items) for name, items in given.items()})
        found = evaluate(bound, _facts(case, bound, times[case.name]), now=times[case.name])
        outcomes = {result.id: result for result in found.rules}
        problems = []
        if found.verdict is not case.expect.verdict:
            problems.append(f"verdict {found.verdict}, expected {case.expect.verdict}")
        for rule, wanted in case.expect.rules.items():
            if rule not in outcomes:
                problems.append(f"there is no rule {rule}")
            elif outcomes[rule].result is not wanted:
                problems.append(f"{rule} is {outcomes[rule].result}, expected {wanted}: {outcomes[rule].observed}")
        results.append(CaseResult(policy.name, case.name, tuple(problems)))
    return tuple(results)


def _values(policy: Policy, name: str, items: tuple[str | Identity, ...]) -> tuple[str, ...]:
    """Return what rules see of a parameter: stand-ins, identities, or the strings themselves."""
    declared = policy.parameters.get(name)
    kind = "strings" if declared is None else declared.type
    wrong = [item for item in items if isinstance(item, Identity) is not (kind == "identities")]
    if wrong:
        what = "identities" if kind == "identities" else "words"
        raise error("POLICY_CASES_MALFORMED", f"the stand-ins for the parameter {name} are not {what}")
    if kind in ("strings", "identities"):
        return tuple(item.value if isinstance(item, Identity) else item for item in items)
    return tuple(stand_in(str(item)) for item in items)


def _facts(case: Case, bound: BoundPolicy, now: datetime) -> Facts:
    seen = tuple(
        FileScan(name, stand_in(name), 0, item.format, item.outcome, loadable=not item.inert)
        for name, item in case.files.items()
    )
    scan = ScanResult(worst(item.outcome for item in seen), stand_in("rules"), seen) if case.scanned else None
    signatures = []
    for number, item in enumerate(case.signatures, 1):
        source = f"signature {number}"
        made_at = None if item.made_at is None else timestamp.read(item.made_at)
        signatures.append(SignatureFact(source, recognised(item, bound, source, now), made_at))
    return Facts(
        files=frozenset(case.files),
        tree_digest=stand_in("tree"),
        scan=scan,
        signatures=tuple(signatures),
        attestations=tuple(_attestation(number, item, bound, now) for number, item in enumerate(case.attestations, 1)),
        revocations=tuple(fact for item in case.revocations for fact in _revocations(item, bound)),
    )


def _attestation(number: int, item: AttestationCase, bound: BoundPolicy, now: datetime) -> AttestationFact:
    known = predicate_of(item.predicate_type)
    if known is not None:
        known.check(item.predicate)
    made_at = None if known is None else known.made_at(item.predicate)
    source = f"attestation {number}"
    signers = recognised(item, bound, source, now)
    return AttestationFact(source, signers, item.predicate_type, item.predicate, made_at)


def _revocations(item: RevocationCase, bound: BoundPolicy) -> list[RevocationFact]:
    digests = [digest for _, digest, _ in bound.revocation_lists] if item.list is None else [stand_in(item.list)]
    against = ("the model was revoked",) if item.revokes_model else ()
    times = timestamp.read(item.issued), timestamp.read(item.expires)
    return [
        RevocationFact("revocation list", digest, stand_in(item.key), item.version, *times, against)
        for digest in digests
    ]
