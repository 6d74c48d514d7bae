"""What inspect says of any bundle: claims, as many as can be read, and why it would be refused."""

from __future__ import annotations

import json
from pathlib import Path

import foreignbundles as foreign
import jsonschema
import pytest
from bundlecraft import b64, encoded, legacy, raw_bundle
from commandline import modelsign

from modelsign import limits
from modelsign.signing.describe.bundle import describe_bundle, describe_file, describe_store
from modelsign.signing.describe.certificate import describe_certificate
from modelsign.signing.describe.material import describe_timestamp

SCHEMA = Path(__file__).parents[3] / "docs/reference/schemas/inspect-v1.json"


def described(value):
    return describe_bundle(value if isinstance(value, bytes) else encoded(value), "here")


def test_a_cosign_blob_bundle_says_which_file_it_signs():
    found = described(foreign.cosign_blob())
    assert (found.shape, found.version, found.problems) == ("sigstore-bundle", "0.3", ())
    assert found.says == "the bytes of one file"
    assert found.blob.algorithm == "SHA2_256"
    assert len(found.blob.digest) == 64
    assert found.statement is None
    assert [signature.looks_like for signature in found.signatures] == ["ECDSA"]


def test_a_github_attestation_says_what_was_built_and_by_whom():
    found = described(foreign.github_attestation())
    assert found.says == "SLSA build provenance"
    assert (found.statement.predicate_type, found.statement.model) == (foreign.SLSA, None)
    assert [subject.name for subject in found.statement.subjects] == ["model.tar.gz"]
    (certificate,) = found.material.certificates
    assert certificate.issuer == "CN=paper-intermediate"
    assert certificate.serial == "c0ffee"
    assert (certificate.not_before, certificate.not_after) == ("2026-01-02T03:04:05Z", "2026-01-02T03:14:05Z")
    assert certificate.names == ("uri:https://github.com/acme/m/.github/workflows/r.yml@refs/tags/v1",)
    assert certificate.extended_key_usage == ("codeSigning",)
    assert certificate.key_algorithm == "ECDSA on secp256r1"
    assert certificate.claims == {
        "issuer": "https://token.actions.githubusercontent.com",
        "source_repository_uri": "https://github.com/acme/m",
    }
    assert certificate.problem is None
    (entry,) = found.material.log_entries
    assert (entry.index, entry.kind, entry.version, entry.tree_size) == (155, "dsse", "0.0.1", 99)
    assert (entry.time, entry.checkpoint) == ("2026-01-02T02:46:40Z", "log.example")
    assert (entry.promise, entry.proof) == (True, True)
    assert entry.log_id == bytes(range(32)).hex()


def test_an_npm_attestation_of_an_older_version_says_its_key():
    found = described(foreign.npm_publish())
    assert (found.version, found.says) == ("0.2", "npm's attestation that a package was published")
    assert found.material.kind == "public_key"
    assert found.material.hint_form == "a fingerprint as OpenSSH writes it"
    assert found.statement.subjects[0].digests.keys() == {"sha512"}


def test_a_chain_of_a_bundle_of_version_0_1_is_shown_leaf_first():
    found = described(foreign.old_keyless())
    assert (found.version, found.material.kind) == ("0.1", "certificate_chain")
    assert [certificate.subject for certificate in found.material.certificates] == ["", "CN=ca"]


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (foreign.bare_envelope, "dsse-envelope"),
        (foreign.old_cosign_bundle, "cosign-bundle"),
        (foreign.pypi_attestation, "pypi-attestation"),
        (lambda: {"attestation_bundles": []}, "pypi-attestation"),
        (lambda: {"attestations": [{"bundle": foreign.github_attestation()}]}, "attestation-list"),
        (lambda: json.loads(foreign.statement(foreign.SLSA)), "in-toto-statement"),
    ],
)
def test_what_is_no_bundle_is_called_by_its_name(make, shape):
    found = described(make())
    assert found.shape == shape
    assert found.problems[0].startswith("BUNDLE_UNSUPPORTED: this is no Sigstore bundle but ")


def test_a_bare_envelope_and_a_bare_statement_are_read_all_the_same():
    envelope = described(foreign.bare_envelope())
    assert envelope.says == "an attestation made by cosign, of an npm package"
    assert len(envelope.signatures) == 2
    assert described(foreign.statement(foreign.SLSA)).statement.predicate_type == foreign.SLSA


def test_an_attestation_of_pypi_is_read_like_a_bundle():
    found = described(foreign.pypi_attestation())
    assert found.statement.predicate_type == "https://docs.pypi.org/attestations/publish/v1"
    assert found.material.certificates[0].issuer == "CN=paper-intermediate"
    assert found.material.log_entries[0].index == 155


