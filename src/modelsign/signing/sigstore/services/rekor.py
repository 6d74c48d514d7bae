"""Writes a signature into a transparency log: Rekor v1 (``dsse``, ``hashedrekord``) or v2 (``hashedrekord``).

What is written stays for ever. Version 1 is handed a whole envelope and keeps its digests; version 2, and version 1 of
a blob, is handed no more than the digest of what was signed (rekor-tiles, CLIENTS.md). A request that is repeated after
its answer was lost finds the entry that the first one made.

The answer comes back in the form a bundle holds it; whether the log is trusted, and kept its promise, is for the
verifier (``signing.sigstore.tlog``).
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from modelsign import limits, strictjson
from modelsign.errors import error
from modelsign.signing.sigstore.trust_root import KEY_DETAILS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.errors import ModelsignError
    from modelsign.signing.content import Content
    from modelsign.signing.dsse import Envelope
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sigstore.log_entries import Verifier
    from modelsign.transport import Transport

__all__ = ["Log", "check_loggable", "write_entry"]

_WHAT: Final = "transparency log"
_ANSWER_BYTES: Final = 4 * limits.MIB
_CONFLICT: Final = 409
_DETAILS: Final = {ours: theirs for theirs, ours in KEY_DETAILS.items() if ours.startswith("ecdsa-")}
"""Algorithms whose signatures a log can check, with their names in sigstore/protobuf-specs."""

_Object = dict[str, object]


class Log(NamedTuple):
    """A log that entries are written to: its base URL and the version of its interface."""

    url: str
    version: int


def check_loggable(log: Log, key: VerifyKey) -> None:
    """Refuse, before anything is signed, a key that no log can check signatures of.

    Raises:
        ModelsignError: ``LOG_KEY_UNSUPPORTED``.

    """
    if key.algorithm not in _DETAILS:
        raise error(
            "LOG_KEY_UNSUPPORTED",
            f"the log {log.url} takes no signatures by {key.algorithm}",
            advice=f"Sign with one of {', '.join(_DETAILS)}, or without a log.",
        )


def write_entry(transport: Transport, log: Log, content: Content, verifier: Verifier) -> Mapping[str, object]:
    """Write one entry and return it in the JSON form of bundles (``TransparencyLogEntry``).

    Raises:
        ModelsignError: ``LOG_KEY_UNSUPPORTED``, ``LOG_ANSWER_WRONG``, ``NETWORK_ANSWER_MALFORMED``, or another reason
            of the transport.

    """
    check_loggable(log, verifier.key)
    entry = (
        _write_v2(transport, log, content, verifier)
        if log.version > 1
        else _write_v1(transport, log, content, verifier)
    )
    body = _decoded(entry.get("canonicalizedBody"))
    if _base64(content.signature).encode() not in body:
        raise error("LOG_ANSWER_WRONG", f"the log {log.url} answered with an entry for another signature")
    return entry


def _proposed(content: Content, verifier: Verifier) -> _Object:
    signer = verifier.pem_base64()
    if content.envelope is not None:
        spec: _Object = {"proposedContent": {"envelope": _envelope_json(content.envelope), "verifiers": [signer]}}
        return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}
    name, digest = _digest(content, verifier.key)
    spec = {
        "data": {"hash": {"algorithm": name, "value": digest.hex()}},
        "signature": {"content": _base64(content.signature), "publicKey": {"content": signer}},
    }
    return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}


def _digest(content: Content, key: VerifyKey) -> tuple[str, bytes]:
    """Return the hash that goes with a key, and the digest by it of what was signed."""
    name = key.algorithm.rpartition("-")[2]
    digest = content.digest(name)
    if digest is None:
        raise error("LOG_KEY_UNSUPPORTED", f"a signature by {key.algorithm} is logged with a digest that is not known")
    return name, digest


def _write_v1(transport: Transport, log: Log, content: Content, verifier: Verifier) -> _Object:
    base = log.url.rstrip("/")
    answer = transport.send(
        "POST",
        f"{base}/api/v1/log/entries",
        what=_WHAT,
        body=strictjson.canonical(_proposed(content, verifier)),
        headers=_JSON,
        most_bytes=_ANSWER_BYTES,
        expected=frozenset({_CONFLICT}),
    )
    if answer.status == _CONFLICT:  # the log has it: an earlier try arrived
        uuid = answer.headers.get("location", "").rpartition("/")[2]
        if not uuid.isalnum():
            raise error("LOG_ANSWER_WRONG", f"the log {log.url} has the entry already and does not say where")
        answer = transport.send(
            "GET",
            f"{base}/api/v1/log/entries/{uuid}",
            what=_WHAT,
            headers=_JSON,
            most_bytes=_ANSWER_BYTES,
        )
    found = _read(answer.body)
    if len(found) != 1:
        raise _malformed(f"it holds {len(found)} entries instead of one")
    return _from_v1(_object(next(iter(found.values()))))


def _from_v1(entry: _Object) -> _Object:
    """Translate an entry as Rekor v1's interface writes it: hexadecimal digests, numbers, one flat proof."""
    verification = _object(entry.get("verification"))
    proof = _object(verification.get("inclusionProof"))
    body = _decoded(entry.get("body"))
    kind = _object(strictjson.loads(body, most_bytes=_ANSWER_BYTES, what="log entry", code="NETWORK_ANSWER_MALFORMED"))
    hashes = proof.get("hashes")
    return {
        "logIndex": _number(entry.get("logIndex")),
        "logId": {"keyId": _from_hex(entry.get("logID"))},
        "kindVersion": {"kind": _text(kind.get("kind")), "version": _text(kind.get("apiVersion"))},
        "integratedTime": _number(entry.get("integratedTime")),
        "inclusionPromise": {"signedEntryTimestamp": _base64(_decoded(verification.get("signedEntryTimestamp")))},
        "inclusionProof": {
            "logIndex": _number(proof.get("logIndex")),
            "rootHash": _from_hex(proof.get("rootHash")),
            "treeSize": _number(proof.get("treeSize")),
            "hashes": [_from_hex(one) for one in (hashes if isinstance(hashes, list) else [])],
            "checkpoint": {"envelope": _text(proof.get("checkpoint"))},
        },
        "canonicalizedBody": _base64(body),
    }


