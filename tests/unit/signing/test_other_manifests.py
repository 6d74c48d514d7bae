"""Manifests of shards and of other hashes: written, verified, and as strict as whole files under SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import build

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.manifest import Serialization, tree_digest
from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.signing.envelope import sign_statement
from modelsign.signing.keys import generate
from modelsign.signing.oms import parse_statement, write_statement
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.verdict import VerifyVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.signing.keys import SigningKey
    from modelsign.signing.sign import SignResult
    from modelsign.verdict import VerifyResult

KEY = generate()
SERIALIZATIONS = [
    Serialization(algorithm, size) for algorithm in ("sha256", "blake2b", "blake3") for size in (None, 3, 100, 10**9)
]
ids = {"ids": lambda value: f"{value.algorithm}-{value.shard_size}"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "m", {"w:0:x": os.urandom(20_000), "a/b": "1234567", "a-b": "22", "empty": "", "z": "y"})


def sign(path: Path, serialization: Serialization, *, key: SigningKey = KEY, **settings: bool) -> SignResult:
    with open_artifact(path) as artifact:
        return sign_model(artifact, key, serialization=serialization, **settings)


def verify(path: Path, *bundles: bytes, **options: object) -> VerifyResult:
    with open_artifact(path) as artifact:
        return verify_model(artifact, bundles, [KEY.public], options=VerifyOptions(**options))  # type: ignore[arg-type]


def codes(result: VerifyResult) -> list[str]:
    return [reason.code for reason in result.reasons]


@pytest.mark.parametrize("serialization", SERIALIZATIONS, **ids)
def test_whatever_is_written_verifies_as_oms_and_has_the_same_tree_digest(
    model: Path, serialization: Serialization
) -> None:
    plain, done = sign(model, Serialization()), sign(model, serialization)
    assert (done.tree_digest, done.files, done.oms) == (plain.tree_digest, 5, True)
    result = verify(model, done.bundle)
    assert (codes(result), result.verdict, result.oms) == ([], VerifyVerdict.VERIFIED, True)
    assert result.root_digest == result.signed_root_digest == done.root_digest
    assert result.tree_digest == plain.tree_digest
    assert (result.files.signed, result.files.checked) == (5, 5)


@pytest.mark.parametrize("serialization", SERIALIZATIONS, **ids)
def test_one_model_gives_one_payload_whatever_read_it(model: Path, serialization: Serialization) -> None:
    payload = sign(model, serialization).payload
    with open_artifact(model) as artifact, take_snapshot(artifact) as snapshot:
        assert sign_model(snapshot, KEY, serialization=serialization).payload == payload
    names = [entry["name"] for entry in json.loads(payload)["predicate"]["resources"]]
    assert names == sorted(names)


@pytest.mark.parametrize("tree_digest", [True, False])
@pytest.mark.parametrize("serialization", SERIALIZATIONS, **ids)
def test_every_kind_of_change_is_refused(model: Path, serialization: Serialization, *, tree_digest: bool) -> None:
    (model / "empty").unlink()
    bundle = sign(model, serialization).bundle
    original = (model / "w:0:x").read_bytes()
    for changed in (original[:-1], original + b"0", bytes([original[0] ^ 1]) + original[1:], b"", original[3:]):
        (model / "w:0:x").write_bytes(changed)
        assert codes(verify(model, bundle, tree_digest=tree_digest)) == ["FILE_CHANGED"]
    (model / "w:0:x").write_bytes(original)
    (model / "z").rename(model / "y")
    assert codes(verify(model, bundle, tree_digest=tree_digest)) == ["FILE_MISSING", "FILE_UNSIGNED"]


SHARDS = Serialization("sha256", 100)


def test_empty_files_are_bound_by_the_tree_digest(model: Path) -> None:
    bundle = sign(model, SHARDS).bundle
    (model / "empty").unlink()
    assert codes(verify(model, bundle)) == ["TREE_DIGEST_DIFFERS"]
    (model / "other").touch()
    assert codes(verify(model, bundle)) == ["TREE_DIGEST_DIFFERS"]
    (model / "other").rename(model / "empty")
    assert codes(verify(model, bundle)) == []
    (model / "empty").write_text("not empty any more")
    assert codes(verify(model, bundle)) == ["FILE_UNSIGNED"]


def test_without_the_tree_digest_an_empty_file_is_one_nobody_signed(model: Path) -> None:
    bundle = sign(model, SHARDS).bundle
    assert codes(verify(model, bundle, tree_digest=False)) == ["FILE_UNSIGNED"]
    (model / "empty").unlink()
    result = verify(model, bundle, tree_digest=False)
    assert (codes(result), result.tree_digest) == ([], None)
    assert "the signed tree digest was not compared" in result.warnings[0]


def test_a_signature_without_tree_digest_is_verified_by_its_shards(model: Path) -> None:
    (model / "empty").unlink()
    done = sign(model, SHARDS, tree=False)
    assert done.tree_digest is None
    assert "dirHash1" not in json.loads(done.payload)["subject"][0]["digest"]
    result = verify(model, done.bundle)
    assert (codes(result), result.warnings) == ([], ())
    assert result.tree_digest is not None


def test_a_tree_digest_of_other_files_is_refused_though_every_resource_agrees(model: Path) -> None:
    with open_artifact(model) as artifact:
        digests = hash_artifact(artifact, algorithm="blake3")
    payload = write_statement("m", digests, tree="ab" * 32, serialization=Serialization("blake3"))
    from modelsign.signing.dsse import IN_TOTO  # noqa: PLC0415
    from modelsign.signing.methods.key import KeySealer  # noqa: PLC0415

    bundle = KeySealer(KEY).seal(IN_TOTO, payload).bundle
    assert codes(verify(model, bundle)) == ["TREE_DIGEST_DIFFERS"]


def test_a_model_of_empty_files_has_nothing_that_shards_could_list(tmp_path: Path) -> None:
    from refusals import refused_with  # noqa: PLC0415

    model = build(tmp_path / "m", {"empty": ""})
    assert refused_with(sign, model, SHARDS) == "EMPTY_MODEL"
    assert codes(verify(model, sign(model, Serialization("blake2b")).bundle)) == []


def test_several_bundles_of_different_serializations_are_of_the_same_bytes(model: Path) -> None:
    bundles = [sign(model, serialization).bundle for serialization in SERIALIZATIONS]
    result = verify(model, *bundles)
    assert (codes(result), result.warnings) == ([], ())
    (model / "z").write_text("x")
    assert codes(verify(model, *bundles)) == ["FILE_CHANGED"]


def test_a_file_written_to_between_two_readings_is_noticed(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelsign.signing import compare  # noqa: PLC0415

    bundles = [sign(model, Serialization("blake3")).bundle, sign(model, Serialization("blake2b")).bundle]
    real = compare.hash_model

    def disturb(artifact: object, serialization: Serialization, **settings: object) -> object:
        if serialization.algorithm == "blake2b":
            (model / "z").write_text("x")
        return real(artifact, serialization, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(compare, "hash_model", disturb)
    result = verify(model, *bundles)
    assert "FILE_CHANGED_WHILE_READ" in " ".join([*codes(result), *result.warnings]) or result.warnings
    assert any("written to between two readings" in warning for warning in result.warnings)


def test_the_tree_digest_of_a_single_file_without_its_name_is_compared_too(tmp_path: Path) -> None:
    path = build(tmp_path, {"w.bin": "0123456789"}) / "w.bin"
    digest = hashlib.sha256(b"0123456789").hexdigest()
    for name, reasons in (("w.bin", []), ("v.bin", ["TREE_DIGEST_DIFFERS"])):
        tree = tree_digest({name: digest})
        bundle = sign_statement(write_statement("w.bin", {".": digest}, tree=tree), KEY)
        assert codes(verify(path, bundle)) == reasons


@pytest.mark.parametrize("size", [None, 4])
@pytest.mark.parametrize("whole_model_name", [True, False])
def test_a_single_file_has_its_shards_too(tmp_path: Path, size: int | None, *, whole_model_name: bool) -> None:
    path = build(tmp_path, {"w.bin": "0123456789"}) / "w.bin"
    done = sign(path, Serialization("sha256", size), whole_model_name=whole_model_name)
    statement = parse_statement(done.payload)
    assert set(statement.names) == {"." if whole_model_name else "w.bin"}
    result = verify(path, done.bundle)
    assert (codes(result), result.oms) == ([], not whole_model_name)
    path.write_text("0123456788")
    assert codes(verify(path, done.bundle)) == ["FILE_CHANGED"]
    path.write_text("0123456789")
    other = path.rename(tmp_path / "v.bin")
    assert codes(verify(other, done.bundle))[0] in {"MODEL_RENAMED", "FILE_MISSING"}


def test_files_under_gits_names_that_were_signed_in_shards_are_checked(model: Path) -> None:
    build(model, {".gitattributes": "* text\n"})
    with open_artifact(model, ignore_git_paths=False) as artifact:
        bundle = sign_model(artifact, KEY, serialization=SHARDS).bundle
    assert codes(verify(model, bundle)) == []
    (model / ".gitattributes").write_text("* bin\n")
    assert codes(verify(model, bundle)) == ["FILE_CHANGED"]


@settings(max_examples=25)
@given(
    st.dictionaries(st.text("ab:0", min_size=1, max_size=4), st.binary(max_size=30), min_size=1, max_size=4),
    st.sampled_from(["sha256", "blake2b", "blake3"]),
    st.none() | st.integers(1, 40),
    st.data(),
)
def test_any_model_under_any_serialization_verifies_and_no_flipped_bit_does(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, bytes],
    algorithm: str,
    size: int | None,
    data: st.DataObject,
) -> None:
    files = {f"{number}{name}": content for number, (name, content) in enumerate(sorted(files.items()))}
    files["0"] = b"at least one byte"
    model = build(tmp_path_factory.mktemp("m"), files)
    bundle = sign(model, Serialization(algorithm, size)).bundle
    assert codes(verify(model, bundle)) == []
    name = data.draw(st.sampled_from([name for name, content in files.items() if content]))
    content = bytearray(files[name])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (model / name).write_bytes(content)
    assert codes(verify(model, bundle)) == ["FILE_CHANGED"]
