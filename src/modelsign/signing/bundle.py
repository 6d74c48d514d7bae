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
from modelsign.signing.describe.foreign import form_of, no_blob_wanted, shape_of
from modelsign.signing.dsse import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelsign.errors import ModelsignError

__all__ = [
    "MEDIA_TYPE",
    "Bundle",
    "InclusionProof",
    "Material",
    "MessageSignature",
    "TlogEntry",
    "parse_any_bundle",
    "parse_bundle",
    "write_bundle",
]

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_VERSIONS: Final = {
    "application/vnd.dev.sigstore.bundle+json;version=0.1": "0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2": "0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3": "0.3",
    MEDIA_TYPE: "0.3",
}
_MOST_DIGITS: Final = 19
"""Digits of a 64-bit number."""

_Object = dict[str, object]


class InclusionProof(NamedTuple):
    """A log's claim that an entry is in its tree (RFC 6962, section 2.1.1), unverified.

    ``checkpoint`` is the signed note that names the tree's root (C2SP signed-note).
    """

    log_index: int
    root_hash: bytes
    tree_size: int
    hashes: tuple[bytes, ...]
    checkpoint: str | None


class TlogEntry(NamedTuple):
    """An entry of a transparency log, unverified.

    ``integrated_time`` is in seconds since 1970, None where the log gives none. ``promise`` is Rekor v1's signed entry
    timestamp. ``body`` is the canonical entry as the log keeps it. ``raw`` is the JSON object itself.
    """

    log_index: int
    log_key_id: bytes
    kind: str
    version: str
    integrated_time: int | None
    promise: bytes | None
    proof: InclusionProof | None
    body: bytes
    raw: Mapping[str, object]


class MessageSignature(NamedTuple):
    """A signature over one blob. ``algorithm`` and ``digest`` are a hint at the blob, unverified."""

    algorithm: str | None
    digest: bytes | None
    signature: bytes


