"""in-toto statements (attestation framework v1): written canonically, read strictly.

A statement names a model by its tree digest (``dirHash1``) and lists a ``sha256`` for every file. It is about a
model only if a subject's tree digest equals the model's: that binds all files under their names, where a matching
file subject alone would let somebody vouch for a part.

Only what a verified signature covers is ever read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from modelsign import limits, strictjson
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "PAYLOAD_TYPE",
    "STATEMENT_TYPE",
    "TREE_DIGEST",
    "Statement",
    "is_attestation_payload",
    "model_subjects",
    "read_statement",
    "write_statement",
]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
TREE_DIGEST: Final = "dirHash1"
"""The name of the tree digest in an in-toto DigestSet."""
_READ_TYPES: Final = frozenset({STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1"})
_NAMED_PAYLOAD: Final = re.compile(r"application/vnd\.in-toto\.[A-Za-z0-9][A-Za-z0-9._-]{0,99}\+json\Z")
_MODEL_SIGNATURES: Final = "https://model_signing/"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that was read.

    ``tree_digests`` are the ``dirHash1`` of its subjects, ``files`` the ``sha256`` of its subjects by name.
    """

    predicate_type: str
    predicate: Mapping[str, Any]
    tree_digests: frozenset[str]
    files: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_about(self, tree_digest: str, digests: Mapping[str, str] | None = None) -> bool:
        """Tell whether it is about exactly the model with this tree digest, and about no other.

        A statement that names two models, or two digests for one file, cannot be about both; nor is it about this
        model if it gives one of its files another digest than ``digests`` does.
        """
        if self.tree_digests != {tree_digest} or any(len(found) > 1 for found in self.files.values()):
            return False
        return all(self.files.get(name, frozenset({digest})) == {digest} for name, digest in (digests or {}).items())


def is_attestation_payload(payload_type: str) -> bool:
    """Tell whether a DSSE payload type is that of an in-toto statement (in-toto attestation v1.2, envelope)."""
    return payload_type == PAYLOAD_TYPE or bool(_NAMED_PAYLOAD.match(payload_type))


def model_subjects(name: str, tree_digest: str, digests: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the subjects that name a model: its tree digest, then the SHA-256 of every file by name.

    ``digests`` maps the manifest's file names to lowercase hex. The OMS root digest is never a subject.
    """
    files = [{"name": file, "digest": {"sha256": digests[file]}} for file in sorted(digests)]
    return [{"name": name, "digest": {TREE_DIGEST: tree_digest}}, *files]


def write_statement(subjects: list[dict[str, Any]], predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """Write a statement as canonical JSON: the same claims always give the same bytes."""
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }
    return strictjson.canonical(statement)


def read_statement(payload_type: str, payload: bytes) -> Statement:
    """Read a statement whose signature was verified.

    Raises:
        ModelsignError: ``STATEMENT_MALFORMED``, or ``STATEMENT_IS_SIGNATURE`` for a model signature.

    """
    if not is_attestation_payload(payload_type):
        raise _malformed(f"the payload type {payload_type[:100]} is not an in-toto statement's")
    value = strictjson.loads(payload, most_bytes=limits.STORE_BYTES, what="statement", code="STATEMENT_MALFORMED")
    if not isinstance(value, dict):
        raise _malformed("the statement is not an object")
    kind = value.get("_type")
    if not isinstance(kind, str) or kind not in _READ_TYPES:
        raise _malformed("its _type is not that of an in-toto statement")
    predicate_type = value.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type:
        raise _malformed("predicateType is not a string")
    if predicate_type.startswith(_MODEL_SIGNATURES):
        raise error("STATEMENT_IS_SIGNATURE", f"the predicate type {predicate_type[:100]} is a model signature's")
    predicate = value.get("predicate", {})
    if not isinstance(predicate, dict):
        raise _malformed("the predicate is not an object")
    return Statement(predicate_type, predicate, *_subjects(value.get("subject")))


def _subjects(subjects: object) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Return the tree digests, and the SHA-256 by name, that the subjects give."""
    if not isinstance(subjects, list) or not subjects:
        raise _malformed("it has no subjects")
    trees: set[str] = set()
    files: dict[str, frozenset[str]] = {}
    for subject in subjects:
        digest = subject.get("digest") if isinstance(subject, dict) else None
        if not isinstance(digest, dict) or not digest or not all(isinstance(item, str) for item in digest.values()):
            raise _malformed("a subject has no digests")
        if TREE_DIGEST in digest:
            trees.add(digest[TREE_DIGEST])
        name = subject.get("name")
        if "sha256" in digest and isinstance(name, str):
            files[name] = files.get(name, frozenset()) | {digest["sha256"]}
    return frozenset(trees), files


def _malformed(why: str) -> Exception:
    return error("STATEMENT_MALFORMED", f"the statement is refused: {why}")
