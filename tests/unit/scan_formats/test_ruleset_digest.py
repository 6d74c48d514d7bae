"""The digest of the rules: the same wherever the package lies, another as soon as a rule changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import modelsign
from modelsign.errors import ModelsignError
from modelsign.scan import ruleset
from modelsign.scan.ruleset import DATA_SUFFIXES, ruleset_digest

PACKAGE = Path(modelsign.__file__).parent
ASK = "from modelsign.scan.ruleset import ruleset_digest; print(ruleset_digest())"


@pytest.fixture
def copy(tmp_path):
    target = tmp_path / "modelsign"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def digest(package):
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(package.parent)!r}); {ASK}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def test_it_is_the_same_in_another_place_and_with_caches(copy, tmp_path):
    second = shutil.copytree(copy, tmp_path / "elsewhere" / "modelsign")
    (second / "scan" / "__pycache__").mkdir(exist_ok=True)
    (second / "scan" / "__pycache__" / "engine.py").write_text("a cache")
    (second / "scan" / "engine.pyc").write_bytes(b"a cache")
    (second / "scan" / ".hidden.py").write_text("an editor's")
    assert digest(copy) == digest(second)
    assert len(digest(copy)) == 64


@pytest.mark.parametrize(
    "name", ["scan/engine.py", "scan/knowledge/marks.json", "scan/formats/json.py", "artifact/reading.py", "limits.py"]
)
def test_it_changes_with_source_data_and_budgets(copy, name):
    before = digest(copy)
    path = copy / name
    path.write_text(path.read_text() + "\n")
    assert digest(copy) != before


def test_it_does_not_change_with_other_parts(copy):
    before = digest(copy)
    path = copy / "report" / "text.py"
    path.write_text(path.read_text() + "\n")
    assert digest(copy) == before


def test_it_changes_with_the_grammar(monkeypatch):
    before = ruleset_digest.__wrapped__()
    monkeypatch.setattr(ruleset, "GRAMMAR", ruleset.GRAMMAR + 1)
    assert ruleset_digest.__wrapped__() != before


def test_every_file_of_the_scanner_is_covered():
    suffixes = {path.suffix for path in (PACKAGE / "scan").rglob("*") if path.is_file()} - {".pyc"}
    assert suffixes <= DATA_SUFFIXES


def test_an_unreadable_source_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(ruleset, "_PACKAGE", tmp_path)
    with pytest.raises(ModelsignError) as caught:
        ruleset_digest.__wrapped__()
    assert caught.value.code == "RULESET_UNREADABLE"
