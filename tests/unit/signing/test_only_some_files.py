"""Verifying only some files: what was not looked at is listed, and is never VERIFIED."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from commandline import modelsign as run
from refusals import build, refused_with

from modelsign.artifact import shards
from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.keys import generate
from modelsign.signing.oms import parse_statement
from modelsign.signing.revocation import Revocations
from modelsign.signing.revocation_list import RevocationList, Revoked
from modelsign.signing.selection import Selection
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.verdict import VerifyVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from modelsign.verdict import VerifyResult

KEY = generate()
SERIALIZATIONS = [Serialization(), Serialization("blake3"), Serialization("sha256", 70_000)]


@pytest.fixture(params=SERIALIZATIONS, ids=lambda value: f"{value.algorithm}-{value.method}")
def signed(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, bytes]:
    model = build(tmp_path / "m", {"config.json": "{}", "vae/w": os.urandom(150_000), "unet/w": "22", "unet/v": "3"})
    with open_artifact(model) as artifact:
        return model, sign_model(artifact, KEY, serialization=request.param).bundle


def verify(model: Path, bundle: bytes, *only: str) -> VerifyResult:
    with open_artifact(model) as artifact:
        return verify_model(artifact, bundle, [KEY.public], options=VerifyOptions(only=only))


def codes(result: VerifyResult) -> list[str]:
    return [reason.code for reason in result.reasons]


def test_a_part_is_partial_and_the_rest_is_listed(signed: tuple[Path, bytes]) -> None:
    model, bundle = signed
    for name in ("unet/w", "unet/v"):
        (model / name).unlink()
    result = verify(model, bundle, "*.json", "vae/**")
    assert (result.verdict, int(result.exit_status)) == (VerifyVerdict.PARTIAL, 0)
    assert result.files.unchecked == ("unet/v", "unet/w")
    assert (result.files.signed, result.files.checked, result.files.missing) == (4, 2, ())
    assert (result.root_digest, result.tree_digest) == (None, None)
    assert "the model as a whole is not verified" in result.warnings[0]


def test_a_pattern_that_matches_everything_is_partial_all_the_same(signed: tuple[Path, bytes]) -> None:
    result = verify(*signed, "**")
    assert (result.verdict, result.files.unchecked) == (VerifyVerdict.PARTIAL, ())


def test_what_was_asked_for_must_be_there_signed_and_unchanged(signed: tuple[Path, bytes]) -> None:
    model, bundle = signed
    (model / "unet/w").write_text("23")
    assert codes(verify(model, bundle, "unet/*")) == ["FILE_CHANGED"]
    (model / "unet/w").unlink()
    result = verify(model, bundle, "unet/*")
    assert (codes(result), result.verdict) == (["FILE_MISSING"], VerifyVerdict.REFUSED)
    build(model, {"unet/evil.py": "import os"})
    assert codes(verify(model, bundle, "unet/v", "unet/*.py")) == ["FILE_UNSIGNED"]
    assert verify(model, bundle, "unet/v").files.unchecked == ("config.json", "unet/evil.py", "unet/w", "vae/w")


def test_a_pattern_that_matches_nothing_is_a_slip_of_the_pen(signed: tuple[Path, bytes]) -> None:
    result = verify(*signed, "config.json", "uent/*")
    assert (codes(result), int(result.exit_status)) == (["ONLY_MATCHES_NOTHING"], 2)
    assert codes(verify(*signed, "*")) == []
    assert codes(verify(*signed, "unet")) == ["ONLY_MATCHES_NOTHING"]


def test_files_that_were_not_asked_for_are_not_read(
    signed: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, bundle = signed

    def unreadable(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shards.os, "readv", unreadable)
    monkeypatch.setattr(shards.os, "preadv", unreadable)
    assert codes(verify(model, bundle, "config.json")) == []
    assert codes(verify(model, bundle, "vae/*")) == ["FILE_UNREADABLE"]


def test_the_signature_is_verified_all_the_same(signed: tuple[Path, bytes]) -> None:
    model, bundle = signed
    with open_artifact(model) as artifact:
        result = verify_model(artifact, bundle, [generate().public], options=VerifyOptions(only=("config.json",)))
    assert codes(result) == ["SIGNATURE_WRONG_KEY"]


def test_a_revoked_model_is_refused_in_part_too(signed: tuple[Path, bytes]) -> None:
    model, bundle = signed
    tree = str(parse_statement(parse_bundle(bundle).payload).tree_digest)
    then = datetime(2026, 1, 1, tzinfo=UTC)
    revoked = Revocations([RevocationList(1, then, then, (Revoked("model", tree, "backdoor", then),))])
    for options in (VerifyOptions(only=("config.json",)), VerifyOptions(tree_digest=False), VerifyOptions()):
        with open_artifact(model) as artifact:
            result = verify_model(artifact, bundle, [KEY.public], options=options._replace(revocations=revoked))
        assert codes(result) == ["MODEL_REVOKED"]


def test_patterns_must_be_some_and_short() -> None:
    assert refused_with(Selection, []) == "USAGE"
    assert refused_with(Selection, ["x" * 1000]) == "USAGE"


def test_the_command_line_says_partial_in_every_form(tmp_path: Path) -> None:
    build(tmp_path / "m", {"a": "1", "b": "2"})
    assert run("key", "generate", "k.pem", cwd=tmp_path).exit_code == 0
    assert run("sign", "m", "--key", "k.pem", cwd=tmp_path).exit_code == 0
    (tmp_path / "m/b").unlink()
    words = ("verify", "m", "--key", "k.pub", "--only", "a")
    got = run(*words, "--format", "json", cwd=tmp_path)
    assert (got.exit_code, got.document["verdict"], got.codes) == (0, "PARTIAL", [])
    assert got.document["files"]["unchecked"] == ["b"]
    assert (got.document["root_digest"], got.document["tree_digest"]) == (None, None)
    for form in ("text", "jsonl", "markdown", "github", "sarif", "junit", "html"):
        answer = run(*words, "--format", form, cwd=tmp_path)
        assert answer.exit_code == 0
        assert "VERIFIED" not in answer.stdout
        assert "the model as a whole is not verified" in answer.stdout, form


def test_a_variable_or_a_configuration_never_narrows_the_question(tmp_path: Path) -> None:
    build(tmp_path / "m", {"a": "1"})
    assert run("key", "generate", "k.pem", cwd=tmp_path).exit_code == 0
    assert run("sign", "m", "--key", "k.pem", cwd=tmp_path).exit_code == 0
    words = ("verify", "m", "--key", "k.pub", "--format", "json")
    assert run(*words, environ={"MODELSIGN_VERIFY_ONLY": "a"}, cwd=tmp_path).codes == ["USAGE"]
    (tmp_path / "c.toml").write_text('[verify]\nonly = ["a"]\n')
    assert run(*words, "--config", "c.toml", cwd=tmp_path).codes == ["USAGE"]
