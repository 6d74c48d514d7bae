"""Transparency logs: is this entry in that log's tree, did the log sign the tree, and when did it take the entry?

Merkle paths follow RFC 6962, section 2.1.1 (as RFC 9162, section 2.1.3.2 words the check); checkpoints C2SP's
``signed-note`` and ``tlog-checkpoint``; the signed entry timestamp (SET) is Rekor v1's, over RFC 8785 JSON.
Whether the entry is about the bundle's signature is asked in :mod:`modelsign.signing.sigstore.log_entries`.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits, strictjson
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.errors import ModelsignError
    from modelsign.signing.bundle import InclusionProof, TlogEntry
    from modelsign.signing.sigstore.trust_root import LogKey

__all__ = ["Checkpoint", "includes", "parse_checkpoint", "verify_checkpoint", "verify_inclusion", "verify_promise"]

_HASH_BYTES: Final = 32
_HINT_BYTES: Final = 4
_SIGNATURE_LINE: Final = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_MOST_SIGNATURES: Final = 100
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""


class Checkpoint(NamedTuple):
    """A log's statement of its tree. ``text`` is what is signed; signatures are (name, key hint, signature)."""

    origin: str
    size: int
    root_hash: bytes
    text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def includes(body: bytes, proof: InclusionProof) -> bool:
    """Say whether a Merkle path leads from an entry to the proof's root."""
    if not 0 <= proof.log_index < proof.tree_size or {len(proof.root_hash), *map(len, proof.hashes)} != {_HASH_BYTES}:
        return False
    index, last = proof.log_index, proof.tree_size - 1
    node = hashlib.sha256(b"\x00" + body).digest()
    for sibling in proof.hashes:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return last == 0 and node == proof.root_hash


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a signed note that is a checkpoint.

    Raises:
        ModelsignError: ``LOG_CHECKPOINT_INVALID``.

    """
    if len(text) > limits.CHECKPOINT_BYTES:
        raise _bad_checkpoint("it is too long")
    body, blank, block = text.partition("\n\n")
    lines = body.split("\n")
    if not blank or "\n\n" in block or len(lines) < 3:  # noqa: PLR2004 - origin, size, root hash
        raise _bad_checkpoint("it has no origin, size and root hash, or no signatures")
    origin, size, root_hash = lines[0], lines[1], _base64(lines[2])
    if not origin or not _SIZE.fullmatch(size) or root_hash is None or len(root_hash) != _HASH_BYTES:
        raise _bad_checkpoint("its origin, size or root hash is malformed")
    *signature_lines, end = block.split("\n")
    if end or not 1 <= len(signature_lines) <= _MOST_SIGNATURES:
        raise _bad_checkpoint("it has no signatures, too many, or no newline after the last one")
    signatures = tuple(map(_signature, signature_lines))
    return Checkpoint(origin, int(size), root_hash, f"{body}\n".encode(), signatures)


def verify_checkpoint(proof: InclusionProof, logs: Sequence[LogKey]) -> LogKey:
    """Return the log, one of those that have the entry's id, that signed the state of the tree a proof is about.

    Of several signatures only those count that name both the log's own origin and its key; every such one must be good,
    and the others, which are witnesses', are passed over.

    Raises:
        ModelsignError: ``LOG_CHECKPOINT_INVALID``.

    """
    if proof.checkpoint is None:
        raise _bad_checkpoint("it is missing")
    checkpoint = parse_checkpoint(proof.checkpoint)
    if (checkpoint.size, checkpoint.root_hash) != (proof.tree_size, proof.root_hash):
        raise _bad_checkpoint("it is about another tree than the inclusion proof")
    for log in logs:
        own = [
            signature
            for name, hint, signature in checkpoint.signatures
            if hint == log.checkpoint_id[:_HINT_BYTES] and _is_origin(name, checkpoint.origin)
        ]
        if own and all(log.key.accepts(checkpoint.text, signature) for signature in own):
            return log
    raise _bad_checkpoint("the log's own signature is missing or wrong")


def verify_inclusion(entry: TlogEntry, logs: Sequence[LogKey]) -> LogKey:
    """Return the log whose signed tree holds an entry.

    Raises:
        ModelsignError: ``LOG_PROOF_INVALID`` or ``LOG_CHECKPOINT_INVALID``.

    """
    if entry.proof is None:
        raise error("LOG_PROOF_INVALID", "the log entry has no inclusion proof")
    if not includes(entry.body, entry.proof):
        raise error("LOG_PROOF_INVALID", "the inclusion proof does not lead from the entry to the tree's root")
    return verify_checkpoint(entry.proof, logs)


def verify_promise(entry: TlogEntry, logs: Sequence[LogKey]) -> tuple[datetime, list[LogKey]]:
    """Return the time at which Rekor v1 took an entry, by its signed entry timestamp, and which of the logs signed it.

    Raises:
        ModelsignError: ``LOG_PROMISE_INVALID``.

    """
    if entry.promise is None or entry.integrated_time is None or entry.integrated_time > _LATEST:
        raise error("LOG_PROMISE_INVALID", "the log entry has no signed time")
    signed = strictjson.canonical(
        {
            "body": binascii.b2a_base64(entry.body, newline=False).decode("ascii"),
            "integratedTime": entry.integrated_time,
            "logID": entry.log_key_id.hex(),
            "logIndex": entry.log_index,
        }
    )
    signers = [log for log in logs if log.key.accepts(signed, entry.promise)]
    if not signers:
        raise error("LOG_PROMISE_INVALID", "the log did not sign this entry's time and place")
    return datetime.fromtimestamp(entry.integrated_time, UTC), signers


def _is_origin(name: str, origin: str) -> bool:
    """Say whether a signature is by the log itself: Rekor v1 adds the id of its tree to the origin."""
    return origin == name or origin.startswith(f"{name} - ")


def _signature(line: str) -> tuple[str, bytes, bytes]:
    found = _SIGNATURE_LINE.fullmatch(line)
    data = _base64(found[2]) if found else None
    if found is None or data is None or len(data) <= _HINT_BYTES:
        raise _bad_checkpoint("a signature in it is malformed")
    return found[1], data[:_HINT_BYTES], data[_HINT_BYTES:]


def _base64(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def _bad_checkpoint(what: str) -> ModelsignError:
    return error("LOG_CHECKPOINT_INVALID", f"the log's checkpoint is refused: {what}")
