"""Asks Fulcio for a certificate that binds a key to the identity of a token (Fulcio's ``SigningCert`` API, v2).

Issuing is public: the certificate, with the identity, stands in a certificate transparency log from then on. The
answer is checked for what only the one who asked can check, that it certifies the key it was asked for; whether it
chains to a trusted root and carries a promise of the log is for the verifier.
"""

# ruff: noqa: PLC0415
# cryptography is imported when a certificate is asked for.

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError, error
from modelsign.signing.x509.parsing import parsing

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from modelsign.transport import Transport

__all__ = ["Issued", "request_certificate"]

_PATH: Final = "/api/v2/signingCert"
_WHAT: Final = "certificate authority"
_ANSWER_BYTES: Final = 256 * limits.KIB
_MOST_CERTIFICATES: Final = 10


class Issued(NamedTuple):
    """A certificate as it was issued, DER, and the certificates above it up to the root."""

    certificate: bytes
    chain: tuple[bytes, ...]


def request_certificate(transport: Transport, url: str, token: str, key: EllipticCurvePrivateKey) -> Issued:
    """Return a certificate for the key, for the identity that the token proves.

    Raises:
        ModelsignError: ``CERTIFICATE_NOT_ISSUED`` with Fulcio's words, ``CERTIFICATE_NOT_ASKED_FOR``,
            ``NETWORK_ANSWER_MALFORMED``, or another reason of the transport.

    """
    from cryptography.hazmat.primitives.serialization import Encoding

    request = {"certificateSigningRequest": binascii.b2a_base64(_signing_request(key), newline=False).decode()}
    try:
        answer = transport.send(
            "POST",
            f"{url.rstrip('/')}{_PATH}",
            what=_WHAT,
            body=strictjson.canonical(request),
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            most_bytes=_ANSWER_BYTES,
        )
    except ModelsignError as fault:
        if fault.code != "NETWORK_REQUEST_REFUSED":
            raise
        said = fault.details.get("said") or f"it answered {fault.details.get('status')} without a word"
        raise error(
            "CERTIFICATE_NOT_ISSUED", f"the certificate authority refused: {said}", details=fault.details
        ) from None
    certificates = [_load(pem) for pem in _chain(answer.body)]
    if certificates[0].public_key() != key.public_key():
        raise error("CERTIFICATE_NOT_ASKED_FOR", "the certificate that was issued is for another key than was sent")
    leaf, *above = (certificate.public_bytes(Encoding.DER) for certificate in certificates)
    return Issued(leaf, tuple(above))


def _signing_request(key: EllipticCurvePrivateKey) -> bytes:
    """Return a PKCS#10 request in PEM; its subject is empty, for Fulcio takes the identity from the token."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def _chain(body: bytes) -> list[str]:
    document = strictjson.loads(
        body, most_bytes=_ANSWER_BYTES, what="certificate authority's answer", code="NETWORK_ANSWER_MALFORMED"
    )
    found = document.get("signedCertificateEmbeddedSct") if isinstance(document, dict) else None
    chain = found.get("chain") if isinstance(found, dict) else None
    certificates = chain.get("certificates") if isinstance(chain, dict) else None
    if (
        not isinstance(certificates, list)
        or not 1 <= len(certificates) <= _MOST_CERTIFICATES
        or not all(isinstance(certificate, str) for certificate in certificates)
    ):
        raise error(
            "NETWORK_ANSWER_MALFORMED",
            "the certificate authority's answer holds no certificate with an embedded promise of a log (SCT)",
        )
    return certificates


def _load(pem: str) -> x509.Certificate:
    from cryptography import x509

    with parsing("what the certificate authority issued", "NETWORK_ANSWER_MALFORMED"):
        certificate = x509.load_pem_x509_certificate(pem.encode("utf-8"))
        certificate.public_key()  # parsed only now
        return certificate
