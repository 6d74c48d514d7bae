"""Certificate revocation lists: read, and asked about one certificate (RFC 5280, sections 5 and 6.3).

Complete lists of the issuer itself, or of a certificate with the issuer's name that may sign lists and chains to the
same root (section 6.3.3 (f)). Distribution points and kinds of certificates in ``issuingDistributionPoint`` are
honoured; delta lists, indirect lists, lists for some reasons only and unknown critical extensions are refused.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.x509.algorithms import check_algorithm, check_key
from modelsign.signing.x509.parsing import check_whole, parsing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from cryptography import x509

    from modelsign.signing.x509.certificates import Certificate

__all__ = ["Revocation", "RevocationList", "load_revocation_lists"]

_ISSUING_POINT: Final = "2.5.29.28"
_ENTRY_UNDERSTOOD: Final = frozenset({"2.5.29.21", "2.5.29.24"})
"""Reason and invalidity date of an entry."""


class Revocation(NamedTuple):
    """A certificate was revoked: ``since`` when its signatures do not count, why, and who says so."""

    since: datetime
    reason: str
    source: str


class RevocationList:
    """One certificate revocation list, parsed. Nothing it says is believed before :meth:`ask`."""

    def __init__(self, parsed: x509.CertificateRevocationList) -> None:
        """Take a list of cryptography's.

        Raises:
            ModelsignError: ``CRL_MALFORMED`` or ``CRL_UNSUPPORTED``.

        """
        from cryptography import x509
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import Encoding

        with parsing("a revocation list", "CRL_MALFORMED"):
            check_whole(parsed.public_bytes(Encoding.DER), parsed.signature)
            self._list = parsed
            self.digest: str = parsed.fingerprint(SHA256()).hex()
            self.issuer: x509.Name = parsed.issuer
            self.label = f"the revocation list of {parsed.issuer.rfc4514_string()}"
            self.this_update: datetime = parsed.last_update_utc
            self.next_update: datetime | None = parsed.next_update_utc
            extensions = {entry.oid.dotted_string: entry for entry in parsed.extensions}
        unknown = [oid for oid, entry in extensions.items() if entry.critical and oid != _ISSUING_POINT]
        if unknown:
            raise error("CRL_UNSUPPORTED", f"{self.label} has the critical extension {unknown[0]}")
        if any(isinstance(entry.value, x509.DeltaCRLIndicator) for entry in extensions.values()):
            raise error("CRL_UNSUPPORTED", f"{self.label} is a delta to another one")
        point = extensions[_ISSUING_POINT].value if _ISSUING_POINT in extensions else None
        self._point = point if isinstance(point, x509.IssuingDistributionPoint) else None
        if self._point is not None and (
            self._point.indirect_crl or self._point.only_some_reasons or self._point.relative_name
        ):
            raise error("CRL_UNSUPPORTED", f"{self.label} is indirect, for some reasons only, or named relatively")

    def speaks_of(self, certificate: Certificate) -> bool:
        """Say whether the certificate is in the list's scope (RFC 5280, section 6.3.3 (b))."""
        if self.issuer != certificate.issuer:
            return False
        point = self._point
        if point is None:
            return True
        if point.only_contains_attribute_certs:
            return False
        if point.only_contains_user_certs if certificate.authority else point.only_contains_ca_certs:
            return False
        return point.full_name is None or bool(set(point.full_name) & _points_of(certificate))

    def ask(
        self, certificate: Certificate, signers: Iterable[Certificate], now: datetime
    ) -> tuple[Revocation | None, ModelsignError | None]:
        """Return the certificate's revocation, None if it is not listed; and why the list is too old, if it is.

        ``signers`` are certificates that may sign the list, each one's chain checked already. What a list says
        against a certificate counts even when it is out of date.

        Raises:
            ModelsignError: ``CRL_UNTRUSTED``, ``CRL_MALFORMED``, ``CRL_UNSUPPORTED``.

        """
        self._check_signature(signers)
        stale = None
        if self.this_update > now:
            stale = error("CRL_STALE", f"{self.label} is from {self.this_update.isoformat()}, in the future")
        elif self.next_update is None:
            stale = error("CRL_STALE", f"{self.label} does not say how long it is good")
        elif now > self.next_update:
            stale = error("CRL_STALE", f"{self.label} was good until {self.next_update.isoformat()}")
        return self._entry(certificate), stale

    def _check_signature(self, signers: Iterable[Certificate]) -> None:
        why = f"nobody whose key usage says CRL sign could have signed {self.label}"
        for signer in signers:
            if signer.usage is not None and not signer.usage.crl_sign:
                continue
            try:
                check_algorithm(self._list, self.label)
                check_key(signer.public_key, f"the certificate of {signer.subject_text}")
            except ModelsignError as fault:
                why = fault.message
                continue
            if self._signed_by(signer):
                return
            why = f"{self.label} is not signed by its authority"
        raise error("CRL_UNTRUSTED", why)

    def _signed_by(self, signer: Certificate) -> bool:
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            return self._list.is_signature_valid(signer.public_key)  # type: ignore[arg-type] # checked by check_key
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return False

    def _entry(self, certificate: Certificate) -> Revocation | None:
        from cryptography import x509

        with parsing(self.label, "CRL_MALFORMED"):
            entry = self._list.get_revoked_certificate_by_serial_number(certificate.serial)
            if entry is None:
                return None
            since, extensions = entry.revocation_date_utc, list(entry.extensions)
        reason = "unspecified"
        for extension in extensions:
            if isinstance(extension.value, x509.CRLReason):
                reason = extension.value.reason.value
            elif isinstance(extension.value, x509.InvalidityDate):
                since = min(since, extension.value.invalidity_date_utc)
            if extension.critical and extension.oid.dotted_string not in _ENTRY_UNDERSTOOD:
                oid = extension.oid.dotted_string
                raise error("CRL_UNSUPPORTED", f"{self.label} has an entry with the critical extension {oid}")
        if reason == "removeFromCRL":
            raise error("CRL_UNSUPPORTED", f"{self.label} takes an entry back, which only a delta may do")
        return Revocation(since, reason, self.label)


def load_revocation_lists(data: bytes) -> tuple[RevocationList, ...]:
    """Read a file of revocation lists: one in DER, or any number in PEM.

    Raises:
        ModelsignError: ``CRL_MALFORMED`` or ``CRL_UNSUPPORTED``.

    """
    from cryptography import x509

    if len(data) > limits.CRL_BYTES:
        raise error("CRL_MALFORMED", f"a revocation list has at most {limits.CRL_BYTES} bytes")
    start, end = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"
    with parsing("a revocation list", "CRL_MALFORMED"):
        if b"-----BEGIN" not in data:
            return (RevocationList(x509.load_der_x509_crl(data)),)
        pieces = [start + piece.partition(end)[0] + end + b"\n" for piece in data.split(start)[1:]]
        if not pieces or len(pieces) > limits.CERTIFICATES:
            raise error("CRL_MALFORMED", f"the file holds {len(pieces)} revocation lists in PEM")
        return tuple(RevocationList(x509.load_pem_x509_crl(piece)) for piece in pieces)


def _points_of(certificate: Certificate) -> set[x509.GeneralName]:
    from cryptography import x509

    try:
        found = certificate.x509.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in found for name in point.full_name or () if point.crl_issuer is None}
