"""OCSP responses: read, and asked about one certificate (RFC 6960).

A response counts if the issuer of the certificate signed it, or a responder whom that issuer certified for it, with
the same key as it signed the certificate (section 4.2.2.2). Nonces play no part: responses come as files.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import binascii
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.x509.algorithms import check_algorithm, check_key, signed_by
from modelsign.signing.x509.certificates import Certificate
from modelsign.signing.x509.chain import OCSP, check_chain
from modelsign.signing.x509.crl import Revocation
from modelsign.signing.x509.parsing import check_whole, parsing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cryptography.hazmat.primitives.hashes import HashAlgorithm
    from cryptography.x509 import ocsp

__all__ = ["OcspResponse", "load_ocsp_response"]

_MOST_AGE: Final = timedelta(days=1)
"""How long an answer is good that does not say so itself; responders mean "there is newer information at any time"."""
_HASHES: Final = ("sha1", "sha256", "sha384", "sha512")
"""Hashes that name an issuer; nothing rests on their strength, since the answer is signed."""
_MOST_RESPONDERS: Final = 10
_MOST_ANSWERS: Final = 1000
_UNDERSTOOD: Final = frozenset({"1.3.6.1.5.5.7.48.1.2", "2.5.29.21", "2.5.29.24"})
"""The nonce of a response; reason and invalidity date of an answer (RFC 6960, section 4.4.5)."""


class OcspResponse:
    """One OCSP response, parsed. Nothing it says is believed before :meth:`ask`."""

    def __init__(self, der: bytes) -> None:
        """Read a response in DER.

        Raises:
            ModelsignError: ``OCSP_MALFORMED``, ``OCSP_UNSUPPORTED`` or ``OCSP_NO_ANSWER``.

        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509 import ocsp

        self.label = "the OCSP response"
        self.digest = hashlib.sha256(der).hexdigest()
        with parsing("an OCSP response", "OCSP_MALFORMED"):
            self._response = ocsp.load_der_ocsp_response(der)
            status = self._response.response_status
            if status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                raise error("OCSP_NO_ANSWER", f"the OCSP responder answered {status.name}")
            check_whole(der.partition(self._response.tbs_response_bytes)[2], self._response.signature)
            name, key_hash = self._response.responder_name, self._response.responder_key_hash
            self._name, self._key_hash = name, key_hash
            who = name.rfc4514_string() if name is not None else f"the key {(key_hash or b'').hex()}"
            self.label = f"the OCSP response of {who}"
            self._answers = list(self._bounded(self._response))
            self._responders = [
                Certificate(entry.public_bytes(Encoding.DER))
                for entry in self._response.certificates[:_MOST_RESPONDERS]
            ]
            critical = [entry.oid.dotted_string for entry in self._response.extensions if entry.critical]
            # cryptography shows the extensions of an answer only where there is one answer
            single = list(self._response.single_extensions) if len(self._answers) == 1 else []
        critical += [entry.oid.dotted_string for entry in single if entry.critical]
        self._invalid_since = [
            entry.value.invalidity_date_utc for entry in single if isinstance(entry.value, x509.InvalidityDate)
        ]
        unknown = [oid for oid in critical if oid not in _UNDERSTOOD]
        if unknown:
            raise error("OCSP_UNSUPPORTED", f"{self.label} has the critical extension {unknown[0]}")

    def speaks_of(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Say whether an answer in it is about this certificate of this issuer (RFC 6960, section 4.1.1)."""
        return any(True for _ in self._about(certificate, issuer))

    def ask(
        self, certificate: Certificate, issuer: Certificate, now: datetime
    ) -> tuple[Revocation | None, ModelsignError | None]:
        """Return the certificate's revocation, None if it is good; and why the answer is too old, if it is.

        Of several answers about one certificate in a response the worst counts.

        Raises:
            ModelsignError: ``OCSP_UNTRUSTED``, ``OCSP_MALFORMED`` or ``OCSP_UNKNOWN_CERTIFICATE``.

        """
        from cryptography.x509 import ocsp

        self._check_signature(issuer, now)
        stale: ModelsignError | None = None
        revoked: list[Revocation] = []
        for answer in self._about(certificate, issuer):
            if answer.certificate_status is ocsp.OCSPCertStatus.REVOKED:
                since, reason = answer.revocation_time_utc, answer.revocation_reason
                if since is None:
                    raise error("OCSP_MALFORMED", f"{self.label} does not say since when")
                since = min(since, *self._invalid_since) if self._invalid_since else since
                revoked.append(Revocation(since, reason.value if reason else "unspecified", self.label))
            elif answer.certificate_status is not ocsp.OCSPCertStatus.GOOD:
                raise error(
                    "OCSP_UNKNOWN_CERTIFICATE",
                    f"{self.label} does not know the certificate of {certificate.subject_text}",
                )
            stale = stale or self._staleness(answer, now)
        return min(revoked, default=None), stale  # the earliest

    def _bounded(self, response: ocsp.OCSPResponse) -> Iterator[ocsp.OCSPSingleResponse]:
        for count, answer in enumerate(response.responses):
            if count >= _MOST_ANSWERS:
                raise error("OCSP_UNSUPPORTED", f"{self.label} has more than {_MOST_ANSWERS} answers")
            yield answer

    def _about(self, certificate: Certificate, issuer: Certificate) -> Iterator[ocsp.OCSPSingleResponse]:
        from cryptography.exceptions import UnsupportedAlgorithm

        for answer in self._answers:
            if answer.serial_number != certificate.serial:
                continue
            try:
                kind: HashAlgorithm = answer.hash_algorithm
            except (UnsupportedAlgorithm, ValueError):
                continue
            if kind.name not in _HASHES:
                continue
            names = hashlib.new(kind.name, issuer.subject.public_bytes(), usedforsecurity=False).digest()
            keys = hashlib.new(kind.name, _key_bits(issuer), usedforsecurity=False).digest()
            if (answer.issuer_name_hash, answer.issuer_key_hash) == (names, keys):
                yield answer

    def _staleness(self, answer: ocsp.OCSPSingleResponse, now: datetime) -> ModelsignError | None:
        if answer.this_update_utc > now:
            return error("OCSP_STALE", f"{self.label} is from {answer.this_update_utc.isoformat()}, in the future")
        until = answer.next_update_utc or answer.this_update_utc + _MOST_AGE
        if now > until:
            return error("OCSP_STALE", f"{self.label} was good until {until.isoformat()}")
        return None

    def _check_signature(self, issuer: Certificate, now: datetime) -> None:
        why = "it names no responder that its authority allowed to answer"
        for responder in dict.fromkeys([issuer, *self._responders]):
            if not self._names(responder):
                continue
            try:
                if responder != issuer:
                    _check_responder(responder, issuer, now)
                check_algorithm(self._response, self.label)
                check_key(responder.public_key, self.label)
            except ModelsignError as fault:
                why = fault.message
                continue
            if signed_by(
                responder.public_key, self._response, self._response.signature, self._response.tbs_response_bytes
            ):
                return
            why = "its signature is wrong"
        raise error("OCSP_UNTRUSTED", f"{self.label} is not believed: {why}")

    def _names(self, responder: Certificate) -> bool:
        """Say whether the response names this responder, by name or by the SHA-1 of its key (section 4.2.1)."""
        if self._name is not None:
            return self._name == responder.subject
        return self._key_hash == hashlib.sha1(_key_bits(responder), usedforsecurity=False).digest()


def load_ocsp_response(data: bytes) -> OcspResponse:
    """Read a response, in DER or PEM.

    Raises:
        ModelsignError: ``OCSP_MALFORMED``, ``OCSP_UNSUPPORTED`` or ``OCSP_NO_ANSWER``.

    """
    if len(data) > limits.OCSP_BYTES:
        raise error("OCSP_MALFORMED", f"an OCSP response has at most {limits.OCSP_BYTES} bytes")
    start, end = b"-----BEGIN OCSP RESPONSE-----", b"-----END OCSP RESPONSE-----"
    if start in data:
        try:
            data = binascii.a2b_base64(b"".join(data.partition(start)[2].partition(end)[0].split()), strict_mode=True)
        except binascii.Error:
            raise error("OCSP_MALFORMED", "an OCSP response in PEM is not base64") from None
    return OcspResponse(data)


def _check_responder(responder: Certificate, issuer: Certificate, now: datetime) -> None:
    """RFC 6960, section 4.2.2.2: certified by the very authority, for this use, and valid."""
    if not responder.may_be_issued_by(issuer) or not responder.check_issued_by(issuer):
        raise error("OCSP_UNTRUSTED", f"the responder {responder.subject_text} is not certified by the authority")
    check_chain((responder, issuer), now, OCSP)


def _key_bits(certificate: Certificate) -> bytes:
    """Return the bits of the subject's public key, as RFC 6960 hashes them: without tag, length and unused bits."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = certificate.public_key
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
