"""Log entries: is what a log keeps about the very signature that a bundle holds?

An entry names a digest, a signature and a key or certificate. Each must be the bundle's own (CVE-2022-36056 was a
verifier that did not ask). Known are Rekor v1's ``hashedrekord`` 0.0.1, ``dsse`` 0.0.1 and ``intoto`` 0.0.2, and Rekor
v2's ``hashedrekord`` and ``dsse`` 0.0.2 (sigstore/rekor, ``pkg/types``; sigstore/rekor-tiles, ``rekor/v2``). The entry
that should be there is written down and compared as a whole, so that nothing in it goes unread.
"""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits, strictjson
from modelsign.errors import error
from modelsign.signing.sigstore.trust_root import KEY_DETAILS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.signing.bundle import TlogEntry
    from modelsign.signing.content import Content
    from modelsign.signing.dsse import Envelope
    from modelsign.signing.keys import VerifyKey

__all__ = ["Verifier", "check_entry"]

_HASHES: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
_SHOWN: Final = 60
_NOTHING: Final = object()
"""Equal to nothing that can stand in an entry, null included: for what no entry may say."""
_HEX_DIGEST: Final = 64


class Verifier(NamedTuple):
    """Whose signature an entry must name: ``der`` is a certificate, or a SubjectPublicKeyInfo where ``key`` is bare."""

    der: bytes
    key: VerifyKey
    certificate: bool

    def pem_base64(self) -> str:
        """Return it as Rekor v1 does: base64 of PEM."""
        kind = "CERTIFICATE" if self.certificate else "PUBLIC KEY"
        text = _base64(self.der)
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        return _base64("\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode())

    def same_pem(self, found: object) -> bool:
        """Say whether base64 of PEM is this one, wherever its lines break: old clients broke them as they liked."""
        try:
            text = binascii.a2b_base64(str(found), strict_mode=True)
        except (binascii.Error, ValueError):
            return False
        return b"".join(text.split()) == b"".join(binascii.a2b_base64(self.pem_base64()).split())

    def known(self, details: object) -> bool:
        """Say whether Sigstore's name of a kind of key is this key's."""
        return isinstance(details, str) and KEY_DETAILS.get(details) == self.key.algorithm


def check_entry(entry: TlogEntry, content: Content, verifier: Verifier) -> None:
    """Refuse an entry that is not about a signature by that verifier.

    Raises:
        ModelsignError: ``LOG_ENTRY_MISMATCH``, or ``LOG_ENTRY_UNSUPPORTED`` for a kind that is not known.

    """
    kind = (entry.kind, entry.version, content.envelope is not None)
    if kind not in _KINDS:
        what = "an envelope" if content.envelope else "a blob"
        raise error(
            "LOG_ENTRY_UNSUPPORTED",
            f"a log entry of kind {entry.kind[:_SHOWN]} {entry.version[:_SHOWN]} is not known for {what}",
        )
    body = strictjson.loads(entry.body, most_bytes=limits.BUNDLE_BYTES, what="log entry", code="LOG_ENTRY_MISMATCH")
    expected = {
        "apiVersion": entry.version,
        "kind": entry.kind,
        "spec": _KINDS[kind](_Reading(body), content, verifier),
    }
    if body != expected:
        raise error("LOG_ENTRY_MISMATCH", "the log entry names another digest, signature or signer than the bundle")


class _Reading:
    """The values of an entry by their places; None where there are none."""

    def __init__(self, body: object) -> None:
        self._spec = body.get("spec") if isinstance(body, dict) else None

    def at(self, *names: str | int) -> object:
        value: object = self._spec
        for name in names:
            if isinstance(value, dict) and isinstance(name, str):
                value = value.get(name)
            elif isinstance(value, list) and isinstance(name, int) and name < len(value):
                value = value[name]
            else:
                return None
        return value


def _hashedrekord_1(reading: _Reading, content: Content, verifier: Verifier) -> object:
    algorithm = str(reading.at("data", "hash", "algorithm"))
    digest = content.digest(algorithm)
    return {
        "data": {"hash": {"algorithm": algorithm, "value": digest.hex() if digest else _NOTHING}},
        "signature": {"content": _base64(content.signature), "publicKey": {"content": verifier.pem_base64()}},
    }


def _dsse_1(reading: _Reading, content: Content, verifier: Verifier) -> object:
    return {
        "envelopeHash": _any_sha256(reading.at("envelopeHash", "value")),
        "payloadHash": _payload_sha256(content),
        "signatures": [{"signature": _base64(content.signature), "verifier": verifier.pem_base64()}],
    }


def _intoto_2(reading: _Reading, content: Content, verifier: Verifier) -> object:
    """The one kind that may keep the payload; it keeps signature and payload in base64 twice."""
    kept = ("content", "envelope", "payload")
    payload = {} if reading.at(*kept) is None else {"payload": _base64(_base64(_envelope(content).payload).encode())}
    signer = reading.at("content", "envelope", "signatures", 0, "publicKey")
    signer = signer if verifier.same_pem(signer) else verifier.pem_base64()
    signature = {"publicKey": signer, "sig": _base64(_base64(content.signature).encode())}
    return {
        "content": {
            "envelope": {**payload, "payloadType": _envelope(content).payload_type, "signatures": [signature]},
            "hash": _any_sha256(reading.at("content", "hash", "value")),
            "payloadHash": _payload_sha256(content),
        }
    }


def _hashedrekord_2(reading: _Reading, content: Content, verifier: Verifier) -> object:
    algorithm = str(reading.at("hashedRekordV002", "data", "algorithm"))
    digest = content.digest(_HASHES.get(algorithm, ""))
    details = reading.at("hashedRekordV002", "signature", "verifier", "keyDetails")
    return {
        "hashedRekordV002": {
            "data": {"algorithm": algorithm, "digest": _base64(digest) if digest else _NOTHING},
            "signature": {"content": _base64(content.signature), "verifier": _verifier_2(details, verifier)},
        }
    }


def _dsse_2(reading: _Reading, content: Content, verifier: Verifier) -> object:
    details = reading.at("dsseV002", "signatures", 0, "verifier", "keyDetails")
    payload = hashlib.sha256(_envelope(content).payload).digest()
    return {
        "dsseV002": {
            "payloadHash": {"algorithm": "SHA2_256", "digest": _base64(payload)},
            "signatures": [{"content": _base64(content.signature), "verifier": _verifier_2(details, verifier)}],
        }
    }


_KINDS: Final[Mapping[tuple[str, str, bool], Callable[[_Reading, Content, Verifier], object]]] = {
    ("hashedrekord", "0.0.1", False): _hashedrekord_1,
    ("dsse", "0.0.1", True): _dsse_1,
    ("intoto", "0.0.2", True): _intoto_2,
    ("hashedrekord", "0.0.2", False): _hashedrekord_2,
    ("hashedrekord", "0.0.2", True): _hashedrekord_2,
    ("dsse", "0.0.2", True): _dsse_2,
}
"""What a log should keep, by kind, version and whether an envelope was signed."""


def _verifier_2(details: object, verifier: Verifier) -> object:
    name = "x509Certificate" if verifier.certificate else "publicKey"
    return {
        "keyDetails": details if verifier.known(details) else _NOTHING,
        name: {"rawBytes": _base64(verifier.der)},
    }


def _payload_sha256(content: Content) -> object:
    return {"algorithm": "sha256", "value": hashlib.sha256(_envelope(content).payload).hexdigest()}


def _any_sha256(value: object) -> object:
    """The digest of an envelope as it was uploaded, white space and all: nobody can compute it from a bundle."""
    fits = isinstance(value, str) and len(value) == _HEX_DIGEST
    return {"algorithm": "sha256", "value": value if fits else _NOTHING}


def _envelope(content: Content) -> Envelope:
    assert content.envelope is not None  # noqa: S101 - only kinds of envelopes come here
    return content.envelope


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")
