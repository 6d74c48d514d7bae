"""verify of a bundle that is not for models: refused as before, and told what was given instead."""

from __future__ import annotations

import foreignbundles as foreign
import papersigstore as paper
import paperverdicts
import pytest
from bundlecraft import encoded, raw_bundle, signed
from refusals import build, refusal

from modelsign.artifact.model import open_artifact
from modelsign.signing import keys, oms
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.describe.bundle import describe_bundle
from modelsign.signing.describe.foreign import MODEL_PREDICATES, purpose_of
from modelsign.signing.describe.material import describe_timestamp
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.verify import verify_model

KEY, STRANGER = keys.generate(), keys.generate()


@pytest.fixture
def model(tmp_path):
    return build(tmp_path / "model", {"config.json": "{}"})


def reason_of(model, bundle, key=KEY):
    with open_artifact(model) as artifact:
        (reason,) = verify_model(artifact, bundle, [key.public]).reasons
    return reason


@pytest.mark.parametrize(
    ("predicate_type", "name", "words"),
    [
        (foreign.SLSA, "model.tar.gz", "SLSA build provenance about model.tar.gz"),
        (foreign.SLSA, "pkg:npm/left@1", "SLSA build provenance, of an npm package about pkg:npm/left@1"),
        (foreign.NPM_PUBLISH, "pkg:npm/left@1", "npm's attestation that a package was published"),
        ("https://docs.pypi.org/attestations/publish/v1", "a.whl", "PyPI's attestation that a package was published"),
        ("https://cosign.sigstore.dev/attestation/v1", "image", "an attestation made by cosign"),
        ("https://cyclonedx.org/bom", "model", "a bill of materials (CycloneDX)"),
        ("https://example.org/other/v1", "model", "a statement with the predicate type https://example.org/other/v1"),
    ],
)
@pytest.mark.parametrize("kind", ["v1", "v0.1"])
def test_an_attestation_by_a_trusted_key_is_called_by_its_name(model, predicate_type, name, words, kind):
    reason = reason_of(model, signed(foreign.statement(predicate_type, name, kind=kind), KEY))
    assert (reason.code, reason.exit_status) == ("NOT_A_MODEL_SIGNATURE", 1)
    assert words in reason.message
    assert "modelsign check --attestations" in reason.advice
    assert reason.details == {"kind": "attestation", "predicate_type": predicate_type}


def test_a_signature_over_one_file_is_called_by_its_digest(model):
    reason = reason_of(model, encoded(foreign.cosign_blob(b"weights")))
    assert reason.code == "NOT_A_MODEL_SIGNATURE"
    assert "with SHA2_256 digest 9a129038" in reason.message
    assert "cosign verify-blob" in reason.advice
    assert reason.details == {"kind": "blob"}


def test_what_an_unverified_attestation_says_changes_no_code(model):
    bundle = signed(foreign.statement(foreign.SLSA), KEY)
    reason = reason_of(model, bundle, STRANGER)
    assert reason.code == "SIGNATURE_WRONG_KEY"
    assert "besides, it says that it is SLSA build provenance" in reason.message
    broken = raw_bundle(foreign.statement(foreign.SLSA), b"no signature", KEY.public.hint)
    reason = reason_of(model, encoded(broken))
    assert reason.code == "SIGNATURE_INVALID"
    assert "besides, it says" in reason.message


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        b"[]",
        b'{"predicateType": null}',
        b'{"predicateType": "https://model_signing/signature/v1.0"}',
        b'{"predicateType": "x", "y": "' + bytes(1 << 20).replace(b"\0", b"x") + b'"}',
        b'{"predicateType": "x", "y": [' + b"[]," * 30_000 + b"[]]}",
    ],
)
def test_nothing_is_added_where_nothing_can_be_said_cheaply(model, payload):
    bundle = encoded(raw_bundle(payload, b"no signature", KEY.public.hint))
    assert "besides" not in reason_of(model, bundle).message


