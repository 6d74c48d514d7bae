"""Every published bypass and vulnerability: one inert file each, named by its id, and what must come of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from attacks import ALL, AREAS, NOT_OURS

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import known_rules, scan_file

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs/known-attacks.md"
IDENTIFIER = re.compile(r"CVE-\d{4}-\d{4,}|GHSA-\w{4}(?:-\w{4}-\w{4})?")


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.id)
def test_it_is_found(attack):
    name, data = attack.file()
    result = scan_file(BytesReading(data), name)
    assert (result.outcome, result.loadable) == (attack.outcome, True)
    assert attack.rule in {finding.rule for finding in result.findings}


def test_none_of_them_may_be_clean():
    assert {attack.outcome for attack in ALL} <= {"unsafe", "incomplete", "unverified", "unsupported"}
    counted = Counter(attack.outcome for attack in ALL)
    assert counted["unsafe"] > 0.9 * len(ALL)


def test_each_id_stands_once():
    ids = Counter(identifier for attack in ALL for identifier in (attack.id, *attack.also)) + Counter(list(NOT_OURS))
    assert [identifier for identifier, count in ids.items() if count > 1] == []
    assert all(attack.what for attack in ALL)


def test_the_page_is_what_the_registry_says():
    subprocess.run([sys.executable, ROOT / "tools/known_attacks.py", "--check"], check=True)
    page = PAGE.read_text("utf-8")
    for attack in ALL:
        assert all(f"`{identifier}`" in page for identifier in (attack.id, *attack.also)), attack.id
    assert all(f"`{identifier}`" in page for identifier in NOT_OURS)
    assert all(f"## {area}" in page for area in AREAS)


def test_whatever_a_rule_refers_to_has_a_file():
    """A vulnerability that the scanner's own rules name is one that a file here shows."""
    named = {reference for rule in known_rules() for reference in rule.references if IDENTIFIER.fullmatch(reference)}
    shown = {identifier for attack in ALL for identifier in (attack.id, *attack.also)}
    assert named - shown - set(NOT_OURS) == set()
