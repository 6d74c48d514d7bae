"""What rules ask of signers beyond who they are: distinctness, families, proofs of time and publication, age."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from policyfacts import NOW, PROVENANCE, by_keys, facts, policy
from refusals import refusal

from modelsign import timestamp
from modelsign.policy.evaluate import evaluate
from modelsign.policy.facts import AttestationFact, SignatureFact
from modelsign.policy.identities import read_identity
from modelsign.policy.lint import lint
from modelsign.policy.parameters import bind_values
from modelsign.policy.signers import claimants
from modelsign.verdict import LogProof, RuleOutcome, Signer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.policy.parameters import BoundPolicy
    from modelsign.verdict import RuleResult

PASS, FAIL, OPEN = RuleOutcome.PASS, RuleOutcome.FAIL, RuleOutcome.INDETERMINATE
ISSUER, OTHER = "https://issuer.example", "https://other.example"
PARAMETERS = {
    "signers": {"type": "keys"}, "people": {"type": "identities"}, "root": {"type": "trust-root"},
    "sigstores": {"type": "identities"},
    "authorities": {"type": "certificate-roots"}, "clocks": {"type": "certificate-roots"},
}  # fmt: skip
PEOPLE = (
    {"identity_glob": "*@acme.example", "issuer_glob": "https://*.example"},
    {"identity": "dns:build.acme.example"},
)
RULE = {
    "id": "rule", "kind": "signature", "keys": ["signers"], "identities": ["people"],
    "trust_root": "root", "certificate_roots": "authorities", "timestamp_roots": "clocks",
}  # fmt: skip


def at(**ago: float) -> str:
    return timestamp.write(NOW - timedelta(**ago))


def bound(rules: list[dict[str, Any]]) -> BoundPolicy:
    values = {
        "signers": ("s1", "s2"), "people": tuple(read_identity("people", item).value for item in PEOPLE),
        "sigstores": (read_identity("people", PEOPLE[0]).value,),
        "root": ("aa",), "authorities": ("bb",), "clocks": ("cc",),
    }  # fmt: skip
    return bind_values(policy(rules, parameters=PARAMETERS), values)


def ids(whole: BoundPolicy, kind: str) -> list[str]:
    (rule,) = whole.policy.rules
    return [claimant.id for claimant in claimants(rule, whole.values) if claimant.kind == kind]


def person(name: str, *, key: str = "", issuer: str = ISSUER, **proofs: Any) -> Signer:
    proofs = {"logs": (LogProof("rekor", 1, at(hours=1)),), "not_before": at(hours=1), **proofs}
    return Signer(
        "keyless", "ecdsa-p256-sha256", key or f"key of {name}{proofs}", identity=name, issuer=issuer, **proofs
    )


def judged(
    signers: list[Signer], *, made_at: datetime | None = None, opened: list[Signer] | None = None, **fields: Any
) -> RuleResult:
    """Judge signatures by the identities of the rule, or by keys where a signer has none."""
    whole = bound([{**RULE, **fields}])

    def of(signer: Signer) -> Mapping[str, Signer]:
        kind = "keyless" if signer.identity else "key"
        keys = dict(zip(["s1", "s2"], ids(whole, "key"), strict=False))
        return {keys.get(signer.key_digest, "nobody") if kind == "key" else ids(whole, kind)[0]: signer}

    given = [SignatureFact(f"sig {number}", of(signer), made_at) for number, signer in enumerate(signers)]
    left_open = [SignatureFact(f"open {number}", of(signer), made_at) for number, signer in enumerate(opened or ())]
    (result,) = evaluate(whole, facts(signatures=tuple(given), open_signatures=tuple(left_open)), now=NOW).rules
    return result


# --- who counts -------------------------------------------------------------------------


def test_an_identity_counts_once_however_many_keys_it_had():
    alice = [person("alice@acme.example", key=f"k{number}") for number in range(3)]
    found = judged(alice, threshold=2)
    assert (found.result, found.code) == (FAIL, "POLICY_SIGNATURE_MISSING")
    assert found.observed == f"signed by 1 trusted signer (alice@acme.example, confirmed by {ISSUER})"
    assert judged([*alice, person("bob@acme.example")], threshold=2).result is PASS


def test_a_key_and_an_identity_with_that_key_are_one_signer():
    alice, key = person("alice@acme.example", key="s1"), by_keys("s1")["s1"]
    assert judged([alice, key], threshold=2).result is FAIL
    assert judged([alice, by_keys("s2")["s2"]], threshold=2).result is PASS


def test_counted_by_issuer_all_whom_one_confirmed_are_one():
    people = [person("alice@acme.example"), person("bob@acme.example")]
    assert judged(people, threshold=2).result is PASS
    assert judged(people, threshold=2, count_by="issuer").result is FAIL
    assert judged([*people, person("eve@acme.example", issuer=OTHER)], threshold=2, count_by="issuer").result is PASS


def test_who_is_trusted_by_another_anchor_is_not_trusted():
    whole = bound([RULE])
    other = bound([{**RULE, "certificate_roots": "clocks"}])
    assert ids(whole, "keyless") == ids(other, "keyless")
    assert set(ids(whole, "certificate")).isdisjoint(ids(other, "certificate"))
    stranger = SignatureFact("sig", {ids(other, "certificate")[0]: person("dns:build.acme.example")})
    (found,) = evaluate(whole, facts(signatures=(stranger,)), now=NOW).rules
    assert (found.result, found.code) == (FAIL, "POLICY_SIGNATURE_MISSING")


def test_a_signature_that_could_not_be_compared_leaves_the_answer_open():
    found = judged([person("alice@acme.example")], opened=[person("bob@acme.example")], threshold=2)
    assert (found.result, found.code) == (OPEN, "POLICY_SIGNATURE_UNDECIDED")
    assert judged([], opened=[person("bob@acme.example", logs=())], logs=1).result is FAIL


# --- families ---------------------------------------------------------------------------

HYBRID = [
    {"id": "classical", "kind": "signature", "keys": ["signers"], "family": "classical"},
    {"id": "post-quantum", "kind": "signature", "keys": ["signers"], "family": "post-quantum"},
]


@pytest.mark.parametrize(
    ("algorithms", "verdict"),
    [
        (["ecdsa-p256-sha256", "ml-dsa-65"], "ALLOW"), (["ed25519", "ml-dsa-87"], "ALLOW"),
        (["ecdsa-p256-sha256"], "DENY"), (["ml-dsa-65"], "DENY"), (["ed25519", "rsa-pss-sha256"], "DENY"),
        (["ml-dsa-65", "ml-dsa-87"], "DENY"), ([], "DENY"),
    ],
)  # fmt: skip
def test_neither_the_classical_nor_the_post_quantum_signature_can_be_stripped(algorithms, verdict):
    keys = [by_keys(f"s{number}", algorithm=name) for number, name in enumerate(algorithms, 1)]
    given = facts(signatures=tuple(SignatureFact(f"sig {number}", item) for number, item in enumerate(keys)))
    whole = bind_values(policy(HYBRID, parameters={"signers": {"type": "keys"}}), {"signers": ("s1", "s2")})
    found = evaluate(whole, given, now=NOW)
    assert found.verdict == verdict
    for rule in found.rules:
        if rule.result is not PASS:
            assert rule.code == ("POLICY_ALGORITHM_FAMILY" if algorithms else "POLICY_SIGNATURE_MISSING")


# --- proofs -----------------------------------------------------------------------------

LOGGED = (LogProof("rekor", 7, at(hours=1)),)
UNTIMED = (LogProof("rekor2", 9),)


@pytest.mark.parametrize(
    ("wanted", "proofs", "code"),
    [
        ({"time": "proven"}, {"logs": LOGGED}, None),
        ({"time": "proven"}, {"timestamps": (at(hours=1),)}, None),
        ({"time": "proven"}, {"time": at(hours=1), "time_proof": "rfc3161"}, None),
        ({"time": "proven"}, {"logs": UNTIMED}, "POLICY_SIGNATURE_UNPROVEN"),
        ({"time": "proven"}, {"time": at(hours=1)}, "POLICY_SIGNATURE_UNPROVEN"),
        ({"time": "proven"}, {}, "POLICY_SIGNATURE_UNPROVEN"),
        ({"logs": 1}, {"logs": UNTIMED}, None),
        ({"logs": 2}, {"logs": LOGGED + UNTIMED}, None),
        ({"logs": 2}, {"logs": (*LOGGED, LogProof("rekor", 8))}, "POLICY_SIGNATURE_UNPROVEN"),
        ({"logs": 1}, {"timestamps": (at(hours=1),)}, "POLICY_SIGNATURE_UNPROVEN"),
        ({"logs": 0}, {}, None),
        ({"timestamps": 1}, {"timestamps": (at(hours=1),)}, None),
        ({"timestamps": 2}, {"timestamps": (at(hours=1), at(hours=2))}, None),
        ({"timestamps": 2}, {"timestamps": (at(hours=1), at(hours=1))}, None),  # two authorities in one second
        ({"timestamps": 2}, {"timestamps": (at(hours=1),)}, "POLICY_SIGNATURE_UNPROVEN"),
        ({"timestamps": 1}, {"logs": LOGGED}, "POLICY_SIGNATURE_UNPROVEN"),
    ],
)  # fmt: skip
def test_a_proof_that_a_rule_asks_for_and_is_absent_fails(wanted, proofs, code):
    for signer in (
        person("alice@acme.example", **{"logs": (), "not_before": None, **proofs}),
        Signer("key", "ed25519", "s1", **proofs),
    ):
        found = judged([signer], **wanted)
        assert (found.result, found.code) == (PASS if code is None else FAIL, code)


def test_the_proofs_of_two_signatures_are_never_put_together():
    logged, stamped = person("alice@acme.example", key="k1"), person(
        "alice@acme.example", key="k2", logs=(), timestamps=(at(hours=1),)
    )  # fmt: skip
    assert judged([logged, stamped], logs=1, timestamps=1).code == "POLICY_SIGNATURE_UNPROVEN"
    both = person("alice@acme.example", timestamps=(at(hours=1),))
    assert judged([logged, both], logs=1, timestamps=1).result is PASS


# --- age --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_at", "proofs", "code"),
    [
        (timedelta(days=1), {}, None),
        (timedelta(days=40), {}, "POLICY_SIGNATURE_STALE"),
        (None, {"not_before": at(days=1)}, None),
        (None, {"not_before": at(days=40)}, "POLICY_SIGNATURE_STALE"),
        (None, {"not_before": None}, "POLICY_SIGNATURE_STALE"),
        (None, {"not_before": None, "timestamps": (at(days=1),)}, "POLICY_SIGNATURE_STALE"),
        (timedelta(minutes=-10), {"logs": ()}, "POLICY_SIGNATURE_STALE"),
        (timedelta(minutes=-3), {"logs": ()}, None),
        (timedelta(days=1), {"timestamps": (at(days=2),)}, "POLICY_SIGNATURE_STALE"),
        (timedelta(hours=1), {"timestamps": (at(hours=1, minutes=3),)}, None),
        (timedelta(days=1), {"not_before": at(days=400)}, None),
    ],
)
def test_age_is_counted_from_when_it_was_made_and_a_timestamp_makes_nothing_fresh(made_at, proofs, code):
    signer = person("alice@acme.example", **{"logs": (), **proofs})
    found = judged([signer], made_at=None if made_at is None else NOW - made_at, max_age="30d")
    assert (found.result, found.code) == (PASS if code is None else FAIL, code)


def test_what_did_not_exist_yet_does_not_count_at_a_time_of_the_past():
    later = person("alice@acme.example", logs=(), not_before=at(hours=-1))
    assert judged([later]).code == "POLICY_SIGNATURE_UNPROVEN"
    stamped = Signer("key", "ed25519", "s1", timestamps=(at(hours=-1),))
    assert judged([stamped], time="proven").code == "POLICY_SIGNATURE_UNPROVEN"
    assert judged([stamped]).result is PASS  # a key is older than its signatures, and so may this one be


def test_an_attestation_without_a_time_of_its_own_is_as_old_as_its_certificate():
    rule = {**RULE, "kind": "attestation", "predicate_type": PROVENANCE, "max_age": "30d"}
    whole = bound([rule])
    for days, result in ((1, PASS), (40, FAIL)):
        signer = person("alice@acme.example", not_before=at(days=days), logs=())
        fact = AttestationFact("store:1", {ids(whole, "keyless")[0]: signer}, PROVENANCE, {})
        (found,) = evaluate(whole, facts(attestations=[fact]), now=NOW).rules
        assert (found.result, found.code) == (result, None if result is PASS else "POLICY_ATTESTATION_STALE")


def test_an_attestation_cannot_be_newer_than_its_timestamp():
    rule = {**RULE, "kind": "attestation", "predicate_type": PROVENANCE, "max_age": "30d"}
    whole = bound([rule])
    signer = person("alice@acme.example", timestamps=(at(days=20),), logs=())
    fact = AttestationFact("store:1", {ids(whole, "keyless")[0]: signer}, PROVENANCE, {}, NOW - timedelta(days=1))
    (found,) = evaluate(whole, facts(attestations=[fact]), now=NOW).rules
    assert (found.code, "existed by" in found.observed) == ("POLICY_ATTESTATION_STALE", True)


def test_identities_attest_for_their_own_rule_only():
    rule = {**RULE, "kind": "attestation", "predicate_type": PROVENANCE, "threshold": 2}
    whole = bound([rule])
    (trust,) = ids(whole, "keyless")
    alice, bob = person("alice@acme.example"), person("bob@acme.example")
    attested = [AttestationFact(f"store:{n}", {trust: who}, PROVENANCE, {}) for n, who in enumerate((alice, alice))]
    (found,) = evaluate(whole, facts(attestations=attested), now=NOW).rules
    assert (found.code, found.observed) == ("POLICY_ATTESTATION_MISSING", "met by 1 trusted signer")
    attested.append(AttestationFact("store:9", {trust: bob}, PROVENANCE, {}))
    assert evaluate(whole, facts(attestations=attested), now=NOW).rules[0].result is PASS
    attested[-1] = AttestationFact("store:9", {"another rule's": bob}, PROVENANCE, {})
    assert evaluate(whole, facts(attestations=attested), now=NOW).rules[0].result is FAIL


# --- words ------------------------------------------------------------------------------


def test_a_rule_says_what_it_asks_of_signers():
    words = judged(
        [], threshold=2, count_by="issuer", family="classical", time="proven", logs=2, timestamps=1, max_age="90d"
    ).expected
    assert words == (
        "all bytes signed by at least 2 distinct classical signers of signers, people under root or authorities, "
        "counted by issuer; at a proven time; in 2 transparency logs; with 1 timestamp; not older than 90d"
    )


def test_lint_doubts_identities_in_no_log_and_keys_counted_by_issuer():
    found = [doubt.message for doubt in lint(bound([{**RULE, "logs": 0, "count_by": "issuer"}]).policy, now=NOW)]
    assert any(words.startswith("logs: 0") for words in found)
    assert any(words.startswith("count_by: issuer") for words in found)


# --- what is asked of the signing methods -----------------------------------------------


def asked(**fields: Any) -> list[tuple[Any, ...]]:
    whole = bound([{name: value for name, value in {**RULE, **fields}.items() if value is not None}])
    (rule,) = whole.policy.rules
    return [tuple(claimant)[:1] + tuple(claimant)[2:] for claimant in claimants(rule, whole.values)]


def test_a_signing_method_is_asked_for_everything_that_the_rule_demands():
    key, person, machine = ("key", "aa"), ("keyless", "aa"), ("certificate", "aa")
    under = (("bb",), ("cc",))
    assert asked() == [
        (*key, (), (), None, 0, 0, 0), (*key, (), (), None, 0, 0, 0), (*person, (), (), None, 1, 0, 1),
        (*machine, *under, None, 0, 0, 0),
    ]  # fmt: skip
    assert asked(logs=2, timestamps=3, time="proven") == [
        (*key, (), (), None, 2, 3, 1), (*key, (), (), None, 2, 3, 1), (*person, (), (), None, 2, 3, 1),
        (*machine, *under, None, 2, 3, 0),
    ]  # fmt: skip
    assert asked(logs=0, keys=None, certificate_roots=None, timestamp_roots=None, identities=["sigstores"]) == [
        (*person, (), (), None, 0, 0, 1)
    ]
    bare = {"identities": None, "trust_root": None, "certificate_roots": None, "timestamp_roots": None}
    assert asked(**bare) == [("key", None, (), (), None, 0, 0, 0)] * 2


def test_a_bare_key_goes_by_its_digest_and_one_with_proofs_by_more():
    bare = {"identities": None, "trust_root": None, "certificate_roots": None, "timestamp_roots": None}
    assert ids(bound([{name: value for name, value in {**RULE, **bare}.items() if value}]), "key") == ["s1", "s2"]
    proven = ids(bound([RULE]), "key")
    assert {"s1", "s2"}.isdisjoint(proven)
    assert proven != ids(bound([{**RULE, "logs": 1}]), "key")


def test_each_identity_must_be_anchored_not_one_of_them():
    rule = {"id": "rule", "kind": "signature", "identities": ["people"], "trust_root": "root"}
    fault = refusal(bound, [rule])
    assert (fault.code, "dns:build.acme.example" in fault.message) == ("PARAMETER_INVALID", True)
