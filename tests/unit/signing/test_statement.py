"""The signed payload: written in one form, read in two orders, refused in every other shape."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign.artifact.algorithms import ALGORITHMS
from modelsign.artifact.manifest import Serialization, root_digest, tree_digest
from modelsign.artifact.names import path_part_order
from modelsign.errors import ModelsignError
from modelsign.signing.oms import parse_statement, write_statement

if TYPE_CHECKING:
    from collections.abc import Callable

DIGESTS = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("A", "a-b", "a.txt", "a/b")}


def written(digests: dict[str, str] = DIGESTS, **options: Any) -> bytes:
    return write_statement("m", digests, tree=tree_digest(digests), **options)


def changed(*changes: Callable[[dict[str, Any]], object]) -> bytes:
    """Change a good statement; its root digest is computed anew unless the change was to it."""
    value = json.loads(written())
    for change in changes:
        change(value)
    return json.dumps(value).encode()


def relisted(names: list[str], digests: list[str] | None = None, **settings: object) -> bytes:
    """A statement over these names in this order, with a fitting root and no tree digest."""
    digests = digests or [DIGESTS.get(name, "ab" * 32) for name in names]

    def change(value: dict[str, Any]) -> None:
        algorithm = settings.get("hash_type", "sha256")
        value["predicate"]["resources"] = [
            {"name": name, "algorithm": algorithm, "digest": digest}
            for name, digest in zip(names, digests, strict=True)
        ]
        value["predicate"]["serialization"] |= settings
        value["subject"][0]["digest"] = {"sha256": root_digest(digests)}

    return changed(change)


def test_one_model_gives_one_payload() -> None:
    one = written(ignore_paths=["b", "a"], allow_symlinks=True)
    other = write_statement(
        "m", dict(reversed(DIGESTS.items())), tree=tree_digest(DIGESTS), ignore_paths={"a", "b"}, allow_symlinks=True
    )
    assert one == other


def test_what_is_written_is_read_again() -> None:
    statement = parse_statement(written(ignore_paths=["model.sig", "logs"], allow_symlinks=True))
    assert statement.names == tuple(sorted(DIGESTS))
    assert dict(zip(statement.names, statement.digests, strict=True)) == DIGESTS
    assert (statement.subject, statement.algorithm, statement.shards) == ("m", "sha256", None)
    assert (statement.format, statement.oms, statement.allow_symlinks) == ("oms-v1.0", True, True)
    assert statement.signed_tree == tree_digest(DIGESTS)
    assert statement.extra_ignores == ("logs",)


def test_the_order_of_the_reference_is_read_and_is_not_oms() -> None:
    names = sorted(DIGESTS, key=path_part_order)
    statement = parse_statement(relisted(names))
    assert statement.names == tuple(names)
    assert not statement.oms


@pytest.mark.parametrize("names", [["a/b", "A", "a-b", "a.txt"], ["a.txt", "a-b"], ["b", "a"]])
def test_any_other_order_is_malformed(names: list[str]) -> None:
    fault = refusal(parse_statement, relisted(names))
    assert (fault.code, fault.exit_status) == ("MANIFEST_UNSORTED", 3)


@pytest.mark.parametrize("names", [["A", "A"], ["A", "a-b", "A"]])
def test_a_name_listed_twice_is_refused(names: list[str]) -> None:
    fault = refusal(parse_statement, relisted(names))
    assert (fault.code, fault.exit_status) == ("MANIFEST_DUPLICATE_NAME", 3)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../secret", "NAME_LEAVES_MODEL"),
        ("/etc/passwd", "NAME_LEAVES_MODEL"),
        ("a/../b", "NAME_LEAVES_MODEL"),
        ("", "NAME_LEAVES_MODEL"),
        ("a\x1b[2J", "NAME_CONTROL_CHARACTER"),
        ("a\nb", "NAME_CONTROL_CHARACTER"),
        ("a\ud800", "MANIFEST_MALFORMED"),
        ("x" * 5000, "NAME_TOO_LONG"),
    ],
)
def test_hostile_names_in_a_manifest_are_refused(name: str, code: str) -> None:
    assert refused_with(parse_statement, relisted([name])) == code


def test_colliding_names_in_a_manifest_are_refused_unless_names_may_be_insecure() -> None:
    assert refused_with(parse_statement, relisted(["A", "a"])) == "NAME_COLLIDES_CASE"
    assert parse_statement(relisted(["A", "a"]), strict_names=False).names == ("A", "a")


def test_an_empty_manifest_is_an_empty_model() -> None:
    fault = refusal(parse_statement, relisted([]))
    assert (fault.code, fault.exit_status) == ("EMPTY_MODEL", 4)


@pytest.mark.parametrize("kind", ["https://slsa.dev/provenance/v1", None, 3])
def test_another_predicate_is_no_model_signature(kind: object) -> None:
    fault = refusal(parse_statement, changed(lambda value: value.update(predicateType=kind)))
    assert (fault.code, fault.exit_status) == ("NOT_A_MODEL_SIGNATURE", 1)


def test_another_statement_type_is_no_model_signature() -> None:
    assert refused_with(parse_statement, changed(lambda value: value.update(_type="x"))) == "NOT_A_MODEL_SIGNATURE"


def resource(value: dict[str, Any], **fields: object) -> None:
    value["predicate"]["resources"][0].update(fields)


def setting(value: dict[str, Any], **fields: object) -> None:
    value["predicate"]["serialization"].update(fields)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(subject=[]),
        lambda value: value.update(subject=value["subject"] * 2),
        lambda value: value.update(subject="x"),
        lambda value: value["subject"][0].update(name=None),
        lambda value: value["subject"][0].update(digest=None),
        lambda value: value["subject"][0]["digest"].update(sha256=1),
        lambda value: value["subject"][0]["digest"].update(dirHash1=1),
        lambda value: value.update(predicate=None),
        lambda value: value["predicate"].update(resources=None),
        lambda value: value["predicate"].update(resources=[1]),
        lambda value: value["predicate"].update(resources=[{"name": "a"}]),
        lambda value: value["predicate"].update(serialization=[]),
        lambda value: resource(value, name=1),
        lambda value: resource(value, name=["a"]),
        lambda value: resource(value, digest=1),
        lambda value: resource(value, digest="AB" * 32),
        lambda value: resource(value, digest="ab" * 31),
        lambda value: resource(value, digest="zz" * 32),
        lambda value: resource(value, algorithm="md5"),
        lambda value: setting(value, ignore_paths="x"),
        lambda value: setting(value, ignore_paths=[1]),
    ],
)
def test_anything_out_of_shape_is_malformed(change: Callable[[dict[str, Any]], object]) -> None:
    fault = refusal(parse_statement, changed(change))
    assert (fault.code, fault.exit_status) == ("MANIFEST_MALFORMED", 3)


@pytest.mark.parametrize("payload", [b"", b"[]", b"\xff", b'{"_type": 1, "_type": 2}', b"[" * 9999])
def test_what_is_no_statement_is_malformed(payload: bytes) -> None:
    assert refused_with(parse_statement, payload) == "MANIFEST_MALFORMED"


@pytest.mark.parametrize("kind", ["sha256", "dirHash1"])
def test_digests_of_the_subject_must_follow_from_the_resources(kind: str) -> None:
    payload = changed(lambda value: value["subject"][0]["digest"].update({kind: "00" * 32}))
    fault = refusal(parse_statement, payload)
    assert (fault.code, fault.exit_status) == ("MANIFEST_INCONSISTENT", 3)


@pytest.mark.parametrize(
    "settings", [{"method": "merkle"}, {"hash_type": "md5"}, {"hash_type": ["sha256"]}, {"method": []}]
)
def test_unknown_methods_and_hashes_are_unsupported(settings: dict[str, object]) -> None:
    fault = refusal(parse_statement, changed(lambda value: setting(value, **settings)))
    assert (fault.code, fault.exit_status) == ("HASH_UNSUPPORTED", 3)


def test_fields_nobody_knows_are_ignored_and_are_not_oms() -> None:
    assert not parse_statement(changed(lambda value: value["predicate"].update(card="x"))).oms
    assert not parse_statement(changed(lambda value: value.update(extra="x"))).oms
    assert not parse_statement(changed(lambda value: value["predicate"]["serialization"].update(extra="x"))).oms


def test_further_fields_of_resources_are_oms() -> None:
    assert parse_statement(changed(lambda value: resource(value, extra="x"))).oms


def test_a_single_file_may_be_called_as_the_reference_calls_it() -> None:
    statement = parse_statement(relisted(["."]))
    assert statement.names == (".",)
    assert not statement.oms

    def rename(value: dict[str, Any]) -> None:
        value["subject"][0]["name"] = "../x"

    value = json.loads(relisted(["."]))
    rename(value)
    assert refused_with(parse_statement, json.dumps(value).encode()) == "NAME_LEAVES_MODEL"


def test_shards_are_read_with_both_spellings_of_their_algorithm() -> None:
    names = ["a:b:0:10", "a:b:10:15", "c:0:3"]
    for algorithm in ("sha256", "sha256-sharded-10"):
        value = json.loads(relisted(names, ["ab" * 32] * 3, method="shards", shard_size=10.0))
        for entry in value["predicate"]["resources"]:
            entry["algorithm"] = algorithm
        statement = parse_statement(json.dumps(value).encode())
        assert statement.names == ("a:b", "a:b", "c")
        assert statement.shards == ((0, 10), (10, 15), (0, 3))
        assert statement.oms == (algorithm == "sha256")


def test_shards_are_read_in_the_order_of_their_numbers_too() -> None:
    code_points, numbers = ["a:0:5", "a:10:15", "a:5:10"], ["a:0:5", "a:5:10", "a:10:15"]
    for names in (code_points, numbers):
        statement = parse_statement(relisted(names, method="shards", shard_size=5))
        assert sorted(statement.shards or ()) == [(0, 5), (5, 10), (10, 15)]
        assert (statement.shard_size, statement.oms) == (5, names is code_points)
    other = relisted(["a:10:15", "a:0:5", "a:5:10"], method="shards", shard_size=5)
    assert refused_with(parse_statement, other) == "MANIFEST_UNSORTED"


@pytest.mark.parametrize(
    "names",
    [
        ["a:5:10"],
        ["a:0:5", "a:10:15"],
        ["a:0:4", "a:4:8"],
        ["a:0:6"],
        ["a:0:5", "a:3:8"],
        ["a:0:5", "a:5:10", "a:5:9"],
        ["a:0:9000000000000000000"],
    ],
)
def test_shards_that_do_not_divide_a_file_are_malformed(names: list[str]) -> None:
    payload = relisted(sorted(names), method="shards", shard_size=5)
    assert refused_with(parse_statement, payload) == "MANIFEST_MALFORMED"


def test_manifests_of_whole_files_have_no_size_of_shards() -> None:
    assert refused_with(parse_statement, changed(lambda value: setting(value, shard_size=5))) == "MANIFEST_MALFORMED"


@pytest.mark.parametrize("hash_type", ["blake2b", "blake2", "blake3"])
def test_the_other_algorithms_are_read_under_every_name_the_reference_has(hash_type: str) -> None:
    width = 32 if hash_type == "blake3" else 64
    statement = parse_statement(relisted(["a"], ["ab" * width], hash_type=hash_type))
    assert statement.algorithm == hash_type.replace("blake2b", "blake2").replace("blake2", "blake2b")
    assert statement.oms == (hash_type != "blake2")


@pytest.mark.parametrize("algorithm", ["sha256", "blake2b", "blake3"])
@pytest.mark.parametrize("shard_size", [None, 4])
def test_every_serialization_that_is_written_is_read_again_and_is_oms(algorithm: str, shard_size: int | None) -> None:
    serialization = Serialization(algorithm, shard_size)
    names = [listed for name in ("w:x", "a") for listed in serialization.names(name, 10)]
    digests = {name: hashlib.sha256(name.encode()).hexdigest() * (ALGORITHMS[algorithm] // 64) for name in names}
    payload = write_statement("m", digests, tree=None, serialization=serialization)
    statement = parse_statement(payload)
    assert (statement.algorithm, statement.shard_size, statement.oms) == (algorithm, shard_size, True)
    assert statement.signed_tree is None
    assert set(statement.names) == {"w:x", "a"}
    assert json.loads(payload)["predicate"]["serialization"].get("shard_size") is shard_size


@pytest.mark.parametrize("name", ["a", "a:1", "a:01:2", "a:-1:2", "a:1:x", ":0:1", "a:0:0"])
def test_names_of_shards_have_one_form(name: str) -> None:
    assert refused_with(parse_statement, relisted([name], method="shards", shard_size=5)) == "MANIFEST_MALFORMED"


@pytest.mark.parametrize("size", [None, "5", 0, -1, 1.5, True])
def test_the_size_of_shards_is_a_whole_number(size: object) -> None:
    payload = relisted(["a:0:1"], method="shards", shard_size=size)
    assert refused_with(parse_statement, payload) == "MANIFEST_MALFORMED"


def v0_2(subjects: object) -> bytes:
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": subjects,
            "predicateType": "https://model_signing/Digests/v0.1",
            "predicate": {"unused": ""},
        }
    ).encode()


def test_the_statement_of_0_2_0_is_read() -> None:
    statement = parse_statement(
        v0_2([{"name": "b", "digest": {"sha256": "ab" * 32}}, {"name": "a", "digest": {"sha256": "cd" * 32}}])
    )
    assert (statement.names, statement.format, statement.oms, statement.signed_root) == (
        ("b", "a"),
        "oms-v0.2",
        False,
        None,
    )


@pytest.mark.parametrize(
    ("subjects", "code"),
    [
        ([], "EMPTY_MODEL"),
        ([{"name": "a", "digest": {"sha256": "ab" * 32}}] * 2, "MANIFEST_DUPLICATE_NAME"),
        ([{"name": "../a", "digest": {"sha256": "ab" * 32}}], "NAME_LEAVES_MODEL"),
        ([{"name": "a", "digest": {"sha512": "ab" * 32}}], "MANIFEST_MALFORMED"),
        ([{"name": 1, "digest": {"sha256": "ab" * 32}}], "MANIFEST_MALFORMED"),
        ([{"name": "a"}], "MANIFEST_MALFORMED"),
        (["a"], "MANIFEST_MALFORMED"),
    ],
)
def test_broken_statements_of_0_2_0_are_refused(subjects: object, code: str) -> None:
    assert refused_with(parse_statement, v0_2(subjects)) == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.data())
def test_any_value_anywhere_gives_a_statement_or_a_code(data: st.DataObject) -> None:
    value: Any = json.loads(written())
    spot: Any = value
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(spot[key], (dict, list)) and spot[key] and data.draw(st.booleans())):
            break
        spot = spot[key]
    spot[key] = data.draw(JSON)
    try:
        parse_statement(json.dumps(value).encode("utf-8", "replace"))
    except ModelsignError as fault:
        assert fault.exit_status in (1, 3, 4)  # noqa: PT017 - either answer is right
