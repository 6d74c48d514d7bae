"""OMS v1.0, sections 3.1 and 11.3: what is written follows the specification's own schemas and vectors.

Both are read from a checkout of ossf/model-signing-spec that the environment names; neither is part of this repository.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import omsbundles
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from refusals import refusal

from modelsign.artifact.manifest import Serialization
from modelsign.errors import ModelsignError
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.oms import parse_statement
from modelsign.signing.validity import Validity
from modelsign.timestamp import read

PLACE = Path(os.environ.get("MODELSIGN_VECTORS") or Path(__file__).parents[3] / "shared/vectors") / "model-signing-spec"
pytestmark = pytest.mark.skipif(
    not (PLACE / "schemas/v1.0").is_dir(),
    reason="MODELSIGN_VECTORS names no folder with a checkout of the specification",
)
VALIDITY = Validity(read("2026-01-01T00:00:00Z"), read("2027-01-01T00:00:00Z"))


def faults(bundle: bytes) -> list[str]:
    """Return what the four schemas find wrong with a bundle."""
    schemas = {path.name: json.loads(path.read_text()) for path in (PLACE / "schemas/v1.0").glob("*.json")}
    registry = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()]
    )
    value = json.loads(bundle)
    found = list(Draft202012Validator(schemas["bundle.schema.json"], registry=registry).iter_errors(value))
    if not found:
        statement = json.loads(base64.b64decode(value["dsseEnvelope"]["payload"]))
        found = list(Draft202012Validator(schemas["statement.schema.json"], registry=registry).iter_errors(statement))
    return [fault.message for fault in found]


@pytest.mark.oms("3.1-schemas")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"validity": VALIDITY},
        {"serialization": Serialization(shard_size=3)},
        {"serialization": Serialization("blake2b")},
        {"serialization": Serialization("blake3", 5)},
    ],
)
def test_what_is_written_follows_the_four_schemas(sign, verify, model, settings) -> None:
    omsbundles.put(model, {".gitignore": b"x"})
    bundle = sign(model, opening={"ignore_paths": ["config.json"]}, **settings)
    assert faults(bundle) == []
    result = verify(model, bundle, ignore_paths=("config.json",), now=VALIDITY.made_at)
    assert (result.reasons, result.oms) == ((), True)


@pytest.mark.oms("3.1-schemas")
@pytest.mark.parametrize("name", ["certificate", "key", "sigstore"])
def test_the_specifications_valid_vectors_are_read(name) -> None:
    data = (PLACE / f"test-vectors/v1.0/valid/{name}.bundle.json").read_bytes()
    assert faults(data) == []
    assert parse_statement(parse_bundle(data).payload).names


@pytest.mark.oms("3.1-schemas")
def test_the_specifications_invalid_vectors_are_refused() -> None:
    folder = PLACE / "test-vectors/v1.0"
    found = {}
    for path in sorted([*folder.glob("invalid/*.json"), *folder.glob("invalid-payload/*.json")]):
        data = path.read_bytes()
        try:
            bundle = parse_bundle(data)
        except ModelsignError as fault:
            found[path.name] = fault.code
            continue
        if bundle.material.kind == "certificate" and not bundle.material.tlog_entries:
            found[path.name] = "no log entry"  # refused by whoever trusts an identity: test_4_methods.py
        else:
            found[path.name] = refusal(parse_statement, bundle.payload).code
    assert found == {
        "empty.bundle.json": "BUNDLE_MALFORMED",
        "missing-envelope.bundle.json": "BUNDLE_MALFORMED",
        "missing-tlog-entries.bundle.json": "no log entry",
        "missing-verification-material.bundle.json": "BUNDLE_MALFORMED",
        "wrong-predicate.bundle.json": "NOT_A_MODEL_SIGNATURE",
    }
