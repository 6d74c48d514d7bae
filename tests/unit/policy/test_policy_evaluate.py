"""The verdict: default deny, three-valued, explained; waivers are dated and never cover the bytes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from policyfacts import NOW, TREE, attested, bound, facts, scanned

from modelsign.policy.evaluate import evaluate
from modelsign.verdict import RuleMode, RuleOutcome, Verdict

SIGNED = {"id": "signed", "kind": "signature", "keys": ["signers"]}
CLEAN = {"id": "clean", "kind": "scan", "accept": ["clean"]}
MADE = {"id": "made", "kind": "attestation", "predicate_type": "https://slsa.dev/provenance/v1", "keys": ["builders"]}
WAIVER = {
    "id": "W-1", "rule": "clean", "tree_digests": [TREE], "reason": "seen by hand", "approved_by": "sec@example.com",
    "approved_on": "2026-11-01T00:00:00Z", "expires": "2026-12-01T00:00:00Z",
}  # fmt: skip


def codes(found) -> list[str]:
    return [reason.code for reason in found.reasons]


def test_everything_in_order_is_allowed_without_reasons():
    found = evaluate(bound([SIGNED, CLEAN]), facts(signers=["s1"]), now=NOW)
    assert (found.verdict, found.reasons) == (Verdict.ALLOW, ())
    assert [rule.result for rule in found.rules] == [RuleOutcome.PASS] * 2


def test_one_enforced_failure_denies():
    found = evaluate(bound([SIGNED, CLEAN, MADE]), facts(signers=["s1"]), now=NOW)
    assert found.verdict is Verdict.DENY
    assert codes(found) == ["POLICY_ATTESTATION_MISSING"]
    assert found.reasons[0].message.startswith("rule made: ")


def test_what_stays_open_is_undecided():
    found = evaluate(bound([SIGNED, CLEAN]), facts({"a": "unsupported"}, signers=["s1"]), now=NOW)
    assert (found.verdict, codes(found)) == (Verdict.UNDECIDED, ["POLICY_SCAN_UNDECIDED"])


def test_a_failure_outweighs_what_stays_open_and_comes_first():
    found = evaluate(bound([CLEAN, SIGNED]), facts({"a": "unsupported"}), now=NOW)
    assert found.verdict is Verdict.DENY
    assert codes(found) == ["POLICY_SIGNATURE_MISSING", "POLICY_SCAN_UNDECIDED"]


def test_a_rule_that_only_warns_is_shown_and_never_decides():
    found = evaluate(bound([SIGNED, {**CLEAN, "mode": "warn"}]), facts({"a": "unsafe"}, signers=["s1"]), now=NOW)
    assert (found.verdict, found.reasons) == (Verdict.ALLOW, ())
    assert (found.rules[1].result, found.rules[1].mode) == (RuleOutcome.FAIL, RuleMode.WARN)


@pytest.mark.parametrize("rules", [[CLEAN], [{**SIGNED, "mode": "warn"}, CLEAN], [MADE]])
def test_a_policy_that_does_not_authenticate_the_bytes_never_allows(rules):
    found = evaluate(bound(rules), facts(signers=["s1"], attestations=[attested()]), now=NOW)
    assert (found.verdict, codes(found)) == (Verdict.UNDECIDED, ["POLICY_AUTHENTICATES_NOTHING"])


def test_such_a_policy_still_denies_what_fails():
    assert evaluate(bound([CLEAN]), facts({"a": "unsafe"}), now=NOW).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("expires", "verdict"),
    [
        ("2026-11-23T12:00:01Z", Verdict.ALLOW),
        ("2026-11-23T12:00:00Z", Verdict.DENY),
        ("2020-01-01T00:00:00+02:00", Verdict.DENY),
    ],
)
def test_a_policy_that_has_expired_allows_nothing(expires, verdict):
    found = evaluate(bound([SIGNED], metadata={"name": "t", "expires": expires}), facts(signers=["s1"]), now=NOW)
    assert found.verdict is verdict
    assert codes(found) == ([] if verdict is Verdict.ALLOW else ["POLICY_EXPIRED"])


def waived(given, *, now=NOW, **changes):
    return evaluate(bound([SIGNED, CLEAN], waivers=[{**WAIVER, **changes}]), given, now=now)


def test_a_waiver_allows_and_never_hides_what_was_observed():
    found = waived(facts({"a": "unsafe"}, signers=["s1"]))
    assert (found.verdict, found.rules[1].result) == (Verdict.ALLOW, RuleOutcome.WAIVED)
    assert found.rules[1].observed == ("a is unsafe; waived by W-1 until 2026-12-01T00:00:00Z (sec@example.com)")
    assert found.rules[1].code == "POLICY_SCAN_DENIED"


def test_a_waiver_covers_what_stays_open_too():
    assert waived(facts({"a": "incomplete"}, signers=["s1"])).verdict is Verdict.ALLOW


def test_a_rule_that_passes_is_not_waived():
    assert waived(facts(signers=["s1"])).rules[1].result is RuleOutcome.PASS


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({"tree_digests": ["cd" * 32]}, NOW),
        ({}, NOW - timedelta(days=30)),
        ({}, NOW + timedelta(days=30)),
        ({"expires": "2026-11-23T12:00:00Z"}, NOW),
    ],
)
def test_a_waiver_for_another_model_or_out_of_its_time_waives_nothing(changes, now):
    found = waived(facts({"a": "unsafe"}, signers=["s1"]), now=now, **changes)
    assert (found.verdict, found.rules[1].result) == (Verdict.DENY, RuleOutcome.FAIL)


def test_a_waiver_is_in_force_from_the_moment_of_its_approval():
    given = facts({"a": "unsafe"}, signers=["s1"])
    assert waived(given, approved_on="2026-11-23T12:00:00Z").verdict is Verdict.ALLOW
    assert waived(given, approved_on="2026-11-23T12:00:01Z").verdict is Verdict.DENY


def test_a_waiver_that_does_not_fit_does_not_hide_the_next():
    others = [
        {**WAIVER, "id": "W-0", "tree_digests": ["cd" * 32]},
        {**WAIVER, "id": "W-00", "expires": "2026-11-02T00:00:00Z"},
        WAIVER,
    ]
    found = evaluate(bound([SIGNED, CLEAN], waivers=others), facts({"a": "unsafe"}, signers=["s1"]), now=NOW)
    assert "waived by W-1 " in found.rules[1].observed


def test_a_waiver_does_not_replace_a_signature():
    assert waived(facts({"a": "unsafe"})).verdict is Verdict.DENY


def test_bytes_that_were_not_read_match_no_waiver():
    found = waived(facts({"a": "incomplete"}, signers=["s1"], tree_digest=None))
    assert found.verdict is Verdict.UNDECIDED
    assert found.rules[1].result is RuleOutcome.INDETERMINATE


def test_the_advice_is_the_policys_own_where_it_has_one():
    own = evaluate(bound([{**SIGNED, "advice": "Ask Ann."}]), facts(), now=NOW)
    assert own.rules[0].advice == own.reasons[0].advice == "Ask Ann."
    assert "modelsign verify" in evaluate(bound([SIGNED]), facts(), now=NOW).rules[0].advice


def test_equal_inputs_give_equal_results():
    policy, given = bound([SIGNED, CLEAN, MADE]), facts({"a": "unsafe"}, signers=["s1"])
    one, other = (evaluate(policy, given, now=NOW) for _ in range(2))
    assert (one.verdict, one.rules) == (other.verdict, other.rules)


def test_the_scan_is_of_every_file_of_the_model():
    given = facts({"a": "clean", "b": "clean"}, signers=["s1"], scan=scanned({"a": "clean"}))
    assert evaluate(bound([SIGNED, CLEAN]), given, now=NOW).verdict is Verdict.DENY
