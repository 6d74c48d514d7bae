"""Rules on identities against a small independent evaluator, and the laws every verdict keeps.

The reference knows signers as plain values and tries every subset; it shares nothing with ``modelsign.policy`` but the
cases both are made from. Removing evidence never makes a verdict more favourable, and that of others changes nothing.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from policyfacts import NOW, PROVENANCE, facts, policy

from modelsign import timestamp
from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import AttestationFact, SignatureFact
from modelsign.policy.identities import read_identity
from modelsign.policy.parameters import bind_values
from modelsign.policy.standins import LogCase, SignerCase, recognised, stand_in

RANK = {"DENY": 0, "UNDECIDED": 1, "ALLOW": 2}
PEOPLE = [
    {"identity": "alice", "issuer": "https://i"},
    {"identity_glob": "b*", "issuer_glob": "https://*"},
    {"identity_regexp": "carol|alice", "issuer": "https://j", "claims": {"build_trigger": "push"}},
]
MEANT = [
    lambda name, issuer, _: name == "alice" and issuer == "https://i",
    lambda name, issuer, _: name.startswith("b") and issuer.startswith("https://"),
    lambda name, issuer, claims: (
        name in {"carol", "alice"} and issuer == "https://j" and claims.get("build_trigger") == "push"
    ),
]
"""Whom each of the above means, written a second time."""
PARAMETERS = {"keys": {"type": "keys"}, "people": {"type": "identities"}, "root": {"type": "trust-root"}}
KEYS, ROOTS = ("k1", "k2"), ("r1",)
PQ = "ml-dsa-65"


def ago(hours: int) -> str:
    return timestamp.write(NOW - timedelta(hours=hours))


# --- the reference ----------------------------------------------------------------------


def people_of(case: SignerCase) -> list[tuple[str, str, str | None]]:
    """Whom a case makes sign: key, name, issuer."""
    if case.identity is None:
        return [(key, f"key {key}", None) for key in case.keys]
    return [(case.keys[0] if case.keys else f"new {id(case)}", case.identity, case.issuer)]


def is_trusted(case: SignerCase, key: str, rule: dict[str, Any]) -> bool:
    if case.roots and not set(case.roots) & set(ROOTS) and (case.identity or "trust_root" in rule):
        return False
    if case.identity is None:
        return "keys" in rule and key in KEYS
    claims = case.claims or {}
    return any(meant(case.identity, case.issuer, claims) for meant in MEANT) and "identities" in rule


def is_good(case: SignerCase, made_at: str | None, rule: dict[str, Any]) -> bool:
    sigstore = case.identity is not None
    logs = case.logs if case.logs is not None else (LogCase(time=timestamp.write(NOW)),) if sigstore else ()
    start = case.not_before or (timestamp.write(NOW) if sigstore else None)
    proven = sorted([*case.timestamps, *(entry.time for entry in logs if entry.time)])
    demands = (
        rule.get("family") is None or (case.algorithm == PQ) is (rule["family"] == "post-quantum"),
        len({entry.log for entry in logs}) >= rule.get("logs", 1 if sigstore else 0),
        len(case.timestamps) >= rule.get("timestamps", 0),
        bool(proven) or not sigstore,
        "time" not in rule or bool(proven and is_past(proven[0])),
        start is None or is_past(start),
        "max_age" not in rule or is_fresh(made_at or start, proven[:1], int(rule.get("max_age", "0d")[:-1])),
    )
    return all(demands)


def is_past(moment: str) -> bool:
    return timestamp.read(moment) <= NOW + timedelta(minutes=5)


def is_fresh(made_at: str | None, existed_by: list[str], days: int) -> bool:
    if made_at is None:
        return False
    made, skew = timestamp.read(made_at), timedelta(minutes=5)
    latest = min([NOW, *map(timestamp.read, existed_by)]) + skew
    return NOW - timedelta(days=days) <= made <= latest


def reference(rule: dict[str, Any], given_cases: list[tuple[SignerCase, str | None]]) -> str:
    counted = {
        person
        for case, made_at in given_cases
        for person in people_of(case)
        if is_trusted(case, person[0], rule) and is_good(case, made_at, rule)
    }

    def alike(one: tuple[str, str, str | None], other: tuple[str, str, str | None]) -> bool:
        same_issuer = rule.get("count_by") == "issuer" and one[2] is not None and one[2] == other[2]
        return one[0] == other[0] or one[1:] == other[1:] or same_issuer

    enough = any(
        not any(alike(*pair) for pair in itertools.combinations(chosen, 2))
        for chosen in itertools.combinations(counted, rule.get("threshold", 1))
    )
    return "PASS" if enough else "FAIL"


# --- strategies -------------------------------------------------------------------------

times = st.sampled_from([ago(1), ago(2), ago(30 * 24), ago(-1)])
logs = st.one_of(
    st.none(),
    st.lists(st.builds(LogCase, log=st.sampled_from(["a", "b"]), time=st.one_of(st.none(), times)), max_size=2).map(
        tuple
    ),
)
proofs = {
    "algorithm": st.sampled_from(["ed25519", PQ]),
    "logs": logs,
    "timestamps": st.lists(times, max_size=2).map(tuple),
    "not_before": st.one_of(st.none(), times),
    "roots": st.sampled_from([(), (), ROOTS, ("strange",)]),
}
by_key = st.fixed_dictionaries(
    {"keys": st.lists(st.sampled_from([*KEYS, "k3"]), min_size=1, max_size=2, unique=True).map(tuple), **proofs}
)
by_name = st.fixed_dictionaries(
    {
        "identity": st.sampled_from(["alice", "bob", "bill", "carol", "mallory"]),
        "issuer": st.sampled_from(["https://i", "https://j"]),
        "claims": st.sampled_from([{"build_trigger": "push"}, {"build_trigger": "x"}, {}]),
        "keys": st.sampled_from([(), (), ("k1",), ("k2",)]),
        **proofs,
    }
)
cases = st.tuples(st.one_of(by_key, by_name).map(lambda fields: SignerCase(**fields)), st.one_of(st.none(), times))
evidence = st.lists(cases, max_size=4)
demands = {
    "threshold": st.integers(1, 3), "count_by": st.sampled_from(["signer", "issuer"]),
    "family": st.sampled_from(["classical", "post-quantum"]), "max_age": st.just("7d"),
}  # fmt: skip
proven = {"time": st.just("proven"), "logs": st.integers(0, 2), "timestamps": st.integers(1, 2)}
rules = st.one_of(
    st.fixed_dictionaries({"keys": st.just(["keys"])}, optional=demands),
    st.fixed_dictionaries(
        {"identities": st.just(["people"]), "trust_root": st.just("root")}, optional={**demands, **proven}
    ),
    st.fixed_dictionaries(
        {"keys": st.just(["keys"]), "identities": st.just(["people"]), "trust_root": st.just("root")},
        optional={**demands, **proven},
    ),
)


def bound(rule: dict[str, Any], kind: str):
    values = {
        "keys": tuple(map(stand_in, KEYS)), "people": tuple(read_identity("people", item).value for item in PEOPLE),
        "root": tuple(map(stand_in, ROOTS)),
    }  # fmt: skip
    whole = {"id": "r", "kind": kind, **rule, **({"predicate_type": PROVENANCE} if kind == "attestation" else {})}
    signed = {"id": "signed", "kind": "signature", "keys": ["keys"], "identities": ["people"], "trust_root": "root"}
    return bind_values(policy([whole, signed], parameters=PARAMETERS), values)


def given_facts(whole, given_cases, *, kind: str):
    found = []
    for number, (case, made_at) in enumerate(given_cases):
        source = f"{kind} {number}"
        signers = recognised(case, whole, source, NOW)
        said = None if made_at is None else timestamp.read(made_at)
        if kind == "signature":
            found.append(SignatureFact(source, signers, said))
        else:
            found.append(AttestationFact(source, signers, PROVENANCE, {}, said))
    return facts(**{f"{kind}s": tuple(found)})


# --- the laws ---------------------------------------------------------------------------

KINDS = st.sampled_from(["signature", "attestation"])


@settings(max_examples=600, deadline=None)
@given(rules, evidence, KINDS)
def test_a_rule_on_identities_agrees_with_the_reference(rule, given_cases, kind):
    whole = bound(rule, kind)
    found = evaluate(whole, given_facts(whole, given_cases, kind=kind), now=NOW)
    assert str(found.rules[0].result) == reference(rule, given_cases)


@settings(max_examples=300, deadline=None)
@given(rules, evidence, KINDS, st.data())
def test_removing_a_signature_never_makes_a_verdict_more_favourable(rule, given_cases, kind, data):
    whole = bound(rule, kind)
    before = given_facts(whole, given_cases, kind=kind)
    fewer = replace(
        before,
        signatures=tuple(fact for fact in before.signatures if data.draw(st.booleans())),
        attestations=tuple(fact for fact in before.attestations if data.draw(st.booleans())),
    )
    after = evaluate(whole, fewer, now=NOW)
    assert RANK[after.verdict] <= RANK[evaluate(whole, before, now=NOW).verdict]


@settings(max_examples=200, deadline=None)
@given(rules, evidence, KINDS, evidence)
def test_signatures_under_anchors_nobody_named_change_nothing(rule, given_cases, kind, more):
    whole = bound(rule, kind)
    other = bind_values(whole.policy, {**whole.values, "root": ("00" * 32,), "keys": ("11" * 32,)})
    before = given_facts(whole, given_cases, kind=kind)
    strange = given_facts(other, more, kind=kind)
    added = replace(
        before,
        signatures=(*before.signatures, *(replace(fact, source="zz") for fact in strange.signatures)),
        attestations=(*before.attestations, *(replace(fact, source="zz") for fact in strange.attestations)),
    )
    one, two = evaluate(whole, before, now=NOW), evaluate(whole, added, now=NOW)
    assert (one.verdict, one.rules) == (two.verdict, two.rules)


@settings(max_examples=200, deadline=None)
@given(rules, evidence, KINDS, st.data())
def test_order_and_repetition_mean_nothing(rule, given_cases, kind, data):
    whole = bound(rule, kind)
    before = given_facts(whole, given_cases, kind=kind)
    shuffled = replace(
        before,
        signatures=tuple(data.draw(st.permutations(before.signatures * 2))),
        attestations=tuple(data.draw(st.permutations(before.attestations * 2))),
    )
    one, two = evaluate(whole, before, now=NOW), evaluate(whole, shuffled, now=NOW)
    assert (one.verdict, [rule.result for rule in one.rules]) == (two.verdict, [rule.result for rule in two.rules])
