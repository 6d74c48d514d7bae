"""The rule that asks for attestations about exactly this model, by keys named for their predicate type.

One attestation meets the signer, the age and every constraint at once; the parts of several are never put
together. ``threshold`` counts the distinct keys behind attestations that each meet everything alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from msgspec import Meta

from modelsign import timestamp
from modelsign.policy import constraints, duration
from modelsign.policy.constraints import Constraint
from modelsign.policy.pointer import resolve
from modelsign.policy.rule import END, Context, Judgement, ParameterName, PolicyRule, RuleKind
from modelsign.verdict import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.policy.facts import AttestationFact

__all__ = ["RULE_KIND", "AttestationRule"]

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far into the future an attestation may date itself."""
_MODEL_SIGNATURES: Final = "https://model_signing/"


class _Shortfall(NamedTuple):
    """Why one attestation does not meet a rule; ``met`` counts what it does meet."""

    met: int
    code: str
    observed: str


class AttestationRule(PolicyRule, tag="attestation", frozen=True, kw_only=True):
    """At least ``threshold`` distinct keys of ``keys`` attested a predicate that meets all of ``where``.

    ``max_age`` bounds the age by the time the signed predicate gives for itself.
    """

    predicate_type: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9+.-]*:[^\s]{1,500}" + END)]
    keys: Annotated[tuple[ParameterName, ...], Meta(min_length=1, max_length=20)]
    threshold: Annotated[int, Meta(ge=1, le=100)] = 1
    max_age: Annotated[str, Meta(pattern=duration.PATTERN)] | None = None
    where: Annotated[tuple[Constraint, ...], Meta(max_length=100)] = ()

    def __post_init__(self) -> None:
        """Refuse what is no duration, and the predicate types of model signatures: they are never attestations."""
        if self.max_age is not None:
            duration.parse(self.max_age)
        if self.predicate_type.startswith(_MODEL_SIGNATURES):
            message = "a model signature is not an attestation; use a rule of kind signature"
            raise ValueError(message)


def judge(rule: AttestationRule, context: Context) -> Judgement:
    """Look for attestations that meet everything; explain by the one that came nearest."""
    if context.facts.tree_digest is None:
        return Judgement(RuleOutcome.INDETERMINATE, "not all bytes could be read", (), "POLICY_BYTES_UNREAD")
    trusted = context.values(rule.keys)
    candidates = sorted(
        (
            fact
            for fact in context.facts.attestations
            if fact.predicate_type == rule.predicate_type and fact.signers & trusted
        ),
        key=lambda fact: fact.source,
    )
    if not candidates:
        observed = "no such attestation about this model by a trusted key"
        return Judgement(RuleOutcome.FAIL, observed, (), "POLICY_ATTESTATION_MISSING")
    shortfalls = [_shortfall(rule, fact, context) for fact in candidates]
    meeting = [fact for fact, shortfall in zip(candidates, shortfalls, strict=True) if shortfall is None]
    signers = frozenset[str]().union(*(fact.signers for fact in meeting)) & trusted
    evidence = tuple(sorted({fact.source for fact in meeting or candidates}))
    observed = f"met by {len(signers)} trusted key{'' if len(signers) == 1 else 's'}"
    if len(signers) >= rule.threshold:
        return Judgement(RuleOutcome.PASS, observed, evidence)
    if meeting:
        return Judgement(RuleOutcome.FAIL, observed, evidence, "POLICY_ATTESTATION_MISSING")
    nearest = max((shortfall for shortfall in shortfalls if shortfall), key=lambda shortfall: shortfall.met)
    return Judgement(RuleOutcome.FAIL, nearest.observed, evidence, nearest.code)


def _shortfall(rule: AttestationRule, fact: AttestationFact, context: Context) -> _Shortfall | None:
    parameters = context.parameters
    unmet = [item for item in rule.where if not constraints.holds(item, fact.predicate, parameters)]
    if unmet:
        first = unmet[0]
        value = constraints.shown(resolve(fact.predicate, first.path))
        observed = f"not met: {constraints.expected(first, parameters)}; it is {value}"
        return _Shortfall(len(rule.where) - len(unmet), "POLICY_ATTESTATION_MISMATCH", observed)
    stale = _stale(rule, fact, context)
    return None if stale is None else _Shortfall(len(rule.where), "POLICY_ATTESTATION_STALE", stale)


def _stale(rule: AttestationRule, fact: AttestationFact, context: Context) -> str | None:
    if rule.max_age is None:
        return None
    if fact.made_at is None:
        return "it does not say when it was made"
    if fact.made_at - context.now > CLOCK_SKEW:  # a sum could lie behind the last year there is
        return f"it says it was made in the future ({timestamp.write(fact.made_at)})"
    if context.now - fact.made_at > duration.parse(rule.max_age):
        return f"it was made at {timestamp.write(fact.made_at)}, more than {rule.max_age} ago"
    return None


def expected(rule: AttestationRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    keys = "1 key" if rule.threshold == 1 else f"{rule.threshold} distinct keys"
    words = [f"{rule.predicate_type} attested by at least {keys} of {', '.join(rule.keys)}"]
    words += [constraints.expected(item, parameters) for item in rule.where]
    if rule.max_age is not None:
        words.append(f"not older than {rule.max_age}")
    return "; ".join(words)


def doubts(rule: AttestationRule) -> tuple[str, ...]:
    """Warn of an attestation whose content nobody looks at."""
    if not rule.where:
        return ("no constraint on the predicate: any content satisfies the rule",)
    return ()


RULE_KIND = RuleKind(
    id="attestation",
    title="Attestation",
    description=(
        "Trusted keys attested a predicate of the given type about exactly this model, every file of it, and its "
        "content meets every constraint."
    ),
    rule=AttestationRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=False,
    key_parameters=lambda rule: rule.keys,
    text_parameters=lambda rule: tuple(constraints.text_parameters(rule.where)),
    doubts=doubts,
)
