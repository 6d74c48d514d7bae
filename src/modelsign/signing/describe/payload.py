"""Describes a payload that was not verified: an in-toto statement of any predicate, and a model's manifest in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from modelsign import limits, strictjson, timestamp
from modelsign.errors import ModelsignError, error
from modelsign.signing.describe.foreign import MODEL_PREDICATES
from modelsign.signing.describe.loose_values import MOST_SHOWN, child, number, text
from modelsign.signing.oms import parse_statement
from modelsign.verdict import ModelClaims, StatementClaims, SubjectClaims

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["describe_statement"]


def describe_statement(payload: bytes) -> StatementClaims:
    """Describe a payload as far as it can be read; what is wrong with it is its ``problem``."""
    value, problem = _read(payload)
    if not isinstance(value, dict):
        return StatementClaims(None, None, problem=problem or "the payload is not an object")
    predicate_type = text(value.get("predicateType"))
    model = None
    if predicate_type in MODEL_PREDICATES and problem is None:
        try:
            model = _model(payload, child(child(value, "predicate"), "serialization"))
        except ModelsignError as fault:
            problem = f"{fault.code}: {text(fault.message)}"
    listed = value.get("subject")
    subjects = cast("list[object]", listed) if isinstance(listed, list) else []
    return StatementClaims(
        statement_type=text(value.get("_type")),
        predicate_type=predicate_type,
        subjects=tuple(_subject(subject) for subject in subjects[:MOST_SHOWN]),
        subject_count=len(subjects),
        model=model,
        problem=problem,
    )


def _read(payload: bytes) -> tuple[object, str | None]:
    """Return the payload's value and what the strict reader has against it."""
    try:
        if sum(map(payload.count, (b"{", b"[", b","))) > limits.INSPECTED_VALUES:
            raise error("INPUT_TOO_LARGE", f"the payload has more than {limits.INSPECTED_VALUES} values")
        return strictjson.loads(payload, most_bytes=limits.BUNDLE_BYTES, what="payload"), None
    except ModelsignError as fault:
        problem = f"{fault.code}: {text(fault.message)}"
        if fault.code == "INPUT_TOO_LARGE":
            return None, problem
    try:
        return json.loads(payload), problem
    except (ValueError, RecursionError):
        return None, problem


def _subject(value: object) -> SubjectClaims:
    if not isinstance(value, dict):
        return SubjectClaims(None)
    digests = list(child(value, "digest").items())[:MOST_SHOWN]
    shown = {str(text(name)): text(digest) for name, digest in digests}
    return SubjectClaims(
        text(value.get("name")) or text(value.get("uri")),
        {name: digest for name, digest in shown.items() if digest is not None},
    )


def _model(payload: bytes, serialization: Mapping[str, object]) -> ModelClaims:
    statement = parse_statement(payload, strict_names=False)
    return ModelClaims(
        format=statement.format,
        subject=text(statement.subject) or "",
        root_digest=statement.signed_root,
        tree_digest=statement.signed_tree,
        serialization="files" if statement.shards is None else "shards",
        hash_algorithm=statement.algorithm,
        shard_size=None if statement.shards is None else _whole(serialization.get("shard_size")),
        files=len(set(statement.names)),
        entries=len(statement.names),
        allow_symlinks=statement.allow_symlinks,
        ignore_paths=tuple(str(text(path)) for path in statement.ignore_paths[:MOST_SHOWN]),
        oms=statement.oms,
        expires=None if statement.validity is None else timestamp.write(statement.validity.expires),
    )


def _whole(value: object) -> int | None:
    """Return a number of bytes; the reference implementation writes it as 4.0."""
    return int(value) if isinstance(value, float) and value == int(value) else number(value)
