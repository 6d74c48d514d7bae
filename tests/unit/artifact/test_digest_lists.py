"""Lists of digests: this project's form and sha256sum's are read strictly, and everything else is refused."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from refusals import build, refused_with

from modelsign.artifact.digest_list import SCHEMA, parse_digests, parse_sha256sum
from modelsign.artifact.manifest import FILES, Serialization, root_digest, tree_digest
from modelsign.errors import ModelsignError

if TYPE_CHECKING:
    from pathlib import Path

A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()


def document(**changes: Any) -> bytes:
    """The least that somebody who computes digests elsewhere has to write; None drops a key."""
    value = {
        "schema": SCHEMA,
        "model": "m",
        "serialization": {"method": "files", "hash_type": "sha256"},
        "files": [{"name": "w", "size": 1, "sha256": A}, {"name": "v/x", "sha256": B}],
        **changes,
    }
    return json.dumps({key: found for key, found in value.items() if found is not ...}).encode()


def shards(**changes: Any) -> bytes:
    value = {
        "serialization": {"method": "shards", "hash_type": "sha256", "shard_size": 4},
        "files": [{"name": "w", "size": 6}],
        "resources": [
            {"name": "w:0:4", "algorithm": "sha256", "digest": A},
            {"name": "w:4:6", "algorithm": "sha256", "digest": B},
        ],
    }
    return document(**{**value, **changes})


def test_the_least_document_is_enough() -> None:
    found = parse_digests(document())
    assert (found.model, found.serialization, found.complete, found.tree) == ("m", FILES, True, True)
    assert found.sizes == {"w": 1, "v/x": None}
    assert found.digests.root_digest == root_digest([B, A])
    assert found.digests.tree_digest == tree_digest({"w": A, "v/x": B})
    assert parse_digests(document(root_digest=root_digest([B, A]))) == found


def test_a_list_of_shards_without_whole_files_has_no_tree_digest() -> None:
    found = parse_digests(shards())
    assert (found.tree, found.digests.tree_digest) == (False, None)
    assert found.serialization == Serialization("sha256", 4)
    with_tree = parse_digests(shards().replace(b'"size": 6', b'"size": 6, "sha256": "' + A.encode() + b'"'))
    assert with_tree.digests.tree_digest == tree_digest({"w": A})


def test_lists_are_read_as_they_were_written() -> None:
    for data in (document(), shards(), shards(part={"number": 2, "of": 3}, resources=[])):
        found = parse_digests(data)
        assert parse_digests(json.dumps({"schema": SCHEMA, **found.body()}).encode()) == found


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "https://modelsign.dev/schema/digest/v2"},
        {"schema": ...},
        {"model": ...},
        {"model": 1},
        {"files": ...},
        {"files": {}},
        {"files": ["w"]},
        {"files": [{"name": "w", "sha256": A}] * 2},
        {"files": [{"name": "w", "sha256": A, "md5": "x"}]},
        {"files": [{"name": 1, "sha256": A}]},
        {"files": [{"sha256": A}]},
        {"files": [{"name": "w", "sha256": A.upper()}]},
        {"files": [{"name": "w", "sha256": A[1:]}]},
        {"files": [{"name": "w", "sha256": A, "size": -1}]},
        {"files": [{"name": "w", "sha256": A, "size": 1.0}]},
        {"files": [{"name": "w", "sha256": A, "size": True}]},
        {"files": [{"name": "w"}]},
        {"serialization": {}},
        {"serialization": {"method": "files", "hash_type": "sha256", "shard_size": 4}},
        {"serialization": {"method": "shards", "hash_type": "sha256"}},
        {"serialization": {"method": "shards", "hash_type": "sha256", "shard_size": 0}},
        {"serialization": {"method": "files", "hash_type": "blake3"}},
        {"resources": [{"name": "w", "algorithm": "sha256", "digest": B}]},
        {"resources": [{"name": "w", "algorithm": "sha256", "digest": A}] * 2},
        {"resources": [{"name": "other", "algorithm": "sha256", "digest": A}]},
        {"resources": [{"name": "w", "algorithm": "blake3", "digest": A}]},
        {"resources": {}},
        {"root_digest": A},
        {"tree_digest": A},
        {"single_file": True},
        {"single_file": 1},
        {"tree": "yes"},
        {"part": [1, 2]},
        {"part": {"number": 0, "of": 1}},
        {"part": {"number": 2, "of": 1}},
        {"part": {"number": 1, "of": 10**9}},
        {"ignored": "x"},
        {"ignored": [1]},
        {"exit_code": 1},
        {"reasons": [{"code": "X"}]},
        {"surprise": 1},
    ],
)
def test_any_other_document_is_malformed(changes: dict[str, Any]) -> None:
    assert refused_with(parse_digests, document(**changes)) == "DIGESTS_MALFORMED"


@pytest.mark.parametrize(
    "changes",
    [
        {"files": [{"name": "w"}]},
        {"files": [{"name": "w", "size": 7}]},
        {"resources": [{"name": "w:0:4", "algorithm": "sha256", "digest": A}]},
        {"resources": [{"name": "w:0:5", "algorithm": "sha256", "digest": A}]},
        {"resources": [{"name": "w", "algorithm": "sha256", "digest": A}]},
        {"resources": [{"name": "v:0:4", "algorithm": "sha256", "digest": A}]},
        {"resources": ...},
        {"tree": True},
        {"tree": False, "files": [{"name": "w", "size": 6, "sha256": A}]},
    ],
)
def test_shards_that_are_not_those_of_the_files_are_malformed(changes: dict[str, Any]) -> None:
    value = json.loads(shards())
    value = {key: found for key, found in (value | changes).items() if found is not ...}
    assert refused_with(parse_digests, json.dumps(value).encode()) == "DIGESTS_MALFORMED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"files": []}, "EMPTY_MODEL"),
        ({"files": [{"name": "../w", "sha256": A}]}, "NAME_LEAVES_MODEL"),
        ({"files": [{"name": "w\n", "sha256": A}]}, "NAME_CONTROL_CHARACTER"),
        ({"files": [{"name": "w", "sha256": A}, {"name": "W", "sha256": A}]}, "NAME_COLLIDES_CASE"),
        ({"model": "a/b"}, "NAME_LEAVES_MODEL"),
        ({"model": ".."}, "NAME_LEAVES_MODEL"),
        ({"ignored": ["/etc"]}, "NAME_LEAVES_MODEL"),
        ({"serialization": {"method": "merkle", "hash_type": "sha256"}}, "HASH_UNSUPPORTED"),
        ({"serialization": {"method": "files", "hash_type": "md5"}}, "HASH_UNSUPPORTED"),
    ],
)
def test_names_and_algorithms_are_checked_as_everywhere(changes: dict[str, Any], code: str) -> None:
    assert refused_with(parse_digests, document(**changes)) == code


def test_what_sha256sum_writes_is_read(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "a b/é:x": "2", "back\\slash": "3", "carriage\rreturn": "4"})
    script = "find . -type f -exec sha256sum {} + | cat"
    listed = subprocess.run(["bash", "-c", script], cwd=model, capture_output=True, check=True).stdout
    found = parse_sha256sum(listed, strict_names=False)
    assert found.whole == {
        str(path.relative_to(model)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in model.rglob("*")
        if path.is_file()
    }
    assert (found.model, found.serialization, found.complete) == (None, FILES, True)
    assert set(found.sizes.values()) == {None}
    assert refused_with(parse_sha256sum, listed) == "NAME_CONTROL_CHARACTER"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "EMPTY_MODEL"),
        ("\n", "DIGESTS_MALFORMED"),
        (f"{A}  w\n\n{B}  v\n", "DIGESTS_MALFORMED"),
        (f"{A} w\n", "DIGESTS_MALFORMED"),
        (f"{A}  \n", "DIGESTS_MALFORMED"),
        (f"{A.upper()}  w\n", "DIGESTS_MALFORMED"),
        (f"SHA256 (w) = {A}\n", "DIGESTS_MALFORMED"),
        (f"{A}  w\n{B}  ./w\n", "DIGESTS_MALFORMED"),
        (f"\\{A}  w\\x\n", "DIGESTS_MALFORMED"),
        (f"\\{A}  w\\\n", "DIGESTS_MALFORMED"),
        (f"{A}  ../w\n", "NAME_LEAVES_MODEL"),
        (f"{A}  /w\n", "NAME_LEAVES_MODEL"),
        (f"\\{A}  w\\nx\n", "NAME_CONTROL_CHARACTER"),
        (f"{A}  w\r\n", "NAME_CONTROL_CHARACTER"),
    ],
)
def test_any_other_text_is_refused(text: str, code: str) -> None:
    assert refused_with(parse_sha256sum, text.encode()) == code


def test_text_that_is_not_utf8_is_refused() -> None:
    assert refused_with(parse_sha256sum, A.encode() + b"  w\xff\n") == "DIGESTS_MALFORMED"


def test_binary_mode_and_a_last_line_without_end_are_read() -> None:
    assert parse_sha256sum(f"{A} *w\n{B}  v".encode()).whole == {"w": A, "v": B}
    assert parse_sha256sum(f"\\{A}  a\\\\nb\n".encode()).whole == {"a\\nb": A}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from([document(), shards(), shards(part={"number": 1, "of": 2})]), st.data())
def test_any_value_anywhere_gives_a_list_or_a_code(base: bytes, data: st.DataObject) -> None:
    value: Any = json.loads(base)
    spot: Any = value
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(spot[key], (dict, list)) and spot[key] and data.draw(st.booleans())):
            break
        spot = spot[key]
    spot[key] = data.draw(JSON)
    answers_or_refuses(parse_digests, json.dumps(value).encode("utf-8", "replace"))


@given(st.binary(max_size=200))
@example(A.encode() + b"  " + b"x" * 5000)
def test_any_bytes_give_a_list_or_a_code(data: bytes) -> None:
    answers_or_refuses(parse_digests, data)
    answers_or_refuses(parse_sha256sum, data)
    answers_or_refuses(parse_sha256sum, A.encode() + b"  " + data)


def answers_or_refuses(parse: Any, data: bytes) -> None:
    try:
        parse(data)
    except ModelsignError as fault:
        assert fault.exit_status in (1, 2, 3, 4)  # noqa: PT017 - either answer is right
