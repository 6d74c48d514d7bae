"""Signing with a key on a token (PKCS#11 v2.40 and v3.0): smart cards, USB keys, network and software HSMs.

The private key stays on the token. For ECDSA and RSA-PSS the token is sent a digest, for Ed25519 the bytes themselves.
What it answers is verified with the public key that lies beside the private one, and only then handed out. A bundle
made so is a key pair's bundle like any other: whoever verifies needs no token.

The token's module is a library of its maker that runs inside this process; it is loaded only from where the caller's
URI says, or from the folders that packages install such modules to. A module that never answers cannot be cut off.

The session is closed between reading the public key and signing, as much time can pass there and network tokens end
idle ones; the PIN is kept in between and tried at most once each.
"""

# ruff: noqa: PLC0415
# python-pkcs11 is an extra, and cryptography is not imported before a key is read.

from __future__ import annotations

import glob
import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from modelsign.errors import error
from modelsign.signing.keys import VerifyKey
from modelsign.signing.method import Method
from modelsign.signing.x509.parsing import parsing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from modelsign.errors import ModelsignError
    from modelsign.signing.pkcs11_uri import Pkcs11Uri

__all__ = ["METHOD", "Pkcs11Key", "find_module"]

_DEFAULT_MODULE: Final = "p11-kit-proxy"
_FOLDERS: Final = (
    "/usr/lib/*-linux-*/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/usr/local/lib/pkcs11",
    "/usr/lib/*-linux-*",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/lib/softhsm",
    "/usr/lib64/softhsm",
)
"""Where packages install modules, the folders made for them first."""
_MOST_OBJECTS: Final = 100
_CURVES: Final = {
    bytes.fromhex("06082a8648ce3d030107"): ("SECP256R1", 32),
    bytes.fromhex("06052b81040022"): ("SECP384R1", 48),
    bytes.fromhex("06052b81040023"): ("SECP521R1", 66),
}
"""DER of CKA_EC_PARAMS: cryptography's name of the curve, and the bytes of a coordinate."""
_ED25519_BYTES: Final = 32


class Pkcs11Key:
    """A private key on a token; ``public`` is its other half, read when this is made."""

    def __init__(self, uri: Pkcs11Uri, pin: str | None) -> None:
        """Find the key and read its public half.

        Raises:
            ModelsignError: ``EXTRA_MISSING``, ``PKCS11_…``, or ``KEY_UNSUPPORTED``.

        """
        self._uri = uri
        self._pin = pin
        with _session(uri, pin) as session:
            private = _private_key(session, uri)
            self.public = VerifyKey(_public_key(session, uri, private))

    def sign(self, data: bytes) -> bytes:
        """Sign bytes.

        Raises:
            ModelsignError: ``PKCS11_…``, or ``KEY_CONTRADICTS_ITSELF`` for a signature that is not the key's.

        """
        with _session(self._uri, self._pin) as session:
            signature = _signed(_private_key(session, self._uri), self.public.algorithm, data, self._pin)
        if not self.public.accepts(data, signature):
            raise error("KEY_CONTRADICTS_ITSELF", f"the token's signature is not by its key {self.public.digest}")
        return signature


def find_module(uri: Pkcs11Uri) -> str:
    """Return the path of the module that a URI names, or of p11-kit's.

    Raises:
        ModelsignError: ``PKCS11_MODULE_UNUSABLE``.

    """
    folders: Sequence[str] = _FOLDERS
    if uri.module_path is not None:
        if os.path.isfile(uri.module_path):  # noqa: PTH113 - strings, as in artifact
            return uri.module_path
        if uri.module_name is None or not os.path.isdir(uri.module_path):  # noqa: PTH112 - same
            raise error("PKCS11_MODULE_UNUSABLE", f"there is no module {uri.module_path}")
        folders = (glob.escape(uri.module_path),)
    name = uri.module_name or _DEFAULT_MODULE
    for pattern in folders:
        for spelling in (name, f"{name}.so", f"lib{name}.so"):
            found = sorted(glob.glob(f"{pattern}/{glob.escape(spelling)}"))  # noqa: PTH207 - same
            if found and os.path.isfile(found[0]):  # noqa: PTH113 - same
                return found[0]
    where = f"in {uri.module_path}" if uri.module_path else "in the usual folders"
    raise error("PKCS11_MODULE_UNUSABLE", f"there is no module {name}.so {where}")


