"""The page of formats names nothing that a scan does not know, and links to pages that are there."""

from __future__ import annotations

import re
from pathlib import Path

from modelsign.scan.formats import _index
from modelsign.scan.tables import table

PAGE = Path(__file__).parents[3] / "docs/formats.md"
MARKS = {row["id"] for part in ("content", "names") for row in table("marks")[part]}
NAMED = re.compile(r"`([a-z0-9-]+)`")


def test_every_name_in_brackets_is_a_format_or_a_mark():
    rows = [row.split("|")[1] for row in PAGE.read_text("utf-8").splitlines() if row.startswith("| ")]
    named = {name for cell in rows for brackets in re.findall(r"\(([^)]*)\)", cell) for name in NAMED.findall(brackets)}
    assert len(named) > 50
    assert named <= set(_index.IDS) | MARKS
