"""Shares of a model's hashing, joined in any order, are the digests of one run; anything less is refused."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from refusals import build, refused_with

from modelsign.artifact.digest_list import DigestList, parse_digests
from modelsign.artifact.division import digest_share, divide, join
from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact
from modelsign.errors import ModelsignError

if TYPE_CHECKING:
    from pathlib import Path

SERIALIZATIONS = st.builds(
    Serialization, st.sampled_from(["sha256", "blake2b", "blake3"]), st.none() | st.sampled_from([1, 7, 64, 10**9])
)
SIZES = st.dictionaries(st.sampled_from([f"f{n}" for n in range(9)]), st.integers(0, 200), min_size=1)


@dataclass
class Divided:
    """A model, the digests of one run over it, and the shares of a division."""

    whole: DigestList
    parts: list[DigestList]


def divided(folder: Path, sizes: dict[str, int], serialization: Serialization, of: int, *, tree: bool) -> Divided:
    generator = random.Random(1)
    model = build(folder / "m", {name: generator.randbytes(size) for name, size in sizes.items()})
    with open_artifact(model) as artifact:
        parts = [digest_share(artifact, serialization, (number + 1, of), tree=tree) for number in range(of)]
        return Divided(digest_share(artifact, serialization, tree=tree), parts)


def through_json(part: DigestList) -> DigestList:
    """Write a share as the command line does, and read it again."""
    value = {"schema": "https://modelsign.dev/schema/digest/v1", **part.body(), "reasons": [], "warnings": []}
    return parse_digests(json.dumps(value).encode())


@settings(max_examples=40)
@given(SIZES, st.tuples(SERIALIZATIONS, st.integers(1, 7), st.booleans()), st.randoms(use_true_random=False))
def test_any_division_joined_in_any_order_is_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: dict[str, int],
    settings: tuple[Serialization, int, bool],
    order: random.Random,
) -> None:
    serialization, of, tree = settings
    found = divided(tmp_path_factory.mktemp("d"), sizes, serialization, of, tree=tree)
    shuffled = [through_json(part) for part in found.parts]
    order.shuffle(shuffled)
    joined = join([*shuffled, *shuffled[:1]])
    assert joined == found.whole
    assert joined.body() == found.whole.body()
    assert (joined.digests.tree_digest is None) == (not joined.tree)


@settings(max_examples=40)
@given(SIZES, st.tuples(SERIALIZATIONS, st.integers(2, 5), st.booleans()), st.data())
def test_a_gap_an_overlap_or_another_digest_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: dict[str, int],
    settings: tuple[Serialization, int, bool],
    data: st.DataObject,
) -> None:
    serialization, of, tree = settings
    found = divided(tmp_path_factory.mktemp("d"), sizes, serialization, of, tree=tree)
    parts = list(found.parts)
    number = data.draw(st.integers(0, of - 1))
    part = parts[number]
    assert refused_with(join, parts[:number] + parts[number + 1 :]) == "DIGESTS_INCOMPLETE"
    other = parts[(number + 1) % of]
    assume(part.listed)
    resource = data.draw(st.sampled_from(sorted(part.listed)))
    lacking = part._replace(listed={name: digest for name, digest in part.listed.items() if name != resource})
    assert refused_with(join, [*parts[:number], lacking, *parts[number + 1 :]]) == "DIGESTS_INCOMPLETE"
    overlapping = other._replace(listed={**other.listed, resource: part.listed[resource]})
    rest = [entry for entry in parts if entry is not other]
    assert refused_with(join, [*rest, overlapping]) == "DIGESTS_DISAGREE"
    changed = part._replace(listed={**part.listed, resource: part.listed[resource][::-1] + "0"})
    assert refused_with(join, [*parts, changed]) == "DIGESTS_DISAGREE"


@given(SIZES, SERIALIZATIONS, st.integers(1, 6), st.booleans())
def test_a_division_gives_every_unit_to_one_share_and_spreads_the_bytes(
    sizes: dict[str, int],
    serialization: Serialization,
    of: int,
    tree: bool,  # noqa: FBT001 - as above
) -> None:
    shares = divide(sizes, serialization, of, tree=tree)
    shuffled = dict(sorted(sizes.items(), reverse=True))
    assert divide(shuffled, serialization, of, tree=tree) == shares
    spans = [(name, span) for share in shares for name, found in share.shards.items() for span in found]
    wanted = [(name, span) for name in sizes for span in serialization.spans(sizes[name])]
    assert sorted(spans) == (sorted(wanted) if serialization.shard_size else [])
    whole = [name for share in shares for name in share.whole]
    assert len(whole) == len(set(whole))


def test_large_files_are_split_inside_by_shards_and_not_as_whole_files() -> None:
    sizes = {"large": 1000, "small": 10}
    whole = divide(sizes, Serialization(), 4)
    assert sorted(len(share.whole) for share in whole) == [0, 0, 1, 1]
    shards = divide(sizes, Serialization("sha256", 100), 5, tree=False)
    assert [sum(map(len, share.shards.values())) for share in shards] == [3, 2, 2, 2, 2]
    assert not any(share.whole for share in shards)
    with_tree = divide(sizes, Serialization("sha256", 100), 2)
    assert [sorted(share.whole) for share in with_tree] == [["large"], []]


def test_shares_of_different_models_or_settings_are_not_joined(tmp_path: Path) -> None:
    sizes = {"a": 100, "b": 50}
    one = divided(tmp_path / "1", sizes, Serialization("sha256", 10), 2, tree=True).parts
    for other in (
        divided(tmp_path / "2", {"a": 100, "b": 51}, Serialization("sha256", 10), 2, tree=True).parts,
        divided(tmp_path / "3", sizes, Serialization("sha256", 20), 2, tree=True).parts,
        divided(tmp_path / "4", sizes, Serialization("blake3", 10), 2, tree=True).parts,
        divided(tmp_path / "5", sizes, Serialization("sha256", 10), 2, tree=False).parts,
        divided(tmp_path / "6", sizes, Serialization("sha256", 10), 3, tree=True).parts,
        [part._replace(model="other") for part in one],
    ):
        assert refused_with(join, [one[0], other[1]]) == "DIGESTS_OF_ANOTHER_MODEL"
    assert refused_with(join, []) == "DIGESTS_INCOMPLETE"


def test_a_share_of_a_model_that_grew_since_it_was_listed_is_refused(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"a": "1" * 100, "b": "2" * 50})
    for part in ((1, 1), (1, 2)):
        with open_artifact(model) as artifact:
            assert len(artifact.files) == 2
            for name in ("a", "b"):
                (model / name).write_text((model / name).read_text() + "more")
            refused = refused_with(digest_share, artifact, Serialization("sha256", 10), part)
        assert refused == "FILE_CHANGED_WHILE_READ"


def test_a_share_that_claims_more_than_there_is_costs_no_time() -> None:
    sizes = {"a": 2**62}
    part = DigestList("m", sizes, {}, {}, Serialization("sha256", 1), tree=False, part=(1, 1))
    assert refused_with(join, [part]) == "DIGESTS_INCOMPLETE"
    value = {"schema": "https://modelsign.dev/schema/digest/v1", **part._replace(part=(1, 2)).body()}
    assert parse_digests(json.dumps(value).encode()).resources == 2**62
    with pytest.raises(ModelsignError):
        parse_digests(json.dumps(value | {"part": {"number": 1, "of": 1}}).encode())
