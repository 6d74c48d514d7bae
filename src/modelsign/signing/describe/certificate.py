"""Describes a certificate of which nothing was verified (RFC 5280), part by part: one broken part hides no other."""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to an answer.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.signing.describe.loose_values import MOST_SHOWN, text
from modelsign.signing.sigstore.fulcio_claims import read_claims
from modelsign.signing.x509.parsing import parsing
from modelsign.verdict import CertificateClaims

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

__all__ = ["describe_certificate", "name_text"]

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_KEY_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def describe_certificate(data: bytes | None) -> CertificateClaims:
    """Describe a certificate in DER."""
    if data is None:
        return CertificateClaims(0, "", problem="it is not base64")
    sha256 = hashlib.sha256(data).hexdigest()
    if len(data) > limits.INSPECTED_PART_BYTES:
        return CertificateClaims(len(data), sha256, problem=f"it has more than {limits.INSPECTED_PART_BYTES} bytes")
    from cryptography import x509

    try:
        with parsing("it", "CERTIFICATE_NOT_FOR_SIGNING"):
            certificate = x509.load_der_x509_certificate(data)
    except ModelsignError as fault:
        return CertificateClaims(len(data), sha256, problem=text(fault.message))
    return _describe(certificate, len(data), sha256)


def _describe(certificate: x509.Certificate, size: int, sha256: str) -> CertificateClaims:
    faults: list[str] = []

    def part(read: Callable[[], Any], default: Any = None) -> Any:
        """Read one part; what fails is noted and takes its default."""
        try:
            with parsing("a part", "CERTIFICATE_NOT_FOR_SIGNING"):
                return read()
        except ModelsignError as fault:
            faults.append(str(text(fault.message)))
            return default

    extensions = part(lambda: _extensions(certificate), {})
    key = part(lambda: _key(certificate), (None, None))
    return CertificateClaims(
        size,
        sha256,
        subject=part(lambda: name_text(certificate.subject)),
        issuer=part(lambda: name_text(certificate.issuer)),
        serial=part(lambda: format(certificate.serial_number, "x")),
        not_before=part(lambda: certificate.not_valid_before_utc.strftime(_TIME)),
        not_after=part(lambda: certificate.not_valid_after_utc.strftime(_TIME)),
        key_algorithm=key[0],
        key_digest=key[1],
        signature_algorithm=part(lambda: _algorithm(certificate)),
        names=extensions.get("names", ()),
        authority=extensions.get("authority"),
        key_usage=extensions.get("key_usage", ()),
        extended_key_usage=extensions.get("extended_key_usage", ()),
        claims=part(lambda: {name: str(text(value)) for name, value in read_claims(certificate).items()}, {}),
        problem="; ".join(dict.fromkeys(faults)) or None,
    )


def name_text(name: x509.Name) -> str:
    """Write a distinguished name as RFC 4514 does, cut."""
    return text(name.rfc4514_string()) or ""


def _extensions(certificate: x509.Certificate) -> dict[str, Any]:
    from cryptography import x509

    found: dict[str, Any] = {}
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            found["names"] = tuple(_name(entry) for entry in list(value)[:MOST_SHOWN])
        elif isinstance(value, x509.BasicConstraints):
            found["authority"] = value.ca
        elif isinstance(value, x509.KeyUsage):
            found["key_usage"] = tuple(use for use in _KEY_USES if getattr(value, use))
        elif isinstance(value, x509.ExtendedKeyUsage):
            found["extended_key_usage"] = tuple(_oid_name(oid) for oid in list(value)[:MOST_SHOWN])
    return found


def _oid_name(oid: x509.ObjectIdentifier) -> str:
    known = oid._name  # noqa: SLF001 - the only way to the names cryptography knows
    return oid.dotted_string if known == "Unknown OID" else known


def _name(entry: x509.GeneralName) -> str:
    from cryptography import x509

    kinds: dict[type, str] = {
        x509.UniformResourceIdentifier: "uri",
        x509.RFC822Name: "email",
        x509.DNSName: "dns",
        x509.IPAddress: "ip",
    }
    if isinstance(entry, x509.OtherName):
        return f"other:{entry.type_id.dotted_string}:{entry.value[:200].hex()}"
    if isinstance(entry, x509.DirectoryName):
        return f"directory:{name_text(entry.value)}"
    if isinstance(entry, x509.RegisteredID):
        return f"registered:{entry.value.dotted_string}"
    return f"{kinds.get(type(entry), 'other')}:{text(str(entry.value))}"


def _key(certificate: x509.Certificate) -> tuple[str, str]:
    """Return a key's algorithm in words and the digest of its canonical form."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = certificate.public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA with {key.key_size} bits", digest
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA on {key.curve.name}", digest
    return type(key).__name__.removesuffix("PublicKey"), digest


def _algorithm(certificate: x509.Certificate) -> str:
    return _oid_name(certificate.signature_algorithm_oid)
