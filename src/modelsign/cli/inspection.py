"""The text of ``inspect``: each line of it is a claim, and none can look like a line that something verified wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.report.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsign.verdict import (
        BundleClaims,
        CertificateClaims,
        LogEntryClaims,
        MaterialClaims,
        ModelClaims,
        StatementClaims,
        TimestampClaims,
    )

__all__ = ["lines_of"]

_MOST_NAMES: Final = 10
"""Items of one list that are shown; the JSON document has more."""
_WIDTH: Final = 20


def lines_of(entry: BundleClaims) -> Iterator[str]:
    """Write what a bundle says, line by line, without escape sequences."""
    version = f" v{entry.version}" if entry.version else ""
    yield ""
    yield escape_line(f"{entry.source}: {entry.shape}{version}, {entry.bytes} bytes, sha256:{entry.sha256}")
    for problem in entry.problems:
        yield _line("would be refused", problem)
    yield _line("says it signs", entry.says)
    yield from _some(("says media type", entry.media_type), ("says payload type", entry.payload_type))
    if entry.payload_bytes is not None:
        yield _line("payload", f"{entry.payload_bytes} bytes")
    if entry.legacy:
        yield _line("shape", "from before OMS v1.1; verified only with --allow-legacy")
    if entry.statement is not None:
        yield from _statement(entry.statement)
    if entry.blob is not None:
        yield _line("says blob digest", f"{entry.blob.algorithm or 'unnamed'}:{entry.blob.digest or 'none'}")
    for signature in entry.signatures:
        named = f", key id {signature.keyid}" if signature.keyid else ""
        yield _line("signature", f"{signature.bytes} bytes, looks like {signature.looks_like}{named}")
    if entry.material is not None:
        yield from _material(entry.material)
    if entry.left_out:
        yield _line("left out", f"{entry.left_out} further entries of its lists")


def _statement(statement: StatementClaims) -> Iterator[str]:
    yield from _some(
        ("cannot be read", statement.problem),
        ("says statement", statement.statement_type),
        ("says predicate", statement.predicate_type),
    )
    if statement.model is not None:
        yield from _model(statement.model)
        return
    for subject in statement.subjects[:_MOST_NAMES]:
        digests = ", ".join(f"{name}:{digest}" for name, digest in list(subject.digests.items())[:_MOST_NAMES])
        yield _line("says subject", f"{subject.name or 'unnamed'} {digests or 'without a digest'}")
    if statement.subject_count > _MOST_NAMES:
        yield _line("says subject", f"… and {statement.subject_count - _MOST_NAMES} more")


def _model(model: ModelClaims) -> Iterator[str]:
    if model.subject:
        yield _line("says model", model.subject)
    yield from _some(("says root digest", model.root_digest), ("says tree digest", model.tree_digest))
    if model.serialization == "shards":
        form = f"{model.entries} shards of {model.shard_size} bytes, of {model.files} files"
    else:
        form = f"{model.files} files"
    yield _line("says manifest", f"{form}, {model.hash_algorithm}, {model.format}{'' if model.oms else ' (not OMS)'}")
    yield from _some(("says good until", model.expires))
    yield _line("says links", "allowed" if model.allow_symlinks else "not allowed")
    yield from _list("says ignored", model.ignore_paths)


def _material(material: MaterialClaims) -> Iterator[str]:
    yield _line("names its key by", (material.kind or "nothing").replace("_", " "))
    if material.hint:
        yield _line("says key", f"{material.hint} ({material.hint_form})")
    for place, certificate in enumerate(material.certificates, 1):
        yield from _certificate(place, certificate)
    for log_entry in material.log_entries:
        yield from _log_entry(log_entry)
    for timestamp in material.timestamps:
        yield from _timestamp(timestamp)


def _certificate(place: int, certificate: CertificateClaims) -> Iterator[str]:
    yield _line(f"certificate {place}", f"{certificate.bytes} bytes, sha256:{certificate.sha256}")
    yield from _some(
        ("  cannot be read", certificate.problem),
        ("  says subject", certificate.subject),
        ("  says issuer", certificate.issuer),
        ("  says serial", certificate.serial),
        ("  says key", certificate.key_algorithm),
        ("  says key digest", certificate.key_digest),
        ("  says signed with", certificate.signature_algorithm),
    )
    if certificate.not_before or certificate.not_after:
        yield _line("  says valid", f"{certificate.not_before or '?'} to {certificate.not_after or '?'}")
    if certificate.authority:
        yield _line("  says authority", "it may issue certificates")
    yield from _list("  says name", certificate.names)
    yield from _list("  says use", (*certificate.key_usage, *certificate.extended_key_usage))
    yield from _claims(certificate.claims)


def _claims(claims: Mapping[str, str]) -> Iterator[str]:
    for name, value in claims.items():
        yield _line("  says claim", f"{name} = {value}")


def _log_entry(entry: LogEntryClaims) -> Iterator[str]:
    kind = f"{entry.kind or 'unnamed'} {entry.version or ''}".rstrip()
    yield _line("log entry", f"number {'?' if entry.index is None else entry.index}, {kind}, {entry.body_bytes} bytes")
    yield from _some(("  says log", entry.log_id), ("  says time", entry.time), ("  says checkpoint", entry.checkpoint))
    has = [word for word, there in (("promise", entry.promise), ("inclusion proof", entry.proof)) if there]
    size = f" in a tree of {entry.tree_size}" if entry.tree_size is not None else ""
    yield _line("  holds", f"{' and '.join(has) or 'no proof'}{size}")


def _timestamp(timestamp: TimestampClaims) -> Iterator[str]:
    yield _line("timestamp", f"RFC 3161, {timestamp.bytes} bytes, {timestamp.certificates} certificates")
    yield from _some(
        ("  cannot be read", timestamp.problem),
        ("  says time", timestamp.time),
        ("  says authority", timestamp.authority),
        ("  says policy", timestamp.policy),
        ("  says serial", timestamp.serial),
    )
    if timestamp.digest:
        yield _line("  says it covers", f"{timestamp.hash_algorithm}:{timestamp.digest}")


def _some(*pairs: tuple[str, str | None]) -> Iterator[str]:
    for name, value in pairs:
        if value:
            yield _line(name, value)


def _list(name: str, values: tuple[str, ...]) -> Iterator[str]:
    for value in values[:_MOST_NAMES]:
        yield _line(name, value)
    if len(values) > _MOST_NAMES:
        yield _line(name, f"… and {len(values) - _MOST_NAMES} more (--format json lists them)")


def _line(name: str, value: str) -> str:
    return f"  {name:<{_WIDTH}} {escape_line(value)}"
