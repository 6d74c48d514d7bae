"""The JSON Schema accepts what the reader accepts, and refuses what its words can refuse."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from policyfacts import PROVENANCE, document

from modelsign.errors import ModelsignError
from modelsign.policy.document import SHIPPED, read_policy, shipped_policy
from modelsign.policy.rules import _index
from modelsign.policy.schema import SCHEMA_ID, json_schema

SIGNED = {"id": "signed", "kind": "signature", "keys": ["signers"]}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    found = json_schema()
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def test_the_schema_names_itself_and_every_kind_of_rule():
    found = json_schema()
    assert found["$id"] == SCHEMA_ID
    kinds = {
        item["$ref"].rpartition("/")[2] for item in found["$defs"]["Header"]["properties"]["rules"]["items"]["anyOf"]
    }
    assert kinds == {_index.load(kind).rule.__name__ for kind in _index.IDS}
    assert json.loads(json.dumps(found)) == json_schema()


def test_every_object_refuses_unknown_fields():
    for name, definition in json_schema()["$defs"].items():
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False, name


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_policies_meet_the_schema(name, validator):
    validator.validate(yaml.safe_load(shipped_policy(name)))


def test_the_published_policies_are_the_shipped_ones():
    root = Path(__file__).parents[3]
    for name in SHIPPED:
        assert (root / "policies" / f"{name}.yaml").read_bytes() == shipped_policy(name)


@pytest.mark.parametrize(
    "rule",
    [
        {**SIGNED, "key": 1}, {**SIGNED, "threshold": 0}, {**SIGNED, "kind": "cel"}, {"id": "x"},
        {"id": "x", "kind": "scan", "accept": ["incomplete"]},
        {"id": "x", "kind": "attestation", "predicate_type": PROVENANCE, "keys": ["a"], "max_age": "1y"},
        {"id": "x", "kind": "attestation", "predicate_type": PROVENANCE, "keys": ["a"], "where": [{"equals": 1}]},
    ],
)  # fmt: skip
def test_reader_and_schema_refuse_the_same(rule, validator):
    value = document([rule])
    assert not validator.is_valid(value)
    with pytest.raises(ModelsignError):
        read_policy(json.dumps(value).encode())


def test_the_schema_accepts_every_operator(validator):
    where = [
        {"path": "/a", "equals": None}, {"path": "/a", "in": [1]}, {"path": "/a", "in": {"parameter": "ids"}},
        {"path": "/a", "glob": "x"}, {"path": "/a", "regex": "x"}, {"path": "/a", "exists": True},
        {"path": "/a", "absent": True}, {"path": "/a", "only_keys": ["x"]}, {"path": "/a", "min": 1},
        {"path": "/a", "max": 1.5}, {"path": "/a", "contains_all": ["x"]},
        {"path": "/a", "each": [{"path": "", "equals": 1}]}, {"path": "/a", "any": [{"path": "", "equals": 1}]},
        {"path": "/a", "count_at_least": {"count": 1, "where": [{"path": "", "equals": 1}]}},
    ]  # fmt: skip
    value = document([SIGNED, {"id": "a", "kind": "attestation", "predicate_type": PROVENANCE, "keys": ["builders"],
                               "where": where, "max_age": "9d"}])  # fmt: skip
    validator.validate(value)
    read_policy(json.dumps(value).encode())
