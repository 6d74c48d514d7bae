"""The published JSON Schemas: one per command, made from the dataclasses its answer is made of, and the policy's."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import types
import typing
from enum import Enum
from typing import TYPE_CHECKING, Any

from generated.commands import walk
from modelsign import verdict
from modelsign.artifact.algorithms import ALGORITHMS
from modelsign.cli.command import ReportingCommand
from modelsign.policy.schema import json_schema
from modelsign.report.document import SCHEMA_BASE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["files"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAMES = {
    **{name: getattr(verdict, name) for name in verdict.__all__},
    "ModelsignError": str,
    "Mapping": collections.abc.Mapping,
}
PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}


def files(root: Path) -> dict[Path, str]:
    """Return every schema file and what it should hold."""
    folder = root / "docs/reference/schemas"
    made = {folder / "policy-v1.json": json_schema()}
    for _, command, _ in walk():
        if isinstance(command, ReportingCommand):
            name = command.full_name.replace(" ", "-")
            made[folder / f"{name}-v1.json"] = _document(command.full_name, name)
    return {path: json.dumps(schema, indent=2) + "\n" for path, schema in made.items()}


def _document(command: str, name: str) -> dict[str, Any]:
    """Every document has the envelope; one without reasons has the whole body of its command."""
    body = BODIES.get(command, {})
    schema: dict[str, Any] = {
        "$schema": DRAFT,
        "$id": f"{SCHEMA_BASE}{name}/v1",
        "title": f"modelsign {command}",
        "type": "object",
        "required": ["schema", "tool", "command", "exit_code", "reasons", "warnings"],
        "properties": {
            "schema": {"const": f"{SCHEMA_BASE}{name}/v1"},
            "tool": _object({"name": {"const": "modelsign"}, "version": {"type": "string"}}),
            "command": {"const": command},
            "exit_code": {"enum": [0, 1, 2, 3, 4, 130]},
            **body,
            "reasons": _array(_of(verdict.Answer)),
            "warnings": _array({"type": "string"}),
        },
    }
    if body:
        schema["if"] = {"properties": {"reasons": {"maxItems": 0}}}
        schema["then"] = {"required": list(body)}
    return schema


def _of(kind: Any) -> dict[str, Any]:
    """Describe a type the way ``verdict.plain`` writes it."""
    if kind in PLAIN:
        return {"type": PLAIN[kind]}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, localns=NAMES)
        described = {entry.name: _of(hints[entry.name]) for entry in dataclasses.fields(kind)}
        return _object(described)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _array(_of(arguments[0]))
    if origin is collections.abc.Mapping or origin is dict:
        return {"type": "object", "additionalProperties": _of(arguments[1])}
    if origin in (typing.Union, types.UnionType):
        options = [_of(argument) for argument in arguments]
        names = [option["type"] for option in options if set(option) == {"type"}]
        return {"type": names} if len(names) == len(options) else {"anyOf": options}
    message = f"no schema for {kind}"
    raise TypeError(message)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _scan() -> dict[str, Any]:
    file = _of(verdict.FileScan)
    for hidden in ("loadable", "globals"):
        del file["properties"][hidden]
        file["required"].remove(hidden)
    return {
        "outcome": _of(verdict.Outcome),
        "ruleset_digest": {"type": "string"},
        "files": _array(file),
        "opinions": _array(_of(verdict.Opinion)),
        "comparison": _array(_of(verdict.Comparison)),
        "traces": _array(_of(verdict.Trace)),
        "acceptances": _array(_of(verdict.Acceptance)),
        "confinement": _of(verdict.Confinement | None),
    }


def _verify() -> dict[str, Any]:
    described = _of_fields(verdict.VerifyResult, "verdict", "root_digest", "tree_digest", "signed_root_digest", "oms")
    return {**described, **_of_fields(verdict.VerifyResult, "format", "signers", "files", "expires")}


def _of_fields(kind: Any, *names: str) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, localns=NAMES)
    return {name: _of(hints[name]) for name in names}


def _check() -> dict[str, Any]:
    return {
        **_of_fields(verdict.CheckResult, "verdict", "policy", "time", "tree_digest", "rules"),
        "scan": {"anyOf": [_object(_scan()), {"type": "null"}]},
        "signatures": _array(_object(_verify())),
        "inputs": _array(_of(verdict.PolicyInput)),
        "evidence": _array(_of(verdict.EvidenceItem)),
        "ignored_evidence": _array({"type": "string"}),
    }


def _inspect() -> dict[str, Any]:
    return {"verified": {"const": False}, "bundles": _array(_of(verdict.BundleClaims))}


def _digest() -> dict[str, Any]:
    """Describe the list of digests, which is read as well as written (artifact/digest_list.py)."""
    text, count, flag = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
    sha256 = {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"}
    return {
        "model": {"type": ["string", "null"]},
        "single_file": flag,
        "serialization": _object(
            {
                "method": {"enum": ["files", "shards"]},
                "hash_type": {"enum": list(ALGORITHMS)},
                "shard_size": {"type": ["integer", "null"], "minimum": 1},
            }
        ),
        "tree": flag,
        "part": _object({"number": {"type": "integer", "minimum": 1}, "of": {"type": "integer", "minimum": 1}}),
        "root_digest": sha256,
        "tree_digest": sha256,
        "files": _array(_object({"name": text, "size": {**count, "type": ["integer", "null"]}, "sha256": sha256})),
        "resources": _array(
            _object(
                {"name": text, "algorithm": {"enum": list(ALGORITHMS)}, "digest": {"pattern": "^[0-9a-f]+$", **text}}
            )
        ),
        "ignored": _array(text),
        "ignores_git": flag,
        "follows_links": flag,
    }


BODIES = {"digest": _digest(), "scan": _scan(), "verify": _verify(), "check": _check(), "inspect": _inspect()}
