"""Bundles of other tools and for other things, made here in the shapes those tools write."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from bundlecraft import b64, raw_bundle
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SLSA = "https://slsa.dev/provenance/v1"
NPM_PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
FULCIO = "1.3.6.1.4.1.57264.1."
NOT_BEFORE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def utf8(text: str) -> bytes:
    return bytes([0x0C, len(text)]) + text.encode()


def certificate(
    subject: str = "", *, uri: str = "https://github.com/acme/m/.github/workflows/r.yml@refs/tags/v1"
) -> bytes:
    """Return a self-signed certificate as Fulcio would issue it, DER."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "paper-intermediate")])
    builder = (
        x509.CertificateBuilder(issuer, name, key.public_key(), 0xC0FFEE)
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_BEFORE + timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier(f"{FULCIO}8"), utf8("https://token.actions.githubusercontent.com")
            ),
            critical=False,
        )
        .add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{FULCIO}12"), utf8("https://github.com/acme/m")),
            critical=False,
        )
    )
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(serialization.Encoding.DER)


def log_entry(kind: str = "hashedrekord", version: str = "0.0.1") -> dict[str, Any]:
    """Return an entry as Rekor v1 gives it; its proofs prove nothing."""
    return {
        "logIndex": "155",
        "logId": {"keyId": b64(bytes(range(32)))},
        "kindVersion": {"kind": kind, "version": version},
        "integratedTime": "1767322000",
        "inclusionPromise": {"signedEntryTimestamp": b64(b"set")},
        "inclusionProof": {
            "logIndex": "54",
            "rootHash": b64(b"r" * 32),
            "treeSize": "99",
            "hashes": [b64(b"h" * 32)],
            "checkpoint": {"envelope": "log.example\n99\nroot\n\n— log.example AAAA\n"},
        },
        "canonicalizedBody": b64(b'{"apiVersion":"0.0.1"}'),
    }


def statement(predicate_type: str, name: str = "pkg:npm/left@1", *, kind: str = "v1", **predicate: Any) -> bytes:
    """Return an in-toto statement about one file."""
    subject = {"name": name, "digest": {"sha512": hashlib.sha512(name.encode()).hexdigest()}}
    return json.dumps(
        {
            "_type": f"https://in-toto.io/Statement/{kind}",
            "subject": [subject],
            "predicateType": predicate_type,
            "predicate": predicate,
        }
    ).encode()


def with_certificate(bundle: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Give a bundle the material that keyless signing leaves."""
    bundle["verificationMaterial"] = {
        "certificate": {"rawBytes": b64(certificate(**options))},
        "tlogEntries": [log_entry("dsse")],
    }
    return bundle


def cosign_blob(data: bytes = b"weights") -> dict[str, Any]:
    """What `cosign sign-blob --bundle` writes."""
    bundle = with_certificate(raw_bundle())
    del bundle["dsseEnvelope"]
    digest = {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(data).digest())}
    bundle["messageSignature"] = {"messageDigest": digest, "signature": b64(b"\x30\x45" + b"s" * 69)}
    return bundle


def github_attestation() -> dict[str, Any]:
    """What `gh attestation download` writes, one a line."""
    return with_certificate(raw_bundle(statement(SLSA, "model.tar.gz")))


def npm_publish() -> dict[str, Any]:
    """What npm's registry signs with its own key: a bundle v0.2 with a key's id as its hint."""
    bundle = raw_bundle(statement(NPM_PUBLISH, kind="v0.1"), hint="SHA256:" + "A" * 43)
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    bundle["verificationMaterial"]["tlogEntries"] = [log_entry("intoto", "0.0.2")]
    return bundle


def old_keyless() -> dict[str, Any]:
    """A bundle v0.1 with a chain of certificates."""
    bundle = github_attestation()
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
    material = bundle["verificationMaterial"]
    material["x509CertificateChain"] = {
        "certificates": [material.pop("certificate"), {"rawBytes": b64(certificate("ca"))}]
    }
    return bundle


def bare_envelope() -> dict[str, Any]:
    """What older `cosign attest` stores and `cosign download attestation` prints."""
    envelope = raw_bundle(statement("https://cosign.sigstore.dev/attestation/v1"))["dsseEnvelope"]
    return {**envelope, "signatures": [*envelope["signatures"], *envelope["signatures"]]}


def old_cosign_bundle() -> dict[str, Any]:
    """What `cosign sign-blob --bundle` wrote before Sigstore's bundles."""
    body = {"body": b64(b"{}"), "integratedTime": 1767322000, "logIndex": 1, "logID": "ab"}
    return {
        "base64Signature": b64(b"s"),
        "cert": "LS0t",
        "rekorBundle": {"SignedEntryTimestamp": "AA==", "Payload": body},
    }


def pypi_attestation() -> dict[str, Any]:
    """What PyPI's integrity API answers for a file (PEP 740), one of its attestations."""
    return {
        "version": 1,
        "verification_material": {"certificate": b64(certificate()), "transparency_entries": [log_entry("dsse")]},
        "envelope": {
            "statement": base64.b64encode(statement("https://docs.pypi.org/attestations/publish/v1")).decode(),
            "signature": b64(b"s" * 71),
        },
    }


def hostile() -> dict[str, Any]:
    """A bundle each of whose texts would rather be a verdict on a terminal."""
    text = "\x1b[2J\x1b[32mVERIFIED\n  signed by    \u202eeveryone\x07"
    bundle = with_certificate(raw_bundle(statement(f"https://slsa.dev/{text}", text)), uri="https://a.example/VERIFIED")
    bundle["mediaType"] = text
    bundle[text] = text
    bundle["dsseEnvelope"]["payloadType"] = text
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = text
    entry = bundle["verificationMaterial"]["tlogEntries"][0]
    entry["kindVersion"] = {"kind": text, "version": text}
    entry["inclusionProof"]["checkpoint"]["envelope"] = text
    return bundle
