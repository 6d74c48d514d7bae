"""What ``inspect`` says of a bundle: everything the bundle claims, nothing of it verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BlobClaims",
    "BundleClaims",
    "CertificateClaims",
    "LogEntryClaims",
    "MaterialClaims",
    "ModelClaims",
    "SignatureClaims",
    "StatementClaims",
    "SubjectClaims",
    "TimestampClaims",
]


@dataclass(frozen=True, slots=True)
class SubjectClaims:
    """A subject of a statement: its name, and its digests by algorithm."""

    name: str | None
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelClaims:
    """What a model's manifest says.

    ``serialization`` is ``files`` or ``shards``, ``shard_size`` in bytes. ``entries`` are the manifest's resources,
    ``files`` the files they belong to. ``oms`` says whether it has the form of OMS v1.0.
    ``expires`` (ISO 8601) is until when it says the signature is good.
    """

    format: str
    subject: str
    root_digest: str | None
    tree_digest: str | None
    serialization: str
    hash_algorithm: str
    shard_size: int | None
    files: int
    entries: int
    allow_symlinks: bool
    ignore_paths: tuple[str, ...]
    oms: bool
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class StatementClaims:
    """What an in-toto statement says.

    ``subjects`` are the first ones of ``subject_count``. ``model`` is set where the predicate is a model's manifest
    that can be read. ``problem`` says why it would be refused.
    """

    statement_type: str | None
    predicate_type: str | None
    subjects: tuple[SubjectClaims, ...] = ()
    subject_count: int = 0
    model: ModelClaims | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class BlobClaims:
    """A hint at the one file that was signed."""

    algorithm: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class SignatureClaims:
    """A signature's size, the key id beside it, and what its form looks like."""

    bytes: int
    keyid: str | None
    looks_like: str


@dataclass(frozen=True, slots=True)
class CertificateClaims:
    """What a certificate says. ``serial`` is hexadecimal; ``names`` are ``kind:value``; ``sha256`` is of its DER.

    ``claims`` are Fulcio's extensions by name. ``problem`` says what could not be read.
    """

    bytes: int
    sha256: str
    subject: str | None = None
    issuer: str | None = None
    serial: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    key_algorithm: str | None = None
    key_digest: str | None = None
    signature_algorithm: str | None = None
    names: tuple[str, ...] = ()
    authority: bool | None = None
    key_usage: tuple[str, ...] = ()
    extended_key_usage: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class LogEntryClaims:
    """What a transparency log's entry says. ``log_id`` is hexadecimal, ``checkpoint`` the log's name for its tree."""

    index: int | None
    kind: str | None
    version: str | None
    time: str | None
    log_id: str | None
    promise: bool
    proof: bool
    tree_size: int | None
    checkpoint: str | None
    body_bytes: int


@dataclass(frozen=True, slots=True)
class TimestampClaims:
    """What an RFC 3161 timestamp says. ``authority`` is whom it names as its signer; ``digest`` is what it is over."""

    bytes: int
    time: str | None = None
    policy: str | None = None
    authority: str | None = None
    serial: str | None = None
    hash_algorithm: str | None = None
    digest: str | None = None
    certificates: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class MaterialClaims:
    """What a bundle says of its signer. ``hint_form`` says what kind of name for a key the hint looks like."""

    kind: str | None
    hint: str | None = None
    hint_form: str | None = None
    certificates: tuple[CertificateClaims, ...] = ()
    log_entries: tuple[LogEntryClaims, ...] = ()
    timestamps: tuple[TimestampClaims, ...] = ()


@dataclass(frozen=True, slots=True)
class BundleClaims:
    """What one bundle says, as far as it can be read.

    ``shape`` is ``sigstore-bundle``, ``dsse-envelope``, ``cosign-bundle``, ``pypi-attestation``, ``in-toto-statement``
    or ``unknown``; ``says`` is one sentence on what it claims to sign. ``left_out`` counts certificates, log entries,
    timestamps and signatures that are not listed. ``problems`` are the reasons for which it would be refused unread.
    """

    source: str
    bytes: int
    sha256: str
    shape: str
    says: str
    media_type: str | None = None
    version: str | None = None
    legacy: bool | None = None
    payload_type: str | None = None
    payload_bytes: int | None = None
    statement: StatementClaims | None = None
    blob: BlobClaims | None = None
    signatures: tuple[SignatureClaims, ...] = ()
    material: MaterialClaims | None = None
    left_out: int = 0
    problems: tuple[str, ...] = ()
