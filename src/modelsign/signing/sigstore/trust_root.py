"""Sigstore trust roots: which logs, certificate authorities and timestamp authorities are believed, and when.

Follows ``sigstore_trustroot.proto`` of sigstore/protobuf-specs in its JSON form, versions 0.1 and 0.2. A member that
this program does not understand (an unknown kind of key, no start of validity, a broken certificate) is left out and
listed in ``warnings``: it can only make fewer signatures valid, never more. Unknown fields are passed over likewise.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import binascii
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from modelsign import limits, strictjson, timestamp
from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from modelsign.signing.keys import VerifyKey

__all__ = [
    "KEY_DETAILS",
    "Authority",
    "DatedRoot",
    "LogKey",
    "TrustConfig",
    "TrustRoot",
    "Window",
    "parse_trust_config",
    "parse_trust_root",
    "read_shipped_root",
]

_ROOT_TYPES: Final = frozenset(
    f"application/vnd.dev.sigstore.trustedroot{form}"
    for form in ("+json;version=0.1", "+json;version=0.2", ".v0.1+json", ".v0.2+json")
)
_CONFIG_TYPES: Final = frozenset({"application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"})
_FLAGS: Final = (
    (_ROOT_TYPES, "--trusted-root"),
    (_CONFIG_TYPES, "--trust-config"),
    (frozenset({"application/vnd.dev.sigstore.signingconfig.v0.2+json"}), "--signing-config"),
)
"""Which document of Sigstore's is given by which flag: they are easily taken for one another."""
KEY_DETAILS: Final = {
    "PKIX_ECDSA_P256_SHA_256": "ecdsa-p256-sha256",
    "PKIX_ECDSA_P384_SHA_384": "ecdsa-p384-sha384",
    "PKIX_ECDSA_P521_SHA_512": "ecdsa-p521-sha512",
    "PKIX_ED25519": "ed25519",
    "PKIX_RSA_PSS_3072_SHA256": "rsa-pss-sha256",
    "PKIX_RSA_PSS_4096_SHA256": "rsa-pss-sha256",
    "ML_DSA_65": "ml-dsa-65",
    "ML_DSA_87": "ml-dsa-87",
}
"""Sigstore's name of a kind of key (``PublicKeyDetails``) → ours (``keys.ALGORITHMS``)."""
_FIELDS: Final = frozenset({"mediaType", "tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"})
_SHOWN: Final = 100

_Object = dict[str, object]
_Member = TypeVar("_Member")


class Window(NamedTuple):
    """A time from ``start`` to ``end``, both included; None is no end."""

    start: datetime
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment lies in it."""
        return self.start <= moment and (self.end is None or moment <= self.end)


class LogKey(NamedTuple):
    """A transparency log. ``id`` names it in entries and SCTs, the first bytes of ``checkpoint_id`` in checkpoints."""

    url: str
    id: bytes
    checkpoint_id: bytes
    key: VerifyKey
    window: Window


class Authority(NamedTuple):
    """An authority for certificates or timestamps. ``chain`` is DER, in the document's order: the root is last."""

    url: str
    chain: tuple[bytes, ...]
    window: Window