@contextmanager
def _session(uri: Pkcs11Uri, pin: str | None) -> Iterator[Any]:
    """Log in to the one token that fits, and turn what the token says into reasons."""
    try:
        import pkcs11
    except ImportError:
        raise error(
            "EXTRA_MISSING", "python-pkcs11 is not installed", advice="Run `pip install 'modelsign[pkcs11]'`."
        ) from None
    path = find_module(uri)
    try:
        library = pkcs11.lib(path)
    except (pkcs11.PKCS11Error, OSError) as fault:
        raise error("PKCS11_MODULE_UNUSABLE", f"{path}: {_said(fault)}") from None
    try:
        token = _token(library, uri)
        needs_pin = pkcs11.TokenFlag.LOGIN_REQUIRED in token.flags
        if needs_pin and pin is None:
            raise error("PKCS11_PIN_NEEDED", f"the token {token.label} asks for a PIN")
        with token.open(user_pin=pin if needs_pin else None) as session:
            yield session
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
        raise error("PKCS11_PIN_WRONG", "the token does not accept the PIN") from None
    except (pkcs11.PinLocked, pkcs11.PinExpired) as fault:
        advice = "Have the PIN set anew by whoever administers the token."
        raise error("PKCS11_PIN_WRONG", f"the token accepts no PIN any more: {_said(fault)}", advice=advice) from None
    except pkcs11.PKCS11Error as fault:
        raise error("PKCS11_FAILED", f"the token said {_said(fault)}") from None


def _said(fault: BaseException) -> str:
    """PKCS#11 knows numbers only; the library's names for them are what can be looked up."""
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__


def _token(library: Any, uri: Pkcs11Uri) -> Any:
    import pkcs11

    _check_library(library, uri)
    found = []
    for slot in library.get_slots(token_present=True):
        try:
            token = slot.get_token()
        except (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):
            continue
        if pkcs11.TokenFlag.TOKEN_INITIALIZED in token.flags and _fits(slot, token, uri):
            found.append(token)
    if not found:
        raise error("PKCS11_TOKEN_NOT_FOUND", f"there is no token with {uri}")
    if len(found) > 1:
        labels = ", ".join(f"{token.label} (slot-id {token.slot.slot_id})" for token in found[:5])
        raise error("PKCS11_TOKEN_AMBIGUOUS", f"{len(found)} tokens fit {uri!r}: {labels}")
    return found[0]


def _check_library(library: Any, uri: Pkcs11Uri) -> None:
    says = {"library-description": library.library_description, "library-manufacturer": library.manufacturer_id}
    version = uri.library_version
    differs = version is not None and (version[0], version[1] or 0) != tuple(library.library_version)
    if differs or any(uri.texts[name] != says[name] for name in says.keys() & uri.texts.keys()):
        raise error("PKCS11_TOKEN_NOT_FOUND", f"the module {library.so} is another one than {uri!r} asks for")


def _fits(slot: Any, token: Any, uri: Pkcs11Uri) -> bool:
    says = {
        "manufacturer": token.manufacturer_id,
        "model": token.model,
        "serial": token.serial.decode("utf-8", "replace").strip(" \0"),
        "slot-description": slot.slot_description,
        "slot-manufacturer": slot.manufacturer_id,
        "token": token.label,
    }
    same = all(uri.texts[name] == says[name] for name in says.keys() & uri.texts.keys())
    return same and uri.slot_id in (None, slot.slot_id)


def _private_key(session: Any, uri: Pkcs11Uri) -> Any:
    from pkcs11 import Attribute, ObjectClass

    wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    if uri.label is not None:
        wanted[Attribute.LABEL] = uri.label
    if uri.id is not None:
        wanted[Attribute.ID] = uri.id
    found = _objects(session, wanted)
    if not found:
        raise error("PKCS11_KEY_NOT_FOUND", f"there is no private key with {uri}")
    if len(found) > 1:
        ids = ", ".join(sorted(key.id.hex() or "none" for key in found)[:5])
        raise error("PKCS11_KEY_AMBIGUOUS", f"{len(found)} private keys fit {uri!r}, with the ids {ids}")
    if not hasattr(found[0], "sign"):  # CKA_SIGN is false
        raise error("PKCS11_FAILED", f"the token does not let the key sign that has {uri}")
    return found[0]


