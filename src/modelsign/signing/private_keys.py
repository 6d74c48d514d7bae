"""Finds private keys among a model's files, by content, so that they are not signed and published.

What is looked at: all of a file up to 4 MiB, all of a text up to 256 MiB, and the first and the last MiB of what is
larger. What is looked for: PEM, OpenSSH and OpenPGP armour with key material after it (also in UTF-16, and as a
string in JSON), PuTTY's format, JSON Web Keys, and files that are a key in DER (PKCS#8, PKCS#1, SEC 1) or a PKCS#12
store. Keys are known by their structure alone: none is opened, decrypted, tested or shown, so that a crafted file
costs no more than another.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from modelsign.artifact.model import unreadable
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.snapshot import Snapshot

__all__ = ["is_private_key", "refuse_private_keys"]

_MIB: Final = 1024 * 1024
_WHOLE: Final = 4 * _MIB
"""A file up to this size is searched in one piece."""
_TEXT: Final = 256 * _MIB
"""A text up to this size is searched from end to end."""
_OVERLAP: Final = 4096
"""Pieces of a text overlap by this much, more than an armour and its headers."""
_NO_TEXT: Final = bytes(set(range(32)) - set(b"\t\n\f\r")) + b"\x7f"

# The armour alone also stands in documentation and vocabularies: a key has base64 after it, perhaps behind headers.
# Line ends may be written as \n where the key is a string in JSON; blanks may stand at the end of a line.
_ARMOUR: Final = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nrt]){1,200}"
    rb"(?:(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID): |(?:[A-Za-z0-9+/](?:\r?\n)?){16})"
)
_SSH2: Final = re.compile(rb"---- BEGIN SSH2 (?:ENCRYPTED )?PRIVATE KEY ----")
_PUTTY: Final = re.compile(rb"PuTTY-User-Key-File-[23]: ")
_WIDE: Final = b"\0".join(bytes([byte]) for byte in b"PRIVATE KEY")
"""The middle of an armour in UTF-16, of either byte order."""
_JWK_KIND: Final = re.compile(rb'"kty"\s{0,20}:\s{0,20}"(?:RSA|EC|OKP|AKP)"')
_JWK_SECRET: Final = re.compile(rb'"(?:d|priv)"\s{0,20}:\s{0,20}"[A-Za-z0-9_-]{20}')

_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_LONG_FORM: Final = 0x80
_PASSWORD_BASED: Final = (bytes.fromhex("2a864886f70d0105"), bytes.fromhex("2a864886f70d010c01"))
"""PKCS#5 and PKCS#12 encryption (RFC 8018, RFC 7292): what encrypts a PKCS#8 key."""
_PKCS7: Final = bytes.fromhex("2a864886f70d0107")
_PFX_WITHOUT_LENGTH: Final = bytes.fromhex("3080020103")
_PFX_VERSION: Final = 3
_DSA_NUMBERS: Final = 6
"""Numbers of the private key with the fewest, its version included."""
_EC_SECRET: Final = range(16, 81)


def refuse_private_keys(artifact: Artifact | Snapshot) -> None:
    """Refuse a model one of whose files holds a private key.

    Raises:
        ModelsignError: ``PRIVATE_KEY_IN_MODEL``, or a fault of reading.

    """
    for name in artifact.names + artifact.aside:
        descriptor = artifact.descriptor(name)
        try:
            found = _holds_key(descriptor)
        except OSError as fault:
            raise unreadable(name, fault) from None
        finally:
            os.close(descriptor)
        if found:
            raise error("PRIVATE_KEY_IN_MODEL", f"{name} holds a private key")


def is_private_key(data: bytes, *, whole: bool = True) -> bool:
    """Say whether bytes hold a private key; ``whole`` says that they are all of the file."""
    if _PUTTY.match(data) or _in_text(data):
        return True
    if _WIDE in data and _in_text(data.replace(b"\0", b"")):
        return True
    return whole and _is_der_key(data)


