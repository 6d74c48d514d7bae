"""Budgets are documented, positive and in the right order."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

from modelsign import limits

SOURCE = Path(limits.__file__).read_text(encoding="utf-8")
NAMES = [name for name in vars(limits) if name.isupper()]


def test_every_budget_is_a_positive_count():
    assert NAMES
    for name in NAMES:
        value = getattr(limits, name)
        assert isinstance(value, int), name
        assert value > 0, name


def test_every_budget_says_what_it_is():
    body = ast.parse(SOURCE).body
    for statement, following in pairwise(body):
        if isinstance(statement, ast.AnnAssign) and statement.target.id not in ("KIB", "MIB", "GIB"):
            assert isinstance(following, ast.Expr), f"{statement.target.id} has no docstring"


def test_no_budget_counts_seconds():
    assert not [name for name in NAMES if "SECOND" in name or "TIMEOUT" in name]
