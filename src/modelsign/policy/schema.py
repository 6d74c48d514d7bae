"""The JSON Schema of policy documents (draft 2020-12), made from the very types that read them.

The schema cannot say everything: that a constraint has exactly one operator, and that the names a policy refers to
exist, is found when the policy is read.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import msgspec

from modelsign.policy.document import Header
from modelsign.policy.rules import _index

__all__ = ["SCHEMA_ID", "json_schema"]

SCHEMA_ID: Final = "https://modelsign.dev/schema/policy/v1"


def json_schema() -> dict[str, Any]:
    """Return the schema; the same for the same version of modelsign."""
    kinds = {member: _index.load(member).rule for member in _index.IDS}
    (root, *rules), definitions = msgspec.json.schema_components(
        [Header, *kinds.values()], ref_template="#/$defs/{name}"
    )
    definitions["Header"]["properties"]["rules"]["items"] = {"anyOf": rules}
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "modelsign trust policy",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }
    return dict(msgspec.json.decode(msgspec.json.encode(found)))
