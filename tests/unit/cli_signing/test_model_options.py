"""Progress is drawn and passwords are asked for on a terminal only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from refusals import build, refused_with

from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.model import open_artifact
from modelsign.cli.model_options import insecure_notes, progress_of, read_private_key
from modelsign.cli.session import Session
from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session("sign", os.environ, str(tmp_path))


def test_without_a_terminal_nothing_is_drawn(session: Session, tmp_path: Path) -> None:
    with open_artifact(build(tmp_path / "m", {"w": "1"})) as artifact:
        assert progress_of(session, artifact, "hashing") is None


def test_on_a_terminal_progress_counts_to_the_size_of_the_model(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str, int, int]] = []
    monkeypatch.setattr(Session, "progress", property(lambda _: lambda *step: drawn.append(step)))
    with open_artifact(build(tmp_path / "m", {"w": "123", "v": "45"})) as artifact:
        hash_artifact(artifact, progress=progress_of(session, artifact, "hashing"))
    assert max(drawn) == ("hashing", 5, 5)


def test_the_password_is_asked_for_where_the_key_needs_one(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = generate()
    build(tmp_path, {"locked": key.pem(b"secret"), "open": key.pem()})
    asked: list[str] = []

    def answer(_: Session, prompt: str) -> bytes:
        asked.append(prompt)
        return b"secret"

    monkeypatch.setattr(Session, "_ask", answer)
    assert read_private_key(session, str(tmp_path / "open"), None).public.digest == key.public.digest
    assert asked == []
    assert read_private_key(session, str(tmp_path / "locked"), None).public.digest == key.public.digest
    assert len(asked) == 1
    monkeypatch.setattr(Session, "_ask", lambda *_: None)
    assert refused_with(read_private_key, session, str(tmp_path / "locked"), None) == "KEY_PASSWORD_NEEDED"


def test_only_insecure_switches_that_were_given_are_noted() -> None:
    assert insecure_notes({"insecure_names": True, "insecure_unsigned_loadable": False, "ignore_paths": ()}) == (
        "--insecure-names was given",
    )
