"""OMS v1.0, section 6.3.2: manifests of shards."""

from __future__ import annotations

from typing import Any

import omsbundles
import pytest
from omsbundles import Statement, decoded, sealed, shards_of

from modelsign.artifact.manifest import SHARD_SIZE, Serialization

CONTENTS = {"a:b": b"12345678", "weights.bin": b"0123456789", "x:1:2": b"1"}
SIZE = 4


@pytest.fixture
def model(tmp_path):
    return omsbundles.put(tmp_path / "model", CONTENTS)


def sharded(resources: list[dict[str, Any]] | None = None, **settings: Any) -> Statement:
    made = Statement(resources=shards_of(CONTENTS, SIZE) if resources is None else resources)
    made.serialization |= {"method": "shards", "shard_size": SIZE} | settings
    return made


@pytest.mark.oms("6.3.2-written", "6.3.2-ranges", "6.3.2-fields")
def test_shards_are_consecutive_ranges_of_one_size_named_by_their_bounds(sign, verify, model) -> None:
    bundle = sign(model, serialization=Serialization(shard_size=SIZE))
    _, statement = decoded(bundle)
    predicate = statement["predicate"]
    assert (predicate["serialization"]["method"], predicate["serialization"]["shard_size"]) == ("shards", SIZE)
    assert predicate["resources"] == shards_of(CONTENTS, SIZE)
    assert [r["name"] for r in predicate["resources"] if r["name"].startswith("w")] == [
        "weights.bin:0:4",
        "weights.bin:4:8",
        "weights.bin:8:10",
    ]
    result = verify(model, bundle)
    assert (result.reasons, result.oms) == ((), True)


@pytest.mark.oms("6.3.2-written")
def test_a_shard_has_a_thousand_million_bytes_unless_somebody_says_otherwise() -> None:
    assert SHARD_SIZE == 1_000_000_000


@pytest.mark.oms("6.3.2-colons", "6.3.2-verifier")
def test_shards_written_by_others_verify_also_where_names_have_colons(verify, refused, model, key) -> None:
    bundle = sealed(sharded(), key)
    result = verify(model, bundle)
    assert (result.reasons, result.oms) == ((), True)
    (model / "a:b").write_bytes(b"1234567X")
    assert refused(model, bundle) == ["FILE_CHANGED"]


@pytest.mark.oms("5.2.2-shard-size", "6.3.2-written")
@pytest.mark.parametrize("size", [0, -4, 4.5, "4", True, None])
def test_the_size_of_shards_is_a_positive_whole_number(refused, model, key, size) -> None:
    assert refused(model, sealed(sharded(shard_size=size), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("5.2.2-shard-size")
def test_a_manifest_of_shards_says_their_size(refused, model, key) -> None:
    statement = sharded()
    del statement.serialization["shard_size"]
    assert refused(model, sealed(statement, key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("6.3.2-ranges", "6.3.2-verifier")
@pytest.mark.parametrize("size", [3, 5, 8])
def test_ranges_that_are_not_of_the_size_that_is_said_are_refused(refused, model, key, size) -> None:
    assert refused(model, sealed(sharded(shard_size=size), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("6.3.2-ranges")
@pytest.mark.parametrize("lacking", range(3))
def test_a_file_whose_ranges_have_a_hole_is_refused(refused, model, key, lacking) -> None:
    resources = shards_of(CONTENTS, SIZE)
    own = [resource for resource in resources if resource["name"].startswith("weights")]
    resources.remove(own[lacking])
    got = refused(model, sealed(sharded(resources), key))
    assert got == (["FILE_CHANGED"] if lacking == 2 else ["MANIFEST_MALFORMED"])


@pytest.mark.oms("6.3.2-fields")
@pytest.mark.parametrize(
    "name", ["weights.bin", "weights.bin:0", "weights.bin:0:4:", "weights.bin:00:4", "w:4:0", ":0:4"]
)
def test_a_resource_that_does_not_name_its_range_is_refused(refused, model, key, name) -> None:
    resources = shards_of(CONTENTS, SIZE)
    resources[0]["name"] = name
    assert refused(model, sealed(sharded(sorted(resources, key=lambda r: r["name"])), key)) == ["MANIFEST_MALFORMED"]


@pytest.mark.oms("6.3.2-empty")
def test_empty_files_have_no_shard_and_are_bound_by_the_tree_digest(sign, verify, refused, model, key) -> None:
    omsbundles.put(model, {"empty": b""})
    bundle = sign(model, serialization=Serialization(shard_size=SIZE))
    assert decoded(bundle)[1]["predicate"]["resources"] == shards_of(CONTENTS, SIZE)
    assert verify(model, bundle).reasons == ()
    assert refused(model, sealed(sharded(), key)) == ["FILE_UNSIGNED"]
    omsbundles.put(model, {"empty-2": b""})
    assert refused(model, bundle)


@pytest.mark.oms("6.3.2-fields")
def test_the_references_spelling_of_the_algorithm_is_read_and_is_not_oms(verify, refused, model, key) -> None:
    resources = shards_of(CONTENTS, SIZE)
    for resource in resources:
        resource["algorithm"] = f"sha256-sharded-{SIZE}"
    bundle = sealed(sharded(resources, shard_size=float(SIZE)), key)
    result = verify(model, bundle)
    assert (result.reasons, result.oms) == ((), False)
    assert refused(model, bundle, require_oms=True) == ["NOT_OMS"]
