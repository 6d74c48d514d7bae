"""modelscan as a second opinion: in a process of its own, with a status, and never the last word."""

from __future__ import annotations

from importlib.util import find_spec

import model_files
import pytest

from modelsign.opinions import _index, modelscan
from modelsign.opinions.modelscan import ask
from modelsign.opinions.opinion import SecondOpinion

needs_modelscan = pytest.mark.skipif(find_spec("modelscan") is None, reason="modelscan is not installed")


def put(folder, **files):
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return str(folder)


def test_it_is_in_the_index():
    opinion = _index.load("modelscan")
    assert isinstance(opinion, SecondOpinion)
    assert opinion.id in _index.IDS
    assert opinion.description.endswith(".")


@needs_modelscan
def test_what_it_finds_is_a_finding_about_the_file(tmp_path):
    asked = ask(put(tmp_path, bad_pkl=model_files.EVIL, good_pkl=model_files.HARMLESS), 60)
    assert asked.opinion.status == "findings"
    assert asked.opinion.version
    assert "CRITICAL" in asked.opinion.findings[0]
    ((path, finding),) = asked.findings
    assert (path, finding.rule, finding.outcome) == ("bad.pkl", "opinion-unsafe", "unsafe")


@needs_modelscan
def test_what_it_finds_in_an_archive_names_the_member(tmp_path):
    asked = ask(put(tmp_path, bad_pt=model_files.pytorch(model_files.EVIL)), 60)
    assert asked.opinion.status == "findings"
    assert asked.findings[0][0] == "bad.pt"
    assert asked.findings[0][1].member == "archive/data.pkl"


@needs_modelscan
@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("good_pkl", model_files.HARMLESS, "no findings"),
        ("model_safetensors", model_files.safetensors(), "nothing scanned"),
        ("broken_pkl", b"\x80\x04broken", "failed"),
    ],
)
def test_silence_counts_only_where_something_was_read_without_error(tmp_path, name, data, status):
    asked = ask(put(tmp_path, **{name: data}), 60)
    assert asked.opinion.status == status
    assert asked.findings == ()
    assert asked.opinion.message


def test_a_scanner_that_takes_too_long_is_killed_and_has_no_opinion(tmp_path, monkeypatch):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\nwhile True:\n    time.sleep(1)\n")
    monkeypatch.setattr(modelscan, "_RUNNER", str(slow))
    asked = ask(str(tmp_path), 0.5)
    assert asked.opinion.status == "failed"
    assert "0.5 seconds" in asked.opinion.message


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("raise SystemExit(3)", "absent"),
        ("raise SystemExit(9)", "failed"),
        ("print('no JSON')", "failed"),
        ("print('[]')", "failed"),
        ("", "failed"),
        ("import os; os.abort()", "failed"),
    ],
)
def test_whatever_goes_wrong_is_a_status(tmp_path, monkeypatch, program, status):
    runner = tmp_path / "runner.py"
    runner.write_text(program)
    monkeypatch.setattr(modelscan, "_RUNNER", str(runner))
    assert ask(str(tmp_path), 60).opinion.status == status


def test_its_process_gets_no_environment(tmp_path, monkeypatch):
    runner = tmp_path / "runner.py"
    runner.write_text(
        "import json, os, sys\n"
        "issue = {'severity': 'LOW', 'description': ' '.join(sorted(os.environ)), 'path': ''}\n"
        "print(json.dumps({'version': '1', 'scanned': ['x'], 'skipped': 0, 'issues': [issue], 'errors': []}))\n"
    )
    monkeypatch.setattr(modelscan, "_RUNNER", str(runner))
    monkeypatch.setenv("SECRET", "x")
    ((path, finding),) = ask(str(tmp_path), 60).findings
    assert (path, finding.rule) == (None, "opinion-doubt")
    assert "SECRET" not in finding.message
