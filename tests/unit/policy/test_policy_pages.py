"""The examples in the pages about policies are policies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelsign.policy.constraints import _OPERATORS
from modelsign.policy.document import read_policy
from modelsign.policy.rules import _index

DOCS = Path(__file__).parents[3] / "docs"
BLOCKS = [
    (page.name, block)
    for page in sorted(DOCS.glob("policy-*.md"))
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
]


def test_there_are_examples():
    assert BLOCKS


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_every_example_reads(page, block):
    policy = read_policy(block.encode(), what=page)
    assert policy.rules


def test_every_operator_and_kind_of_rule_is_described():
    page = (DOCS / "policy-writing.md").read_text(encoding="utf-8")
    for name in (*_OPERATORS, *_index.IDS):
        assert f"`{name}" in page, name
