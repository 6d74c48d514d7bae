"""A chain of certificates with its revocation list and OCSP response, made in memory for documents to be altered.

``certificatelab`` makes the like with openssl, on disk; this is for tests that need only bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from modelsign.signing.keys import load_private_key

if TYPE_CHECKING:
    from modelsign.signing.keys import SigningKey

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
IDENTITY = "ci@example.org"
_USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


def _usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in wanted for use in _USES})


class Link:
    """A certificate with its key: an authority, or a leaf for signing code."""

    def __init__(self, name: str, above: Link | None = None, *, leaf: bool = False) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.above = above or self
        public = self.key.public_key()
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.above.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 10 * DAY)
            .not_valid_after(NOW + (300 if leaf else 3000) * DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.above.key.public_key()), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=not leaf, path_length=None), critical=True)
            .add_extension(_usage(*(("digital_signature",) if leaf else ("key_cert_sign", "crl_sign"))), critical=True)
        )
        if leaf:
            code = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
            names = x509.SubjectAlternativeName([x509.RFC822Name(IDENTITY)])
            builder = builder.add_extension(code, critical=True).add_extension(names, critical=False)
        self.certificate = builder.sign(self.above.key, hashes.SHA256())

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def signer(self) -> SigningKey:
        return load_private_key(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def revocation_list(self, *revoked: Link) -> bytes:
        """Return a list in DER; an empty one names a stranger's certificate."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW - DAY)
        builder = builder.next_update(NOW + 30 * DAY).add_extension(x509.CRLNumber(7), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        for serial in [entry.certificate.serial_number for entry in revoked] or [4711]:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 2 * DAY).build()
            )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def answer(
        self,
        about: Link,
        status: Any = ocsp.OCSPCertStatus.GOOD,
        *,
        made: datetime = NOW - DAY,
        until: datetime | None = NOW + DAY,
    ) -> bytes:
        """Return an OCSP response in DER, signed by this authority itself."""
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=about.certificate,
            issuer=self.certificate,
            algorithm=hashes.SHA1(),
            cert_status=status,
            this_update=made,
            next_update=until,
            revocation_time=None if status is ocsp.OCSPCertStatus.GOOD else NOW - 2 * DAY,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


class Chain:
    """A root, an authority in the middle, and a leaf."""

    def __init__(self) -> None:
        self.root = Link("paper root")
        self.middle = Link("paper middle", self.root)
        self.leaf = Link("paper leaf", self.middle, leaf=True)
