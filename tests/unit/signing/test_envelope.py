"""Statements of any kind are signed and verified; trust is named by the caller."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from bundlecraft import encoded, legacy, raw_bundle, signed
from refusals import refusal, refused_with

from modelsign.signing import sign_statement, verify_envelope
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import pae
from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from modelsign.signing.keys import SigningKey


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return generate()


def test_a_signed_statement_names_its_signer(key: SigningKey) -> None:
    data = sign_statement(b'{"x": 1}', key)
    (signer,) = verify_envelope(data, [generate().public, key.public])
    assert (signer.method, signer.algorithm, signer.key_digest) == ("key", "ecdsa-p256-sha256", key.public.digest)
    assert verify_envelope(parse_bundle(data), [key.public]) == (signer,)
    assert sign_statement(b'{"x": 1}', key) == data


def test_without_a_key_there_is_no_verdict(key: SigningKey) -> None:
    fault = refusal(verify_envelope, sign_statement(b"{}", key), [])
    assert (fault.code, fault.exit_status) == ("NO_TRUST_SOURCE", 2)


def test_a_stranger_is_told_apart_from_a_changed_payload(key: SigningKey) -> None:
    data = sign_statement(b'{"x": 1}', key)
    assert refused_with(verify_envelope, data, [generate().public]) == "SIGNATURE_WRONG_KEY"
    value = json.loads(data)
    value["dsseEnvelope"]["payload"] = "e30="
    fault = refusal(verify_envelope, encoded(value), [key.public])
    assert (fault.code, fault.exit_status) == ("SIGNATURE_INVALID", 1)


def test_a_hint_of_another_key_is_refused_though_the_signature_is_right(key: SigningKey) -> None:
    data = signed(b"{}", key, lambda bundle: bundle["verificationMaterial"]["publicKey"].update(hint="00"))
    assert refused_with(verify_envelope, data, [key.public]) == "SIGNATURE_WRONG_KEY"


def test_another_payload_type_is_no_attestation(key: SigningKey) -> None:
    value = raw_bundle(b"{}", key.sign(pae("text/plain", b"{}")), key.public.hint)
    value["dsseEnvelope"]["payloadType"] = "text/plain"
    assert refused_with(verify_envelope, encoded(value), [key.public]) == "NOT_AN_ATTESTATION"


def test_legacy_shapes_are_not_accepted_for_attestations(key: SigningKey) -> None:
    assert refused_with(verify_envelope, signed(b"{}", key, legacy), [key.public]) == "LEGACY_NOT_ALLOWED"


def test_certificates_are_another_method(key: SigningKey) -> None:
    value = raw_bundle()
    value["verificationMaterial"] = {"certificate": {"rawBytes": ""}, "tlogEntries": []}
    fault = refusal(verify_envelope, encoded(value), [key.public])
    assert fault.code == "SIGNATURE_WRONG_KEY"
    assert "certificate" in fault.message


def test_a_broken_bundle_is_malformed(key: SigningKey) -> None:
    assert refused_with(verify_envelope, b"{", [key.public]) == "BUNDLE_MALFORMED"
