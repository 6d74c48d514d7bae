"""X.509 certificates, read once and whole: what stands in them, and by whom they were signed.

Follows RFC 5280, section 4. Reading says nothing about trust; :mod:`modelsign.signing.x509.chain` does. Everything that
is used later is parsed at once, so that a malformed field is found here and nowhere else.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.errors import error
from modelsign.signing.x509.algorithms import check_algorithm, check_key
from modelsign.signing.x509.parsing import check_whole, parsing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

__all__ = ["CODE_SIGNING", "OCSP_SIGNING", "Certificate", "load_certificate", "load_certificates"]

CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
"""id-kp-codeSigning (RFC 5280, section 4.2.1.12)."""
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
"""id-kp-OCSPSigning (RFC 6960, section 4.2.2.2)."""

_UNDERSTOOD: Final = frozenset({"2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.37"})
"""Extensions that are acted upon: key usage, alternative names, basic and name constraints, extended key usage."""


class _Extensions(NamedTuple):
    """The extensions that decide; None where one is absent."""

    authority: bool
    path_length: int | None
    usage: x509.KeyUsage | None
    extended_usage: frozenset[str] | None
    names: tuple[x509.GeneralName, ...]
    constraints: x509.NameConstraints | None
    key_id: bytes | None
    issuer_key_id: bytes | None
    unknown: tuple[str, ...]


class Certificate:
    """One certificate, parsed.

    ``digest`` is the SHA-256 of the DER in hex; two certificates are the same exactly if their DER is. ``authority``
    is basicConstraints' cA, ``unknown`` the critical extensions nobody here understands.
    """

    def __init__(self, der: bytes) -> None:
        """Read a certificate in DER.

        Raises:
            ModelsignError: ``CERTIFICATE_MALFORMED`` or ``CERTIFICATE_UNSUPPORTED``.

        """
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm

        if len(der) > limits.CERTIFICATE_BYTES:
            raise error("CERTIFICATE_MALFORMED", f"a certificate has at most {limits.CERTIFICATE_BYTES} bytes")
        with parsing("a certificate", "CERTIFICATE_MALFORMED"):
            self.x509 = x509.load_der_x509_certificate(der)
            check_whole(der, self.x509.signature)
            self.der = der
            self.subject: x509.Name = self.x509.subject
            self.issuer: x509.Name = self.x509.issuer
            self.not_before: datetime = self.x509.not_valid_before_utc
            self.not_after: datetime = self.x509.not_valid_after_utc
            self.serial: int = self.x509.serial_number
            self._extensions = _read_extensions(self.x509.extensions)
            self.subject_text: str = self.subject.rfc4514_string()
            self.issuer_text: str = self.issuer.rfc4514_string()
            try:
                self.public_key: CertificatePublicKeyTypes = self.x509.public_key()
            except UnsupportedAlgorithm:
                raise error(
                    "CERTIFICATE_UNSUPPORTED", f"the certificate of {self.subject_text} has a key of a kind not known"
                ) from None
        self.digest = hashlib.sha256(der).hexdigest()
        extensions = self._extensions
        self.authority = extensions.authority
        self.path_length = extensions.path_length
        self.usage = extensions.usage
        self.extended_usage = extensions.extended_usage
        self.names = extensions.names
        self.constraints = extensions.constraints
        self.key_id = extensions.key_id
        self.issuer_key_id = extensions.issuer_key_id
        self.unknown = extensions.unknown

    def __eq__(self, other: object) -> bool:
        """Say whether both have the same bytes."""
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        """Return the hash of the bytes."""
        return hash(self.der)

    @property
    def key_digest(self) -> str:
        """The SHA-256 of the canonical DER SubjectPublicKeyInfo, hex: one key in two certificates has one."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return hashlib.sha256(self.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name (RFC 5280, section 6.1)."""
        return self.subject == self.issuer

    def self_signed(self) -> bool:
        """Say whether its own key made its signature."""
        return self.self_issued and self._signed_by(self)

    def may_be_issued_by(self, issuer: Certificate) -> bool:
        """Say whether names and key identifiers (RFC 5280, section 4.2.1.1) fit; signatures are not looked at."""
        ids = (self.issuer_key_id, issuer.key_id)
        return self.issuer == issuer.subject and (None in ids or ids[0] == ids[1])

    def check_issued_by(self, issuer: Certificate) -> bool:
        """Say whether the issuer's key made this certificate's signature.

        Raises:
            ModelsignError: ``CERTIFICATE_WEAK`` or ``CERTIFICATE_UNSUPPORTED`` for an algorithm or key of which no
                signature is believed.

        """
        whose = f"the certificate of {self.subject_text}"
        check_algorithm(self.x509, whose)
        check_key(issuer.public_key, f"the certificate of {issuer.subject_text}")
        return self._signed_by(issuer)

    def _signed_by(self, issuer: Certificate) -> bool:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

        try:
            self.x509.verify_directly_issued_by(issuer.x509)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            return False
        return True


