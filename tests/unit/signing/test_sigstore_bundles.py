"""Bundles of identities: the good ones are accepted, and of each kind of bad one the reason is the right one.

The kinds are those of the public conformance suite; the bundles are our own, made by ``papersigstore``.
"""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from papersigstore import (
    IDENTITY,
    ISSUER,
    PAYLOAD,
    SIGNED,
    Certifier,
    Clock,
    Log,
    Paper,
    as_version,
    b64,
    data_of,
    entry_of,
    new_key,
    rfc3339,
    unb64,
)
from paperverdicts import own_copy, trust, verdict

from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.content import Content

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def founded() -> Paper:
    return Paper()


@pytest.fixture
def paper(founded: Paper) -> Paper:
    return own_copy(founded)


@pytest.mark.parametrize(
    ("log", "kind"), [("rekor1", "dsse"), ("rekor1", "intoto"), ("rekor2", "hashedrekord"), ("rekor2", "dsse2")]
)
@pytest.mark.parametrize("later", [0, 1, 6, 27])
def test_every_kind_of_entry_is_accepted_wherever_it_stands_in_the_tree(paper, log, kind, later):
    chosen: Log = getattr(paper, log)
    chosen.leaves = chosen.leaves + [b"more"] * later
    assert verdict(paper, paper.sign(log=chosen, kind=kind)) == "accepted"


@pytest.mark.parametrize("log", ["rekor1", "rekor2"])
def test_an_entry_alone_in_its_log_is_accepted_with_every_default_value_left_out(paper, log):
    chosen: Log = getattr(paper, log)
    chosen.leaves, chosen.offset = [], 0
    bundle = paper.sign(log=chosen, kind="dsse" if log == "rekor1" else "hashedrekord")
    entry = entry_of(bundle)
    chosen.leaves = chosen.leaves[:1]
    chosen.prove(entry, 0)
    del entry["logIndex"], entry["inclusionProof"]["logIndex"], entry["inclusionProof"]["hashes"]
    assert verdict(paper, bundle) == "accepted"


def test_the_answer_names_who_signed_and_when_and_by_what_it_is_known(paper):
    vouch = trust(paper).vouch(parse_any_bundle(data_of(paper.sign(stamped=SIGNED - SECOND))))
    signer = vouch.signer
    assert (signer.method, signer.identity, signer.issuer) == ("keyless", IDENTITY, ISSUER)
    assert (signer.time, signer.time_proof) == ("2026-03-01T11:59:59Z", "rfc3161")
    assert signer.timestamps == ("2026-03-01T11:59:59Z",)
    assert [(log.log, log.index, log.time) for log in signer.logs] == [
        ("https://rekor.paper.example", 1005, "2026-03-01T12:00:00Z")
    ]
    assert signer.names == (f"uri:{IDENTITY}",)
    assert signer.claims["source_repository_uri"] == "https://github.com/paper/models"
    assert "issuer" not in signer.claims
    assert signer.root == trust(paper).root.digest


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_older_bundles_hold_a_chain_without_its_root(paper, version):
    bundle = paper.sign(stamped=None)
    assert verdict(paper, as_version(bundle, version)) == "accepted"
    assert verdict(paper, as_version(bundle, version, [paper.authority.der])) == "accepted"
    assert verdict(paper, as_version(bundle, version, [paper.authority.chain[1].der])) == "BUNDLE_HOLDS_ANCHOR"
    bundle["mediaType"] = as_version(bundle, version)["mediaType"]
    assert verdict(paper, bundle) == "SIGNATURE_WRONG_KEY"


def test_an_older_bundle_holds_only_so_many_certificates(paper):
    """Each is read before anything is verified, for every identity that is trusted."""
    bundle = paper.sign(stamped=None)
    assert verdict(paper, as_version(bundle, "0.2", [paper.authority.der] * 99)) == "accepted"
    assert verdict(paper, as_version(bundle, "0.2", [paper.authority.der] * 100)) == "CERTIFICATE_LIMIT"


