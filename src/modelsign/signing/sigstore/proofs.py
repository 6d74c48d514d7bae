"""Proofs of time and publication: which logs and timestamp authorities confirm a signature, and when did it exist?

Shared by bare keys, certificates and identities. How many of them are wanted is the caller's policy; nothing that
cannot be verified counts. A log or authority that the trust root does not know is passed over with a warning, one that
it knows and that is wrong refuses the bundle.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from modelsign import limits, timestamp
from modelsign.errors import error
from modelsign.signing.sigstore.log_entries import check_entry
from modelsign.signing.sigstore.timestamps import verify_timestamps
from modelsign.signing.sigstore.tlog import verify_inclusion, verify_promise
from modelsign.verdict import LogProof

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from modelsign.signing.bundle import Material, TlogEntry
    from modelsign.signing.content import Content
    from modelsign.signing.sigstore.log_entries import Verifier
    from modelsign.signing.sigstore.trust_root import LogKey, TrustRoot
    from modelsign.verdict import Signer

__all__ = ["Moment", "ProofPolicy", "Proofs", "Subject", "prove"]

_VERSIONS_WITH_TIME: Final = frozenset({("hashedrekord", "0.0.1"), ("dsse", "0.0.1"), ("intoto", "0.0.2")})
"""Rekor v1's kinds: only its logs sign the time of an entry."""


class ProofPolicy(NamedTuple):
    """How many different logs and timestamp authorities must confirm a signature.

    ``integrated_time`` says whether a log's signed time proves the time of signing; ``times`` is how many sources of
    time are wanted, timestamps and logs together.
    """

    logs: int = 1
    timestamps: int = 0
    times: int = 1
    integrated_time: bool = True


class Moment(NamedTuple):
    """A time by which the signature existed, and how that is known."""

    time: datetime
    proof: Literal["rfc3161", "transparency-log"]


class Proofs(NamedTuple):
    """What was proven; ``moments`` are sorted by time."""

    moments: tuple[Moment, ...] = ()
    logs: tuple[LogProof, ...] = ()
    timestamps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def told_of(self, signer: Signer) -> Signer:
        """Return a signer with these proofs; the earliest moment is when the signature existed by."""
        first = self.moments[0] if self.moments else None
        return dataclasses.replace(
            signer,
            time=timestamp.write(first.time) if first else None,
            time_proof=first.proof if first else None,
            logs=self.logs,
            timestamps=self.timestamps,
        )


class _Logged(NamedTuple):
    key_digest: str
    proof: LogProof
    time: datetime | None


class Subject(NamedTuple):
    """Whose signature over what is to be proven: the bundle's claims and what its log entries must therefore name."""

    material: Material
    version: str
    content: Content
    verifier: Verifier


def prove(subject: Subject, root: TrustRoot, policy: ProofPolicy) -> Proofs:
    """Verify every log entry and timestamp of a bundle and count them.

    A bundle of version 0.1 must hold the log's promise; the inclusion proof is demanded of all.

    Raises:
        ModelsignError: ``PROOFS_TOO_FEW``, ``SIGNING_TIME_UNPROVEN``, ``PROOF_REPEATED``, or a reason of
            :mod:`~modelsign.signing.sigstore.tlog`, :mod:`~modelsign.signing.sigstore.log_entries` or
            :mod:`~modelsign.signing.sigstore.timestamps`.

    """
    material = subject.material
    stamps, warnings = verify_timestamps(material.timestamps, subject.content.signature, root.timestamp_authorities)
    _check_repeated(material.tlog_entries)
    logged: list[_Logged] = []
    for entry in material.tlog_entries:
        logs = [log for log in root.tlogs if log.id == entry.log_key_id]
        if logs:
            logged.append(_verify_entry(entry, logs, subject, [stamp.time for stamp in stamps]))
        else:
            warnings += (
                f"an entry of the log {entry.log_key_id.hex()[:64]}, which is not trusted, counts for nothing",
            )
    moments = [Moment(stamp.time, "rfc3161") for stamp in stamps]
    authorities = {stamp.authority for stamp in stamps}
    clocks: set[str] = set()
    if policy.integrated_time:
        moments += [Moment(entry.time, "transparency-log") for entry in logged if entry.time]
        clocks = {entry.key_digest for entry in logged if entry.time}
    _check_count("transparency logs", len({entry.key_digest for entry in logged}), policy.logs)
    _check_count("timestamp authorities", len(authorities), policy.timestamps)
    times = len(authorities) + len(clocks)
    if times < policy.times:
        raise error("SIGNING_TIME_UNPROVEN", f"{times} sources prove the time of signing; {policy.times} must")
    return Proofs(
        tuple(sorted(moments)),
        tuple(entry.proof for entry in logged),
        tuple(timestamp.write(stamp.time) for stamp in stamps),
        warnings,
    )


def _check_repeated(entries: Sequence[TlogEntry]) -> None:
    if len(entries) > limits.PROOFS:
        raise error("PROOFS_TOO_FEW", f"the bundle has {len(entries)} log entries; at most {limits.PROOFS} are read")
    if len({(entry.log_key_id, entry.log_index) for entry in entries}) < len(entries):
        raise error("PROOF_REPEATED", "the bundle holds a log entry twice")


def _check_count(what: str, found: int, needed: int) -> None:
    if found < needed:
        raise error("PROOFS_TOO_FEW", f"{found} different {what} confirm the signature; {needed} must")


def _verify_entry(entry: TlogEntry, logs: Sequence[LogKey], subject: Subject, stamped: Sequence[datetime]) -> _Logged:
    """Verify one entry of a log that is trusted; one that signs no times must have been so when it was stamped.

    Without any proven time only a log whose validity has no end is believed.
    """
    moment = None
    if entry.raw.get("inclusionPromise") is not None or subject.version == "0.1":
        if (entry.kind, entry.version) not in _VERSIONS_WITH_TIME:
            raise error("LOG_PROMISE_INVALID", "a log that signs no times is said to have signed one")
        moment, logs = verify_promise(entry, logs)
    times = stamped if moment is None else [moment]
    valid = [log for log in logs if any(map(log.window.holds, times)) or (not times and log.window.end is None)]
    if not valid:
        when = f"at {times[0].isoformat()}" if times else "to the end, and no time of the signature is proven"
        raise error("LOG_KEY_NOT_VALID_THEN", f"the key of the log {logs[0].url} was not valid {when}")
    log = verify_inclusion(entry, valid)
    check_entry(entry, subject.content, subject.verifier)
    index = entry.log_index if entry.proof is None or moment else entry.proof.log_index
    if index != entry.log_index and (entry.kind, entry.version) not in _VERSIONS_WITH_TIME:
        raise error("LOG_PROOF_INVALID", "the log entry and its proof name different places in the log")
    proof = LogProof(log.url or log.id.hex(), index, timestamp.write(moment) if moment else None)
    return _Logged(log.key.digest, proof, moment)
