"""The catalog of reasons: every code is used, every use is known, and each says what to do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import modelsign
from modelsign import reasons
from modelsign.reasons import CATALOG, ExitStatus

ROOT = Path(modelsign.__file__).parent
CODE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
AREAS = [path for path in sorted((ROOT / "reasons").glob("*.py")) if not path.name.startswith("_")]
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
    if path.parent.name != "reasons"
}
STRINGS = {
    node.value
    for tree in TREES.values()
    for node in ast.walk(tree)
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}


def raised():
    """Every literal code given to ``error()``, with its place."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, (ast.Name, ast.Attribute)):
                called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                first = node.args[0]
                if called == "error" and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", first.value


def test_every_code_that_is_raised_is_in_the_catalog():
    unknown = [f"{place}: {code}" for place, code in raised() if code not in CATALOG]
    assert not unknown


@pytest.mark.parametrize("code", sorted(CATALOG))
def test_every_code_in_the_catalog_is_used(code):
    assert code in STRINGS, f"nothing gives the reason {code}"


@pytest.mark.parametrize("code", sorted(CATALOG))
def test_every_reason_has_a_plain_code_a_title_and_one_line_of_advice(code):
    reason = CATALOG[code]
    assert CODE.match(reason.code)
    assert reason.title
    assert "\n" not in reason.title
    assert not reason.title.endswith(".")
    assert reason.advice
    assert "\n" not in reason.advice
    assert reason.advice.endswith((".", "`"))
    assert len(reason.advice) <= 200
    assert reason.exit_status is not ExitStatus.OK


def test_no_code_stands_in_two_areas():
    seen = []
    for path in AREAS:
        seen += [reason.code for reason in __import__(f"modelsign.reasons.{path.stem}", fromlist=["x"]).REASONS]
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(CATALOG)
    assert set(reasons.__all__) == {"CATALOG", "ExitStatus", "Reason"}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INTERNAL", 3),
        ("USAGE", 2),
        ("INTERRUPTED", 130),
        ("NO_SUCH_MODEL", 2),
        ("EMPTY_MODEL", 4),
    ],
)
def test_the_answers_scripts_rely_on_keep_their_exit_status(code, status):
    assert int(CATALOG[code].exit_status) == status
