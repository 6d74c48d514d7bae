"""Keys: read, made, shown, and used to sign and verify bytes.

The algorithm follows from the key alone, never from a bundle: ECDSA on P-256, P-384 and P-521 with the hash
of the curve's size (OMS v1.0), and as extensions Ed25519, RSA-PSS with SHA-256 from 3072 bits, and the post-quantum
ML-DSA-65 and ML-DSA-87 (FIPS 204, pure, empty context). ECDSA signatures are deterministic (RFC 6979), so that a
signature can be reproduced; ML-DSA signatures are hedged with fresh randomness, as FIPS 204 prefers and as
cryptography makes them. PKCS#1 v1.5 is not accepted.

``cryptography`` is imported when a key is read, not before: ``--help`` has no use for it.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, Literal

from modelsign import limits
from modelsign.errors import error
from modelsign.signing.key_encodings import ml_dsa_name, private_der, refuse_encoding

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from modelsign.errors import ModelsignError

__all__ = [
    "ALGORITHMS",
    "Family",
    "SigningKey",
    "VerifyKey",
    "family",
    "generate",
    "load_private_key",
    "load_public_key",
]

ALGORITHMS: Final = (
    "ecdsa-p256-sha256",
    "ecdsa-p384-sha384",
    "ecdsa-p521-sha512",
    "ed25519",
    "rsa-pss-sha256",
    "ml-dsa-65",
    "ml-dsa-87",
)
"""Every algorithm, the default for new keys first."""
Family = Literal["classical", "post-quantum"]
_OMS_ALGORITHMS: Final = frozenset(ALGORITHMS[:3])
_CURVES: Final = {"secp256r1": 0, "secp384r1": 1, "secp521r1": 2}
_RSA_BITS: Final = 3072
_RSA_MOST_BITS: Final = 16384
"""OpenSSL verifies nothing with a larger modulus (OPENSSL_RSA_MAX_MODULUS_BITS)."""
_PEM: Final = b"-----BEGIN "
_PASSWORD_BYTES: Final = 1023
"""OpenSSL's bound (PEM_BUFSIZE)."""
_KEY_ARMOUR: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}(?:PUBLIC|PRIVATE) KEY-----")
_NEEDS_ML_DSA: Final = "Install cryptography 48 or newer, with an OpenSSL that has ML-DSA; its wheels have it."


def family(algorithm: str) -> Family:
    """Say whether an algorithm of :data:`ALGORITHMS` is ``classical`` or ``post-quantum``.

    A quantum computer of the size that is feared breaks every classical one.
    """
    return "post-quantum" if algorithm.startswith("ml-dsa-") else "classical"