def _write_v2(transport: Transport, log: Log, content: Content, verifier: Verifier) -> _Object:
    details = _DETAILS[verifier.key.algorithm]
    _, digest = _digest(content, verifier.key)
    kind = "x509Certificate" if verifier.certificate else "publicKey"
    request = {
        "hashedRekordRequestV002": {
            "digest": _base64(digest),
            "signature": {
                "content": _base64(content.signature),
                "verifier": {kind: {"rawBytes": _base64(verifier.der)}, "keyDetails": details},
            },
        }
    }
    answer = transport.send(
        "POST",
        f"{log.url.rstrip('/')}/api/v2/log/entries",
        what=_WHAT,
        body=strictjson.canonical(request),
        headers=_JSON,
        most_bytes=_ANSWER_BYTES,
    )
    found = _read(answer.body)  # fields that bundles do not have yet would make ours unreadable
    return {name: found[name] for name in _FIELDS if found.get(name) is not None}


_FIELDS: Final = ("logIndex", "logId", "kindVersion", "integratedTime", "inclusionProof", "canonicalizedBody")
_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}


def _envelope_json(envelope: Envelope) -> str:
    document = {
        "payload": _base64(envelope.payload),
        "payloadType": envelope.payload_type,
        "signatures": [{"sig": _base64(envelope.signature)}],
    }
    return strictjson.canonical(document).decode()


def _read(body: bytes) -> _Object:
    return _object(
        strictjson.loads(
            body, most_bytes=_ANSWER_BYTES, what="transparency log's answer", code="NETWORK_ANSWER_MALFORMED"
        )
    )


def _object(value: object) -> _Object:
    if not isinstance(value, dict):
        raise _malformed("a part of it that should be an object is none")
    return cast("_Object", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _malformed("a part of it that should be text is none")
    return value


def _number(value: object) -> str:
    """Return a number as proto3 writes 64-bit numbers: as text."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _malformed("a part of it that should be a number is none")
    return str(value)


def _from_hex(value: object) -> str:
    try:
        return _base64(bytes.fromhex(_text(value)))
    except ValueError:
        raise _malformed("a part of it that should be hexadecimal is not") from None


def _decoded(value: object) -> bytes:
    try:
        return binascii.a2b_base64(_text(value).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _malformed("a part of it that should be base64 is not") from None


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _malformed(what: str) -> ModelsignError:
    return error("NETWORK_ANSWER_MALFORMED", f"the transparency log's answer is refused: {what}")
