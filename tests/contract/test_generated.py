"""Everything that is generated is fresh, and a member can be scaffolded in every family."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = (
    "scan/formats",
    "report",
    "attest/predicates",
    "policy/rules",
    "guard/loaders",
    "opinions",
    "signing/methods",
)


def tool(name, *arguments):
    command = [sys.executable, ROOT / "tools" / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_nothing_generated_is_stale():
    got = tool("generate.py", "--check")
    assert got.returncode == 0, got.stdout + got.stderr


@pytest.mark.parametrize("family", FAMILIES)
def test_a_new_member_has_a_place_for_everything_its_family_asks(family, tmp_path):
    got = tool("new.py", family, "fresh", "--root", tmp_path)
    assert got.returncode == 0, got.stderr
    made = (tmp_path / "src/modelsign" / family / "fresh.py").read_text()
    tree = ast.parse(made)
    assert isinstance(tree.body[-1], ast.Assign)
    assert isinstance(tree.body[-1].value, ast.Call)
    (test,) = tmp_path.glob("tests/unit/*/test_fresh.py")
    ast.parse(test.read_text())
    again = tool("new.py", family, "fresh", "--root", tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize("name", ["Upper", "with-dash", "class", "_hidden", "1st", "../escape"])
def test_a_member_needs_a_plain_name(name, tmp_path):
    assert tool("new.py", "report", name, "--root", tmp_path).returncode == 2
    assert not list(tmp_path.iterdir())