def _holds_key(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    if size <= _WHOLE:
        return is_private_key(_read(descriptor, 0, size))
    return any(is_private_key(piece, whole=False) for piece in _pieces(descriptor, size))


def _pieces(descriptor: int, size: int) -> Iterator[bytes]:
    head = _read(descriptor, 0, _MIB)
    yield head
    if size <= _TEXT and len(head.translate(None, _NO_TEXT)) == len(head):
        for start in range(_MIB - _OVERLAP, size, _MIB):
            yield _read(descriptor, start, _MIB + _OVERLAP)
    else:
        yield _read(descriptor, size - _MIB, _MIB)


def _read(descriptor: int, start: int, length: int) -> bytes:
    data = os.pread(descriptor, length, start)
    while len(data) < length and (more := os.pread(descriptor, length - len(data), start + len(data))):
        data += more
    return data


def _in_text(data: bytes) -> bool:
    if b"PRIVATE KEY" in data and (_ARMOUR.search(data) or _SSH2.search(data)):
        return True
    return b'"kty"' in data and _JWK_KIND.search(data) is not None and _JWK_SECRET.search(data) is not None


def _is_der_key(data: bytes) -> bool:
    """Say whether the bytes begin with a private key in DER, by the tags and lengths of its outer two levels."""
    if data.startswith(_PFX_WITHOUT_LENGTH):
        return True
    outer = _element(data, 0, len(data))
    if outer is None or outer[0] != _SEQUENCE:
        return False
    parts = _children(data, outer)
    kinds = [tag for tag, _, _ in parts]
    if kinds[:2] == [_SEQUENCE, _OCTETS]:
        return _names(data, parts[0]).startswith(_PASSWORD_BASED)
    if kinds[:1] != [_INTEGER] or parts[0][2] - parts[0][1] != 1:
        return False
    return _is_versioned_key(data, parts, kinds)


def _is_versioned_key(data: bytes, parts: list[tuple[int, int, int]], kinds: list[int]) -> bool:
    """Say whether a sequence that begins with a small number is a PKCS#12 store or a key: PKCS#8, SEC 1, or PKCS#1."""
    version = data[parts[0][1]]
    if version == _PFX_VERSION:
        return kinds[1:2] == [_SEQUENCE] and _names(data, parts[1]).startswith(_PKCS7)
    if version > 1:
        return False
    if kinds[1:3] == [_SEQUENCE, _OCTETS]:
        return _names(data, parts[1]) != b""
    if kinds[1:2] == [_OCTETS]:
        return parts[1][2] - parts[1][1] in _EC_SECRET
    return len(kinds) == _DSA_NUMBERS and set(kinds) == {_INTEGER}


def _element(data: bytes, at: int, end: int) -> tuple[int, int, int] | None:
    """Return tag, first byte and end of the value that starts at ``at``; None where it does not fit (X.690, 8.1)."""
    if at + 2 > end:
        return None
    length, start = data[at + 1], at + 2
    if length >= _LONG_FORM:
        count = length - _LONG_FORM
        length = int.from_bytes(data[start : start + count], "big") if 0 < count <= 4 else end  # noqa: PLR2004 - bytes of a length up to 4 GiB
        start += count
    return (data[at], start, start + length) if start + length <= end else None


def _children(data: bytes, outer: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """Return the first values inside another; no key has to be read further to be known."""
    found: list[tuple[int, int, int]] = []
    at = outer[1]
    while len(found) < _DSA_NUMBERS and (inner := _element(data, at, outer[2])) is not None:
        found.append(inner)
        at = inner[2]
    return found


def _names(data: bytes, outer: tuple[int, int, int]) -> bytes:
    """Return the object identifier that a sequence begins with; empty where it begins with something else."""
    inner = _element(data, outer[1], outer[2])
    return data[inner[1] : inner[2]] if inner is not None and inner[0] == _OID else b""
