"""The rule that asks for model signatures over every byte, by keys the caller names.

Signatures are counted by distinct canonical keys: one key that signed three times, or that is written in two
encodings, counts once (DESIGN, security rule 4). Signatures by other keys neither help nor harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from modelsign.policy.rule import Context, Judgement, ParameterName, PolicyRule, RuleKind
from modelsign.verdict import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULE_KIND", "SignatureRule"]


class SignatureRule(PolicyRule, tag="signature", frozen=True, kw_only=True):
    """At least ``threshold`` distinct keys of the parameters ``keys`` signed the model, all bytes of it."""

    keys: Annotated[tuple[ParameterName, ...], Meta(min_length=1, max_length=20)]
    threshold: Annotated[int, Meta(ge=1, le=100)] = 1


def judge(rule: SignatureRule, context: Context) -> Judgement:
    """Count the distinct trusted keys that signed; those that could not be compared leave the answer open."""
    if context.facts.tree_digest is None:
        return Judgement(RuleOutcome.INDETERMINATE, "not all bytes could be read", (), "POLICY_BYTES_UNREAD")
    trusted = context.values(rule.keys)
    counted = [fact for fact in context.facts.signatures if fact.signers & trusted]
    signers = frozenset[str]().union(*(fact.signers for fact in counted)) & trusted
    evidence = tuple(sorted({fact.source for fact in counted}))
    observed = _observed(signers, len(trusted), rule.threshold)
    if len(signers) >= rule.threshold:
        return Judgement(RuleOutcome.PASS, observed, evidence)
    undecided = frozenset[str]().union(*(fact.signers for fact in context.facts.open_signatures)) & trusted
    if len(signers | undecided) >= rule.threshold:
        words = f"{observed}; {len(undecided)} more could not be compared with the bytes"
        return Judgement(RuleOutcome.INDETERMINATE, words, evidence, "POLICY_SIGNATURE_UNDECIDED")
    return Judgement(RuleOutcome.FAIL, observed, evidence, "POLICY_SIGNATURE_MISSING")


def _observed(signers: frozenset[str], trusted: int, threshold: int) -> str:
    if not signers:
        words = "no valid signature by a trusted key"
    else:
        keys = ", ".join(signer[:12] for signer in sorted(signers)[:10])
        words = f"signed by {len(signers)} trusted key{'s' if len(signers) > 1 else ''} ({keys})"
    return f"{words}; only {trusted} given" if trusted < threshold else words


def expected(rule: SignatureRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    del parameters
    keys = "1 key" if rule.threshold == 1 else f"{rule.threshold} distinct keys"
    return f"all bytes signed by at least {keys} of {', '.join(rule.keys)}"


RULE_KIND = RuleKind(
    id="signature",
    title="Model signature",
    description=(
        "Trusted keys signed the manifest of the model, and every byte the model has is in that manifest, "
        "unchanged. The only kind that authenticates all bytes."
    ),
    rule=SignatureRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=True,
    key_parameters=lambda rule: rule.keys,
    text_parameters=lambda _: (),
    doubts=lambda _: (),
)
