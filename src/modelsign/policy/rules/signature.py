"""The rule that asks for model signatures over every byte, by keys and identities the caller names.

Signers are counted, not bundles: one key that signed three times, or that is written in two encodings, counts once, and
so does one identity with a new key for each signature (DESIGN, security rule 4). Signatures by others neither help nor
harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.policy import signers
from modelsign.policy.rule import Context, Judgement, RuleKind
from modelsign.policy.signers import SignerRule
from modelsign.signing.trust import count_distinct
from modelsign.verdict import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsign.policy.facts import SignatureFact
    from modelsign.policy.signers import Shortfall
    from modelsign.verdict import Signer

__all__ = ["RULE_KIND", "SignatureRule"]


class SignatureRule(SignerRule, tag="signature", frozen=True, kw_only=True):
    """At least ``threshold`` distinct signers of those named signed the model, all bytes of it."""


def judge(rule: SignatureRule, context: Context) -> Judgement:
    """Count the distinct trusted signers; those that could not be compared leave the answer open."""
    if context.facts.tree_digest is None:
        return Judgement(RuleOutcome.INDETERMINATE, "not all bytes could be read", (), "POLICY_BYTES_UNREAD")
    met, evidence, short = _sorted_out(rule, context.facts.signatures, context)
    count = count_distinct(met, rule.count_by)
    observed = _observed(rule, met, count, context)
    if count >= rule.threshold:
        return Judgement(RuleOutcome.PASS, observed, evidence)
    undecided, _, _ = _sorted_out(rule, context.facts.open_signatures, context)
    most = count_distinct([*met, *undecided], rule.count_by)
    if most >= rule.threshold:
        words = f"{observed}; {most - count} more could not be compared with the bytes"
        return Judgement(RuleOutcome.INDETERMINATE, words, evidence, "POLICY_SIGNATURE_UNDECIDED")
    if short:
        nearest = max(short, key=lambda shortfall: shortfall.met)
        words = nearest.observed if not met else f"{observed}; of another, {nearest.observed}"
        return Judgement(RuleOutcome.FAIL, words, evidence, nearest.code)
    return Judgement(RuleOutcome.FAIL, observed, evidence, "POLICY_SIGNATURE_MISSING")


def _sorted_out(
    rule: SignatureRule, facts: Iterable[SignatureFact], context: Context
) -> tuple[list[Signer], tuple[str, ...], list[Shortfall]]:
    """Return the trusted signers that meet everything, where their signatures lie, and what the others lack."""
    trusted = signers.trusted(rule, context.parameters)
    met: list[Signer] = []
    evidence: set[str] = set()
    short: list[Shortfall] = []
    for fact in sorted(facts, key=lambda fact: fact.source):
        for signer in (fact.signers[name] for name in sorted(fact.signers.keys() & trusted)):
            lacks = signers.shortfall(rule, signer, fact.made_at, context.now, stale="POLICY_SIGNATURE_STALE")
            if lacks is not None:
                short.append(lacks)
                continue
            met.append(signer)
            evidence.add(fact.source)
    return met, tuple(sorted(evidence)), short


def _observed(rule: SignatureRule, met: list[Signer], count: int, context: Context) -> str:
    only_keys = rule.identities is None
    who = "key" if only_keys else "signer"
    if not met:
        words = f"no valid signature by a trusted {who}"
    else:
        words = f"signed by {count} trusted {who}{'s' if count > 1 else ''} ({signers.described(met)})"
    given = len({value for name in rule.keys or () for value in context.parameters[name]})
    return f"{words}; only {given} given" if only_keys and given < rule.threshold else words


def expected(rule: SignatureRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    del parameters
    words = f"all bytes signed by {signers.demands(rule)}"
    return words if rule.max_age is None else f"{words}; not older than {rule.max_age}"


RULE_KIND = RuleKind(
    id="signature",
    title="Model signature",
    description=(
        "Trusted keys or identities signed the manifest of the model, and every byte the model has is in that "
        "manifest, unchanged. The only kind that authenticates all bytes."
    ),
    rule=SignatureRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=True,
    waivable=False,
    parameters=signers.uses,
    doubts=signers.doubts,
)
