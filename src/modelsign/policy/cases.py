"""Test cases of a policy: facts, and the verdict they must lead to.

A file of cases names its policy, stand-ins for its parameters, and facts in place of a model: no key, no file and
no signature is needed to test a policy. A stand-in key is any word; it counts as a distinct key.
"""

from __future__ import annotations

import hashlib
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
from modelsign.policy.facts import AttestationFact, Facts, SignatureFact
from modelsign.policy.parameters import bind_values
from modelsign.policy.rule import ParameterName, RuleId, Strict
from modelsign.verdict import FileScan, Outcome, RuleOutcome, ScanResult, Verdict, worst

if TYPE_CHECKING:
    from modelsign.policy.document import Policy

__all__ = ["CaseResult", "CasesFile", "run_cases"]

Words = tuple[str, ...]


class FileCase(Strict, frozen=True, kw_only=True):
    """One file of the model: its format and what the local scan says."""

    format: str = "safetensors"
    outcome: Outcome = Outcome.CLEAN
    inert: bool = False


class SignatureCase(Strict, frozen=True, kw_only=True):
    """One model signature over all bytes."""

    keys: Words


class AttestationCase(Strict, frozen=True, kw_only=True):
    """One attestation about the model."""

    predicate_type: str
    keys: Words
    predicate: dict[str, Any] = msgspec.field(default_factory=dict)


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
    parameters: dict[ParameterName, Words] = msgspec.field(default_factory=dict)
    now: Timestamp | None = None
    expect: Expectation


class CasesFile(Strict, frozen=True, kw_only=True):
    """A file of cases. ``policy`` is a shipped name, or a path relative to the file."""

    policy: str
    now: Timestamp
    parameters: dict[ParameterName, Words] = msgspec.field(default_factory=dict)
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
        bound = bind_values(policy, {name: _values(policy, name, words) for name, words in given.items()})
        found = evaluate(bound, _facts(case), now=times[case.name])
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


def _values(policy: Policy, name: str, words: Words) -> tuple[str, ...]:
    declared = policy.parameters.get(name)
    return tuple(map(_stand_in, words)) if declared is not None and declared.type == "keys" else words


def _stand_in(word: str) -> str:
    """Return a digest for the name of a key that does not exist."""
    return hashlib.sha256(word.encode()).hexdigest()


def _facts(case: Case) -> Facts:
    seen = tuple(
        FileScan(name, _stand_in(name), 0, item.format, item.outcome, loadable=not item.inert)
        for name, item in case.files.items()
    )
    scan = ScanResult(worst(item.outcome for item in seen), _stand_in("rules"), seen) if case.scanned else None
    return Facts(
        files=frozenset(case.files),
        tree_digest=_stand_in("tree"),
        scan=scan,
        signatures=tuple(
            SignatureFact(f"signature {number}", frozenset(map(_stand_in, item.keys)))
            for number, item in enumerate(case.signatures, 1)
        ),
        attestations=tuple(_attestation(number, item) for number, item in enumerate(case.attestations, 1)),
    )


def _attestation(number: int, item: AttestationCase) -> AttestationFact:
    known = predicate_of(item.predicate_type)
    if known is not None:
        known.check(item.predicate)
    made_at = None if known is None else known.made_at(item.predicate)
    signers = frozenset(map(_stand_in, item.keys))
    return AttestationFact(f"attestation {number}", signers, item.predicate_type, item.predicate, made_at)
