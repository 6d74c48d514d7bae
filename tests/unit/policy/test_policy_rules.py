"""Each kind of rule: what passes, what fails, what stays open, and how it says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from policyfacts import NOW, PROVENANCE, attested, bound, by_keys, facts, scanned

from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import SignatureFact
from modelsign.policy.rules import _index
from modelsign.reasons import CATALOG
from modelsign.scan.pickles import analyse
from modelsign.verdict import Finding, Outcome, RuleOutcome, Severity

if TYPE_CHECKING:
    from modelsign.verdict import RuleResult

PASS, FAIL, OPEN = RuleOutcome.PASS, RuleOutcome.FAIL, RuleOutcome.INDETERMINATE


def judged(rule: dict, given, **settings) -> RuleResult:
    (result,) = evaluate(bound([{"id": "rule", **rule}], **settings), given, now=NOW).rules
    assert (result.code is None) == (result.result is PASS)
    assert result.code is None or result.code in CATALOG
    assert result.expected
    assert result.observed
    assert bool(result.advice) == (result.result is not PASS)
    return result


# --- signature --------------------------------------------------------------------------

SIGNED = {"kind": "signature", "keys": ["signers"]}


@pytest.mark.parametrize(
    ("threshold", "signers", "result"),
    [
        (1, ["s1"], PASS), (1, ["s2", "s1"], PASS), (1, [], FAIL), (1, ["stranger"], FAIL), (1, ["b1"], FAIL),
        (2, ["s1"], FAIL), (2, ["s1", "s1", "s1"], FAIL), (2, ["s1", "s3"], PASS), (2, ["s1", "stranger"], FAIL),
        (3, ["s1", "s2", "s3"], PASS), (4, ["s1", "s2", "s3"], FAIL),
    ],
)  # fmt: skip
def test_signatures_count_by_distinct_trusted_keys(threshold, signers, result):
    found = judged({**SIGNED, "threshold": threshold}, facts(signers=signers))
    assert found.result is result
    assert found.code == (None if result is PASS else "POLICY_SIGNATURE_MISSING")


def test_the_evidence_of_a_signature_rule_is_what_was_counted():
    found = judged(SIGNED, facts(signers=["stranger", "s1"]))
    assert found.evidence == ("sig 1",)
    assert found.observed == "signed by 1 trusted key (s1)"


def test_signature_rules_say_exactly_what_they_want_and_saw():
    assert judged(SIGNED, facts()).expected == "all bytes signed by at least 1 key of signers"
    assert judged(SIGNED, facts()).observed == "no valid signature by a trusted key"
    two = judged({**SIGNED, "threshold": 3, "keys": ["signers", "builders"]}, facts(signers=["s2", "s1"]))
    assert two.expected == "all bytes signed by at least 3 distinct keys of signers, builders"
    assert two.observed == "signed by 2 trusted keys (s1, s2)"
    exact = judged({**SIGNED, "threshold": 3}, facts(signers=["s2"]))
    assert exact.observed == "signed by 1 trusted key (s2)"


def test_one_bundle_can_show_several_signers():
    given = facts(signatures=(SignatureFact("all", by_keys("s1", "s2", "x")),))
    assert judged({**SIGNED, "threshold": 2}, given).result is PASS
    assert judged({**SIGNED, "threshold": 3}, given).result is FAIL


def test_keys_of_several_parameters_are_one_set():
    assert (
        judged({**SIGNED, "keys": ["signers", "builders"], "threshold": 2}, facts(signers=["s1", "b2"])).result is PASS
    )


def test_a_threshold_beyond_the_keys_given_is_said():
    assert "only 3 given" in judged({**SIGNED, "threshold": 5}, facts(signers=["s1"])).observed


def test_bytes_that_were_not_all_read_leave_signatures_open():
    found = judged(SIGNED, facts(tree_digest=None))
    assert (found.result, found.code) == (OPEN, "POLICY_BYTES_UNREAD")


# --- formats ----------------------------------------------------------------------------

FORMATS = {"kind": "formats"}


@pytest.mark.parametrize(
    ("rule", "formats", "result"),
    [
        ({"allow": ["safetensors"]}, {"a": "safetensors"}, PASS),
        ({"allow": ["safetensors"]}, {"a": "safetensors", "b": "pickle"}, FAIL),
        ({"allow": ["safetensors", "inert"]}, {"a": "safetensors", "c.json": "json"}, PASS),
        ({"allow": ["safetensors"]}, {"a": "safetensors", "c.json": "json"}, FAIL),
        ({"allow": ["safetensors", "json"]}, {"a": "safetensors", "c.json": "json"}, PASS),
        ({"allow": ["safetensors", "inert"]}, {"a": "json"}, FAIL),
        ({"deny": ["pickle"]}, {"a": "safetensors"}, PASS),
        ({"deny": ["pickle"]}, {"a": "pickle"}, FAIL),
        ({"deny": ["inert"]}, {"a.json": "json"}, FAIL),
        ({"allow": ["pickle", "zip"], "deny": ["pickle"]}, {"a": "pickle"}, FAIL),
        ({"allow": ["pickle"]}, {"a": "pickle+zip"}, FAIL),
        ({"allow": ["pickle", "zip"]}, {"a": "pickle+zip"}, PASS),
        ({"deny": ["zip"]}, {"a": "pickle+zip"}, FAIL),
        ({"allow": ["safetensors"], "files": ["*.bin"]}, {"a": "pickle", "b.bin": "safetensors"}, PASS),
        ({"allow": ["safetensors"], "files": ["*.bin"]}, {"x/b.bin": "pickle"}, FAIL),
        ({"allow": ["safetensors"], "files": ["*", "!*.txt"]}, {"a.txt": "text", "b": "safetensors"}, PASS),
        ({"allow": ["safetensors"], "files": ["/a"]}, {"sub/a": "pickle", "a": "safetensors"}, PASS),
        ({"allow": ["safetensors"], "files": ["/a"], "if_present": True}, {"sub/a": "pickle"}, PASS),
    ],
)
def test_formats_are_those_the_scan_recognised(rule, formats, result):
    names = dict.fromkeys(formats, "clean")
    found = judged({**FORMATS, **rule}, facts(names, scan=scanned(names, formats=formats)))
    assert found.result is result
    assert found.code == (None if result is PASS else "POLICY_FORMAT_DENIED")


@pytest.mark.parametrize("kind", [{"kind": "scan", "accept": ["clean"]}, {"kind": "formats", "deny": ["pickle"]}])
def test_a_file_nobody_scanned_fails_the_rule(kind):
    assert judged(kind, facts(scan=None)).code == "POLICY_SCAN_MISSING"
    missing = facts({"a": "clean", "b": "clean"}, scan=scanned({"a": "clean"}))
    found = judged(kind, missing)
    assert (found.result, found.code) == (FAIL, "POLICY_SCAN_MISSING")
    assert found.observed == "not scanned: b"
    assert judged({**kind, "files": ["a"]}, missing).result is PASS


def test_long_lists_of_names_are_cut():
    names = {f"f{at}": "clean" for at in range(9)}
    found = judged({**FORMATS, "allow": ["gguf"]}, facts(names))
    assert found.observed.endswith("and 4 more")


# --- scan -------------------------------------------------------------------------------

SCAN = {"kind": "scan", "accept": ["clean"]}
EASY = {"kind": "scan", "accept": ["clean", "unverified", "unsupported"]}


@pytest.mark.parametrize(
    ("rule", "outcome", "result", "code"),
    [
        (SCAN, "clean", PASS, None),
        (SCAN, "unverified", FAIL, "POLICY_SCAN_DENIED"),
        (SCAN, "unsupported", OPEN, "POLICY_SCAN_UNDECIDED"),
        (SCAN, "incomplete", OPEN, "POLICY_SCAN_UNDECIDED"),
        (SCAN, "unsafe", FAIL, "POLICY_SCAN_DENIED"),
        (EASY, "unverified", PASS, None),
        (EASY, "unsupported", PASS, None),
        (EASY, "incomplete", OPEN, "POLICY_SCAN_UNDECIDED"),
        (EASY, "unsafe", FAIL, "POLICY_SCAN_DENIED"),
        ({"kind": "scan", "accept": ["unverified"]}, "clean", FAIL, "POLICY_SCAN_DENIED"),
    ],
)
def test_outcomes(rule, outcome, result, code):
    found = judged(rule, facts({"x": outcome}))
    assert (found.result, found.code) == (result, code)


def test_an_unsafe_file_outweighs_one_that_is_open():
    found = judged(SCAN, facts({"a": "incomplete", "b": "unsafe"}))
    assert found.result is FAIL
    assert found.observed == "b is unsafe, a is incomplete"


def test_a_rule_can_be_about_some_files():
    given = facts({"a.safetensors": "clean", "b.gguf": "unsupported"})
    assert judged({**SCAN, "files": ["*", "!*.gguf"]}, given).result is PASS
    assert judged({**SCAN, "files": ["*.gguf"]}, given).result is OPEN
    found = judged({**SCAN, "files": ["*.onnx"], "if_present": True}, given)
    assert (found.result, found.observed) == (PASS, "no file concerned")
    assert found.expected == "files matching *.onnx (if any) scanned here as clean"


@pytest.mark.parametrize("rule", [{"kind": "scan", "accept": ["clean"]}, {"kind": "formats", "deny": ["pickle"]}])
@pytest.mark.parametrize("patterns", [["*.onnx"], ["*.Safetensors"], ["*", "!*"], ["x/"]])
def test_a_rule_about_files_that_are_not_there_fails(rule, patterns):
    found = judged({**rule, "files": patterns}, facts({"a.safetensors": "clean"}))
    assert (found.result, found.code) == (FAIL, "POLICY_NO_FILE")
    assert judged({**rule, "files": patterns, "if_present": True}, facts({"a.safetensors": "clean"})).result is PASS


def test_a_trusted_signature_that_could_not_be_compared_leaves_the_answer_open():
    signed = SignatureFact("other", by_keys("s2"))
    found = judged({"kind": "signature", "keys": ["signers"]}, facts(open_signatures=(signed,)))
    assert (found.result, found.code) == (OPEN, "POLICY_SIGNATURE_UNDECIDED")
    two = {"kind": "signature", "keys": ["signers"], "threshold": 2}
    assert judged(two, facts(open_signatures=(signed,))).result is FAIL
    assert judged(two, facts(signers=["s2"], open_signatures=(signed,))).result is FAIL
    assert judged(two, facts(signers=["s1"], open_signatures=(signed,))).result is OPEN
    stranger = SignatureFact("other", by_keys("nobody"))
    assert judged({"kind": "signature", "keys": ["signers"]}, facts(open_signatures=(stranger,))).result is FAIL


@pytest.mark.parametrize("now", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_the_first_and_the_last_moment_there_is_can_be_judged(now):
    rule = {**MADE, "id": "rule", "max_age": "999999w"}
    given = facts(attestations=[attested(made_at=NOW)])
    assert evaluate(bound([rule]), given, now=now).rules[0].result in {PASS, FAIL}


def test_an_outcome_of_the_model_beyond_its_files_counts_whatever_the_rule_is_about():
    scan = replace(scanned({"a": "clean"}), outcome=Outcome.UNSAFE)
    found = judged({**SCAN, "files": ["*.gguf"]}, facts({"a": "clean"}, scan=scan))
    assert (found.result, found.observed) == (FAIL, "the model as a whole is unsafe")


def test_the_rules_behind_an_outcome_are_named():
    scan = scanned({"a": "unsafe"})
    findings = (
        Finding("dangerous-global", Severity.HIGH, Outcome.UNSAFE, "os.system"),
        Finding("note", Severity.INFO, Outcome.CLEAN, "x"),
    )
    scan = replace(scan, files=(replace(scan.files[0], findings=findings),))
    assert judged(SCAN, facts({"a": "unsafe"}, scan=scan)).observed == "a is unsafe (dangerous-global)"


# --- attestation ------------------------------------------------------------------------

MADE = {"kind": "attestation", "predicate_type": PROVENANCE, "keys": ["builders"]}


@pytest.mark.parametrize(
    ("rule", "given", "code"),
    [
        ({}, [attested()], None),
        ({}, [], "POLICY_ATTESTATION_MISSING"),
        ({}, [attested(signer="s1")], "POLICY_ATTESTATION_MISSING"),
        ({}, [attested(kind="https://slsa.dev/provenance/v0.2")], "POLICY_ATTESTATION_MISSING"),
        ({"threshold": 2}, [attested(), attested(source="b")], "POLICY_ATTESTATION_MISSING"),
        ({"threshold": 2}, [attested(), attested(signer="b2")], None),
        ({"where": [{"path": "/a", "equals": 1}]}, [attested({"a": 1})], None),
        ({"where": [{"path": "/a", "equals": 1}]}, [attested({"a": 2})], "POLICY_ATTESTATION_MISMATCH"),
        ({"where": [{"path": "/a", "equals": 1}]}, [attested({"a": 2}), attested({"a": 1}, signer="b2")], None),
        ({"max_age": "1d"}, [attested(made_at=NOW - timedelta(hours=23))], None),
        ({"max_age": "1d"}, [attested(made_at=NOW - timedelta(hours=25))], "POLICY_ATTESTATION_STALE"),
        ({"max_age": "1d"}, [attested()], "POLICY_ATTESTATION_STALE"),
        ({"max_age": "1d"}, [attested(made_at=NOW + timedelta(minutes=5))], None),
        ({"max_age": "1d"}, [attested(made_at=NOW + timedelta(minutes=6))], "POLICY_ATTESTATION_STALE"),
        ({"max_age": "24h"}, [attested(made_at=NOW - timedelta(days=1))], None),
        ({"max_age": "30m"}, [attested(made_at=NOW - timedelta(minutes=31))], "POLICY_ATTESTATION_STALE"),
        ({"max_age": "2w"}, [attested(made_at=NOW - timedelta(days=13))], None),
        ({"max_age": "90s"}, [attested(made_at=NOW - timedelta(seconds=89))], None),
    ],
)
def test_attestations(rule, given, code):
    found = judged({**MADE, **rule}, facts(attestations=given))
    assert found.code == code
    assert found.result is (PASS if code is None else FAIL)


def test_constraints_of_one_rule_are_never_met_by_two_attestations_together():
    where = [{"path": "/a", "equals": 1}, {"path": "/b", "equals": 2}]
    halves = [attested({"a": 1}, source="one"), attested({"b": 2}, source="two")]
    assert judged({**MADE, "where": where}, facts(attestations=halves)).result is FAIL
    whole = attested({"a": 1, "b": 2}, source="three")
    assert judged({**MADE, "where": where}, facts(attestations=[*halves, whole])).evidence == ("three",)


def test_a_fresh_attestation_does_not_lend_its_age_to_an_old_one():
    given = [attested({"a": 1}, made_at=NOW - timedelta(days=9)), attested({"a": 2}, made_at=NOW)]
    rule = {**MADE, "max_age": "1d", "where": [{"path": "/a", "equals": 1}]}
    assert judged(rule, facts(attestations=given)).result is FAIL


def test_each_of_a_threshold_meets_everything_alone():
    rule = {**MADE, "threshold": 2, "where": [{"path": "/a", "equals": 1}]}
    given = [attested({"a": 1}), attested({"a": 2}, signer="b2")]
    found = judged(rule, facts(attestations=given))
    assert (found.code, found.observed) == ("POLICY_ATTESTATION_MISSING", "met by 1 trusted key")


def test_the_nearest_attestation_explains_the_failure():
    where = [{"path": "/a", "equals": 1}, {"path": "/b", "equals": 2}]
    given = [attested({}, source="far"), attested({"a": 1, "b": 3}, source="near")]
    assert judged({**MADE, "where": where}, facts(attestations=given)).observed == "not met: /b is 2; it is 3"


def test_a_missing_field_is_shown_as_absent():
    rule = {**MADE, "where": [{"path": "/a/b", "equals": 1}]}
    assert judged(rule, facts(attestations=[attested()])).observed.endswith("; it is absent")


def test_bytes_that_were_not_all_read_leave_attestations_open():
    found = judged(MADE, facts(tree_digest=None))
    assert (found.result, found.code) == (OPEN, "POLICY_BYTES_UNREAD")


def test_an_attestation_of_nobody_trusted_is_not_even_mentioned():
    found = judged(MADE, facts(attestations=[attested(signer="stranger", source="foreign")]))
    assert found.observed == "no such attestation about this model by a trusted key"
    assert found.evidence == ()


def test_the_expectation_of_a_plain_attestation_rule_is_short():
    assert judged(MADE, facts()).expected == f"{PROVENANCE} attested by at least 1 key of builders"


def test_the_expectation_of_an_attestation_rule_is_whole():
    found = judged({**MADE, "threshold": 2, "max_age": "9d", "where": [{"path": "/a", "exists": True}]}, facts())
    assert found.expected == (
        f"{PROVENANCE} attested by at least 2 distinct keys of builders; /a is present; not older than 9d"
    )


# --- all kinds --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", _index.IDS)
def test_every_kind_describes_itself(kind):
    descriptor = _index.load(kind)
    assert descriptor.id == kind
    assert descriptor.title
    assert descriptor.description.endswith(".")
    assert descriptor.rule.__struct_config__.tag == kind


def test_only_signatures_authenticate_all_bytes():
    assert [kind for kind in _index.IDS if _index.load(kind).authenticates_all_bytes] == ["signature"]


def test_there_is_no_other_kind():
    with pytest.raises(KeyError):
        _index.load("cel")


# --- names a scan rule trusts -----------------------------------------------------------


def with_names(*names, also=()):
    """A scan of one file whose findings are about unknown names."""
    scan = scanned({"a": "unverified"})
    findings = tuple(
        Finding("pickle-unknown-global", Severity.MEDIUM, Outcome.UNVERIFIED, f"calls {name}()", name=name)
        for name in names
    )
    return replace(scan, files=(replace(scan.files[0], findings=(*findings, *also)),))


def trusting(*names):
    return {"kind": "scan", "accept": ["clean"], "trust_globals": list(names)}


@pytest.mark.parametrize(
    ("trusted", "found", "result"),
    [
        (["acme.Thing"], ["acme.Thing"], PASS),
        (["acme.Thing", "acme.Other"], ["acme.Thing", "acme.Other"], PASS),
        (["acme.Thing"], ["acme.Thing", "acme.Other"], FAIL),
        (["acme.Thin"], ["acme.Thing"], FAIL),
        (["acme.thing"], ["acme.Thing"], FAIL),
    ],
)
def test_a_scan_rule_trusts_exactly_the_names_it_lists(trusted, found, result):
    assert judged(trusting(*trusted), facts({"a": "unverified"}, scan=with_names(*found))).result is result


def test_what_else_was_found_counts_and_so_do_findings_that_were_left_out():
    other = Finding("pickle-unreviewed-use", Severity.HIGH, Outcome.UNVERIFIED, "gives state")
    omitted = Finding("findings-omitted", Severity.INFO, Outcome.CLEAN, "7 more")
    for also in (other, omitted):
        scan = with_names("acme.Thing", also=(also,))
        assert judged(trusting("acme.Thing"), facts({"a": "unverified"}, scan=scan)).result is FAIL


def test_a_scan_names_unknown_names_and_no_dangerous_ones():
    data = b"(cacme\nThing\n(S'x'\ntRcacme\nOther\ncposix\nsystem\n(S'id'\ntRl."
    found = {finding.rule: set() for finding in analyse(BytesReading(data)).findings}
    for finding in analyse(BytesReading(data)).findings:
        found[finding.rule].add(finding.name)
    assert found == {"pickle-unknown-global": {"acme.Thing", "acme.Other"}, "pickle-execute": {None}}


@pytest.mark.parametrize("names", [[], ["Thing"], ["acme."], ["acme Thing.x"], ["acme.Thing\n"], ["acme.*"]])
def test_a_trusted_name_is_a_whole_name(names):
    with pytest.raises(ModelsignError):
        bound([trusting(*names)])
