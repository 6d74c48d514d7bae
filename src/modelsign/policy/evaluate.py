"""The verdict: a pure function of a bound policy, the facts and the time.

Default deny, three-valued. ALLOW only if the policy has not expired, every enforced rule is PASS or WAIVED, and
at least one enforced rule that authenticates all bytes is PASS. DENY if an enforced rule is FAIL or the policy has
expired. Everything else is UNDECIDED, which every gate treats as DENY. Rules in mode ``warn`` are shown and never
decide.

No file, no network, no environment, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsign import timestamp
from modelsign.errors import error
from modelsign.policy.document import kind_of
from modelsign.policy.rule import Context, Judgement
from modelsign.reasons import CATALOG
from modelsign.verdict import RuleMode, RuleOutcome, RuleResult, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from modelsign.errors import ModelsignError
    from modelsign.policy.document import Waiver
    from modelsign.policy.facts import Facts
    from modelsign.policy.parameters import BoundPolicy
    from modelsign.policy.rule import PolicyRule

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A verdict and how each rule contributed. ``reasons`` is empty exactly when the verdict is ALLOW."""

    verdict: Verdict
    rules: tuple[RuleResult, ...]
    reasons: tuple[ModelsignError, ...]


def evaluate(bound: BoundPolicy, facts: Facts, *, now: datetime) -> Evaluation:
    """Judge facts by a policy at a time. Deterministic: equal arguments give equal results."""
    context = Context(facts, bound.values, now)
    results = tuple(_judged(bound, rule, context) for rule in bound.policy.rules)
    verdict, beyond = _verdict(bound, results, now)
    standing = [
        error(result.code or "INTERNAL", f"rule {result.id}: {result.observed}", advice=result.advice)
        for result in results
        if result.mode is RuleMode.ENFORCE and result.result in (RuleOutcome.FAIL, RuleOutcome.INDETERMINATE)
    ]
    standing.sort(key=lambda reason: reason.exit_status)
    return Evaluation(verdict, results, (*beyond, *standing))


def _judged(bound: BoundPolicy, rule: PolicyRule, context: Context) -> RuleResult:
    kind = kind_of(rule)
    judgement: Judgement = kind.judge(rule, context)
    if judgement.result is not RuleOutcome.PASS and kind.waivable:
        judgement = _waived(bound.policy.waivers, rule, judgement, context)
    advice = "" if judgement.code is None else rule.advice or CATALOG[judgement.code].advice
    return RuleResult(
        rule.id,
        judgement.result,
        rule.mode,
        kind.expected(rule, context.parameters),
        judgement.observed,
        judgement.evidence,
        advice,
        judgement.code,
    )


def _waived(waivers: tuple[Waiver, ...], rule: PolicyRule, judgement: Judgement, context: Context) -> Judgement:
    """Apply the first waiver in force; never hides what was observed."""
    for waiver in waivers:
        if waiver.rule != rule.id or context.facts.tree_digest not in waiver.tree_digests:
            continue
        if timestamp.read(waiver.approved_on) <= context.now < timestamp.read(waiver.expires):
            words = f"{judgement.observed}; waived by {waiver.id} until {waiver.expires} ({waiver.approved_by})"
            return Judgement(RuleOutcome.WAIVED, words, judgement.evidence, judgement.code)
    return judgement


def _verdict(
    bound: BoundPolicy, results: tuple[RuleResult, ...], now: datetime
) -> tuple[Verdict, tuple[ModelsignError, ...]]:
    expires = bound.policy.header.metadata.expires
    if expires is not None and now >= timestamp.read(expires):
        return Verdict.DENY, (error("POLICY_EXPIRED", f"policy {bound.policy.name} expired at {expires}"),)
    enforced = [
        (rule, result)
        for rule, result in zip(bound.policy.rules, results, strict=True)
        if rule.mode is RuleMode.ENFORCE
    ]
    if any(result.result is RuleOutcome.FAIL for _, result in enforced):
        return Verdict.DENY, ()
    if not any(kind_of(rule).authenticates_all_bytes for rule, _ in enforced):
        message = f"no enforced rule of policy {bound.policy.name} authenticates the bytes"
        return Verdict.UNDECIDED, (error("POLICY_AUTHENTICATES_NOTHING", message),)
    if all(result.result in (RuleOutcome.PASS, RuleOutcome.WAIVED) for _, result in enforced):
        return Verdict.ALLOW, ()
    return Verdict.UNDECIDED, ()
