"""The rule that asks for a revocation list: signed by keys of that role, fresh, and silent about this model.

What a list names that one of those keys signed never counts in any rule, however old the list is. A list that is
absent, stale, rolled back or signed by others is FAIL, and the rule is neither waived nor only a warning: otherwise it
would help to take the list away (DESIGN, security rule 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from modelsign import timestamp
from modelsign.errors import ModelsignError
from modelsign.policy import duration
from modelsign.policy.rule import Context, Judgement, ParameterName, PolicyRule, RuleKind, Use
from modelsign.signing.freshness import check_freshness
from modelsign.verdict import RuleMode, RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.policy.facts import RevocationFact

__all__ = ["RULE_KIND", "RevocationRule"]


class RevocationRule(PolicyRule, tag="revocation", frozen=True, kw_only=True):
    """Each list of the parameter ``lists`` is there, signed by a key of ``keys``, fresh, and does not name the model.

    ``max_age`` bounds the time since a list was issued, beside the expiry it sets itself. ``version`` is the least one.
    """

    lists: ParameterName
    keys: Annotated[tuple[ParameterName, ...], Meta(min_length=1, max_length=20)]
    max_age: Annotated[str, Meta(pattern=duration.PATTERN)] | None = None
    version: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no duration, and a rule that only warns."""
        if self.max_age is not None:
            duration.parse(self.max_age)
        if self.mode is not RuleMode.ENFORCE:
            message = "a revocation rule is enforced: if it only warned, taking the list away would help"
            raise ValueError(message)


def judge(rule: RevocationRule, context: Context) -> Judgement:
    """Look at each list that the caller gave."""
    trusted = {value for name in rule.keys for value in context.parameters[name]}
    found = {fact.digest: fact for fact in context.facts.revocations if fact.signer in trusted}
    seen: list[RevocationFact] = []
    for digest in context.parameters[rule.lists]:
        fact = found.get(digest)
        if fact is None:
            observed = "no revocation list that a trusted key signed"
            return Judgement(RuleOutcome.FAIL, observed, (), "POLICY_REVOCATION_LIST_MISSING")
        seen.append(fact)
    evidence = tuple(sorted(fact.source for fact in seen))
    for fact in seen:
        problem = _stale(rule, fact, context)
        if problem is not None:
            return Judgement(RuleOutcome.FAIL, problem.message, evidence, problem.code)
    revoked = [words for fact in seen for words in fact.against_model]
    if revoked:
        return Judgement(RuleOutcome.FAIL, "; ".join(revoked), evidence, "MODEL_REVOKED")
    if context.facts.tree_digest is None:
        return Judgement(RuleOutcome.INDETERMINATE, "not all bytes could be read", evidence, "POLICY_BYTES_UNREAD")
    versions = ", ".join(f"version {fact.version} of {timestamp.write(fact.issued)}" for fact in seen)
    return Judgement(RuleOutcome.PASS, f"not named by {versions}", evidence)


def _stale(rule: RevocationRule, fact: RevocationFact, context: Context) -> ModelsignError | None:
    longest = None if rule.max_age is None else duration.parse(rule.max_age)
    try:
        check_freshness(fact, now=context.now, max_age=longest, least_version=rule.version)
    except ModelsignError as fault:
        return fault
    return None


def expected(rule: RevocationRule, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Say what the rule asks for."""
    del parameters
    words = f"not named by the revocation list {rule.lists}, signed by {' or '.join(rule.keys)} and not expired"
    words += "" if rule.max_age is None else f", issued within {rule.max_age}"
    return words if rule.version is None else f"{words}, of version {rule.version} or later"


def doubts(rule: RevocationRule) -> tuple[str, ...]:
    """Warn of a list that may be old for as long as it says itself."""
    return () if rule.max_age is not None else ("no max_age: a list counts as fresh for as long as it says itself",)


RULE_KIND = RuleKind(
    id="revocation",
    title="Revocation list",
    description=(
        "A signed, fresh revocation list is there and does not name the model; the signers and signatures it names "
        "count nowhere."
    ),
    rule=RevocationRule,
    judge=judge,
    expected=expected,
    authenticates_all_bytes=False,
    waivable=False,
    parameters=lambda rule: (Use("revocation-list", rule.lists), *(Use("keys", name) for name in rule.keys)),
    doubts=doubts,
)
