"""Statements: written reproducibly, read strictly, and about a model only by its tree digest."""

from __future__ import annotations

import json

import pytest

from modelsign.artifact.manifest import root_digest, tree_digest
from modelsign.attest.statement import (
    PAYLOAD_TYPE,
    STATEMENT_TYPE,
    is_attestation_payload,
    model_subjects,
    read_statement,
    write_statement,
)
from modelsign.errors import ModelsignError

DIGESTS = {"b.json": "22" * 32, "a.bin": "11" * 32}
TREE = tree_digest(DIGESTS)
GOOD = {
    "_type": STATEMENT_TYPE,
    "subject": [{"name": "m", "digest": {"dirHash1": TREE}}],
    "predicateType": "https://x.example/v1",
    "predicate": {"a": 1},
}


def refused(value: object, *, kind: str = PAYLOAD_TYPE) -> ModelsignError:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    with pytest.raises(ModelsignError) as caught:
        read_statement(kind, payload)
    assert caught.value.exit_status == 3
    return caught.value


def test_subjects_are_the_tree_and_every_file_and_never_the_root():
    subjects = model_subjects("model", TREE, DIGESTS)
    assert subjects == [
        {"name": "model", "digest": {"dirHash1": TREE}},
        {"name": "a.bin", "digest": {"sha256": "11" * 32}},
        {"name": "b.json", "digest": {"sha256": "22" * 32}},
    ]
    assert root_digest(DIGESTS[name] for name in sorted(DIGESTS)) not in json.dumps(subjects)


def test_the_same_claims_give_the_same_bytes():
    one = write_statement(model_subjects("m", TREE, DIGESTS), "https://x.example/v1", {"b": 1, "a": "é"})
    other = write_statement(
        model_subjects("m", TREE, dict(reversed(DIGESTS.items()))), "https://x.example/v1", {"a": "é", "b": 1}
    )
    assert one == other
    assert b"\n" not in one
    assert "é".encode() in one


def test_what_is_written_reads_back():
    statement = read_statement(
        PAYLOAD_TYPE, write_statement(model_subjects("m", TREE, DIGESTS), "https://x.example/v1", {"a": 1})
    )
    assert (statement.predicate_type, statement.predicate) == ("https://x.example/v1", {"a": 1})
    assert statement.is_about(TREE)
    assert not statement.is_about("00" * 32)


def test_a_matching_file_alone_does_not_make_a_statement_about_a_model():
    value = {**GOOD, "subject": [{"name": "a.bin", "digest": {"sha256": TREE}}]}
    assert not read_statement(PAYLOAD_TYPE, json.dumps(value).encode()).is_about(TREE)


OTHER = "cd" * 32


@pytest.mark.parametrize(
    "more",
    [
        [{"name": "other", "digest": {"dirHash1": OTHER}}],
        [{"name": "other", "digest": {"dirHash1": TREE.upper()}}],
        [{"name": "a.bin", "digest": {"sha256": OTHER}}],
        [{"name": "a.bin", "digest": {"sha256": "11" * 32}}, {"name": "a.bin", "digest": {"sha256": OTHER}}],
        [{"name": "elsewhere", "digest": {"sha256": "11" * 32}}, {"name": "elsewhere", "digest": {"sha256": OTHER}}],
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_statement_about_two_models_or_two_contents_of_a_file_is_about_neither(more, first):
    own = [{"name": "m", "digest": {"dirHash1": TREE}}]
    value = {**GOOD, "subject": [*own, *more] if first else [*more, *own]}
    statement = read_statement(PAYLOAD_TYPE, json.dumps(value).encode())
    assert not statement.is_about(TREE, {"a.bin": "11" * 32})


def test_a_statement_may_name_what_is_no_file_of_the_model():
    subjects = [{"name": "m", "digest": {"dirHash1": TREE}}, {"name": "image", "digest": {"sha256": OTHER}}]
    statement = read_statement(PAYLOAD_TYPE, json.dumps({**GOOD, "subject": subjects}).encode())
    assert statement.is_about(TREE, {"a.bin": "11" * 32})


@pytest.mark.parametrize("spelling", [TREE.upper(), f"sha256:{TREE}", TREE + "\n", TREE[:-1]])
def test_a_tree_digest_in_another_spelling_is_not_one(spelling):
    value = {**GOOD, "subject": [{"name": "m", "digest": {"dirHash1": spelling}}]}
    assert not read_statement(PAYLOAD_TYPE, json.dumps(value).encode()).is_about(TREE)


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (PAYLOAD_TYPE, True),
        ("application/vnd.in-toto.provenance+json", True),
        ("application/vnd.in-toto.a.b-c_d+json", True),
        ("application/vnd.in-toto.+json", False),
        ("application/vnd.in-toto+json2", False),
        ("application/vnd.in-toto.x+json\n", False),
        ("text/plain", False),
        ("application/VND.in-toto+json", False),
        ("", False),
        (" application/vnd.in-toto+json", False),
    ],
)
def test_payload_types_are_those_of_the_framework(kind, known):
    assert is_attestation_payload(kind) is known
    if known:
        assert read_statement(kind, json.dumps(GOOD).encode()).is_about(TREE)
    else:
        assert refused(GOOD, kind=kind).code == "STATEMENT_MALFORMED"


def test_the_older_statement_type_is_read():
    value = {**GOOD, "_type": "https://in-toto.io/Statement/v0.1"}
    assert read_statement(PAYLOAD_TYPE, json.dumps(value).encode()).is_about(TREE)


@pytest.mark.parametrize(
    "change",
    [
        {"_type": "https://in-toto.io/Statement/v2"},
        {"_type": None},
        {"_type": 1},
        {"_type": ["https://in-toto.io/Statement/v1"]},
        {"_type": {}},
        {"predicateType": ""},
        {"predicateType": 1},
        {"predicate": []},
        {"predicate": "x"},
        {"subject": []},
        {"subject": {}},
        {"subject": None},
        {"subject": ["x"]},
        {"subject": [{"name": "m"}]},
        {"subject": [{"name": "m", "digest": {}}]},
        {"subject": [{"name": "m", "digest": {"dirHash1": 1}}]},
        {"subject": [{"name": "m", "digest": []}]},
        {"subject": [*GOOD["subject"], {"digest": {}}]},
    ],
)
def test_a_malformed_statement_is_refused(change):
    assert refused({**GOOD, **change}).code == "STATEMENT_MALFORMED"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"_type": NaN}',
        b"[" * 100_000,
        b'{"_type": "https://in-toto.io/Statement/v1", "_type": "https://in-toto.io/Statement/v1"}',
    ],
)
def test_what_is_not_strict_json_is_refused(payload):
    assert refused(payload).code == "STATEMENT_MALFORMED"


@pytest.mark.parametrize("kind", ["https://model_signing/signature/v1.0", "https://model_signing/Digests/v0.1"])
def test_a_model_signature_is_never_an_attestation(kind):
    assert refused({**GOOD, "predicateType": kind}).code == "STATEMENT_IS_SIGNATURE"


def test_unknown_fields_of_a_statement_are_ignored():
    statement = read_statement(PAYLOAD_TYPE, json.dumps({**GOOD, "later": 1}).encode())
    assert statement.predicate == {"a": 1}


def test_a_statement_without_predicate_has_an_empty_one():
    value = {key: item for key, item in GOOD.items() if key != "predicate"}
    assert read_statement(PAYLOAD_TYPE, json.dumps(value).encode()).predicate == {}
