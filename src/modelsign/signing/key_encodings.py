"""What the encoding of a key says that the key alone no longer says; looked at before cryptography reads it.

One key has many encodings, and cryptography gives one canonical form for all of them (compressed points, both of
RSA's object identifiers, PKCS#1). Three things would be lost on that way, and are answered here:

- A curve spelled out by its parameters (RFC 5480, section 2.1.1, forbids it; CVE-2020-0601 shows why) is refused.
- An RSA-PSS key that is restricted to other parameters than ours (RFC 4055, section 1.2) is refused.
- A private ML-DSA key (RFC 9881, section 6) that holds its seed beside the expanded key, as OpenSSL writes it, is cut
  down to the seed; one without its seed is refused.

Reads DER only as deep as that needs: three levels, each length checked against its parent. Encrypted keys, PKCS#1 and
SEC 1 have no AlgorithmIdentifier to look at and pass; what is malformed passes too, for cryptography to refuse.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.errors import ModelsignError

__all__ = ["ML_DSA", "ml_dsa_name", "private_der", "refuse_encoding"]

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTETS: Final = 0x04
_OID: Final = 0x06
_EC: Final = bytes.fromhex("2a8648ce3d0201")
_RSASSA_PSS: Final = bytes.fromhex("2a864886f70d01010a")
_MGF1: Final = bytes.fromhex("06092a864886f70d010108")
_SHA256: Final = bytes.fromhex("0609608648016503040201")
_SALT: Final = bytes.fromhex("a203020120")
"""A salt of 32 bytes."""
ML_DSA: Final = {
    bytes.fromhex("608648016503040311"): ("ML-DSA-44", 2560),
    bytes.fromhex("608648016503040312"): ("ML-DSA-65", 4032),
    bytes.fromhex("608648016503040313"): ("ML-DSA-87", 4896),
}
"""Object identifiers (RFC 9881, section 2): the name, and the bytes of an expanded private key (FIPS 204, table 2)."""
_SEED_BYTES: Final = 32
_PEM: Final = re.compile(rb"-----BEGIN (?:PUBLIC|PRIVATE) KEY-----([A-Za-z0-9+/=\s]*)-----END ")
_LONG_FORM: Final = 0x80
_LENGTH_BYTES: Final = 3
"""Of a length in long form; a key has at most 64 KiB."""


class _Element(NamedTuple):
    tag: int
    body: bytes
    rest: bytes


def refuse_encoding(data: bytes) -> None:
    """Refuse a key in PEM or DER for what its AlgorithmIdentifier asks.

    Raises:
        ModelsignError: ``KEY_UNSUPPORTED``.

    """
    found = _algorithm(_der(data))
    if found is None:
        return
    oid, parameters = found
    if oid == _EC and parameters[:1] == bytes([_SEQUENCE]):
        raise error(
            "KEY_UNSUPPORTED",
            "the key spells its curve out by parameters instead of naming it",
            advice="Write it again with a named curve: `openssl pkey -ec_param_enc named_curve`, with -pubin for a "
            "public key.",
        )
    if oid == _RSASSA_PSS and parameters and parameters not in _pss_parameters():
        raise error(
            "KEY_UNSUPPORTED",
            "the RSA key is restricted to other parameters than PSS with SHA-256 and a salt of 32 bytes",
            advice="Make an RSA key without such a restriction.",
        )


def ml_dsa_name(data: bytes) -> str | None:
    """Return the parameter set (``ML-DSA-65``) of an ML-DSA key in PEM or DER, or None for any other key."""
    found = _algorithm(_der(data))
    return ML_DSA[found[0]][0] if found is not None and found[0] in ML_DSA else None


def private_der(data: bytes) -> bytes | None:
    """Return an ML-DSA private key that holds seed and expanded key as PKCS#8 with the seed alone, else None.

    The expanded key is not looked at: what signs, and what the public key is made from, is the seed.

    Raises:
        ModelsignError: ``KEY_UNSUPPORTED`` for an expanded key without its seed.

    """
    der = _der(data)
    name = ml_dsa_name(data)
    top = _element(der)
    version = _element(top.body) if top is not None else None
    if name is None or version is None or version.tag != _INTEGER:
        return None
    algorithm = _element(version.rest)
    wrapped = _element(algorithm.rest) if algorithm is not None else None
    inner = _element(wrapped.body) if wrapped is not None else None
    if algorithm is None or inner is None or inner.rest:
        return None
    expanded_bytes = dict(ML_DSA.values())[name]
    if inner.tag == _OCTETS and len(inner.body) == expanded_bytes:
        raise _no_seed(name)
    seed = _element(inner.body) if inner.tag == _SEQUENCE else None
    expanded = _element(seed.rest) if seed is not None else None
    if seed is None or expanded is None or expanded.rest or {seed.tag, expanded.tag} != {_OCTETS}:
        return None
    if (len(seed.body), len(expanded.body)) != (_SEED_BYTES, expanded_bytes):
        return None
    only_seed = _tlv(_OCTETS, _tlv(_LONG_FORM, seed.body))  # [0] IMPLICIT OCTET STRING
    return _tlv(_SEQUENCE, _tlv(_INTEGER, b"\0") + _tlv(_SEQUENCE, algorithm.body) + only_seed)


def _no_seed(name: str) -> ModelsignError:
    return error(
        "KEY_UNSUPPORTED",
        f"the {name} key holds no seed, only the key expanded from it",
        advice="Make a key that keeps its seed: `modelsign key generate`, or openssl genpkey as it does by default.",
    )


def _der(data: bytes) -> bytes:
    """Return the DER of a key in PEM or DER; empty where there is none to be found."""
    if b"-----BEGIN " not in data:
        return data
    found = _PEM.search(data)
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True) if found is not None else b""
    except binascii.Error:
        return b""


def _algorithm(der: bytes) -> tuple[bytes, bytes] | None:
    """Return object identifier and encoded parameters from SubjectPublicKeyInfo or PrivateKeyInfo."""
    top = _element(der)
    if top is None or top.tag != _SEQUENCE or top.rest:
        return None
    first = _element(top.body)
    if first is not None and first.tag == _INTEGER:
        first = _element(first.rest)
    if first is None or first.tag != _SEQUENCE:
        return None
    oid = _element(first.body)
    return (oid.body, oid.rest) if oid is not None and oid.tag == _OID else None


def _element(der: bytes) -> _Element | None:
    """Split off the first element of DER; None if there is no whole one."""
    if len(der) < 2:  # noqa: PLR2004 - a tag and a length
        return None
    length, start = der[1], 2
    if length >= _LONG_FORM:
        count = length - _LONG_FORM
        if not 0 < count <= _LENGTH_BYTES:
            return None
        start += count
        length = int.from_bytes(der[2:start], "big")
    end = start + length
    return _Element(der[0], der[start:end], der[end:]) if end <= len(der) else None


def _tlv(tag: int, body: bytes) -> bytes:
    if len(body) < _LONG_FORM:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM + len(size)]) + size + body


def _pss_parameters() -> set[bytes]:
    """Every DER spelling of SHA-256, MGF1 with SHA-256 and a salt of 32 bytes: NULL may stand after a hash's name."""
    hashes = [_tlv(_SEQUENCE, _SHA256 + null) for null in (b"", b"\x05\x00")]
    return {
        _tlv(_SEQUENCE, _tlv(0xA0, digest) + _tlv(0xA1, _tlv(_SEQUENCE, _MGF1 + mask)) + _SALT)
        for digest in hashes
        for mask in hashes
    }
