"""Which keys and signatures of authorities are believed.

SHA-256 or better (NIST SP 800-131A, RFC 8017, RFC 5758), RSA from 2048 to 8192 bits, ECDSA on P-256, P-384 and P-521,
Ed25519 and Ed448 (RFC 8410), ML-DSA (RFC 9881). PKCS#1 v1.5 is accepted from authorities, who use it throughout, and
never for models. The upper bound of RSA keeps a key from costing more time than it is worth.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from modelsign.errors import error

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

__all__ = ["SignedByAuthority", "check_algorithm", "check_key", "signed_by"]

_STRONG: Final = {
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384",
    "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
    "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
    "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
}
_WEAK: Final = {
    "1.2.840.113549.1.1.2": "RSA with MD2",
    "1.2.840.113549.1.1.4": "RSA with MD5",
    "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.14": "RSA with SHA-224",
    "1.2.840.10040.4.3": "DSA with SHA-1",
    "1.2.840.10045.4.1": "ECDSA with SHA-1",
    "1.2.840.10045.4.3.1": "ECDSA with SHA-224",
}
_RSA_PSS: Final = "1.2.840.113549.1.1.10"
_STRONG_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_LEAST_RSA_BITS: Final = 2048
_MOST_RSA_BITS: Final = 8192
_OTHER_KEYS: Final = ("Ed25519", "Ed448", "MLDSA44", "MLDSA65", "MLDSA87")


class SignedByAuthority(Protocol):
    """What certificates, revocation lists and OCSP responses of ``cryptography`` have in common."""

    @property
    def signature_algorithm_oid(self) -> x509.ObjectIdentifier:
        """The algorithm."""

    @property
    def signature_hash_algorithm(self) -> HashAlgorithm | None:
        """Its hash; None where it has none of its own."""


def check_algorithm(signed: SignedByAuthority, what: str) -> None:
    """Refuse an algorithm of whose signatures none is believed.

    Raises:
        ModelsignError: ``CERTIFICATE_WEAK`` or ``CERTIFICATE_UNSUPPORTED``.

    """
    from cryptography.exceptions import UnsupportedAlgorithm

    oid = signed.signature_algorithm_oid.dotted_string
    name = _WEAK.get(oid)
    if oid == _RSA_PSS:
        try:
            found = signed.signature_hash_algorithm
        except (UnsupportedAlgorithm, ValueError):
            found = None
        if found is not None and found.name in _STRONG_HASHES:
            return
        name = f"RSA-PSS with {found.name.upper()}" if found is not None else None
    if name is not None:
        raise error("CERTIFICATE_WEAK", f"{what} is signed by {name}")
    if oid not in _STRONG:
        raise error("CERTIFICATE_UNSUPPORTED", f"{what} is signed by the algorithm {oid}, which is not known")


def check_key(key: object, what: str) -> None:
    """Refuse a key from which no signature is believed.

    Raises:
        ModelsignError: ``CERTIFICATE_WEAK`` or ``CERTIFICATE_UNSUPPORTED``.

    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _LEAST_RSA_BITS:
            raise error("CERTIFICATE_WEAK", f"{what} has a weak key: RSA with {key.key_size} bits")
        if key.key_size > _MOST_RSA_BITS:
            raise error("CERTIFICATE_UNSUPPORTED", f"{what} has a key of RSA with {key.key_size} bits")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise error("CERTIFICATE_WEAK", f"{what} has a weak key: the curve {key.curve.name}")
    elif type(key).__name__.removesuffix("PublicKey") not in _OTHER_KEYS:
        raise error("CERTIFICATE_UNSUPPORTED", f"{what} has a key of {type(key).__name__.removesuffix('PublicKey')}")


def signed_by(key: object, signed: SignedByAuthority, signature: bytes, data: bytes) -> bool:
    """Say whether a key made a signature over data, by the algorithm that a checked structure names.

    RSA-PSS is not known here: ``cryptography`` does not give its parameters for OCSP responses.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

    oid = signed.signature_algorithm_oid.dotted_string
    try:
        digest = signed.signature_hash_algorithm
        if isinstance(key, rsa.RSAPublicKey) and digest is not None:
            key.verify(signature, data, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
            key.verify(signature, data, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) or _is_ml_dsa(key, oid):
            key.verify(signature, data)  # type: ignore[attr-defined] # ML-DSA keys have it too
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _is_ml_dsa(key: object, oid: str) -> bool:
    name = _STRONG.get(oid, "")
    return name.startswith("ML-DSA-") and type(key).__name__ == name.replace("-", "") + "PublicKey"
