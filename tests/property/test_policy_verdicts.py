"""The evaluator against a small independent one, and the laws every verdict keeps.

The reference evaluator below knows the documents as plain JSON and the facts as plain sets; it shares no code with
``modelsign.policy``. Removing evidence never makes a verdict more favourable, and evidence nobody trusted changes
nothing at all.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policyfacts import NOW, PROVENANCE, SCAN, TREE, attested, bound, by_keys, facts, scanned

from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import SignatureFact

TRUSTED = {"signers": {"s1", "s2", "s3"}, "builders": {"b1", "b2"}}
RANK = {"DENY": 0, "UNDECIDED": 1, "ALLOW": 2}
OUTCOMES = ["clean", "unverified", "unsupported", "incomplete", "unsafe"]


# --- the reference ----------------------------------------------------------------------


def reference_rule(rule: dict, given) -> str:
    if rule["kind"] == "signature":
        trusted = set().union(*(TRUSTED[name] for name in rule["keys"]))
        signed = set().union(set(), *(fact.signers.keys() for fact in given.signatures)) & trusted
        return "PASS" if len(signed) >= rule.get("threshold", 1) else "FAIL"
    if rule["kind"] == "attestation":
        trusted = set().union(*(TRUSTED[name] for name in rule["keys"]))
        signed: set[str] = set()
        for fact in given.attestations:
            if fact.predicate_type != rule["predicate_type"]:
                continue
            if any(fact.predicate.get(item["path"][1:], "missing") != item["equals"] for item in rule.get("where", [])):
                continue
            if "max_age" in rule:
                days = int(rule["max_age"][:-1])
                if fact.made_at is None or not timedelta(minutes=-5) <= NOW - fact.made_at <= timedelta(days=days):
                    continue
            signed |= fact.signers.keys() & trusted
        return "PASS" if len(signed) >= rule.get("threshold", 1) else "FAIL"
    by_name = {} if given.scan is None else {file.path: file for file in given.scan.files}
    if given.scan is None or set(given.files) - set(by_name):
        return "FAIL"
    if rule["kind"] == "formats":
        return "PASS" if all(by_name[name].format in rule["allow"] for name in given.files) else "FAIL"
    left = {str(by_name[name].outcome) for name in given.files} - set(rule["accept"])
    return "PASS" if not left else "INDETERMINATE" if left <= {"unsupported", "incomplete"} else "FAIL"


def reference(rules: list[dict], waivers: list[dict], given, *, expired: bool) -> tuple[str, list[str]]:
    results = []
    for rule in rules:
        result = reference_rule(rule, given)
        covered = any(item["rule"] == rule["id"] and TREE in item["tree_digests"] for item in waivers)
        results.append("WAIVED" if result != "PASS" and covered else result)
    enforced = [result for rule, result in zip(rules, results, strict=True) if rule.get("mode") != "warn"]
    bytes_bound = any(rule["kind"] == "signature" and rule.get("mode") != "warn" for rule in rules)
    if expired or "FAIL" in enforced:
        return "DENY", results
    if bytes_bound and set(enforced) <= {"PASS", "WAIVED"}:
        return "ALLOW", results
    return "UNDECIDED", results


# --- strategies -------------------------------------------------------------------------

modes = st.sampled_from(["enforce", "enforce", "enforce", "warn"])
where = st.lists(
    st.builds(lambda path, value: {"path": path, "equals": value}, st.sampled_from(["/a", "/b"]), st.integers(0, 1)),
    max_size=2,
)
signature_rules = st.fixed_dictionaries(
    {"kind": st.just("signature"), "keys": st.sampled_from([["signers"], ["signers", "builders"]]), "mode": modes},
    optional={"threshold": st.integers(1, 4)},
)
attestation_rules = st.fixed_dictionaries(
    {
        "kind": st.just("attestation"),
        "predicate_type": st.sampled_from([PROVENANCE, SCAN]),
        "keys": st.sampled_from([["builders"], ["signers"]]),
        "mode": modes,
    },
    optional={"threshold": st.integers(1, 3), "where": where, "max_age": st.sampled_from(["1d", "30d"])},
)
scan_rules = st.fixed_dictionaries(
    {
        "kind": st.just("scan"),
        "accept": st.lists(st.sampled_from(OUTCOMES[:3]), min_size=1, max_size=3, unique=True),
        "mode": modes,
    }
)
format_rules = st.fixed_dictionaries(
    {"kind": st.just("formats"), "allow": st.sampled_from([["safetensors"], ["safetensors", "pickle"]]), "mode": modes}
)


@st.composite
def policies(draw):
    kinds = st.one_of(signature_rules, signature_rules, attestation_rules, scan_rules, format_rules)
    drawn = draw(st.lists(kinds, min_size=1, max_size=5))
    rules = [{"id": f"r{at}", **rule} for at, rule in enumerate(drawn)]
    waivable = [rule["id"] for rule in rules if rule["kind"] != "signature"]
    names = draw(st.lists(st.sampled_from(waivable), max_size=2, unique=True)) if waivable else []
    waivers = [
        {
            "id": f"w{at}", "rule": name, "tree_digests": [draw(st.sampled_from([TREE, "cd" * 32]))], "reason": "r",
            "approved_by": "a", "approved_on": "2026-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z",
        }
        for at, name in enumerate(names)
    ]  # fmt: skip
    return rules, waivers


keys = st.sampled_from(["s1", "s2", "s3", "b1", "b2", "stranger"])
attestations = st.builds(
    lambda predicate, signer, kind, age, at: attested(
        predicate, signer=signer, kind=kind, made_at=None if age is None else NOW - age, source=f"store:{at}"
    ),
    st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 1)),
    keys,
    st.sampled_from([PROVENANCE, SCAN, "https://other.example/v1"]),
    st.sampled_from([None, timedelta(0), timedelta(hours=30), timedelta(days=60), timedelta(minutes=-30)]),
    st.integers(1, 9),
)


@st.composite
def evidence(draw):
    files = draw(st.dictionaries(st.sampled_from(["m", "n", "o"]), st.sampled_from(OUTCOMES), min_size=1))
    formats = {name: draw(st.sampled_from(["safetensors", "pickle"])) for name in files}
    scan = draw(st.sampled_from([scanned(files, formats=formats), scanned(files, formats=formats), None]))
    signed = draw(st.lists(st.frozensets(keys, min_size=1, max_size=2), max_size=4))
    return facts(
        files,
        scan=scan,
        signatures=tuple(SignatureFact(f"sig {at}", by_keys(*who)) for at, who in enumerate(signed)),
        attestations=draw(st.lists(attestations, max_size=4)),
    )


def decided(rules, waivers, given, *, expired: bool = False):
    metadata = {"name": "t", "expires": "2026-01-01T00:00:00Z" if expired else "2027-01-01T00:00:00Z"}
    return evaluate(bound(rules, waivers=waivers, metadata=metadata), given, now=NOW)


# --- the laws ---------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(policies(), evidence(), st.booleans())
def test_the_evaluator_agrees_with_the_reference(policy, given_facts, expired):
    rules, waivers = policy
    found = decided(rules, waivers, given_facts, expired=expired)
    verdict, results = reference(rules, waivers, given_facts, expired=expired)
    assert [str(result.result) for result in found.rules] == results
    assert str(found.verdict) == verdict
    assert (found.verdict == "ALLOW") == (found.reasons == ())


@settings(max_examples=300, deadline=None)
@given(policies(), evidence(), st.data())
def test_removing_evidence_never_makes_a_verdict_more_favourable(policy, given_facts, data):
    rules, waivers = policy
    before = decided(rules, waivers, given_facts)
    fewer = replace(
        given_facts,
        signatures=tuple(fact for fact in given_facts.signatures if data.draw(st.booleans())),
        attestations=tuple(fact for fact in given_facts.attestations if data.draw(st.booleans())),
        scan=data.draw(st.sampled_from([given_facts.scan, None])),
    )
    after = decided(rules, waivers, fewer)
    assert RANK[after.verdict] <= RANK[before.verdict]


@settings(max_examples=200, deadline=None)
@given(policies(), evidence(), st.lists(attestations, max_size=3))
def test_evidence_that_nobody_trusted_signed_changes_nothing(policy, given_facts, more):
    rules, waivers = policy
    added = replace(
        given_facts,
        signatures=(*given_facts.signatures, SignatureFact("foreign", by_keys("stranger", "mallory"))),
        attestations=(
            *given_facts.attestations,
            *(replace(fact, signers=by_keys("stranger"), source="zzz") for fact in more),
        ),
    )
    before, after = decided(rules, waivers, given_facts), decided(rules, waivers, added)
    assert (after.verdict, after.rules) == (before.verdict, before.rules)


@settings(max_examples=200, deadline=None)
@given(policies(), evidence(), st.data())
def test_the_order_and_repetition_of_evidence_mean_nothing(policy, given_facts, data):
    rules, waivers = policy
    shuffled = replace(
        given_facts,
        signatures=tuple(data.draw(st.permutations(given_facts.signatures * 2))),
        attestations=tuple(data.draw(st.permutations(given_facts.attestations * 2))),
    )
    before, after = decided(rules, waivers, given_facts), decided(rules, waivers, shuffled)
    assert after.verdict == before.verdict
    assert [rule.result for rule in after.rules] == [rule.result for rule in before.rules]


@settings(max_examples=200, deadline=None)
@given(policies(), evidence())
def test_nothing_is_allowed_unless_enforced_signatures_hold(policy, given_facts):
    rules, waivers = policy
    found = decided(rules, waivers, given_facts)
    if found.verdict == "ALLOW":
        results = [
            result.result
            for rule, result in zip(rules, found.rules, strict=True)
            if rule["kind"] == "signature" and rule["mode"] == "enforce"
        ]
        assert results
        assert set(results) == {"PASS"}


# --- the truth table --------------------------------------------------------------------

TABLE = [
    {"id": "signed", "kind": "signature", "keys": ["signers"], "threshold": 2},
    {"id": "clean", "kind": "scan", "accept": ["clean"]},
    {"id": "formats", "kind": "formats", "allow": ["safetensors"]},
    {"id": "made", "kind": "attestation", "predicate_type": PROVENANCE, "keys": ["builders"],
     "where": [{"path": "/a", "equals": 1}]},
]  # fmt: skip


@pytest.mark.parametrize("modes_of", list(itertools.product(["enforce", "warn"], repeat=4)), ids="".join)
def test_the_truth_table_of_four_rules(modes_of):
    """Every combination of modes with every combination of evidence, against the reference."""
    rules = [{**rule, "mode": mode} for rule, mode in zip(TABLE, modes_of, strict=True)]
    policy = bound(rules)
    for one, two, outcome, form, made in itertools.product(
        [False, True], [False, True], ["clean", "incomplete", "unsafe"], ["safetensors", "pickle"], [None, 0, 1]
    ):
        names = {"m": outcome}
        given_facts = facts(
            names,
            scan=scanned(names, formats={"m": form}),
            signers=[name for name, there in (("s1", one), ("s2", two)) if there],
            attestations=[] if made is None else [attested({"a": made})],
        )
        found = evaluate(policy, given_facts, now=NOW)
        verdict, results = reference(rules, [], given_facts, expired=False)
        assert (str(found.verdict), [str(item.result) for item in found.rules]) == (verdict, results)
