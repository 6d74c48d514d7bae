"""The rule on revocation lists: there, signed by its own role, fresh, and silent about the model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from policyfacts import NOW, facts, policy
from refusals import refusal

from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import RevocationFact
from modelsign.policy.lint import lint
from modelsign.policy.parameters import bind, bind_values
from modelsign.signing import keys
from modelsign.verdict import RuleOutcome

if TYPE_CHECKING:
    from modelsign.verdict import RuleResult

PASS, FAIL, OPEN = RuleOutcome.PASS, RuleOutcome.FAIL, RuleOutcome.INDETERMINATE
PARAMETERS = {"lists": {"type": "revocation-list"}, "revokers": {"type": "keys"}}
RULE = {"id": "rule", "kind": "revocation", "lists": "lists", "keys": ["revokers"]}


def listed(**changes: Any) -> RevocationFact:
    values = {
        "source": "lists", "digest": "l1", "signer": "r1", "version": 3, "issued": NOW - timedelta(days=2),
        "expires": NOW + timedelta(days=5), **changes,
    }  # fmt: skip
    return RevocationFact(**values)


def judged(*lists: RevocationFact, given: tuple[str, ...] = ("l1",), **fields: Any) -> RuleResult:
    read = policy([{**RULE, **fields}], parameters=PARAMETERS)
    bound = bind_values(read, {"lists": given, "revokers": ("r1", "r2")})
    (result,) = evaluate(bound, facts(revocations=lists), now=NOW).rules
    return result


def test_a_fresh_list_of_a_trusted_key_that_does_not_name_the_model_passes():
    found = judged(listed(), max_age="7d", version=3)
    assert (found.result, found.evidence) == (PASS, ("lists",))
    assert found.observed == "not named by version 3 of 2026-11-21T12:00:00Z"
    assert found.expected == (
        "not named by the revocation list lists, signed by revokers and not expired, issued within 7d, "
        "of version 3 or later"
    )


@pytest.mark.parametrize(
    ("changes", "fields", "code"),
    [
        ({"signer": "s1"}, {}, "POLICY_REVOCATION_LIST_MISSING"),
        ({"digest": "l2"}, {}, "POLICY_REVOCATION_LIST_MISSING"),
        ({"expires": NOW}, {}, "REVOCATION_LIST_EXPIRED"),
        ({}, {"max_age": "1d"}, "REVOCATION_LIST_STALE"),
        ({}, {"version": 4}, "REVOCATION_LIST_ROLLED_BACK"),
        ({"issued": NOW + timedelta(hours=1)}, {}, "REVOCATION_LIST_FROM_THE_FUTURE"),
        ({"against_model": ("the model was revoked: bad data",)}, {}, "MODEL_REVOKED"),
    ],
)
def test_an_absent_stale_or_foreign_list_fails_and_so_does_a_revoked_model(changes, fields, code):
    found = judged(listed(**changes), **fields)
    assert (found.result, found.code) == (FAIL, code)


def test_no_list_at_all_fails():
    assert judged().code == "POLICY_REVOCATION_LIST_MISSING"


def test_every_list_that_was_given_must_be_good():
    good, other = listed(), listed(digest="l2", signer="r2", version=9)
    assert judged(good, other, given=("l1", "l2")).result is PASS
    assert judged(good, given=("l1", "l2")).code == "POLICY_REVOCATION_LIST_MISSING"
    stale = listed(digest="l2", expires=NOW - timedelta(days=1))
    assert judged(good, stale, given=("l1", "l2")).code == "REVOCATION_LIST_EXPIRED"


def test_a_model_that_could_not_be_read_whole_cannot_be_compared_with_a_list():
    bound = bind_values(policy([RULE], parameters=PARAMETERS), {"lists": ("l1",), "revokers": ("r1",)})
    (found,) = evaluate(bound, facts(tree_digest=None, revocations=(listed(),)), now=NOW).rules
    assert (found.result, found.code) == (OPEN, "POLICY_BYTES_UNREAD")


def test_lint_doubts_a_list_that_may_be_as_old_as_it_likes():
    read = policy([RULE], parameters=PARAMETERS)
    assert any("no max_age" in doubt.message for doubt in lint(read, now=NOW))
    read = policy([{**RULE, "max_age": "7d"}], parameters=PARAMETERS)
    assert not any("no max_age" in doubt.message for doubt in lint(read, now=NOW))


def test_a_duration_that_is_none_is_refused():
    assert refusal(policy, [{**RULE, "max_age": "1y"}], parameters=PARAMETERS).code == "POLICY_MALFORMED"


def test_taking_a_list_away_never_helps_so_the_rule_is_neither_a_warning_nor_waived():
    fault = refusal(policy, [{**RULE, "mode": "warn"}], parameters=PARAMETERS)
    assert (fault.code, "is enforced" in fault.message) == ("POLICY_MALFORMED", True)
    waiver = {
        "id": "w", "rule": "rule", "tree_digests": ["ab" * 32], "reason": "r", "approved_by": "a",
        "approved_on": "2026-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z",
    }  # fmt: skip
    fault = refusal(policy, [RULE], parameters=PARAMETERS, waivers=[waiver])
    assert (fault.code, "takes trust away" in fault.message) == ("POLICY_MALFORMED", True)


def test_a_list_that_is_not_where_it_should_be_is_absent_and_not_an_error_of_usage(tmp_path):
    read = policy([RULE], parameters={**PARAMETERS, "revokers": {"type": "keys"}})
    bound = bind(read, {"lists": tmp_path / "none.list", "revokers": keys.generate("ed25519").public})
    assert bound.values["lists"] == ("absent",)
    assert [(item.type, item.digest, item.version) for item in bound.inputs] == [("revocation-list", "absent", None)]
    assert evaluate(bound, facts(), now=NOW).rules[0].code == "POLICY_REVOCATION_LIST_MISSING"
