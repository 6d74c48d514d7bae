"""The rule that asks for attestations about exactly this model, by signers named for their predicate type.

One attestation meets the signer, the age and every constraint at once; the parts of several are never put
together. ``threshold`` counts the distinct signers behind attestations that each meet everything alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from modelsign.policy import constraints, signers
from modelsign.policy.constraints import Constraint
from modelsign.policy.pointer import resolve
from modelsign.policy.rule import END, Context, Judgement, RuleKind, Use
from modelsign.policy.signers import Shortfall, SignerRule
from modelsign.signing.trust import count_distinct
from modelsign.verdict import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.policy.facts import AttestationFact
    from modelsign.verdict import Signer

__all__ = ["RULE_KIND", "AttestationRule"]

_MODEL_SIGNATURES: Final = "https://model_signing/"


class AttestationRule(SignerRule, tag="attestation", frozen=True, kw_only=True):
    """At least ``threshold`` distinct signers of those named attested a predicate that meets all of ``where``.

    ``max_age`` bounds the age by the time the signed predicate gives for itself, or else by the signer's certificate.
    """

    predicate_type: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9+.-]*:[^\s]{1,500}" + END)]
    where: Annotated[tuple[Constraint, ...], Meta(max_length=100)] = ()

    def __post_init__(self) -> None:
        """Refuse what nobody could meet, and the predicate types of model signatures: they are never attestations."""
        SignerRule.__post_init__(self)
        if self.predicate_type.startswith(_MODEL_SIGNATURES):
            message = "a model signature is not an attestation; use a rule of kind signature"
            raise ValueError(message)


def judge(rule: AttestationRule, context: Context) -> Judgement:
    """Look for attestations that meet everything; explain by the one that came nearest."""
    if context.facts.tree_digest is None:
        return Judgement(RuleOutcome.INDETERMINATE, "not all bytes could be read", (), "POLICY_BYTES_UNREAD")
    trusted = signers.trusted(rule, context.parameters)
    who = "key" if rule.identities is None else "signer"
    met: list[Signer] = []
    meeting: set[str] = set()
    candidates: set[str] = set()
    short: list[Shortfall] = []
    for fact in sorted(context.facts.attestations, key=lambda fact: fact.source):
        recognised = [fact.signers[name] for name in sorted(fact.signers.keys() & trusted)]
        if fact.predicate_type != rule.predicate_type or not recognised:
            continue
        candidates.add(fact.source)
        lacks = _mismatch(rule, fact, context)
        for signer in recognised:
            each = lacks or signers.shortfall(rule, signer, fact.made_at, context.now, stale="POLICY_ATTESTATION_STALE")
            if each is not None:
                short.append(each if lacks else each._replace(met=each.met + len(rule.where)))
                continue
            met.append(signer)
            meeting.add(fact.source)
    if not candidates:
        observed = f"no such attestation about this model by a trusted {who}"
        return Judgement(RuleOutcome.FAIL, observed, (), "POLICY_ATTESTATION_MISSING")
    count = count_distinct(met, rule.count_by)
    evidence = tuple(sorted(meeting or candidates))
    observed = f"met by {count} trusted {who}{'' if count == 1 else 's'}"
    if count >= rule.threshold:
        return Judgement(RuleOutcome.PASS, observed, evidence)
    if meeting:
        return Judgement(RuleOutcome.FAIL, observed, evidence, "POLICY_ATTESTATION_MISSING")
    nearest = max(short, key=lambda shortfall: shortfall.met)
    return Judgement(RuleOutcome.FAIL, nearest.observed, evidence, nearest.code)


def _mismatch(rule: AttestationRule, fact: AttestationFact, context: Context) -> Shortfall | None:
    parameters = context.parameters
    unmet = [item for item in rule.where if not constraints.holds(item, fact.predicate, parameters)]
    if not unmet:
        return None
    value = constraints.shown(resolve(fact.predicate, unmet[0].path))
    observed = f"not met: {constraints.expected(unmet[0], parameters)}; it is {value}"
    return Shortfall(len(rule.where) - len(unmet), "POLICY_ATTESTATION_MISMATCH", observed)


def expected(rule: AttestationRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    words = [f"{rule.predicate_type} attested by {signers.demands(rule)}"]
    words += [constraints.expected(item, parameters) for item in rule.where]
    if rule.max_age is not None:
        words.append(f"not older than {rule.max_age}")
    return "; ".join(words)


def doubts(rule: AttestationRule) -> tuple[str, ...]:
    """Warn of an attestation whose content nobody looks at."""
    found = signers.doubts(rule)
    return found if rule.where else (*found, "no constraint on the predicate: any content satisfies the rule")


RULE_KIND = RuleKind(
    id="attestation",
    title="Attestation",
    description=(
        "Trusted keys or identities attested a predicate of the given type about exactly this model, every file of it, "
        "and its content meets every constraint."
    ),
    rule=AttestationRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=False,
    parameters=lambda rule: (
        *signers.uses(rule),
        *(Use("strings", name) for name in constraints.text_parameters(rule.where)),
    ),
    doubts=doubts,
)
