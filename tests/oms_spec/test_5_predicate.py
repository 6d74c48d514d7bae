"""OMS v1.0, sections 5 and 7: the statement, the predicate and its algorithms."""

from __future__ import annotations

from typing import Any

import omsbundles
import pytest
from omsbundles import FILES, PREDICATE_TYPE, Statement, decoded, resources_of, sealed


def changed(**fields: Any) -> Statement:
    return Statement(change=lambda statement: statement.update(fields))


def with_serialization(**fields: Any) -> Statement:
    made = Statement()
    made.serialization |= fields
    return made


def lacking(*path: str) -> Statement:
    def change(value: dict[str, Any]) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return Statement(change=change)


@pytest.mark.oms("5-payload", "8.3-type")
@pytest.mark.parametrize("kind", ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v2", "", None])
def test_the_payload_is_an_in_toto_statement_v1(refused, sign, model, key, kind) -> None:
    assert decoded(sign(model))[1]["_type"] == "https://in-toto.io/Statement/v1"
    assert refused(model, sealed(Statement(statement_type=kind), key)) == ["NOT_A_MODEL_SIGNATURE"]
    assert refused(model, sealed(b"[]", key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("5-payload")
@pytest.mark.parametrize("payload_type", ["application/vnd.in-toto", "text/plain", ""])
def test_the_payload_type_is_in_totos(refused, model, key, payload_type) -> None:
    payload = Statement().payload()
    signature = key.sign(omsbundles.pae(payload_type, payload))
    bundle = sealed(payload, key, lambda b: b["dsseEnvelope"].update(payloadType=payload_type), signature=signature)
    assert refused(model, bundle) == ["NOT_A_MODEL_SIGNATURE"]


@pytest.mark.oms("5.1-predicate-type", "8.3-predicate-type")
@pytest.mark.parametrize(
    "kind",
    [
        "https://model_signing/signature/v1.0/",
        "https://model_signing/signature/V1.0",
        "https://model_signing/signature/v1.1",
        "https://model_signing/signature/v2.0",
        "https://slsa.dev/provenance/v1",
        None,
        5,
    ],
)
def test_the_predicate_type_is_exactly_the_one_of_oms(refused, sign, model, key, kind) -> None:
    assert decoded(sign(model))[1]["predicateType"] == PREDICATE_TYPE
    assert refused(model, sealed(Statement(predicate_type=kind), key)) == ["NOT_A_MODEL_SIGNATURE"]


@pytest.mark.oms("5.2-required", "8.3-predicate")
@pytest.mark.parametrize("path", [("predicate",), ("predicate", "resources"), ("predicate", "serialization")])
def test_a_predicate_has_resources_and_serialization(refused, sign, model, key, path) -> None:
    assert set(decoded(sign(model))[1]["predicate"]) == {"resources", "serialization"}
    assert refused(model, sealed(lacking(*path), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("8.3-predicate")
@pytest.mark.parametrize(
    "statement",
    [
        Statement(change=lambda value: value["predicate"].update(x=1)),
        Statement(change=lambda value: value.update(x=1)),
        with_serialization(x=1),
    ],
)
def test_fields_beyond_the_schema_are_read_past_and_refused_when_oms_is_asked_for(
    verify, refused, model, key, statement
) -> None:
    bundle = sealed(statement, key)
    result = verify(model, bundle)
    assert (result.reasons, result.oms) == ((), False)
    assert refused(model, bundle, require_oms=True) == ["NOT_OMS"]


@pytest.mark.oms("5.2.1-fields")
@pytest.mark.parametrize("name", ["name", "digest", "algorithm"])
def test_a_resource_has_a_name_a_digest_and_an_algorithm(refused, sign, model, key, name) -> None:
    for resource in decoded(sign(model))[1]["predicate"]["resources"]:
        assert set(resource) == {"name", "digest", "algorithm"}

    def change(value: dict[str, Any]) -> None:
        del value["predicate"]["resources"][0][name]

    assert refused(model, sealed(Statement(change=change), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("5.2.1-fields")
@pytest.mark.parametrize("digest", ["", "ab", "AB" * 32, "zz" * 32, 5, None])
def test_a_digest_is_of_the_algorithms_length_in_lowercase_hex(refused, model, key, digest) -> None:
    statement = Statement()
    statement.change = lambda value: value["predicate"]["resources"][0].update(digest=digest)
    assert refused(model, sealed(statement, key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("5.2.1-one-entry")
def test_a_manifest_without_a_resource_is_refused(refused, model, key) -> None:
    assert refused(model, sealed(Statement(resources=[]), key)) == ["EMPTY_MODEL"]


@pytest.mark.oms("5.2.1-sorted", "6.4-sorted")
def test_resources_are_in_the_order_of_code_points(sign, model) -> None:
    omsbundles.put(model, {"Z": b"1", "a-b": b"2", "a/b": b"3", "é": b"4", "𐀀": b"5", "\uffee": b"6"})
    names = [resource["name"] for resource in decoded(sign(model))[1]["predicate"]["resources"]]
    assert names == sorted(names)
    assert names.index("\uffee") < names.index("𐀀")  # code points, not UTF-16


@pytest.mark.oms("5.2.1-sorted")
def test_another_order_is_refused_but_for_the_references_which_is_not_oms(verify, refused, model, key) -> None:
    files = {**FILES, "a-b": b"1", "a/b": b"2"}
    omsbundles.put(model, files)
    resources = resources_of(files)
    by_parts = sorted(resources, key=lambda resource: resource["name"].split("/"))
    assert by_parts != resources
    result = verify(model, sealed(Statement(resources=by_parts), key))
    assert (result.reasons, result.oms) == ((), False)
    assert refused(model, sealed(Statement(resources=by_parts), key), require_oms=True) == ["NOT_OMS"]
    assert refused(model, sealed(Statement(resources=resources[::-1]), key)) == ["MANIFEST_UNSORTED"]
    twice = [resources[0], *resources]
    assert refused(model, sealed(Statement(resources=twice), key)) == ["MANIFEST_DUPLICATE_NAME"]


@pytest.mark.oms("5.2.1-no-directories")
def test_folders_are_in_no_manifest(sign, verify, model) -> None:
    (model / "empty").mkdir()
    bundle = sign(model)
    assert [r["name"] for r in decoded(bundle)[1]["predicate"]["resources"]] == sorted(FILES)
    assert verify(model, bundle).reasons == ()


@pytest.mark.oms("5.2.1-unknown-fields")
@pytest.mark.parametrize("extra", [{"uri": "https://x"}, {"annotations": {"a": 1}}, {"x": [1, {}]}])
def test_fields_of_a_resource_that_nobody_knows_are_read_past(verify, model, key, extra) -> None:
    statement = Statement()
    statement.resources = [resource | extra for resource in statement.resources]
    result = verify(model, sealed(statement, key))
    assert (result.reasons, result.oms) == ((), True)


@pytest.mark.oms("5.2.2-required", "8.3-predicate")
@pytest.mark.parametrize(
    ("field", "code"),
    [("method", "HASH_UNSUPPORTED"), ("hash_type", "HASH_UNSUPPORTED"), ("allow_symlinks", "MANIFEST_MALFORMED")],
)
def test_serialization_has_method_hash_type_and_allow_symlinks(refused, model, key, field, code) -> None:
    assert refused(model, sealed(lacking("predicate", "serialization", field), key)) == [code]


@pytest.mark.oms("5.2.2-required")
def test_serialization_is_written_with_method_hash_type_and_allow_symlinks(sign, model) -> None:
    written = decoded(sign(model))[1]["predicate"]["serialization"]
    assert written.keys() >= {"method", "hash_type", "allow_symlinks"}


@pytest.mark.oms("5.2.2-required")
@pytest.mark.parametrize("value", ["false", 0, None])
def test_whether_links_were_followed_is_true_or_false(refused, model, key, value) -> None:
    assert refused(model, sealed(with_serialization(allow_symlinks=value), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("5.2.2-shard-size")
def test_a_manifest_of_files_has_no_shard_size(refused, sign, model, key) -> None:
    assert "shard_size" not in decoded(sign(model))[1]["predicate"]["serialization"]
    assert refused(model, sealed(with_serialization(shard_size=5), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("5.2.2-hash-type", "8.4-steps")
@pytest.mark.parametrize("algorithm", ["sha256", "blake2b", "blake3"])
def test_the_manifest_says_which_digests_are_computed(verify, model, key, algorithm) -> None:
    statement = with_serialization(hash_type=algorithm)
    statement.resources = resources_of(FILES, algorithm)
    result = verify(model, sealed(statement, key))
    assert (result.reasons, result.oms) == ((), True)


@pytest.mark.oms("7-identifiers")
def test_identifiers_are_those_of_the_registry(refused, sign, model, key) -> None:
    predicate = decoded(sign(model))[1]["predicate"]
    assert predicate["serialization"]["hash_type"] == "sha256"
    assert {resource["algorithm"] for resource in predicate["resources"]} == {"sha256"}
    for unknown in ("SHA256", "sha-256", "md5", "", None, 5):
        assert refused(model, sealed(with_serialization(hash_type=unknown), key)) == ["HASH_UNSUPPORTED"]
    mixed = Statement()
    mixed.resources[0]["algorithm"] = "blake2b"
    assert refused(model, sealed(mixed, key)) == ["MANIFEST_MALFORMED"]
