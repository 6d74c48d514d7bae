"""Every fragment of the changelog has a name that the release's tool takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_fragments_are_named_by_issue_type_and_number():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
    types = "|".join(entry["directory"] for entry in settings["type"])
    names = [path.name for path in (ROOT / settings["directory"]).glob("*.md")]
    assert names
    assert [name for name in names if not re.fullmatch(rf"\d+\.({types})(\.\d+)?\.md", name)] == []
