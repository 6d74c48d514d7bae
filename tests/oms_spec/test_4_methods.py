"""OMS v1.0, sections 4.1 and 11.1: what the methods demand of a bundle's material."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from certificatelab import DAY, NOW
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from omsbundles import Statement, b64, sealed
from refusals import refused_with

from modelsign.signing.keys import load_private_key
from modelsign.signing.methods.certificate import CertificateTrust
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.sigstore.identities import exactly
from modelsign.signing.sigstore.trust_root import parse_trust_root
from modelsign.signing.x509.identity import any_identity, exact_identity

IDENTITY, ISSUER = "https://example.org/ci", "https://issuer.example"
TRUST_ROOT = json.dumps(
    {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [],
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [],
    }
).encode()


@pytest.fixture(scope="module")
def certified() -> tuple[Any, bytes]:
    """Return a key and a certificate for it as Fulcio makes them, by an authority that nobody trusts."""
    private, authority = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")]))
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(IDENTITY)]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)  # noqa: FBT003 - digitalSignature alone
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    der = builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return load_private_key(pem), der


@pytest.fixture(scope="module")
def keyless() -> KeylessTrust:
    return KeylessTrust(parse_trust_root(TRUST_ROOT), exactly(IDENTITY), exactly(ISSUER), {})


@pytest.mark.oms("4.1-tlog", "11.1-tlog-entries")
@pytest.mark.parametrize("log", [{}, {"tlogEntries": []}, {"tlogEntries": None}])
def test_an_identitys_bundle_without_a_log_entry_is_refused(refused, model, certified, keyless, log) -> None:
    key, der = certified
    material = {"certificate": {"rawBytes": b64(der)}, **log}
    bundle = sealed(Statement(), key, lambda bundle: bundle.update(verificationMaterial=material))
    assert refused(model, bundle, by=keyless) == ["PROOFS_TOO_FEW"]


@pytest.mark.oms("11.1-field-of-method")
def test_an_identitys_certificate_stands_in_the_field_of_its_own(refused, model, certified, keyless) -> None:
    key, der = certified
    chain = {"x509CertificateChain": {"certificates": [{"rawBytes": b64(der)}]}, "tlogEntries": []}
    bundle = sealed(Statement(), key, lambda bundle: bundle.update(verificationMaterial=chain))
    assert refused(model, bundle, by=keyless) == ["SIGNATURE_WRONG_KEY"]
    assert refused(model, sealed(Statement(), key), by=keyless) == ["SIGNATURE_WRONG_KEY"]


def chained(lab: Any, issued: Any) -> bytes:
    """Sign as the method certificate does: the leaf first, then what stands between it and the root."""
    chain = {"certificates": [{"rawBytes": b64(entry.certificate.der)} for entry in (issued, lab.middle)]}
    return sealed(
        Statement(), issued.key, lambda bundle: bundle.update(verificationMaterial={"x509CertificateChain": chain})
    )


def certificates(lab: Any, now: dt.datetime = NOW, **settings: Any) -> CertificateTrust:
    return CertificateTrust(**{"roots": (lab.root.certificate,), "identity": any_identity(), "now": now} | settings)


@pytest.mark.oms("8.2-leaf-validity")
def test_a_leaf_is_within_its_validity(verify, refused, lab, model) -> None:
    bundle = chained(lab, lab.leaf)
    assert verify(model, bundle, by=certificates(lab)).reasons == ()
    assert refused(model, bundle, by=certificates(lab, NOW + 1000 * DAY)) == ["CERTIFICATE_EXPIRED"]
    assert refused(model, bundle, by=certificates(lab, NOW - 60 * DAY)) == ["CERTIFICATE_NOT_YET_VALID"]


@pytest.mark.oms("8.2-leaf-validity")
def test_a_chain_leads_to_a_root_that_was_named(refused, lab, model) -> None:
    bundle = chained(lab, lab.leaf)
    stranger = certificates(lab, roots=(lab.stranger.certificate,))
    assert refused(model, bundle, by=stranger) == ["CERTIFICATE_UNTRUSTED"]
    assert refused_with(certificates, lab, roots=()) == "NO_TRUST_SOURCE"


@pytest.mark.oms("8.2-leaf-validity")
def test_whom_the_roots_certified_must_be_whom_the_caller_named(verify, refused, lab, model) -> None:
    bundle = chained(lab, lab.leaf)
    assert verify(model, bundle, by=certificates(lab, identity=exact_identity("ci@example.org"))).reasons == ()
    other = certificates(lab, identity=exact_identity("other@example.org"))
    assert refused(model, bundle, by=other) != []


@pytest.mark.oms("8.2-leaf-validity")
def test_a_signature_by_another_key_than_the_leafs_is_refused(refused, lab, model) -> None:
    payload = Statement().payload()
    forged = sealed(payload, lab.leaf.key, signature=lab.leaf.key.sign(b"other"))
    bundle = json.loads(forged)
    bundle["verificationMaterial"] = json.loads(chained(lab, lab.leaf))["verificationMaterial"]
    assert refused(model, json.dumps(bundle).encode(), by=certificates(lab)) == ["SIGNATURE_INVALID"]
