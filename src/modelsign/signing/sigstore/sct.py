"""Signed certificate timestamps: was a certificate published in a certificate transparency log?

RFC 6962, section 3.2: the log signs the certificate without the timestamp (the precertificate) together with the digest
of its issuer's key. Sigstore embeds exactly one.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from modelsign.errors import error
from modelsign.signing.x509.parsing import parsing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate
    from cryptography.x509.certificate_transparency import SignedCertificateTimestamp

    from modelsign.signing.sigstore.trust_root import LogKey

__all__ = ["verify_sct"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PRECERTIFICATE: Final = 1


def verify_sct(certificate: Certificate, issuer: Certificate, logs: Sequence[LogKey]) -> None:
    """Refuse a certificate without a good embedded timestamp by one of the logs.

    Raises:
        ModelsignError: ``SCT_INVALID``.

    """
    from cryptography.x509 import PrecertificateSignedCertificateTimestamps

    with parsing("the certificate's signed timestamp", "SCT_INVALID"):
        found = [entry.value for entry in certificate.extensions]
        stamps = [
            stamp for value in found if isinstance(value, PrecertificateSignedCertificateTimestamps) for stamp in value
        ]
        moment = stamps[0].timestamp.replace(tzinfo=UTC) if stamps else _EPOCH
    if len(stamps) != 1:
        raise error("SCT_INVALID", f"the certificate holds {len(stamps)} signed certificate timestamps, not one")
    stamp = stamps[0]
    named = [log for log in logs if log.id == stamp.log_id]
    if not named:
        raise error("SCT_INVALID", f"the trust root has no certificate log {stamp.log_id.hex()}")
    valid = [log for log in named if log.window.holds(moment)]
    if not valid:
        raise error("SCT_INVALID", f"the key of the certificate log was not valid at {moment.isoformat()}")
    signed = _signed(stamp, certificate, issuer, moment)
    if not any(log.key.accepts(signed, stamp.signature) for log in valid):
        raise error("SCT_INVALID", "the certificate log did not sign this certificate")


def _signed(
    stamp: SignedCertificateTimestamp, certificate: Certificate, issuer: Certificate, moment: datetime
) -> bytes:
    """Return the ``digitally-signed`` struct; its signature's own algorithm is the key's (SHA-256 in every log)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs = certificate.tbs_precertificate_bytes
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return b"".join(
        (
            bytes((stamp.version.value, 0)),  # v1, certificate_timestamp
            milliseconds.to_bytes(8),
            _PRECERTIFICATE.to_bytes(2),
            hashlib.sha256(spki).digest(),
            len(tbs).to_bytes(3) + tbs,
            len(stamp.extension_bytes).to_bytes(2) + stamp.extension_bytes,
        )
    )