def load_certificate(data: bytes) -> Certificate:
    """Read the one certificate of a file, in PEM or DER.

    Raises:
        ModelsignError: ``CERTIFICATE_MALFORMED`` or ``CERTIFICATE_UNSUPPORTED``.

    """
    found = load_certificates(data)
    if len(found) != 1:
        raise error("CERTIFICATE_MALFORMED", f"the file holds {len(found)} certificates where one is wanted")
    return found[0]


def load_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Read a file of certificates: one in DER, or any number in PEM, each once and in their order.

    Raises:
        ModelsignError: ``CERTIFICATE_MALFORMED``, ``CERTIFICATE_UNSUPPORTED`` or ``CERTIFICATE_LIMIT``.

    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    if len(data) > limits.CERTIFICATE_FILE_BYTES:
        raise error("CERTIFICATE_LIMIT", f"a file of certificates has at most {limits.CERTIFICATE_FILE_BYTES} bytes")
    if b"-----BEGIN" not in data:
        return (Certificate(data),)
    if data.count(b"-----BEGIN") > limits.CERTIFICATES:
        raise error("CERTIFICATE_LIMIT", f"a file has at most {limits.CERTIFICATES} certificates")
    with parsing("the file of certificates in PEM", "CERTIFICATE_MALFORMED"):
        parsed = x509.load_pem_x509_certificates(data)
    return tuple(dict.fromkeys(Certificate(entry.public_bytes(Encoding.DER)) for entry in parsed))


def _read_extensions(extensions: x509.Extensions) -> _Extensions:
    from cryptography import x509

    by_class = {type(entry.value): entry.value for entry in extensions}
    basic = by_class.get(x509.BasicConstraints)
    usage = by_class.get(x509.KeyUsage)
    extended = by_class.get(x509.ExtendedKeyUsage)
    names = by_class.get(x509.SubjectAlternativeName)
    constraints = by_class.get(x509.NameConstraints)
    key_id = by_class.get(x509.SubjectKeyIdentifier)
    issuer_key_id = by_class.get(x509.AuthorityKeyIdentifier)
    listed = tuple(names) if isinstance(names, x509.SubjectAlternativeName) else ()
    if isinstance(constraints, x509.NameConstraints):
        _bound(tuple(constraints.permitted_subtrees or ()) + tuple(constraints.excluded_subtrees or ()))
    _bound(listed)
    return _Extensions(
        authority=isinstance(basic, x509.BasicConstraints) and basic.ca,
        path_length=basic.path_length if isinstance(basic, x509.BasicConstraints) else None,
        usage=usage if isinstance(usage, x509.KeyUsage) else None,
        extended_usage=(
            frozenset(oid.dotted_string for oid in extended) if isinstance(extended, x509.ExtendedKeyUsage) else None
        ),
        names=listed,
        constraints=constraints if isinstance(constraints, x509.NameConstraints) else None,
        key_id=key_id.digest if isinstance(key_id, x509.SubjectKeyIdentifier) else None,
        issuer_key_id=(
            issuer_key_id.key_identifier if isinstance(issuer_key_id, x509.AuthorityKeyIdentifier) else None
        ),
        unknown=tuple(
            entry.oid.dotted_string
            for entry in extensions
            if entry.critical and entry.oid.dotted_string not in _UNDERSTOOD
        ),
    )


def _bound(names: Sequence[object]) -> None:
    if len(names) > limits.CERTIFICATE_NAMES:
        message = f"it has more than {limits.CERTIFICATE_NAMES} names"
        raise ValueError(message)
