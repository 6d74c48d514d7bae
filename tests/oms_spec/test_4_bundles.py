"""OMS v1.0, sections 4 and 11: the bundle and what older ones look like."""

from __future__ import annotations

import hashlib
from typing import Any

import omsbundles
import pytest
from omsbundles import ABSENT, Statement, b64, decoded, sealed

from modelsign.signing.keys import generate


def material(bundle: dict[str, Any]) -> dict[str, Any]:
    return bundle["verificationMaterial"]


def without(name: str, *path: str) -> Any:
    def change(bundle: dict[str, Any]) -> None:
        for step in path:
            bundle = bundle[step]
        del bundle[name]

    return change


@pytest.mark.oms("4-structure", "8.1-media-type")
def test_a_bundle_has_the_top_level_structure_of_sigstores(sign, model) -> None:
    bundle, _ = decoded(sign(model))
    assert set(bundle) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    assert bundle["mediaType"] == omsbundles.MEDIA_TYPE
    assert bundle["dsseEnvelope"]["payloadType"] == omsbundles.IN_TOTO


@pytest.mark.oms("4-structure")
@pytest.mark.parametrize("name", ["mediaType", "verificationMaterial", "dsseEnvelope"])
def test_a_bundle_without_one_of_its_parts_is_not_read(refused, model, key, name) -> None:
    assert refused(model, sealed(Statement(), key, without(name))) == ["BUNDLE_MALFORMED"]


@pytest.mark.oms("4-structure")
@pytest.mark.parametrize("name", ["payload", "payloadType", "signatures"])
def test_an_envelope_without_one_of_its_parts_is_not_read(refused, model, key, name) -> None:
    assert refused(model, sealed(Statement(), key, without(name, "dsseEnvelope"))) == ["BUNDLE_MALFORMED"]


@pytest.mark.oms("4-structure")
@pytest.mark.parametrize("count", [0, 2])
def test_an_envelope_has_one_signature(refused, model, key, count) -> None:
    def change(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["signatures"] *= count

    assert refused(model, sealed(Statement(), key, change)) == ["BUNDLE_MALFORMED"]


@pytest.mark.oms("4-structure")
@pytest.mark.parametrize(
    "where", [(), ("verificationMaterial",), ("dsseEnvelope",), ("verificationMaterial", "publicKey")]
)
def test_a_bundle_with_a_field_that_nobody_knows_is_not_read(refused, model, key, where) -> None:
    def change(bundle: dict[str, Any]) -> None:
        for step in where:
            bundle = bundle[step]
        bundle["x"] = 1

    assert refused(model, sealed(Statement(), key, change)) == ["BUNDLE_MALFORMED"]


@pytest.mark.oms("8.1-media-type")
@pytest.mark.parametrize(
    ("media_type", "code"),
    [
        ("application/json", "BUNDLE_UNSUPPORTED"),
        ("application/vnd.dev.sigstore.bundle.v9.9+json", "BUNDLE_UNSUPPORTED"),
        ("", "BUNDLE_UNSUPPORTED"),
        (None, "BUNDLE_MALFORMED"),
        (3, "BUNDLE_MALFORMED"),
    ],
)
def test_the_media_type_is_checked(refused, model, key, media_type, code) -> None:
    bundle = sealed(Statement(), key, lambda bundle: bundle.update(mediaType=media_type))
    assert refused(model, bundle) == [code]


@pytest.mark.oms("4.1-hint")
def test_the_key_is_named_by_a_hexadecimal_fingerprint(sign, model, key) -> None:
    bundle, _ = decoded(sign(model))
    (hint,) = material(bundle)["publicKey"].values()
    assert hint == hashlib.sha256(key.public.pem).hexdigest()


@pytest.mark.oms("11.1-raw-bytes")
@pytest.mark.parametrize("details", [ABSENT, "PKIX_ECDSA_P256_SHA_256"])
def test_an_old_bundle_with_the_key_itself_is_accepted_when_asked_for(verify, refused, model, key, details) -> None:
    def change(bundle: dict[str, Any]) -> None:
        material(bundle)["publicKey"] = {"rawBytes": b64(generate().public.der)}  # any key: it is never used
        if details is not ABSENT:
            material(bundle)["publicKey"]["keyDetails"] = details

    bundle = sealed(Statement(), key, change)
    assert refused(model, bundle) == ["LEGACY_NOT_ALLOWED"]
    result = verify(model, bundle, allow_legacy=True)
    assert (result.reasons, result.format, result.oms) == ((), "oms-v0.3", False)


@pytest.mark.oms("4.1-keyid", "11.1-keyid")
@pytest.mark.parametrize("keyid", [ABSENT, "", None, "anything"])
def test_the_key_id_of_the_envelope_means_nothing(verify, model, key, keyid) -> None:
    def change(bundle: dict[str, Any]) -> None:
        (signature,) = bundle["dsseEnvelope"]["signatures"]
        signature.pop("keyid")
        if keyid is not ABSENT:
            signature["keyid"] = keyid

    result = verify(model, sealed(Statement(), key, change))
    assert (result.reasons, result.oms) == ((), True)


@pytest.mark.oms("11.1-tlog-entries")
@pytest.mark.parametrize("entries", [ABSENT, [], None])
def test_a_key_needs_no_log_entries(verify, model, key, entries) -> None:
    bundle = sealed(Statement(), key, None if entries is ABSENT else lambda b: material(b).update(tlogEntries=entries))
    assert verify(model, bundle).reasons == ()


@pytest.mark.oms("11.1-field-of-method")
def test_a_bundle_of_another_method_is_not_taken_for_a_keys(refused, model, key) -> None:
    for kind in (
        {"certificate": {"rawBytes": b64(b"x")}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": b64(b"x")}]}},
    ):
        bundle = sealed(Statement(), key, lambda bundle, kind=kind: bundle.update(verificationMaterial=kind))
        assert refused(model, bundle) == ["SIGNATURE_WRONG_KEY"]
    both = sealed(Statement(), key, lambda bundle: material(bundle).update(certificate={"rawBytes": b64(b"x")}))
    assert refused(model, both) == ["BUNDLE_MALFORMED"]


@pytest.mark.oms("11.1-subject-name", "6.5-subject-name")
@pytest.mark.parametrize("name", ["model", "another", "über", "a/b", "../x", "."])
def test_any_subject_name_that_is_not_empty_is_accepted(verify, model, key, name) -> None:
    assert verify(model, sealed(Statement(name=name), key)).reasons == ()


@pytest.mark.oms("11.1-ignore-paths")
def test_a_manifest_without_a_list_of_ignored_paths_is_accepted(verify, model, key) -> None:
    assert "ignore_paths" not in Statement().serialization
    assert verify(model, sealed(Statement(), key)).reasons == ()


@pytest.mark.oms("11.2-current", "10-no-old-predicate")
def test_only_the_current_version_is_written(sign, model) -> None:
    bundle, statement = decoded(sign(model))
    assert statement["predicateType"] == omsbundles.PREDICATE_TYPE
    assert set(material(bundle)["publicKey"]) == {"hint"}
    assert "rawBytes" not in str(bundle)


@pytest.mark.oms("4.2-curves")
@pytest.mark.parametrize("curve", ["ecdsa-p256-sha256", "ecdsa-p384-sha384", "ecdsa-p521-sha512"])
def test_every_curve_signs_and_verifies(sign, verify, model, curve) -> None:
    own = generate(curve)
    for bundle in (sign(model, by=own), sealed(Statement(), own)):
        result = verify(model, bundle, by=own.public)
        assert (result.reasons, result.oms) == ((), True)
