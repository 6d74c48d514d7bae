"""Incremental signing: what was named is hashed, the rest is taken over and listed, and verification reads it all."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import build, refusal, refused_with

from modelsign.artifact import hashing
from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact
from modelsign.signing.incremental import take_over
from modelsign.signing.keys import generate
from modelsign.signing.methods.key import KeyTrust
from modelsign.signing.sign import prepare_model, sign_model
from modelsign.signing.validity import Validity
from modelsign.signing.verify import VerifyOptions, verify_model

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.signing.incremental import TakenOver
    from modelsign.signing.keys import SigningKey

KEY = generate()
FILES = {"w.bin": "weights", "config.json": "{}", "vae/a": "1", "vae/b": "2"}
SERIALIZATIONS = [Serialization(), Serialization("sha256", 10**6), Serialization("sha256", 3), Serialization("blake3")]
TELL_WHOLE = SERIALIZATIONS[:2]
ids = {"ids": lambda value: f"{value.algorithm}-{value.shard_size}"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "m", FILES)


def sign(model: Path, serialization: Serialization = SERIALIZATIONS[0], key: SigningKey = KEY) -> bytes:
    with open_artifact(model) as artifact:
        return sign_model(artifact, key, serialization=serialization).bundle


def again(model: Path, previous: bytes, *changed: str, **options: object) -> TakenOver:
    with open_artifact(model) as artifact:
        return take_over(artifact, previous, [KeyTrust(KEY.public)], changed, **options)  # type: ignore[arg-type]


def refused(model: Path, previous: bytes, *changed: str, **options: object) -> str:
    return refused_with(again, model, previous, *changed, **options)


@pytest.mark.parametrize("tree", [True, False])
@pytest.mark.parametrize("serialization", SERIALIZATIONS, **ids)
def test_signing_again_gives_what_signing_anew_gives(model: Path, serialization: Serialization, *, tree: bool) -> None:
    previous = sign(model, serialization)
    build(model, {"config.json": '{"a": 1}', "new": "n"})
    (model / "vae/a").unlink()
    if tree and serialization not in TELL_WHOLE:
        assert refused(model, previous, "config.json", "vae/a") == "PREVIOUS_UNSUITABLE"
        return
    taken = again(model, previous, "config.json", "./vae/a", tree=tree)
    assert taken.unread == ("vae/b", "w.bin")
    with open_artifact(model) as artifact:
        prepared = prepare_model(artifact, digests=taken.digests, unread=taken.unread)
        fresh = prepare_model(artifact, serialization=serialization, tree=tree)
    assert prepared == fresh._replace(unread=taken.unread)


def test_only_named_and_new_files_are_read(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    previous = sign(model)
    build(model, {"new": "n"})
    opened: list[object] = []
    real = os.open

    def watch(path: object, *rest: object, **options: object) -> int:
        opened.append(path)
        return real(path, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(hashing.os, "open", watch)
    taken = again(model, previous, "vae")
    assert not {"w.bin", "config.json"} & set(opened)
    assert {"a", "b", "new"} <= set(opened)
    assert taken.unread == ("config.json", "w.bin")


def test_a_changed_file_that_was_not_named_is_taken_over_and_verification_finds_it(model: Path) -> None:
    """Its times are looked at by nobody: they prove nothing. Verification never takes this way."""
    previous = sign(model)
    (model / "w.bin").write_text("evil!!!")
    taken = again(model, previous, "config.json")
    assert "w.bin" in taken.unread
    with open_artifact(model) as artifact:
        bundle = sign_model(artifact, KEY, digests=taken.digests).bundle
        codes = [reason.code for reason in verify_model(artifact, bundle, [KEY.public]).reasons]
    assert codes == ["FILE_CHANGED"]
    assert not {"previous", "changed"} & set(VerifyOptions._fields)


def test_times_are_never_a_reason_to_read_or_not(model: Path) -> None:
    previous = sign(model)
    for name in FILES:
        os.utime(model / name, (1, 1))
    assert again(model, previous).unread == tuple(sorted(FILES))


def test_a_file_that_is_gone_must_be_named(model: Path) -> None:
    previous = sign(model)
    (model / "vae/b").unlink()
    fault = refusal(again, model, previous, "config.json")
    assert (fault.code, "vae/b" in fault.message, "--changed" in fault.advice) == ("FILE_MISSING", True, True)
    assert again(model, previous, "vae/b").unread == ("config.json", "vae/a", "w.bin")


def test_a_path_that_is_nowhere_is_a_slip_of_the_pen(model: Path) -> None:
    assert refused(model, sign(model), "confg.json") == "CHANGED_MATCHES_NOTHING"


def test_a_size_that_shards_show_to_be_another_is_refused(model: Path) -> None:
    previous = sign(model, SERIALIZATIONS[1])
    (model / "w.bin").write_text("weights+")
    assert refused(model, previous, "config.json") == "FILE_CHANGED"
    assert "w.bin" not in again(model, previous, "w.bin").unread


def test_the_previous_signature_must_verify(model: Path) -> None:
    assert refused(model, sign(model, key=generate())) == "SIGNATURE_WRONG_KEY"
    assert refused(model, b"{}") == "BUNDLE_MALFORMED"
    bundle = sign(model)
    assert refused(model, bundle.replace(b'"payload":"ey', b'"payload":"eX', 1)) in {
        "SIGNATURE_INVALID",
        "SIGNATURE_WRONG_KEY",
    }


def test_a_previous_signature_that_expired_is_not_built_on(model: Path) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    with open_artifact(model) as artifact:
        bundle = sign_model(artifact, KEY, validity=Validity(then, then + timedelta(days=1))).bundle
    assert refused(model, bundle, now=then + timedelta(days=2)) == "SIGNATURE_EXPIRED"
    assert again(model, bundle, now=then + timedelta(hours=2)).unread == tuple(sorted(FILES))


def test_the_serialization_is_the_previous_one(model: Path) -> None:
    previous = sign(model, SERIALIZATIONS[1])
    assert again(model, previous).digests.serialization == SERIALIZATIONS[1]
    assert refused(model, previous, serialization=Serialization()) == "PREVIOUS_UNSUITABLE"


def test_of_one_file_nothing_can_be_taken_over(model: Path) -> None:
    assert refused(model / "w.bin", sign(model / "w.bin")) == "PREVIOUS_UNSUITABLE"


def test_naming_everything_reads_everything(model: Path) -> None:
    previous = sign(model, SERIALIZATIONS[3])
    taken = again(model, previous, *FILES)
    assert taken.unread == ()
    assert taken.digests.tree_digest is not None


@settings(max_examples=30)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c/d", "c/e", "f"]), st.binary(max_size=9), min_size=1),
    st.dictionaries(st.sampled_from(["a", "b", "c/d", "c/e", "g"]), st.binary(max_size=9), min_size=1),
    st.sampled_from(TELL_WHOLE),
)
def test_where_every_change_is_named_the_statement_is_the_one_of_a_whole_reading(
    tmp_path_factory: pytest.TempPathFactory,
    before: dict[str, bytes],
    after: dict[str, bytes],
    serialization: Serialization,
) -> None:
    folder = tmp_path_factory.mktemp("s")
    files = {name: content + b"." for name, content in before.items()}
    previous = sign(build(folder / "1" / "m", files), serialization)
    model = build(folder / "2" / "m", {name: content + b"." for name, content in after.items()})
    changed = [name for name, content in before.items() if after.get(name) != content]
    taken = again(model, previous, *changed)
    with open_artifact(model) as artifact:
        assert prepare_model(artifact, digests=taken.digests) == prepare_model(artifact, serialization=serialization)
    assert set(taken.unread) == {name for name in after if name in before and name not in changed}