@pytest.mark.parametrize(
    "make", [foreign.bare_envelope, foreign.old_cosign_bundle, foreign.pypi_attestation], ids=lambda make: make.__name__
)
def test_what_other_tools_write_instead_of_bundles_is_called_by_its_name(model, make):
    reason = reason_of(model, encoded(make()))
    assert (reason.code, reason.exit_status) == ("BUNDLE_UNSUPPORTED", 3)
    assert "no Sigstore bundle but" in reason.message


def test_signatures_of_other_kinds_are_unsupported_and_other_files_malformed():
    assert refusal(parse_bundle, b"-----BEGIN PGP SIGNATURE-----\n").code == "BUNDLE_UNSUPPORTED"
    assert refusal(parse_bundle, b"-----BEGIN CERTIFICATE-----\n").code == "BUNDLE_MALFORMED"
    assert refusal(parse_bundle, b"").code == "BUNDLE_MALFORMED"


def test_statements_of_models_are_known_by_the_types_that_are_verified():
    assert set(MODEL_PREDICATES) == {oms.PREDICATE_TYPE, oms.PREDICATE_TYPE_V0_2}
    assert purpose_of(None) == "a statement without a predicate type"
    assert purpose_of("https://slsa.dev/provenance/v1", [7]) == "SLSA build provenance"


# --- by identity: what GitHub and npm write, verified in full -------------------------------


@pytest.fixture(scope="module")
def sigstore():
    return paper.Paper()


@pytest.mark.parametrize(
    ("predicate_type", "words"),
    [
        (foreign.SLSA, "SLSA build provenance about model.tar.gz"),
        ("https://spdx.dev/Document/v2.3", "a bill of materials"),
    ],
)
@pytest.mark.parametrize("log", ["rekor1", "rekor2"])
def test_an_attestation_by_a_trusted_identity_is_called_by_its_name(model, sigstore, predicate_type, words, log):
    payload = foreign.statement(predicate_type, "model.tar.gz")
    bundle = paper.data_of(sigstore.sign(log=getattr(sigstore, log), payload=payload))
    with open_artifact(model) as artifact:
        (reason,) = verify_model(artifact, bundle, [paperverdicts.trust(sigstore)]).reasons
    assert (reason.code, reason.details["predicate_type"]) == ("NOT_A_MODEL_SIGNATURE", predicate_type)
    assert words in reason.message


def test_an_attestation_by_somebody_else_stays_somebody_elses(model, sigstore):
    bundle = paper.data_of(sigstore.sign(payload=foreign.statement(foreign.SLSA, "model.tar.gz")))
    trust = paperverdicts.trust(sigstore)._replace(identity=exactly("https://github.com/other/repository"))
    with open_artifact(model) as artifact:
        (reason,) = verify_model(artifact, bundle, [trust]).reasons
    assert reason.code == "CERTIFICATE_IDENTITY_MISMATCH"
    assert "besides, it says that it is SLSA build provenance" in reason.message


def test_a_blob_by_a_trusted_identity_is_not_a_model_either(model, sigstore):
    with open_artifact(model) as artifact:
        bundle = paper.data_of(sigstore.sign(kind="hashedrekord", blob=b"weights"))
        (reason,) = verify_model(artifact, bundle, [paperverdicts.trust(sigstore)]).reasons
    assert (reason.code, reason.details) == ("NOT_A_MODEL_SIGNATURE", {"kind": "blob"})


def test_inspect_shows_what_a_keyless_bundle_claims(sigstore):
    found = describe_bundle(paper.data_of(sigstore.sign()), "here")
    (certificate,), (stamp,) = found.material.certificates, found.material.timestamps
    assert certificate.names == (f"uri:{paper.IDENTITY}",)
    assert certificate.claims["source_repository_uri"] == "https://github.com/paper/models"
    assert (stamp.time, stamp.policy, stamp.serial) == ("2026-03-01T12:00:00Z", "1.2.3.4", "7")
    assert (stamp.authority, stamp.hash_algorithm, stamp.certificates) == ("CN=clock signer", "sha256", 1)
    assert (certificate.problem, stamp.problem) == (None, None)
    bare = describe_timestamp(sigstore.clock.stamp(b"s", embed=False))
    assert (bare.authority, bare.certificates) == ("one certified by CN=clock root", 0)