class Material(NamedTuple):
    """What a bundle says about its signer, unverified.

    ``kind`` is ``public_key``, ``legacy_public_key`` (before OMS v1.1: with the key itself, without a hint),
    ``certificate`` or ``certificate_chain``. ``certificates`` are DER, leaf first. ``timestamps`` are RFC 3161
    responses, DER.
    """

    kind: str
    hint: str | None = None
    certificates: tuple[bytes, ...] = ()
    tlog_entries: tuple[TlogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()


class Bundle(NamedTuple):
    """The parts of a bundle, unverified.

    ``version`` is that of the media type. ``legacy`` says whether a field has a shape from before OMS v1.1.
    """

    content: Envelope | MessageSignature
    material: Material
    legacy: bool
    version: str = "0.3"

    @property
    def envelope(self) -> Envelope:
        """The DSSE envelope.

        Raises:
            ModelsignError: ``NOT_A_MODEL_SIGNATURE`` where the bundle signs one blob instead.

        """
        if isinstance(self.content, MessageSignature):
            raise no_blob_wanted(self.content)
        return self.content

    @property
    def payload_type(self) -> str:
        """The type of the payload."""
        return self.envelope.payload_type

    @property
    def payload(self) -> bytes:
        """The bytes that were signed, still unverified."""
        return self.envelope.payload

    @property
    def signature(self) -> bytes:
        """The one signature; a bundle has exactly one."""
        return self.content.signature


def parse_bundle(data: bytes) -> Bundle:
    """Read one bundle that holds a DSSE envelope, strictly.

    Raises:
        ModelsignError: ``BUNDLE_MALFORMED``, ``BUNDLE_UNSUPPORTED`` for another version or content, or
            ``NOT_A_MODEL_SIGNATURE`` for a signature over one blob.

    """
    bundle = parse_any_bundle(data)
    bundle.envelope  # noqa: B018 - raises where there is none
    return bundle


def parse_any_bundle(data: bytes) -> Bundle:
    """Read one bundle of whatever content, strictly; fields with their default value may be left out, as proto3 does.

    Raises:
        ModelsignError: ``BUNDLE_MALFORMED`` or ``BUNDLE_UNSUPPORTED``.

    """
    if sum(map(data.count, (b"{", b"[", b","))) > limits.BUNDLE_VALUES:
        raise _malformed(f"it has more than {limits.BUNDLE_VALUES} values")
    if not data.startswith(b"{") and (form := form_of(data)):
        if form.signature:
            raise error("BUNDLE_UNSUPPORTED", f"this is no Sigstore bundle but {form.words}")
        raise _malformed(f"it is {form.words}")
    top = _object(
        strictjson.loads(data, most_bytes=limits.BUNDLE_BYTES, what="bundle", code="BUNDLE_MALFORMED"), "the bundle"
    )
    media_type = top.get("mediaType")
    if not isinstance(media_type, str):
        if shape := shape_of(top):
            raise error("BUNDLE_UNSUPPORTED", f"this is no Sigstore bundle but {shape.words}")
        raise _malformed("it has no mediaType")
    if media_type not in _VERSIONS:
        raise error("BUNDLE_UNSUPPORTED", f"the bundle's media type is {media_type[:100]}; known is {MEDIA_TYPE}")
    _fields(top, "the bundle", {"mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"})
    contents = [name for name in ("dsseEnvelope", "messageSignature") if top.get(name) is not None]
    if len(contents) > 1:
        raise _malformed("it holds both an envelope and the signature of a blob")
    material, legacy_material = _material(_object(top.get("verificationMaterial"), "verificationMaterial"))
    if contents == ["messageSignature"]:
        message = _message(_object(top["messageSignature"], "messageSignature"))
        return Bundle(message, material, legacy_material, _VERSIONS[media_type])
    envelope, null_keyid = _envelope(_object(top.get("dsseEnvelope"), "dsseEnvelope"))
    # Certificates of model-signing up to 1.0.1; a null key id alone is current (OMS v1.0, sections 4.1 and 11.1).
    old_chain = null_keyid and material.kind == "certificate_chain" and not material.tlog_entries
    return Bundle(envelope, material, legacy_material or old_chain, _VERSIONS[media_type])


def write_bundle(  # noqa: PLR0913 - the parts of a bundle
    envelope: Envelope,
    *,
    hint: str | None = None,
    certificate: bytes | None = None,
    chain: Sequence[bytes] = (),
    tlog_entries: Sequence[Mapping[str, object]] = (),
    timestamps: Sequence[bytes] = (),
) -> bytes:
    """Write a bundle; the same input gives the same bytes, on one line.

    Exactly one of ``hint`` (a bare key), ``certificate`` (DER, what Sigstore wants) and ``chain`` (DER, leaf first,
    what OMS wants) says who signed. ``tlog_entries`` are in their JSON form, ``timestamps`` RFC 3161 responses in DER.
    """
    material: _Object = {"tlogEntries": list(tlog_entries)}
    if hint is not None:
        material["publicKey"] = {"hint": hint}
    elif certificate is not None:
        material["certificate"] = {"rawBytes": _base64(certificate)}
    else:
        material["x509CertificateChain"] = {"certificates": [{"rawBytes": _base64(entry)} for entry in chain]}
    if timestamps:
        stamps = [{"signedTimestamp": _base64(stamp)} for stamp in timestamps]
        material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
    return strictjson.canonical(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": _base64(envelope.payload),
                "payloadType": envelope.payload_type,
                "signatures": [{"sig": _base64(envelope.signature), "keyid": ""}],
            },
        }
    )


def _material(value: _Object) -> tuple[Material, bool]:
    kinds = [kind for kind in ("publicKey", "certificate", "x509CertificateChain") if value.get(kind) is not None]
    if len(kinds) != 1:
        raise _malformed("verificationMaterial names not exactly one kind of key or certificate")
    kind = kinds[0]
    _fields(
        value,
        "verificationMaterial",
        {"publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData"},
    )
    log = tuple(map(_tlog_entry, _several(value, "tlogEntries")))
    stamps = _timestamps(value.get("timestampVerificationData"))
    if kind == "publicKey":
        hint, legacy = _public_key(_object(value[kind], kind))
        return Material("legacy_public_key" if legacy else "public_key", hint, (), log, stamps), legacy
    if kind == "certificate":
        return Material("certificate", None, (_certificate(value[kind]),), log, stamps), False
    chain = _object(value[kind], kind)
    _fields(chain, kind, {"certificates"})
    certificates = tuple(map(_certificate, _several(chain, "certificates")))
    if not certificates:
        raise _malformed("the certificate chain is empty")
    return Material("certificate_chain", None, certificates, log, stamps), False