def test_each_bundle_of_an_answer_that_lists_some_is_described():
    listed = {"attestations": [{"bundle": foreign.github_attestation()}, {"bundle": foreign.npm_publish()}, {}, 7]}
    found = describe_file(encoded(listed), "here")
    assert [(entry.source, entry.says) for entry in found] == [
        ("here", "an answer of npm or GitHub that lists attestations; each bundle in it is one"),
        ("here#1", "SLSA build provenance"),
        ("here#2", "npm's attestation that a package was published"),
    ]
    assert describe_file(b"x", "here") == [describe_bundle(b"x", "here")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"-----BEGIN PGP SIGNATURE-----\n", "an OpenPGP signature"),
        (b"-----BEGIN SSH SIGNATURE-----\n", "a signature of ssh-keygen"),
        (b"untrusted comment: x\n", "a signature of minisign"),
        (b"-----BEGIN PUBLIC KEY-----\n", "a key or certificate in PEM"),
        (b"\x30\x82\x01\x00", "binary (DER)"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS: what it points at was not fetched"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"", "empty"),
        (b"[]", "nothing that is known here"),
        (b"\xff\xfe", "nothing that is known here"),
    ],
)
def test_files_that_are_not_even_json_are_called_by_their_name(data, words):
    found = described(data)
    assert (found.shape, found.says) == ("unknown", words)
    assert found.problems[0].startswith("BUNDLE_")


def test_a_broken_bundle_is_shown_as_far_as_it_can_be_read():
    value = foreign.github_attestation()
    value["unheard"] = 1
    value["verificationMaterial"]["certificate"]["rawBytes"] = b64(b"\x30\x03\x02\x01")
    value["verificationMaterial"]["tlogEntries"].append({"logIndex": "x", "kindVersion": 7})
    found = described(value)
    assert found.problems == ("BUNDLE_MALFORMED: the bundle is refused: the bundle has the unknown field unheard",)
    assert found.statement.predicate_type == foreign.SLSA
    assert found.material.certificates[0].problem.startswith("it cannot be read")
    assert [entry.index for entry in found.material.log_entries] == [155, None]
    assert found.version is None


def test_a_key_that_stands_twice_is_a_problem_and_hides_nothing_else():
    data = encoded(raw_bundle()).replace(b'"dsseEnvelope"', b'"mediaType": "x", "dsseEnvelope"')
    found = described(data)
    assert found.problems[0].startswith("BUNDLE_MALFORMED")
    assert "twice" in found.problems[0]
    assert (found.media_type, found.payload_bytes) == ("x", 2)


def test_the_shape_from_before_oms_v1_1_is_called_legacy():
    value = raw_bundle()
    legacy(value)
    found = described(value)
    assert (found.legacy, found.material.kind, found.material.hint) == (True, "legacy_public_key", None)


def test_hints_are_told_apart_by_their_form():
    forms = {hint: described(raw_bundle(hint=hint)).material.hint_form for hint in ("ab" * 32, b64(bytes(32)), "mine")}
    assert [words.split(",")[0] for words in forms.values()] == [
        "a SHA-256 in hexadecimal",
        "a SHA-256 in base64",
        "a text of the signer's own",
    ]


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        (bytes(64), "Ed25519, or ECDSA in the form of IEEE P1363"),
        (bytes(384), "RSA with 3072 bits"),
        (bytes(1024), "RSA"),
        (bytes(3309), "ML-DSA-65"),
        (b"\x30\x45" + bytes(69), "ECDSA"),
        (b"", "no known algorithm"),
    ],
)
def test_a_signature_is_called_by_what_it_looks_like(signature, words):
    (found,) = described(raw_bundle(signature=signature)).signatures
    assert (found.bytes, found.looks_like) == (len(signature), words)


def test_lists_and_texts_are_cut_and_the_rest_is_counted():
    value = foreign.github_attestation()
    value["verificationMaterial"]["tlogEntries"] *= 150
    value["dsseEnvelope"]["payloadType"] = "x" * 5000
    found = described(value)
    assert len(found.material.log_entries) == 100
    assert found.left_out == 50
    assert len(found.payload_type) == 2001


def test_a_document_with_too_many_values_is_not_parsed_at_all(monkeypatch):
    monkeypatch.setattr(limits, "INSPECTED_VALUES", 10)
    found = described({"predicateType": [[]] * 20, "subject": []})
    assert (found.shape, found.statement) == ("unknown", None)
    many = raw_bundle(json.dumps([[]] * 20).encode())
    assert described(many).statement.problem == "INPUT_TOO_LARGE: the payload has more than 10 values"


def test_a_number_that_is_no_date_and_a_time_that_is_none_are_left_out():
    value = foreign.github_attestation()
    for time in ("9" * 18, "0"):
        value["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = time
        assert described(value).material.log_entries[0].time is None


def test_certificates_and_timestamps_that_are_none_have_a_problem_each():
    big = bytes(limits.INSPECTED_PART_BYTES + 1)
    for describe in (describe_certificate, describe_timestamp):
        assert describe(None).problem == "it is not base64"
        assert "more than" in describe(big).problem
        assert describe(b"\x30\x00").problem.startswith("it cannot be read")


def test_each_line_of_a_store_is_described_by_itself():
    lines = encoded(foreign.github_attestation()) + b"\n\nnot json\n"
    found = describe_store(lines, "s.jsonl")
    assert [(entry.source, entry.shape) for entry in found] == [
        ("s.jsonl:1", "sigstore-bundle"),
        ("s.jsonl:3", "unknown"),
    ]


@pytest.mark.parametrize(
    "make",
    [raw_bundle, foreign.cosign_blob, foreign.github_attestation, foreign.old_keyless, foreign.pypi_attestation],
    ids=lambda make: make.__name__,
)
def test_the_document_follows_the_published_schema(tmp_path, make):
    (tmp_path / "x.json").write_bytes(encoded(make()))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(
        modelsign("inspect", tmp_path / "x.json", "--format", "json").document
    )
