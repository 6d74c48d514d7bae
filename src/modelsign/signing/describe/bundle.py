"""Describes any bundle, ours or foreign, sound or broken, without verifying it: what it claims, and nothing more.

The strict reader (:mod:`modelsign.signing.bundle`) says whether and why the bundle would be refused; the description
itself takes each part as far as it can be read. Total: any bytes give a description. Bounded: what is shown of a list
or a text is cut, and a document with more values than a million files need is not parsed at all.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_any_bundle
from modelsign.signing.describe.foreign import form_of, purpose_of, shape_of
from modelsign.signing.describe.loose_values import child, children, decoded, text
from modelsign.signing.describe.material import describe_material
from modelsign.signing.describe.payload import describe_statement
from modelsign.verdict import BlobClaims, BundleClaims, SignatureClaims

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.verdict import StatementClaims

__all__ = ["describe_bundle", "describe_file", "describe_store"]

_REVOCATIONS: Final = "application/vnd.modelsign.revocation-list+json"
_SEQUENCE: Final = 0x30
_SIZES: Final = {
    64: "Ed25519, or ECDSA in the form of IEEE P1363",
    256: "RSA with 2048 bits",
    384: "RSA with 3072 bits",
    512: "RSA with 4096 bits",
    2420: "ML-DSA-44",
    3309: "ML-DSA-65",
    4627: "ML-DSA-87",
}


def describe_store(data: bytes, source: str) -> list[BundleClaims]:
    """Describe each line of an attestation store; blank lines are passed over, and lines beyond the limit left out."""
    lines = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    return [describe_bundle(line, f"{source}:{number}") for number, line in lines[: limits.STORE_LINES]]


def describe_file(data: bytes, source: str) -> list[BundleClaims]:
    """Describe a bundle, and where it is an answer of npm or GitHub that lists some, each of them."""
    described = [describe_bundle(data, source)]
    if described[0].shape == "attestation-list":
        listed, _ = children(_read(data, [])[0], "attestations")
        for number, entry in enumerate(listed, 1):
            if inner := child(entry, "bundle"):
                described.append(describe_bundle(json.dumps(inner).encode(), f"{source}#{number}"))
    return described


def describe_bundle(data: bytes, source: str) -> BundleClaims:
    """Describe one bundle; ``source`` says where it came from."""
    problems: list[str] = []
    top, version, legacy = _read(data, problems)
    shape, says = _shape(data, top, sound=version is not None)
    envelope, verification = _parts(top, shape)
    message = child(top, "messageSignature")
    payload = decoded(envelope.get("payload"))
    statement = _statement(data if shape == "in-toto-statement" else payload)
    if message:
        says = "the bytes of one file"
    elif text(envelope.get("payloadType")) == _REVOCATIONS:
        says = "a revocation list of modelsign; `modelsign revocation show` lists it"
    elif payload is not None and statement is not None:
        says = _purpose(statement)
    signatures, left = _signatures(envelope, message)
    material, more_left = describe_material(verification)
    return BundleClaims(
        source=source,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        shape=shape,
        says=says,
        media_type=text(top.get("mediaType")),
        version=version,
        legacy=legacy,
        payload_type=text(envelope.get("payloadType")),
        payload_bytes=None if payload is None else len(payload),
        statement=statement,
        blob=_blob(message) if message else None,
        signatures=signatures,
        material=material if verification else None,
        left_out=left + more_left,
        problems=tuple(dict.fromkeys(problems)),
    )


def _read(data: bytes, problems: list[str]) -> tuple[Mapping[str, object], str | None, bool | None]:
    """Return the outermost object, empty where there is none, and what the strict reader says: version, legacy."""
    try:
        strict = parse_any_bundle(data)
    except ModelsignError as fault:
        problems.append(f"{fault.code}: {fault.message}")
    else:
        value = strictjson.loads(data, most_bytes=limits.BUNDLE_BYTES)
        return value if isinstance(value, dict) else {}, strict.version, strict.legacy
    if len(data) > limits.BUNDLE_BYTES or sum(map(data.count, (b"{", b"[", b","))) > limits.INSPECTED_VALUES:
        return {}, None, None
    try:
        value = json.loads(data)  # what the strict reader refuses and others read: shown, beside the refusal
    except (ValueError, RecursionError):
        return {}, None, None
    return value if isinstance(value, dict) else {}, None, None


def _shape(data: bytes, top: Mapping[str, object], *, sound: bool) -> tuple[str, str]:
    if sound or isinstance(top.get("mediaType"), str) or "verificationMaterial" in top:
        return "sigstore-bundle", "nothing that can be read"
    form = form_of(data)
    return shape_of(top) or ("unknown", form.words if form else "nothing that is known here")


def _parts(top: Mapping[str, object], shape: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the envelope and the verification material, under whatever names they stand."""
    if shape == "dsse-envelope":
        return top, {}
    if shape == "pypi-attestation":
        envelope, material = child(top, "envelope"), child(top, "verification_material")
        return (
            {"payload": envelope.get("statement"), "signatures": [{"sig": envelope.get("signature")}]},
            {
                "certificate": {"rawBytes": material.get("certificate")},
                "tlogEntries": material.get("transparency_entries"),
            },
        )
    return child(top, "dsseEnvelope"), child(top, "verificationMaterial")


def _statement(payload: bytes | None) -> StatementClaims | None:
    return None if payload is None else describe_statement(payload)


def _purpose(statement: StatementClaims) -> str:
    if statement.predicate_type is None and statement.statement_type is None:
        return "a payload that is no in-toto statement"
    return purpose_of(statement.predicate_type, [{"name": subject.name} for subject in statement.subjects])


def _blob(message: Mapping[str, object]) -> BlobClaims:
    digest = child(message, "messageDigest")
    value = decoded(digest.get("digest"))
    return BlobClaims(text(digest.get("algorithm")), value.hex()[:256] if value else None)


def _signatures(
    envelope: Mapping[str, object], message: Mapping[str, object]
) -> tuple[tuple[SignatureClaims, ...], int]:
    entries, left = children(envelope, "signatures")
    found = [(entry.get("sig"), text(entry.get("keyid"))) for entry in entries]
    if message:
        found.append((message.get("signature"), None))
    return tuple(_signature(value, keyid) for value, keyid in found), left


def _signature(value: object, keyid: str | None) -> SignatureClaims:
    data = decoded(value)
    if data is None:
        return SignatureClaims(0, keyid, "not base64")
    return SignatureClaims(len(data), keyid, _looks_like(data))


def _looks_like(signature: bytes) -> str:
    """Say which algorithm a signature's form belongs to; its key alone decides which it is."""
    if len(signature) in _SIZES:
        return _SIZES[len(signature)]
    if signature[:1] == bytes([_SEQUENCE]) and len(signature) < 150:  # noqa: PLR2004 - P-521's has up to 139 bytes
        return "ECDSA"
    return "RSA" if len(signature) > 256 and len(signature) % 128 == 0 else "no known algorithm"  # noqa: PLR2004 - 2048 bits
