"""OMS v1.0, sections 4.1 and 11.1: what the methods demand of a bundle's material."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from omsbundles import Statement, b64, sealed

from modelsign.signing.identities import exactly
from modelsign.signing.keys import load_private_key
from modelsign.signing.methods.keyless import KeylessTrust
from modelsign.signing.trust_root import parse_trust_root

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