def test_a_current_bundle_holds_one_certificate_and_no_chain(paper):
    bundle = as_version(paper.sign(), "0.3")
    assert verdict(paper, bundle) == "SIGNATURE_WRONG_KEY"


def test_a_bundle_of_version_0_1_must_hold_the_logs_promise(paper):
    bundle = as_version(paper.sign(), "0.1")
    del entry_of(bundle)["inclusionPromise"]
    assert verdict(paper, bundle) == "LOG_PROMISE_INVALID"


def broken_shapes() -> dict[str, tuple[Any, str]]:
    def signature(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = "AAA*"

    def negative(bundle: dict[str, Any]) -> None:
        entry_of(bundle)["logIndex"] = "-1"

    def version(bundle: dict[str, Any]) -> None:
        bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=99.9"

    def empty(bundle: dict[str, Any]) -> None:
        del bundle["verificationMaterial"]["certificate"]
        bundle["verificationMaterial"]["x509CertificateChain"] = {"certificates": []}

    return {
        "signature that is no base64": (signature, "BUNDLE_MALFORMED"),
        "negative log index": (negative, "BUNDLE_MALFORMED"),
        "unknown version": (version, "BUNDLE_UNSUPPORTED"),
        "empty chain": (empty, "BUNDLE_MALFORMED"),
    }


@pytest.mark.parametrize("what", list(broken_shapes()))
def test_a_malformed_bundle_is_undecided(paper, what):
    alter, code = broken_shapes()[what]
    bundle = paper.sign()
    alter(bundle)
    assert verdict(paper, bundle) == code


def test_a_bundle_that_is_cut_short_is_undecided(paper):
    with pytest.raises(ModelsignError) as raised:
        parse_any_bundle(data_of(paper.sign())[:-20])
    assert raised.value.code == "BUNDLE_MALFORMED"


def test_a_bundle_of_another_instance_is_refused(paper):
    assert verdict(paper, Paper().sign()) == "TIMESTAMP_INVALID"
    assert verdict(paper, Paper().sign(stamped=None)) == "PROOFS_TOO_FEW"


def test_an_envelope_that_was_altered_or_signed_by_another_key_is_refused(paper):
    bundle = paper.sign()
    bundle["dsseEnvelope"]["payload"] = b64(PAYLOAD + b" ")
    assert verdict(paper, bundle) == "SIGNATURE_INVALID"
    bundle = paper.sign(key=new_key(), certificate=paper.certificate(new_key()))
    assert verdict(paper, bundle) == "SIGNATURE_INVALID"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_time_outside_the_certificates_life_is_refused_whoever_tells_it(paper, minutes):
    moment = SIGNED + timedelta(minutes=minutes)
    key = new_key()
    for bundle in (
        paper.sign(key=key, certificate=paper.certificate(key), logged=moment, stamped=None),
        paper.sign(key=key, certificate=paper.certificate(key), stamped=moment),
        paper.sign(log=paper.rekor2, key=key, certificate=paper.certificate(key), stamped=moment),
    ):
        assert verdict(paper, bundle) == "CERTIFICATE_NOT_SIGSTORES"


@pytest.mark.parametrize("minutes", [-5, 5])
def test_both_ends_of_the_certificates_life_belong_to_it(paper, minutes):
    moment = SIGNED + timedelta(minutes=minutes)
    key = new_key()
    certificate = paper.certificate(key)
    assert verdict(paper, paper.sign(key=key, certificate=certificate, logged=moment, stamped=moment)) == "accepted"
    beyond = moment + (SECOND if minutes > 0 else -SECOND)
    assert verdict(paper, paper.sign(key=key, certificate=certificate, stamped=beyond)) == "CERTIFICATE_NOT_SIGSTORES"


MEMBERS = {
    "certificateAuthorities": "CERTIFICATE_NOT_SIGSTORES",
    "timestampAuthorities": "TIMESTAMP_INVALID",
    "tlogs": "LOG_KEY_NOT_VALID_THEN",
    "ctlogs": "SCT_INVALID",
}


def window(root: dict[str, Any], name: str) -> dict[str, Any]:
    member = root[name][0]
    return member.get("publicKey", member)["validFor"]


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_of_the_trust_root_counts_only_while_it_was_valid_ends_included(paper, name):
    bundle, root = paper.sign(), paper.trust_root()
    window(root, name).update(start=rfc3339(SIGNED), end=rfc3339(SIGNED))
    assert verdict(paper, bundle, root) == "accepted"
    window(root, name).update(start=rfc3339(SIGNED + SECOND), end=rfc3339(SIGNED + HOUR))
    assert verdict(paper, bundle, root) == MEMBERS[name]
    window(root, name).update(start=rfc3339(SIGNED - HOUR), end=rfc3339(SIGNED - SECOND))
    assert verdict(paper, bundle, root) == MEMBERS[name]


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_of_the_trust_root_without_a_start_is_none(paper, name):
    bundle, root = paper.sign(), paper.trust_root()
    del window(root, name)["start"]
    assert verdict(paper, bundle, root) == {**MEMBERS, "tlogs": "PROOFS_TOO_FEW"}[name]


def test_a_log_without_times_must_have_been_valid_when_the_signature_was_stamped(paper):
    bundle, root = paper.sign(log=paper.rekor2), paper.trust_root()
    root["tlogs"][1]["publicKey"]["validFor"]["end"] = rfc3339(SIGNED - SECOND)
    assert verdict(paper, bundle, root) == "LOG_KEY_NOT_VALID_THEN"


def test_without_a_proven_time_there_is_none(paper):
    assert verdict(paper, paper.sign(log=paper.rekor2, stamped=None)) == "SIGNING_TIME_UNPROVEN"
    bundle = paper.sign(stamped=None)
    assert verdict(paper, bundle) == "accepted"
    assert verdict(paper, bundle, integrated_time=False) == "SIGNING_TIME_UNPROVEN"
    del entry_of(bundle)["inclusionPromise"]
    assert verdict(paper, bundle) == "SIGNING_TIME_UNPROVEN"


def restamped(paper: Paper, stamp: bytes) -> dict[str, Any]:
    bundle = paper.sign(stamped=None)
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": b64(stamp)}]}
    bundle["verificationMaterial"]["timestampVerificationData"] = stamps
    return bundle


def signature_of(bundle: dict[str, Any]) -> bytes:
    return unb64(bundle["dsseEnvelope"]["signatures"][0]["sig"])


@pytest.mark.parametrize("embed", [True, False])
def test_a_timestamp_is_accepted_with_and_without_the_authoritys_certificate(paper, embed):
    bundle = paper.sign()
    stamp = paper.clock.stamp(signature_of(bundle), embed=embed)
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = [{"signedTimestamp": b64(stamp)}]
    assert verdict(paper, bundle, timestamps=1) == "accepted"


@pytest.mark.parametrize("embed", [True, False])
def test_a_timestamp_of_an_unknown_authority_is_refused_even_where_the_log_tells_a_time(paper, embed):
    bundle = paper.sign()
    stamp = Clock("stranger").stamp(signature_of(bundle), embed=embed)
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = [{"signedTimestamp": b64(stamp)}]
    assert verdict(paper, bundle) == "TIMESTAMP_INVALID"


def test_a_timestamp_of_something_else_or_of_nothing_is_refused(paper):
    assert verdict(paper, restamped(paper, paper.clock.stamp(b"another signature"))) == "TIMESTAMP_INVALID"
    assert verdict(paper, restamped(paper, b"0\x03\x02\x01\x00")) == "TIMESTAMP_INVALID"
    assert verdict(paper, restamped(paper, b"")) == "TIMESTAMP_INVALID"


def test_a_timestamp_counts_only_while_the_authoritys_certificate_was_valid(paper):
    paper.clock = Clock("short", days=30)
    root = paper.trust_root()
    bundle = paper.sign(stamped=SIGNED)  # two months after the certificate began
    assert verdict(paper, bundle, root) == "TIMESTAMP_INVALID"
    early = SIGNED - timedelta(days=40)
    key = new_key()
    bundle = paper.sign(key=key, certificate=paper.certificate(key, at=early), logged=early, stamped=early)
    assert verdict(paper, bundle, root) == "accepted"


def test_an_authority_that_is_its_own_root_stamps_nothing(paper):
    bundle, root = paper.sign(), paper.trust_root()
    chain = root["timestampAuthorities"][0]["certChain"]
    chain["certificates"] = chain["certificates"][:1]
    assert verdict(paper, bundle, root) == "TIMESTAMP_INVALID"
    root["timestampAuthorities"] = []
    assert verdict(paper, bundle, root) == "TIMESTAMP_INVALID"


def test_the_authority_must_be_the_trust_roots(paper):
    stranger = Certifier("stranger", Certifier("stranger's root"))
    key = new_key()
    bundle = paper.sign(key=key, certificate=paper.certificate(key, by=stranger))
    assert verdict(paper, bundle) == "CERTIFICATE_NOT_SIGSTORES"
    namesake = Certifier("intermediate", Certifier("root"))
    bundle = paper.sign(key=key, certificate=paper.certificate(key, by=namesake))
    assert verdict(paper, bundle) == "CERTIFICATE_NOT_SIGSTORES"


def test_the_certificate_must_have_been_published_exactly_once(paper):
    key = new_key()
    for certificate, code in (
        (paper.certificate(key, scts=0), "SCT_INVALID"),
        (paper.certificate(key, scts=2), "SCT_INVALID"),
        (paper.certificate(key, ct_key=new_key()), "SCT_INVALID"),
        (paper.certificate(key, sct_extensions=b"\x00\x00\x05abcde"), "accepted"),
    ):
        assert verdict(paper, paper.sign(key=key, certificate=certificate)) == code
    root = paper.trust_root()
    root["ctlogs"][0]["publicKey"]["rawBytes"] = paper.rekor1.trusted()["publicKey"]["rawBytes"]
    assert verdict(paper, paper.sign(), root) == "SCT_INVALID"


def test_the_certificate_must_be_for_signing_by_one_name(paper):
    key = new_key()
    uri = x509.UniformResourceIdentifier(IDENTITY)
    for certificate in (
        paper.certificate(key, code_signing=False),
        paper.certificate(key, ca=True),
        paper.certificate(key, names=[uri, x509.RFC822Name("mallory@example.org")]),
        paper.certificate(key, names=[x509.DNSName("example.org")]),
        paper.certificate(key, old_issuer="https://another.example"),
    ):
        assert verdict(paper, paper.sign(key=key, certificate=certificate)) == "CERTIFICATE_NOT_FOR_SIGNING"
    assert verdict(paper, paper.sign(key=key, certificate=b"0\x00")) == "CERTIFICATE_MALFORMED"


def test_logs_and_authorities_are_counted_by_their_keys(paper):
    second_log, second_clock = Log(1, "rekor.second.example"), Clock("second")
    root = paper.trust_root()
    key = new_key()
    certificate = paper.certificate(key)
    bundle = paper.sign(key=key, certificate=certificate)
    assert verdict(paper, bundle, logs=2) == "PROOFS_TOO_FEW"
    assert verdict(paper, bundle, timestamps=2) == "PROOFS_TOO_FEW"

    def log_again(log: Log) -> dict[str, Any]:
        return log.enter(json.loads(unb64(entry_of(bundle)["canonicalizedBody"])))

    entries = bundle["verificationMaterial"]["tlogEntries"]
    stamps = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    entries.append(log_again(paper.rekor1))  # the same log once more
    stamps.append({"signedTimestamp": b64(paper.clock.stamp(signature_of(bundle)))})
    assert verdict(paper, bundle) == "accepted"
    assert verdict(paper, bundle, logs=2) == "PROOFS_TOO_FEW"
    assert verdict(paper, bundle, timestamps=2) == "PROOFS_TOO_FEW"

    entries.append(log_again(second_log))
    stamps.append({"signedTimestamp": b64(second_clock.stamp(signature_of(bundle)))})
    assert verdict(paper, bundle, root, logs=2) == "PROOFS_TOO_FEW"  # strangers count for nothing
    vouch = trust(paper, root).vouch(parse_any_bundle(data_of(bundle)))
    assert len(vouch.warnings) == 2
    root["tlogs"].append(second_log.trusted())
    root["timestampAuthorities"].append(second_clock.trusted())
    assert verdict(paper, bundle, root, logs=2, timestamps=2, times=4) == "accepted"
    assert verdict(paper, bundle, root, logs=3) == "PROOFS_TOO_FEW"
    assert verdict(paper, bundle, root, times=5) == "SIGNING_TIME_UNPROVEN"


def test_one_key_under_two_addresses_is_one_log(paper):
    root = paper.trust_root()
    alias = {**paper.rekor1.trusted(), "baseUrl": "https://alias.example", "logId": {"keyId": b64(b"a" * 32)}}
    root["tlogs"].append(alias)
    bundle = paper.sign()
    log = copy.copy(paper.rekor1)
    log.id = b"a" * 32
    entry = log.enter(json.loads(unb64(entry_of(bundle)["canonicalizedBody"])))
    bundle["verificationMaterial"]["tlogEntries"].append(entry)
    assert verdict(paper, bundle, root) == "accepted"
    assert verdict(paper, bundle, root, logs=2) == "PROOFS_TOO_FEW"


def test_an_entry_or_timestamp_that_stands_twice_is_refused(paper):
    for name in ("tlogEntries", "timestampVerificationData"):
        bundle = paper.sign()
        found = bundle["verificationMaterial"][name]
        many = found if name == "tlogEntries" else found["rfc3161Timestamps"]
        many.append(copy.deepcopy(many[0]))
        assert verdict(paper, bundle) == "PROOF_REPEATED"


def test_one_bad_entry_of_a_trusted_log_refuses_the_bundle_whatever_else_is_good(paper):
    bundle, other = paper.sign(), paper.sign()
    bundle["verificationMaterial"]["tlogEntries"].append(entry_of(other))
    assert verdict(paper, bundle) == "LOG_ENTRY_MISMATCH"


def test_too_many_entries_or_timestamps_are_not_read(paper):
    bundle = paper.sign()
    material = bundle["verificationMaterial"]
    entry = entry_of(bundle)
    material["tlogEntries"] = [{**entry, "logIndex": str(number)} for number in range(33)]
    assert verdict(paper, bundle) == "PROOFS_TOO_FEW"
    bundle = paper.sign()
    stamp = {"signedTimestamp": "AAAA"}
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = [stamp] * 33
    assert verdict(paper, bundle) == "TIMESTAMP_INVALID"


def test_no_log_is_wanted_where_the_caller_says_so(paper):
    bundle = paper.sign()
    bundle["verificationMaterial"]["tlogEntries"] = []
    assert verdict(paper, bundle) == "PROOFS_TOO_FEW"
    assert verdict(paper, bundle, logs=0, timestamps=1) == "accepted"


@pytest.mark.parametrize("log", ["rekor1", "rekor2"])
def test_a_blob_is_held_to_its_own_entry_and_digest(paper, log):
    chosen: Log = getattr(paper, log)
    blob = b"some file"
    bundle = parse_any_bundle(data_of(paper.sign(log=chosen, kind="hashedrekord", blob=blob)))
    by_bytes = Content.of_blob(bundle.content, blob)
    by_digest = Content.of_blob(bundle.content, sha256=by_bytes.digest("sha256"))
    for content in (by_bytes, by_digest):
        assert trust(paper).confirm(bundle, content).signer.identity == IDENTITY
    with pytest.raises(ModelsignError) as raised:
        Content.of_blob(bundle.content, b"another file")
    assert raised.value.code == "BLOB_MISMATCH"
    with pytest.raises(ModelsignError) as raised:
        trust(paper).confirm(bundle, by_bytes._replace(data=b"another file"))
    assert raised.value.code == "SIGNATURE_INVALID"
    with pytest.raises(ModelsignError) as raised:
        trust(paper).vouch(bundle)
    assert raised.value.code == "NOT_A_MODEL_SIGNATURE"