def _public_key(session: Any, uri: Pkcs11Uri, private: Any) -> PublicKeyTypes:
    """Return the public half: a public key, or else a certificate, under the id of the private key, or its label."""
    from pkcs11 import Attribute, ObjectClass

    same = {Attribute.ID: private.id} if private.id else {Attribute.LABEL: private.label}
    keys = [_key_of(each) for each in _objects(session, {Attribute.CLASS: ObjectClass.PUBLIC_KEY, **same})]
    if not keys:
        certificates = _objects(session, {Attribute.CLASS: ObjectClass.CERTIFICATE, **same})
        keys = [_certified(each[Attribute.VALUE]) for each in certificates]
    if not keys:
        raise error("PKCS11_KEY_NOT_FOUND", f"the token shows no public key for the private one that has {uri}")
    if len({VerifyKey(key).digest for key in keys}) > 1:
        raise error("PKCS11_KEY_AMBIGUOUS", f"the token shows several public keys for the one that has {uri}")
    return keys[0]


def _objects(session: Any, wanted: dict[Any, Any]) -> list[Any]:
    found = []
    for each in session.get_objects(wanted):
        found.append(each)
        if len(found) > _MOST_OBJECTS:
            raise error("PKCS11_FAILED", f"the token shows more than {_MOST_OBJECTS} objects of one name")
    return found


def _key_of(found: Any) -> PublicKeyTypes:
    """Read a public key from its attributes (PKCS#11 v3.0, sections 2.1 and 2.3).

    Raises:
        ModelsignError: ``KEY_UNSUPPORTED`` or ``KEY_MALFORMED``.

    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from pkcs11 import Attribute, KeyType

    kind = found.key_type
    try:
        if kind == KeyType.RSA:
            modulus, exponent = (
                int.from_bytes(found[name], "big") for name in (Attribute.MODULUS, Attribute.PUBLIC_EXPONENT)
            )
            return rsa.RSAPublicNumbers(exponent, modulus).public_key()
        if kind == KeyType.EC_EDWARDS:
            point = _point(found[Attribute.EC_POINT], _ED25519_BYTES)
            return ed25519.Ed25519PublicKey.from_public_bytes(point)
        if kind == KeyType.EC and bytes(found[Attribute.EC_PARAMS]) in _CURVES:
            name, size = _CURVES[bytes(found[Attribute.EC_PARAMS])]
            point = _point(found[Attribute.EC_POINT], 1 + 2 * size)
            return ec.EllipticCurvePublicKey.from_encoded_point(getattr(ec, name)(), point)
    except ValueError as fault:
        raise error("KEY_MALFORMED", f"the token's public key cannot be read: {fault}") from None
    raise _unsupported(kind)


def _unsupported(kind: Any) -> ModelsignError:
    name = getattr(kind, "name", kind)
    return error("KEY_UNSUPPORTED", f"the token's key is of the kind {name}, or on a curve that is not accepted")


def _point(value: bytes, size: int) -> bytes:
    """Unwrap a point, which CKA_EC_POINT holds in an OCTET STRING, and with some tokens bare."""
    data = bytes(value)
    wrapped = data[:1] == b"\x04" and len(data) in (size + 2, size + 3) and len(data) != size
    return data[len(data) - size :] if wrapped else data


def _certified(data: bytes) -> PublicKeyTypes:
    from cryptography import x509

    with parsing("the certificate beside the token's key", "KEY_MALFORMED"):
        return x509.load_der_x509_certificate(bytes(data)).public_key()


def _signed(key: Any, algorithm: str, data: bytes, pin: str | None) -> bytes:
    """Have the token sign, and return the signature as :class:`VerifyKey` takes it."""
    from pkcs11 import MGF, Attribute, Mechanism

    again = {"pin": pin} if pin is not None and key[Attribute.ALWAYS_AUTHENTICATE] else {}
    if algorithm == "ed25519":
        return bytes(key.sign(data, mechanism=Mechanism.EDDSA, **again))
    digest = hashlib.new(algorithm.rpartition("-")[2], data).digest()
    if algorithm == "rsa-pss-sha256":
        pss = (Mechanism.SHA256, MGF.SHA256, hashlib.sha256().digest_size)
        return bytes(key.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=pss, **again))
    if not algorithm.startswith("ecdsa-"):
        raise error("KEY_UNSUPPORTED", f"tokens do not sign with {algorithm} here")
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    pair = bytes(key.sign(digest, mechanism=Mechanism.ECDSA, **again))
    half = len(pair) // 2
    return encode_dss_signature(int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big"))


METHOD = Method(
    id="pkcs11",
    title="Token",
    description="A key on a PKCS#11 token signs; whoever verifies names its public key, and needs no token.",
    kinds=("public_key",),
    verifies=False,
    extra="pkcs11",
)