class TrustRoot(NamedTuple):
    """What a trust root says, as far as it is understood. ``digest`` is the SHA-256 of the document, hex."""

    digest: str
    tlogs: tuple[LogKey, ...] = ()
    ctlogs: tuple[LogKey, ...] = ()
    authorities: tuple[Authority, ...] = ()
    timestamp_authorities: tuple[Authority, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def newest_start(self) -> datetime | None:
        """The latest start of a validity in it: the document is no older than that, so its age is at most counted."""
        logs = [log.window.start for log in (*self.tlogs, *self.ctlogs)]
        authorities = [entry.window.start for entry in (*self.authorities, *self.timestamp_authorities)]
        return max(logs + authorities, default=None)


class TrustConfig(NamedTuple):
    """A trust root and, for signing, where the services are (``SigningConfig`` in JSON, as read)."""

    root: TrustRoot
    signing_config: Mapping[str, object]


class DatedRoot(NamedTuple):
    """A trust root with where it came from and when it was known to be current; None where that cannot be told."""

    root: TrustRoot
    place: str
    as_of: datetime | None

    def check_age(self, now: datetime, most: timedelta | None) -> timedelta | None:
        """Return the age at ``now``, None where it is unknown.

        Raises:
            ModelsignError: ``TRUST_ROOT_TOO_OLD`` where it is more than ``most``, or not known and ``most`` is.

        """
        age = None if self.as_of is None else max(now - self.as_of, timedelta())
        if most is not None and (age is None or age > most):
            known = "of unknown age" if age is None else f"{age.days} days old"
            raise error(
                "TRUST_ROOT_TOO_OLD", f"the trust root from {self.place} is {known}; at most {most.days} are allowed"
            )
        return age


def parse_trust_root(data: bytes) -> TrustRoot:
    """Read a ``trusted_root.json``.

    Raises:
        ModelsignError: ``TRUST_ROOT_MALFORMED`` or ``TRUST_ROOT_UNSUPPORTED``.

    """
    return _root(_document(data, "trust root"), hashlib.sha256(data).hexdigest())


def parse_trust_config(data: bytes) -> TrustConfig:
    """Read a ``ClientTrustConfig`` in JSON; the digest of its root is that of the whole document.

    Raises:
        ModelsignError: ``TRUST_ROOT_MALFORMED`` or ``TRUST_ROOT_UNSUPPORTED``.

    """
    document = _document(data, "trust configuration")
    _check_type(document, _CONFIG_TYPES)
    root = _root(_object(document.get("trustedRoot"), "trustedRoot"), hashlib.sha256(data).hexdigest())
    return TrustConfig(root, _object(document.get("signingConfig", {}), "signingConfig"))


def read_shipped_root(instance: str = "tuf-repo-cdn.sigstore.dev") -> DatedRoot:
    """Return the trust root of the public instance that the installed ``sigstore`` package ships.

    Nothing says when the package was current: the document is at least as young as the latest start in it.

    Raises:
        ModelsignError: ``TRUST_ROOT_MALFORMED``.

    """
    from importlib import resources

    place = resources.files("sigstore") / "_store" / f"https%3A%2F%2F{instance}" / "trusted_root.json"
    root = parse_trust_root(place.read_bytes())
    return DatedRoot(root, "the installed sigstore package", root.newest_start)


def _document(data: bytes, what: str) -> _Object:
    value = strictjson.loads(data, most_bytes=limits.TRUST_ROOT_BYTES, what=what, code="TRUST_ROOT_MALFORMED")
    return _object(value, f"the {what}")


def _check_type(document: _Object, known: frozenset[str]) -> None:
    kind = document.get("mediaType")
    if not isinstance(kind, str) or kind not in known:
        flag = next((flag for types, flag in _FLAGS if isinstance(kind, str) and kind in types), None)
        advice = None if flag is None else f"This is a file for {flag} of sign and verify."
        raise error("TRUST_ROOT_UNSUPPORTED", f"the media type is {str(kind)[:_SHOWN]}", advice=advice)


def _root(document: _Object, digest: str) -> TrustRoot:
    _check_type(document, _ROOT_TYPES)
    warnings = [f"the trust root has the unknown field {name[:_SHOWN]}" for name in sorted(set(document) - _FIELDS)]
    return TrustRoot(
        digest,
        _members(document, "tlogs", _log, warnings),
        _members(document, "ctlogs", _log, warnings),
        _members(document, "certificateAuthorities", _authority, warnings),
        _members(document, "timestampAuthorities", _authority, warnings),
        tuple(warnings),
    )


def _members(
    document: _Object, name: str, read: Callable[[_Object], _Member], warnings: list[str]
) -> tuple[_Member, ...]:
    members = document.get(name)
    members = [] if members is None else members
    if not isinstance(members, list) or len(members) > limits.TRUST_ROOT_MEMBERS:
        raise error("TRUST_ROOT_MALFORMED", f"{name} is no list of at most {limits.TRUST_ROOT_MEMBERS}")
    found = []
    for number, member in enumerate(members):
        try:
            found.append(read(_object(member, name)))
        except ModelsignError as fault:
            warnings.append(f"the trust root's {name} {number} is not used: {fault.message[: 2 * _SHOWN]}")
    return tuple(found)


def _log(member: _Object) -> LogKey:
    from modelsign.signing.keys import load_public_key

    public = _object(member.get("publicKey"), "publicKey")
    details = public.get("keyDetails")
    algorithm = KEY_DETAILS.get(details) if isinstance(details, str) else None
    if algorithm is None:
        raise error("TRUST_ROOT_UNSUPPORTED", f"the kind of key {str(details)[:_SHOWN]} is not known")
    key = load_public_key(_bytes(public, "rawBytes"))
    if key.algorithm != algorithm:
        raise error("TRUST_ROOT_MALFORMED", f"the key is {key.algorithm}, not {algorithm}")
    log_id = _bytes(_object(member.get("logId"), "logId"), "keyId")
    own = member.get("checkpointKeyId")
    checkpoint_id = log_id if own is None else _bytes(_object(own, "checkpointKeyId"), "keyId")
    return LogKey(_text(member, "baseUrl"), log_id, checkpoint_id, key, _window(public))


def _authority(member: _Object) -> Authority:
    from modelsign.signing.x509.certificates import Certificate

    entries = _object(member.get("certChain"), "certChain").get("certificates")
    if not isinstance(entries, list) or not 1 <= len(entries) <= limits.PROOFS:
        raise error("TRUST_ROOT_MALFORMED", "the chain of certificates is empty or too long")
    chain = tuple(_bytes(_object(entry, "certificates"), "rawBytes") for entry in entries)
    read = [Certificate(der) for der in chain]  # whole: other code would find what is wrong later, in other ways
    for below, above in zip(read, [*read[1:], read[-1]], strict=True):
        if (below is not above or below.self_issued) and not below.check_issued_by(above):
            raise error("TRUST_ROOT_MALFORMED", "the certificates of the chain did not issue each other in its order")
    return Authority(_text(member, "uri"), chain, _window(member))


def _window(member: _Object) -> Window:
    valid = _object(member.get("validFor"), "validFor")
    start, end = valid.get("start"), valid.get("end")
    if not isinstance(start, str) or not isinstance(end, str | None):
        raise error("TRUST_ROOT_MALFORMED", "its validity has no start")
    try:
        return Window(timestamp.read(start), None if end is None else timestamp.read(end))
    except ValueError as fault:
        raise error("TRUST_ROOT_MALFORMED", str(fault)) from None


def _object(value: object, where: str) -> _Object:
    if not isinstance(value, dict):
        raise error("TRUST_ROOT_MALFORMED", f"{where} is not an object")
    return value


def _text(member: _Object, name: str) -> str:
    value = member.get(name, "")
    if not isinstance(value, str):
        raise error("TRUST_ROOT_MALFORMED", f"{name} is not a string")
    return value[: 10 * _SHOWN]


def _bytes(member: _Object, name: str) -> bytes:
    value = member.get(name)
    try:
        if isinstance(value, str) and value:
            return binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        pass
    raise error("TRUST_ROOT_MALFORMED", f"{name} is not base64")