class VerifyKey:
    """A public key that can verify signatures.

    ``digest`` is the SHA-256 of the canonical DER SubjectPublicKeyInfo in hex: a key in two encodings has one.
    ``hint`` is what OMS bundles name a key by: the SHA-256 of its PEM text. ``oms`` says whether OMS v1.0 knows
    the algorithm, ``family`` whether it is ``classical`` or ``post-quantum``.
    """

    def __init__(self, key: PublicKeyTypes) -> None:
        """Take a key of cryptography's.

        Raises:
            ModelsignError: ``KEY_UNSUPPORTED``.

        """
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self.algorithm, self._check = _checker(key)
        self.oms = self.algorithm in _OMS_ALGORITHMS
        self.family: Family = family(self.algorithm)
        self.der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.digest = hashlib.sha256(self.der).hexdigest()
        self.hint = hashlib.sha256(self.pem).hexdigest()

    def verify(self, data: bytes, signature: bytes) -> None:
        """Check a signature over bytes.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY``.

        """
        if not self.accepts(data, signature):
            raise error("SIGNATURE_WRONG_KEY", f"the signature does not verify under the key {self.digest}")

    def accepts(self, data: bytes, signature: bytes, *, hash_name: str | None = None) -> bool:
        """Say whether a signature over bytes is this key's.

        ``hash_name`` replaces the hash of an ECDSA key, for legacy formats only.
        """
        from cryptography.exceptions import InvalidSignature

        try:
            self._check(data, signature, hash_name)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private key that can sign; ``public`` is its other half."""

    def __init__(self, key: PrivateKeyTypes) -> None:
        """Take a key of cryptography's.

        Raises:
            ModelsignError: ``KEY_UNSUPPORTED``.

        """
        self._key = key
        self.public = VerifyKey(key.public_key())
        self._sign = _signer(key)

    def sign(self, data: bytes) -> bytes:
        """Sign bytes. ECDSA and Ed25519 give the same signature each time, RSA-PSS and ML-DSA do not."""
        return self._sign(data)

    def pem(self, password: bytes | None = None) -> bytes:
        """Return the key as PKCS#8 PEM, encrypted if there is a password.

        Raises:
            ModelsignError: ``KEY_PASSWORD_WRONG`` for a password longer than PKCS#8 encryption takes here.

        """
        from cryptography.hazmat.primitives.serialization import (
            BestAvailableEncryption,
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        if password and len(password) > _PASSWORD_BYTES:
            raise error(
                "KEY_PASSWORD_WRONG",
                f"a password of {len(password)} bytes cannot encrypt a key; at most {_PASSWORD_BYTES} do",
                advice="Choose a shorter password.",
            )
        protection = BestAvailableEncryption(password) if password else NoEncryption()
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def generate(algorithm: str = ALGORITHMS[0]) -> SigningKey:
    """Make a new private key.

    Raises:
        ModelsignError: ``KEY_UNSUPPORTED`` for an unknown algorithm.

    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm == "ed25519":
        return SigningKey(ed25519.Ed25519PrivateKey.generate())
    if algorithm == "rsa-pss-sha256":
        return SigningKey(rsa.generate_private_key(65537, _RSA_BITS))
    if algorithm in ("ml-dsa-65", "ml-dsa-87"):
        return SigningKey(_generate_ml_dsa(algorithm))
    curves: dict[str, ec.EllipticCurve] = dict(
        zip(ALGORITHMS, (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()), strict=False)
    )
    if algorithm not in curves:
        raise error("KEY_UNSUPPORTED", f"the algorithm {algorithm} is none of {', '.join(ALGORITHMS)}")
    return SigningKey(ec.generate_private_key(curves[algorithm]))


def _generate_ml_dsa(algorithm: str) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import mldsa

    kind = mldsa.MLDSA65PrivateKey if algorithm == "ml-dsa-65" else mldsa.MLDSA87PrivateKey
    try:
        return kind.generate()
    except UnsupportedAlgorithm:
        raise _not_here(algorithm.upper()) from None


def load_public_key(data: bytes) -> VerifyKey:
    """Read a public key in PEM or DER (SubjectPublicKeyInfo).

    Raises:
        ModelsignError: ``KEY_MALFORMED``, ``KEY_UNSUPPORTED`` or ``KEY_IS_PRIVATE``.

    """
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

    _check_one(data)
    if b"PRIVATE KEY-----" in data:
        raise error("KEY_IS_PRIVATE", "this is a private key; verifying takes the public one")
    try:
        key = load_pem_public_key(data) if _PEM in data else load_der_public_key(data)
    except UnsupportedAlgorithm:
        raise _unknown(data, "public") from None
    except (ValueError, InternalError):
        raise error("KEY_MALFORMED", "this is no public key in PEM or DER") from None
    refuse_encoding(data)
    return VerifyKey(key)