def _tlog_entry(value: object) -> TlogEntry:
    entry = _object(value, "tlogEntries")
    _fields(
        entry,
        "tlogEntries",
        {
            "logIndex",
            "logId",
            "kindVersion",
            "integratedTime",
            "inclusionPromise",
            "inclusionProof",
            "canonicalizedBody",
        },
    )
    log_id = _part(entry, "logId", {"keyId"})
    kind = _part(entry, "kindVersion", {"kind", "version"})
    promise = _part(entry, "inclusionPromise", {"signedEntryTimestamp"})
    proof = entry.get("inclusionProof")
    return TlogEntry(
        log_index=_number(entry, "logIndex"),
        log_key_id=_bytes(log_id, "keyId"),
        kind=_string(kind.get("kind") or "", "kind"),
        version=_string(kind.get("version") or "", "version"),
        integrated_time=_number(entry, "integratedTime") or None,
        promise=_bytes(promise, "signedEntryTimestamp") or None,
        proof=None if proof is None else _inclusion_proof(_object(proof, "inclusionProof")),
        body=_bytes(entry, "canonicalizedBody"),
        raw=entry,
    )


def _inclusion_proof(value: _Object) -> InclusionProof:
    _fields(value, "inclusionProof", {"logIndex", "rootHash", "treeSize", "hashes", "checkpoint"})
    checkpoint = _part(value, "checkpoint", {"envelope"})
    return InclusionProof(
        log_index=_number(value, "logIndex"),
        root_hash=_bytes(value, "rootHash"),
        tree_size=_number(value, "treeSize"),
        hashes=tuple(_decode(entry, "hashes") for entry in _several(value, "hashes")),
        checkpoint=_string(checkpoint.get("envelope") or "", "checkpoint") or None,
    )


def _message(value: _Object) -> MessageSignature:
    _fields(value, "messageSignature", {"messageDigest", "signature"})
    digest = _part(value, "messageDigest", {"algorithm", "digest"})
    algorithm = digest.get("algorithm")
    return MessageSignature(
        algorithm=None if algorithm is None else str(algorithm)[:100],
        digest=_bytes(digest, "digest") or None,
        signature=_decode(value.get("signature"), "signature"),
    )


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
    for entry in _several(data, "rfc3161Timestamps"):
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
    envelope = Envelope(
        _string(value.get("payloadType"), "payloadType"),
        _decode(value.get("payload"), "payload"),
        _decode(signature.get("sig"), "sig"),
    )
    return envelope, keyid is None


def _object(value: object, where: str) -> _Object:
    if not isinstance(value, dict):
        raise _malformed(f"{where} is not an object")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise _malformed(f"{where} is not a list")
    return value


def _several(value: _Object, name: str) -> list[object]:
    """Return a list that may be left out where it is empty."""
    found = value.get(name)
    return [] if found is None else _list(found, name)


def _part(value: _Object, name: str, known: Iterable[str]) -> _Object:
    """Return an object that may be left out where all of it has default values."""
    found = value.get(name)
    part = {} if found is None else _object(found, name)
    _fields(part, name, known)
    return part


def _number(value: _Object, name: str) -> int:
    """Return a 64-bit number, which proto3 writes as a string of digits and leaves out where it is 0."""
    found = value.get(name)
    if found is None:
        return 0
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise _malformed(f"{name} is not a number")
    return int(text)


def _bytes(value: _Object, name: str) -> bytes:
    """Return bytes, which may be left out where there are none."""
    found = value.get(name)
    return b"" if found is None else _decode(found, name)


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
