"""Sigstore bundles v0.3 with a DSSE envelope, read strictly and written reproducibly.

Follows sigstore/protobuf-specs ``sigstore_bundle.proto`` in its JSON form. Reading gives the parts of a
bundle and believes none of them: what stands in it is a claim until a signature was verified with a key the
caller named. A key inside a bundle is never used.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from modelsign import limits, strictjson
from modelsign.errors import error
from modelsign.signing.dsse import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsign.errors import ModelsignError

__all__ = ["MEDIA_TYPE", "Bundle", "Material", "parse_bundle", "write_bundle"]

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"

_Object = dict[str, object]
_TLOG_ENTRY: Final = {
    "logIndex": None,
    "logId": {"keyId": None},
    "kindVersion": {"kind": None, "version": None},
    "integratedTime": None,
    "inclusionPromise": {"signedEntryTimestamp": None},
    "inclusionProof": {
        "logIndex": None,
        "rootHash": None,
        "treeSize": None,
        "hashes": None,
        "checkpoint": {"envelope": None},
    },
    "canonicalizedBody": None,
}
"""The fields of a transparency log entry; None is a leaf."""


class Material(NamedTuple):
    """What a bundle says about its signer, unverified.

    ``kind`` is ``public_key``, ``legacy_public_key`` (before OMS v1.1: with the key itself, without a hint),
    ``certificate`` or ``certificate_chain``. ``certificates`` are DER, leaf first.
    """

    kind: str
    hint: str | None = None
    certificates: tuple[bytes, ...] = ()
    tlog_entries: tuple[Mapping[str, object], ...] = ()
    timestamps: tuple[bytes, ...] = ()


class Bundle(NamedTuple):
    """The parts of a bundle, unverified."""

    envelope: Envelope
    material: Material
    legacy: bool
    """Whether a field has a shape from before OMS v1.1."""

    @property
    def payload_type(self) -> str:
        """The type of the payload."""
        return self.envelope.payload_type

    @property
    def payload(self) -> bytes:
        """The bytes that were signed, still unverified."""
        return self.envelope.payload

    @property
    def signatures(self) -> tuple[bytes, ...]:
        """The signatures; a bundle has exactly one."""
        return (self.envelope.signature,)


def parse_bundle(data: bytes) -> Bundle:
    """Read one bundle, strictly.

    Raises:
        ModelsignError: ``BUNDLE_MALFORMED``, or ``BUNDLE_UNSUPPORTED`` for another version or content.

    """
    if sum(map(data.count, (b"{", b"[", b","))) > limits.BUNDLE_VALUES:
        raise _malformed(f"it has more than {limits.BUNDLE_VALUES} values")
    top = _object(
        strictjson.loads(data, most_bytes=limits.BUNDLE_BYTES, what="bundle", code="BUNDLE_MALFORMED"), "the bundle"
    )
    media_type = top.get("mediaType")
    if not isinstance(media_type, str):
        raise _malformed("it has no mediaType")
    if media_type != MEDIA_TYPE:
        raise error("BUNDLE_UNSUPPORTED", f"the bundle's media type is {media_type[:100]}; known is {MEDIA_TYPE}")
    if "messageSignature" in top:
        raise error("BUNDLE_UNSUPPORTED", "the bundle signs a bare digest; known is a DSSE envelope")
    _fields(top, "the bundle", {"mediaType", "verificationMaterial", "dsseEnvelope"})
    material, legacy_material = _material(_object(top.get("verificationMaterial"), "verificationMaterial"))
    envelope, legacy_envelope = _envelope(_object(top.get("dsseEnvelope"), "dsseEnvelope"))
    return Bundle(envelope, material, legacy=legacy_material or legacy_envelope)


def write_bundle(envelope: Envelope, *, hint: str) -> bytes:
    """Write a bundle for a signature by a bare key; the same input gives the same bytes, on one line."""
    return strictjson.canonical(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": _base64(envelope.payload),
                "payloadType": envelope.payload_type,
                "signatures": [{"sig": _base64(envelope.signature), "keyid": ""}],
            },
        }
    )


def _material(value: _Object) -> tuple[Material, bool]:
    kinds = {"publicKey", "certificate", "x509CertificateChain"}
    found = kinds.intersection(value)
    if len(found) != 1:
        raise _malformed("verificationMaterial names not exactly one kind of key or certificate")
    kind = found.pop()
    _fields(value, "verificationMaterial", {kind, "tlogEntries", "timestampVerificationData"})
    entries = _list(value.get("tlogEntries", []), "tlogEntries")
    for entry in entries:
        _shape(entry, _TLOG_ENTRY, "tlogEntries")
    log = tuple(cast("list[_Object]", entries))
    stamps = _timestamps(value.get("timestampVerificationData"))
    if kind == "publicKey":
        hint, legacy = _public_key(_object(value[kind], kind))
        name = "legacy_public_key" if legacy else "public_key"
        return Material(name, hint, (), log, stamps), legacy or "tlogEntries" not in value
    if kind == "certificate":
        return Material("certificate", None, (_certificate(value[kind]),), log, stamps), False
    chain = _object(value[kind], kind)
    _fields(chain, kind, {"certificates"})
    certificates = tuple(_certificate(entry) for entry in _list(chain.get("certificates"), "certificates"))
    if not certificates:
        raise _malformed("the certificate chain is empty")
    return Material("certificate_chain", None, certificates, log, stamps), "tlogEntries" not in value


def _public_key(value: _Object) -> tuple[str | None, bool]:
    if "rawBytes" in value or "keyDetails" in value:
        _fields(value, "publicKey", {"rawBytes", "keyDetails", "hint"})
        _decode(value.get("rawBytes"), "rawBytes")
        _string(value.get("keyDetails", ""), "keyDetails")
    else:
        _fields(value, "publicKey", {"hint"})
    hint = value.get("hint")
    if hint is not None:
        _string(hint, "hint")
    return cast("str | None", hint or None), "rawBytes" in value or not hint


def _certificate(value: object) -> bytes:
    entry = _object(value, "certificate")
    _fields(entry, "certificate", {"rawBytes"})
    return _decode(entry.get("rawBytes"), "rawBytes")


def _timestamps(value: object) -> tuple[bytes, ...]:
    if value is None:
        return ()
    data = _object(value, "timestampVerificationData")
    _fields(data, "timestampVerificationData", {"rfc3161Timestamps"})
    stamps = []
    for entry in _list(data.get("rfc3161Timestamps", []), "rfc3161Timestamps"):
        stamp = _object(entry, "rfc3161Timestamps")
        _fields(stamp, "rfc3161Timestamps", {"signedTimestamp"})
        stamps.append(_decode(stamp.get("signedTimestamp"), "signedTimestamp"))
    return tuple(stamps)


def _envelope(value: _Object) -> tuple[Envelope, bool]:
    _fields(value, "dsseEnvelope", {"payload", "payloadType", "signatures"})
    signatures = _list(value.get("signatures"), "signatures")
    if len(signatures) != 1:
        raise _malformed(f"it has {len(signatures)} signatures; a bundle has exactly one")
    signature = _object(signatures[0], "signatures")
    _fields(signature, "signatures", {"sig", "keyid"})
    keyid = signature.get("keyid", "")
    if keyid is not None:
        _string(keyid, "keyid")
    return (
        Envelope(
            _string(value.get("payloadType"), "payloadType"),
            _decode(value.get("payload"), "payload"),
            _decode(signature.get("sig"), "sig"),
        ),
        keyid is None,
    )


def _shape(value: object, shape: Mapping[str, object], where: str) -> None:
    """Refuse fields that a transparency log entry does not have."""
    entry = _object(value, where)
    _fields(entry, where, shape)
    for name, inner in shape.items():
        if inner is not None and entry.get(name) is not None:
            _shape(entry[name], cast("Mapping[str, object]", inner), name)


def _object(value: object, where: str) -> _Object:
    if not isinstance(value, dict):
        raise _malformed(f"{where} is not an object")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise _malformed(f"{where} is not a list")
    return value


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _malformed(f"{where} is not a string")
    return value


def _fields(value: _Object, where: str, known: Iterable[str]) -> None:
    unknown = sorted(set(value).difference(known))
    if unknown:
        raise _malformed(f"{where} has the unknown field {unknown[0][:100]}")


def _decode(value: object, where: str) -> bytes:
    try:
        return binascii.a2b_base64(_string(value, where).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _malformed(f"{where} is not base64") from None


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _malformed(what: str) -> ModelsignError:
    return error("BUNDLE_MALFORMED", f"the bundle is refused: {what}")