def load_private_key(data: bytes, password: bytes | str | None = None) -> SigningKey:
    """Read a private key in PEM or DER, encrypted or not; a password that is text is taken as UTF-8.

    Raises:
        ModelsignError: ``KEY_MALFORMED``, ``KEY_UNSUPPORTED``, ``KEY_IS_PUBLIC``, ``KEY_PASSWORD_NEEDED``,
            ``KEY_PASSWORD_WRONG`` or ``KEY_NOT_ENCRYPTED``.

    """
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    password = (password.encode() if isinstance(password, str) else password) or None  # an empty one opens nothing
    _check_one(data)
    if b"-----BEGIN PUBLIC KEY-----" in data and b"PRIVATE KEY-----" not in data:
        raise error("KEY_IS_PUBLIC", "this is a public key; signing takes the private one")
    data = private_der(data) or data
    try:
        key = load_pem_private_key(data, password) if _PEM in data else load_der_private_key(data, password)
    except TypeError:
        if password is None:
            raise error("KEY_PASSWORD_NEEDED", "the private key is encrypted and no password was given") from None
        raise error("KEY_NOT_ENCRYPTED", "a password was given, but the private key is not encrypted") from None
    except UnsupportedAlgorithm:
        raise _unknown(data, "private") from None
    except (ValueError, InternalError):
        if password is not None:
            raise error("KEY_PASSWORD_WRONG", "the private key cannot be opened with this password") from None
        raise error("KEY_MALFORMED", "this is no private key in PEM or DER") from None
    refuse_encoding(data)
    return SigningKey(key)


def _check_one(data: bytes) -> None:
    if len(data) > limits.KEY_BYTES:
        raise error("KEY_MALFORMED", f"a key has at most {limits.KEY_BYTES} bytes")
    if len(_KEY_ARMOUR.findall(data)) > 1:
        raise error(
            "KEY_MALFORMED",
            "the file holds more than one key, and only one of them would count",
            advice="Put each key into a file of its own.",
        )


def _checker(key: PublicKeyTypes) -> tuple[str, Callable[[bytes, bytes, str | None], None]]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

    if isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = ALGORITHMS[_curve(key.curve.name)]
        curve_hash = algorithm.rpartition("-")[2]
        by_name = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
        return algorithm, lambda data, signature, name: key.verify(
            signature, data, ec.ECDSA(by_name[name or curve_hash])
        )
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519", lambda data, signature, _: key.verify(signature, data)
    if isinstance(key, rsa.RSAPublicKey):
        from cryptography.hazmat.primitives.asymmetric import padding

        if not _RSA_BITS <= key.key_size <= _RSA_MOST_BITS:
            raise _unsupported(f"RSA with {key.key_size} bits")
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return "rsa-pss-sha256", lambda data, signature, _: key.verify(signature, data, scheme, hashes.SHA256())
    if isinstance(key, (mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)):
        name = "ml-dsa-65" if isinstance(key, mldsa.MLDSA65PublicKey) else "ml-dsa-87"
        return name, lambda data, signature, _: key.verify(signature, data)
    raise _unsupported(type(key).__name__.removesuffix("PublicKey"))


def _signer(key: PrivateKeyTypes) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey):
        hash_of = (hashes.SHA256, hashes.SHA384, hashes.SHA512)[_curve(key.curve.name)]
        scheme = ec.ECDSA(hash_of(), deterministic_signing=True)
        return lambda data: key.sign(data, scheme)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    if isinstance(key, (mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey)):
        return lambda data: key.sign(data)  # noqa: PLW0108 - its further parameter, the context, stays empty
    if isinstance(key, rsa.RSAPrivateKey):
        from cryptography.hazmat.primitives.asymmetric import padding

        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return lambda data: key.sign(data, pss, hashes.SHA256())
    raise _unsupported(type(key).__name__.removesuffix("PrivateKey"))


def _curve(name: str) -> int:
    if name not in _CURVES:
        raise _unsupported(f"the curve {name}")
    return _CURVES[name]


def _unknown(data: bytes, half: str) -> ModelsignError:
    """Say why cryptography does not know the algorithm of a key: because nobody should, or because it is too old."""
    name = ml_dsa_name(data)
    if name in ("ML-DSA-65", "ML-DSA-87"):
        return _not_here(name)
    return error("KEY_UNSUPPORTED", f"the {half} key has an algorithm that is not known")


def _not_here(name: str) -> ModelsignError:
    return error("KEY_UNSUPPORTED", f"the cryptography installed here has no {name}", advice=_NEEDS_ML_DSA)


def _unsupported(what: str) -> ModelsignError:
    return error("KEY_UNSUPPORTED", f"{what} is not accepted")
