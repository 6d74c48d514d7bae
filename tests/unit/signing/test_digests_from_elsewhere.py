"""Digests computed elsewhere are signed as they are, never read as more, and only for the model they are of."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from refusals import build, refusal, refused_with

from modelsign.artifact.digest_list import SCHEMA, parse_digests, parse_sha256sum
from modelsign.artifact.division import digest_share, join
from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact
from modelsign.signing.elsewhere import prepare_absent, prepare_listed
from modelsign.signing.keys import generate
from modelsign.signing.methods.key import KeySealer
from modelsign.signing.oms import parse_statement
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import verify_model

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.artifact.digest_list import DigestList
    from modelsign.signing.sign import Prepared

KEY = generate()
FILES = {"w.bin": "weights", "sub/x": "x", "empty": ""}
SERIALIZATIONS = [Serialization(), Serialization("blake3"), Serialization("sha256", 3), Serialization("blake2b", 4)]
ids = {"ids": lambda value: f"{value.algorithm}-{value.method}"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "m", FILES)


def listing(model: Path, serialization: Serialization, *, tree: bool = True) -> DigestList:
    with open_artifact(model) as artifact:
        return digest_share(artifact, serialization, tree=tree)


def sums(**files: str) -> DigestList:
    text = "".join(f"{hashlib.sha256(content.encode()).hexdigest()}  {name}\n" for name, content in files.items())
    return parse_sha256sum(text.encode())


def verdict_on(model: Path, prepared: Prepared) -> list[str]:
    bundle = prepared.sign(KeySealer(KEY)).bundle
    with open_artifact(model) as artifact:
        return [reason.code for reason in verify_model(artifact, bundle, [KEY.public]).reasons]


@pytest.mark.parametrize("serialization", SERIALIZATIONS, **ids)
def test_a_list_gives_the_statement_that_reading_the_model_gives(model: Path, serialization: Serialization) -> None:
    found = listing(model, serialization)
    with open_artifact(model) as artifact:
        read = sign_model(artifact, KEY, serialization=serialization)
        listed = prepare_listed(artifact, found)
    absent = prepare_absent(found)
    assert listed.payload == absent.payload == read.payload
    assert listed.unread == absent.unread == tuple(sorted(FILES))
    assert read.unread == ()
    assert (listed.files, listed.oms) == (3, True)
    assert verdict_on(model, absent) == []


def test_joined_shares_can_be_signed_and_a_share_cannot(model: Path) -> None:
    with open_artifact(model) as artifact:
        parts = [digest_share(artifact, SERIALIZATIONS[2], (number, 3)) for number in (3, 1, 2)]
        assert refused_with(prepare_listed, artifact, parts[0]) == "DIGESTS_INCOMPLETE"
    assert refused_with(prepare_absent, parts[0]) == "DIGESTS_INCOMPLETE"
    assert verdict_on(model, prepare_absent(join(parts))) == []


def test_digests_of_other_bytes_are_signed_and_never_verify(model: Path) -> None:
    """Nothing is read, so nothing can be noticed; whoever verifies reads everything."""
    found = sums(**FILES | {"w.bin": "other"})
    with open_artifact(model) as artifact:
        prepared = prepare_listed(artifact, found)
    assert prepared.unread == tuple(sorted(FILES))
    assert verdict_on(model, prepared) == ["FILE_CHANGED"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"w.bin": "weights", "sub/x": "x"}, "it has none of empty"),
        (FILES | {"more": "x"}, "more not there"),
        ({"w": "weights", "sub/x": "x", "empty": ""}, "none of w.bin; w not there"),
    ],
)
def test_names_must_be_exactly_those_of_a_model_at_hand(model: Path, files: dict[str, str], words: str) -> None:
    with open_artifact(model) as artifact:
        fault = refusal(prepare_listed, artifact, sums(**files))
    assert (fault.code, fault.exit_status) == ("DIGESTS_OF_ANOTHER_MODEL", 2)
    assert words in fault.message


def test_sizes_must_be_those_of_a_model_at_hand_where_they_are_known(model: Path) -> None:
    found = listing(model, Serialization())
    (model / "w.bin").write_text("weights!")
    with open_artifact(model) as artifact:
        assert refused_with(prepare_listed, artifact, found) == "DIGESTS_OF_ANOTHER_MODEL"


def test_what_a_manifest_leaves_out_may_be_in_a_list_or_not(model: Path) -> None:
    build(model, {".gitattributes": "* text\n"})
    found = sums(**FILES, **{".gitattributes": "* text\n", "model.sig": "old"})
    with open_artifact(model) as artifact:
        read = sign_model(artifact, KEY)
        assert refused_with(prepare_listed, artifact, found) == "DIGESTS_OF_ANOTHER_MODEL"
        without = sums(**FILES, **{".gitattributes": "* text\n"})
        assert prepare_listed(artifact, without).payload == read.payload
    absent = prepare_absent(found, "m")
    assert absent.payload == read.payload
    assert absent.unread == tuple(sorted(FILES))


def test_a_list_of_nothing_but_evidence_is_an_empty_model() -> None:
    assert refused_with(prepare_absent, sums(**{"model.sig": "x", ".git/config": "y"}), "m") == "EMPTY_MODEL"


def test_a_model_that_is_not_here_needs_a_name() -> None:
    found = sums(**FILES)
    assert refused_with(prepare_absent, found) == "USAGE"
    assert refused_with(prepare_absent, found, "a/b") == "USAGE"
    assert refused_with(prepare_absent, found, "..") == "NAME_LEAVES_MODEL"
    assert parse_statement(prepare_absent(found, "mine").payload).subject == "mine"


@pytest.mark.parametrize("serialization", [Serialization(), Serialization("sha256", 4)], **ids)
def test_one_file_is_signed_under_its_own_name(tmp_path: Path, serialization: Serialization) -> None:
    path = build(tmp_path, {"w.bin": "0123456789"}) / "w.bin"
    found = listing(path, serialization)
    prepared = prepare_absent(found)
    with open_artifact(path) as artifact:
        assert prepared.payload == sign_model(artifact, KEY, serialization=serialization).payload
        assert prepare_listed(artifact, found, whole_model_name=True).payload != prepared.payload
    assert verdict_on(path, prepared) == []
    assert verdict_on(path, prepare_absent(found, whole_model_name=True)) == []
    assert refused_with(prepare_absent, found, "other") == "USAGE"


def test_what_was_left_out_elsewhere_is_recorded(model: Path) -> None:
    build(model, {"logs/1": "x"})
    with open_artifact(model, ignore_paths=["logs"]) as artifact:
        found = digest_share(artifact)
        read = sign_model(artifact, KEY)
    assert prepare_absent(found).payload == read.payload
    value = {"schema": SCHEMA, **found.body(), "ignores_git": False}
    statement = parse_statement(prepare_absent(parse_digests(json.dumps(value).encode())).payload)
    assert "logs" in statement.ignore_paths
    assert ".gitattributes" not in statement.ignore_paths


def test_a_private_key_in_a_model_at_hand_is_refused_all_the_same(model: Path) -> None:
    found = listing(model, Serialization())
    (model / "empty").write_bytes(KEY.pem())
    with open_artifact(model) as artifact:
        fault = refused_with(prepare_listed, artifact, found._replace(sizes=dict.fromkeys(found.sizes)))
    assert fault == "PRIVATE_KEY_IN_MODEL"
