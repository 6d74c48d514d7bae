"""Bundles by bare keys in Sigstore's form: named by the digest of their DER, with the proofs that are wanted."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from papersigstore import Paper, b64, data_of, entry_of, new_key, spki
from refusals import refused_with

from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.content import Content
from modelsign.signing.envelope import trusts_of
from modelsign.signing.keys import load_public_key
from modelsign.signing.methods.key import KeyTrust
from modelsign.signing.oms import write_statement
from modelsign.signing.partial import open_signed
from modelsign.signing.sigstore.proofs import ProofPolicy
from modelsign.signing.sigstore.trust_root import parse_trust_root


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper()


@pytest.fixture(scope="module")
def key() -> Any:
    return new_key()


def verdict(paper: Paper, key: Any, bundle: dict[str, Any], **wanted: int) -> str:
    root = parse_trust_root(data_of(paper.trust_root()))
    policy = ProofPolicy(**{"logs": 0, "times": 0, **wanted}) if wanted else None
    try:
        KeyTrust(load_public_key(spki(key)), root=root, proofs=policy).vouch(parse_any_bundle(data_of(bundle)))
    except ModelsignError as fault:
        return fault.code
    return "accepted"


def test_a_key_may_be_named_in_each_ecosystems_way(paper, key):
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(spki(key))
    for hint in (b64(digest.digest()), digest.hexdigest(), hashlib.sha256(pem).hexdigest()):
        bundle = paper.sign(key=key, managed=True)
        bundle["verificationMaterial"]["publicKey"]["hint"] = hint
        assert verdict(paper, key, bundle) == "accepted"


def test_a_hint_of_another_key_is_refused_and_a_right_one_makes_a_bad_signature_bad(paper, key):
    bundle = paper.sign(key=key, managed=True)
    bundle["verificationMaterial"]["publicKey"]["hint"] = b64(hashlib.sha256(b"x").digest())
    assert verdict(paper, key, bundle) == "SIGNATURE_WRONG_KEY"
    bundle = paper.sign(key=key, managed=True)
    bundle["dsseEnvelope"]["payload"] = b64(b"{}")
    assert verdict(paper, key, bundle) == "SIGNATURE_INVALID"
    assert verdict(paper, new_key(), bundle) == "SIGNATURE_WRONG_KEY"
    assert verdict(paper, key, paper.sign()) == "SIGNATURE_WRONG_KEY"


@pytest.mark.parametrize(("log", "kind"), [("rekor1", "dsse"), ("rekor2", "hashedrekord"), ("rekor2", "dsse2")])
def test_log_entries_are_held_to_the_key(paper, key, log, kind):
    bundle = paper.sign(log=getattr(paper, log), kind=kind, key=key, managed=True)
    assert verdict(paper, key, bundle, logs=1, timestamps=1) == "accepted"
    other = paper.sign(log=getattr(paper, log), kind=kind, key=new_key(), managed=True)
    bundle["verificationMaterial"]["tlogEntries"] = [entry_of(other)]
    assert verdict(paper, key, bundle, logs=1) == "LOG_ENTRY_MISMATCH"


def test_no_entry_one_or_several_are_wanted_as_the_caller_says(paper, key):
    bundle = paper.sign(key=key, managed=True)
    assert verdict(paper, key, bundle, logs=2) == "PROOFS_TOO_FEW"
    bundle["verificationMaterial"]["tlogEntries"] = []
    assert verdict(paper, key, bundle) == "accepted"
    assert verdict(paper, key, bundle, timestamps=1) == "accepted"
    assert verdict(paper, key, bundle, logs=1) == "PROOFS_TOO_FEW"


def test_a_log_that_has_ended_proves_nothing_where_no_time_is_proven(paper, key):
    document = paper.trust_root()
    document["tlogs"][1]["publicKey"]["validFor"]["end"] = "2026-12-31T00:00:00Z"
    trust = KeyTrust(
        load_public_key(spki(key)), root=parse_trust_root(data_of(document)), proofs=ProofPolicy(logs=1, times=0)
    )
    stamped = parse_any_bundle(data_of(paper.sign(log=paper.rekor2, kind="dsse2", key=key, managed=True)))
    assert len(trust.vouch(stamped).signer.logs) == 1
    bare = stamped._replace(material=stamped.material._replace(timestamps=()))
    assert refused_with(trust.vouch, bare) == "LOG_KEY_NOT_VALID_THEN"


def test_the_answer_shows_the_proofs(paper, key):
    bundle = parse_any_bundle(data_of(paper.sign(key=key, managed=True)))
    root = parse_trust_root(data_of(paper.trust_root()))
    trust = KeyTrust(load_public_key(spki(key)), root=root, proofs=ProofPolicy(), notes=("it is old",))
    vouch = trust.vouch(bundle)
    assert (vouch.signer.method, vouch.signer.time, vouch.signer.time_proof) == (
        "key",
        "2026-03-01T12:00:00Z",
        "rfc3161",
    )
    assert [log.log for log in vouch.signer.logs] == ["https://rekor.paper.example"]
    assert vouch.warnings == ("it is old",)


@pytest.mark.parametrize("log", ["rekor1", "rekor2"])
def test_blobs_of_managed_keys_are_verified_by_bytes_or_digest(paper, key, log):
    blob = b"a file"
    bundle = parse_any_bundle(
        data_of(paper.sign(log=getattr(paper, log), kind="hashedrekord", key=key, managed=True, blob=blob))
    )
    trust = KeyTrust(
        load_public_key(spki(key)), root=parse_trust_root(data_of(paper.trust_root())), proofs=ProofPolicy()
    )
    for content in (
        Content.of_blob(bundle.content, blob),
        Content.of_blob(bundle.content, sha256=hashlib.sha256(blob).digest()),
    ):
        assert trust.confirm(bundle, content).signer.key_digest == hashlib.sha256(spki(key)).hexdigest()


def test_one_key_with_proofs_and_without_is_trusted_twice_and_the_proofs_are_not_forgotten(paper, key):
    public, root = load_public_key(spki(key)), parse_trust_root(data_of(paper.trust_root()))
    bare, proven = KeyTrust(public), KeyTrust(public, root=root, proofs=ProofPolicy(logs=2))
    assert trusts_of([bare, proven, KeyTrust(public)]) == [bare, proven]
    statement = write_statement("model", {"a": "0" * 64}, tree=None)
    bundle = data_of(paper.sign(key=key, managed=True, payload=statement))
    assert open_signed(bundle, [bare]).names == ("a",)
    assert refused_with(open_signed, bundle, [bare, proven]) == "SIGNATURES_TOO_FEW"
