"""Scan and opinions joined: opinions speak of the same bytes, add findings, and lower nothing."""

from __future__ import annotations

from pathlib import Path

import model_files
import pytest

from modelsign import examine as examining
from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.errors import ModelsignError
from modelsign.examine import examine, opinion_ids
from modelsign.opinions.opinion import DOUBT, UNSAFE, Asked, SecondOpinion
from modelsign.verdict import Opinion


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_bytes(b"{}")
    (folder / "sub" / "bad.pkl").write_bytes(model_files.EVIL)
    return folder


@pytest.fixture
def says(monkeypatch):
    """Make a scanner that says what a test wants and remembers what it was shown."""
    shown = []

    def install(*findings, status="findings"):
        def ask(folder, seconds):
            names = sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())
            shown.append((names, (Path(folder) / "config.json").read_bytes(), seconds))
            return Asked(Opinion("parrot", "1.0", status, tuple(path or "" for path, _ in findings)), findings)

        parrot = SecondOpinion("parrot", "Parrot", "Repeats.", "parrot", ask)
        monkeypatch.setattr(examining._index, "IDS", ("parrot",))
        monkeypatch.setattr(examining._index, "load", lambda _: parrot)
        return shown

    return install


def outcomes(result):
    return {file.path: str(file.outcome) for file in result.files}


def test_without_opinions_it_is_the_scan(model):
    with open_artifact(model) as artifact:
        result = examine(artifact)
    assert outcomes(result) == {"config.json": "clean", "sub/bad.pkl": "unsafe"}
    assert result.opinions == ()


def test_an_opinion_adds_a_finding_to_its_file(model, says):
    shown = says(("config.json", UNSAFE.finding("bad words")))
    with open_artifact(model) as artifact:
        result = examine(artifact, opinions=["parrot", "parrot"])
    assert outcomes(result) == {"config.json": "unsafe", "sub/bad.pkl": "unsafe"}
    assert result.files[0].findings[0].rule == "opinion-unsafe"
    assert result.files[0].loadable
    assert [opinion.engine for opinion in result.opinions] == ["parrot"]
    assert shown == [(["config.json", "sub/bad.pkl"], b"{}", examining.OPINION_SECONDS)]


@pytest.mark.parametrize("status", ["no findings", "nothing scanned", "failed", "absent"])
def test_silence_lowers_nothing_and_is_recorded(model, says, status):
    says(status=status)
    with open_artifact(model) as artifact:
        result = examine(artifact, opinions=["parrot"])
    assert outcomes(result)["sub/bad.pkl"] == "unsafe"
    assert result.opinions[0].status == status


def test_a_doubt_makes_a_clean_file_unverified_and_leaves_a_worse_one(model, says):
    says(("config.json", DOUBT.finding("hm")), ("sub/bad.pkl", DOUBT.finding("hm")))
    with open_artifact(model) as artifact:
        result = examine(artifact, opinions=["parrot"])
    assert outcomes(result) == {"config.json": "unverified", "sub/bad.pkl": "unsafe"}


@pytest.mark.parametrize("path", [None, "elsewhere"])
def test_a_finding_about_no_known_file_goes_to_all(model, says, path):
    says((path, DOUBT.finding("somewhere")))
    with open_artifact(model) as artifact:
        result = examine(artifact, opinions=["parrot"])
    assert all(any(finding.rule == "opinion-doubt" for finding in file.findings) for file in result.files)


def test_the_opinion_sees_the_copy_that_was_judged_not_the_folder(model, says):
    shown = says()
    with open_artifact(model) as artifact, take_snapshot(artifact) as copy:
        (model / "config.json").write_bytes(b'{"changed": 1}')
        result = examine(copy, opinions=["parrot"], seconds=5)
    assert shown[0][1:] == (b"{}", 5)
    assert outcomes(result)["config.json"] == "clean"


def test_the_folder_of_links_is_gone_afterwards(model, says, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    says()
    with open_artifact(model) as artifact:
        examine(artifact, opinions=["parrot"])
    assert list(tmp_path.glob("modelsign-*")) == []


def test_a_scanner_nobody_knows_is_a_usage_error(model):
    with open_artifact(model) as artifact, pytest.raises(ModelsignError) as caught:
        examine(artifact, opinions=["clairvoyant"])
    assert (caught.value.code, caught.value.exit_status) == ("OPINION_UNKNOWN", 2)
    assert "modelscan" in caught.value.message


def test_the_ids_are_those_of_the_index():
    assert "modelscan" in opinion_ids()
