"""Describes what a bundle says of its signer: hints, log entries and timestamps; certificates are next door.

Nothing is verified: a key inside a bundle is named by its form alone, a time is what somebody wrote.
"""

# ruff: noqa: PLC0415
# rfc3161-client is imported when there is a timestamp.

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.signing.describe.certificate import describe_certificate, name_text
from modelsign.signing.describe.loose_values import MOST_SHOWN, child, children, decoded, moment_of, number, text
from modelsign.signing.x509.parsing import parsing
from modelsign.verdict import LogEntryClaims, MaterialClaims, TimestampClaims

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rfc3161_client import SignerInfo

__all__ = ["describe_material", "describe_timestamp"]

_KINDS: Final = ("publicKey", "certificate", "x509CertificateChain")
_HINTS: Final = (
    (re.compile(r"[0-9a-f]{64}"), "a SHA-256 in hexadecimal, as OMS names a key by its PEM text"),
    (re.compile(r"[A-Za-z0-9+/]{43}="), "a SHA-256 in base64, as Sigstore's clients name a key by its DER form"),
    (re.compile(r"SHA256:[A-Za-z0-9+/]{43}"), "a fingerprint as OpenSSH writes it"),
)
_HASHES: Final = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "1.3.14.3.2.26": "sha1",
}


def describe_material(value: Mapping[str, object]) -> tuple[MaterialClaims, int]:
    """Describe the verification material, and say how many entries of its lists are left out."""
    kinds = [kind for kind in _KINDS if value.get(kind) is not None]
    key = child(value, "publicKey")
    chain, left_certificates = children(child(value, "x509CertificateChain"), "certificates")
    if child(value, "certificate"):
        chain = [child(value, "certificate"), *chain]
    entries, left_entries = children(value, "tlogEntries")
    stamps, left_stamps = children(child(value, "timestampVerificationData"), "rfc3161Timestamps")
    hint = text(key.get("hint"))
    described = MaterialClaims(
        kind=_kind(kinds, key),
        hint=hint,
        hint_form=_hint_form(hint),
        certificates=tuple(describe_certificate(decoded(entry.get("rawBytes"))) for entry in chain),
        log_entries=tuple(map(_log_entry, entries)),
        timestamps=tuple(describe_timestamp(decoded(entry.get("signedTimestamp"))) for entry in stamps),
    )
    return described, left_certificates + left_entries + left_stamps


def _kind(kinds: list[str], key: Mapping[str, object]) -> str | None:
    if kinds == ["publicKey"]:
        return "public_key" if key.get("hint") and "rawBytes" not in key else "legacy_public_key"
    if len(kinds) != 1:
        return "several kinds" if kinds else None
    return "certificate" if kinds == ["certificate"] else "certificate_chain"


def _hint_form(hint: str | None) -> str | None:
    if not hint:
        return None
    return next((words for form, words in _HINTS if form.fullmatch(hint)), "a text of the signer's own")


def _log_entry(value: Mapping[str, object]) -> LogEntryClaims:
    log_id = decoded(child(value, "logId").get("keyId"))
    kind = child(value, "kindVersion")
    proof = child(value, "inclusionProof")
    note = text(child(proof, "checkpoint").get("envelope"))
    body = decoded(value.get("canonicalizedBody"))
    return LogEntryClaims(
        index=number(value.get("logIndex", 0)),
        kind=text(kind.get("kind")),
        version=text(kind.get("version")),
        time=moment_of(number(value.get("integratedTime"))),
        log_id=log_id.hex()[:256] if log_id else None,
        promise=bool(child(value, "inclusionPromise").get("signedEntryTimestamp")),
        proof=bool(proof),
        tree_size=number(proof.get("treeSize")),
        checkpoint=note.split("\n", 1)[0] if note else None,
        body_bytes=len(body) if body else 0,
    )


def describe_timestamp(data: bytes | None) -> TimestampClaims:
    """Describe an RFC 3161 response in DER."""
    if data is None:
        return TimestampClaims(0, problem="it is not base64")
    if len(data) > limits.INSPECTED_PART_BYTES:
        return TimestampClaims(len(data), problem=f"it has more than {limits.INSPECTED_PART_BYTES} bytes")
    try:
        with parsing("it", "TIMESTAMP_INVALID"):
            return _timestamp(data)
    except ModelsignError as fault:
        return TimestampClaims(len(data), problem=text(fault.message))


def _timestamp(data: bytes) -> TimestampClaims:
    from rfc3161_client import decode_timestamp_response

    response = decode_timestamp_response(data)
    if response.status > 1:
        return TimestampClaims(len(data), problem=f"the authority refused (PKI status {response.status})")
    info = response.tst_info
    signed = response.signed_data
    signers = sorted(_signer(signer, signed.certificates) for signer in signed.signer_infos)
    oid = info.message_imprint.hash_algorithm.dotted_string
    return TimestampClaims(
        len(data),
        time=info.gen_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        policy=info.policy.dotted_string,
        authority=text("; ".join(signers)),
        serial=format(info.serial_number, "x"),
        hash_algorithm=_HASHES.get(oid, oid),
        digest=info.message_imprint.message.hex()[:256],
        certificates=len(signed.certificates),
    )


def _signer(signer: SignerInfo, certificates: Collection[bytes]) -> str:
    """Name who signed: by the certificate in the response that the signature names, else by that one's issuer."""
    from cryptography import x509

    for certificate in map(x509.load_der_x509_certificate, list(certificates)[:MOST_SHOWN]):
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return name_text(certificate.subject)
    return f"one certified by {name_text(signer.issuer)}"
