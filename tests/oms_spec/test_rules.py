"""The table of the specification's rules and the tests that hold them say the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pytest

from modelsign.cli.main import root

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))

from generated.oms import marked, rules  # noqa: E402 - the path comes first

RULES = rules(ROOT)
FIELDS = {"id", "section", "says", "here"}


def flags(command: click.Command) -> set[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        members = (command.get_command(context, name) for name in command.list_commands(context))
        return set().union(*(flags(member) for member in members if member is not None))
    return {word for option in command.params for word in option.opts}


def test_every_rule_has_a_test_and_every_mark_is_a_rule() -> None:
    ids = [rule["id"] for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert set(marked(ROOT)) == set(ids)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["id"])
def test_a_rule_says_what_the_specification_wants_and_what_happens_here(rule) -> None:
    assert FIELDS <= rule.keys() <= FIELDS | {"stricter", "switch", "decision"}
    assert rule.get("stricter", False) in (True, False, "looser")
    if "decision" in rule:
        assert (ROOT / f"docs/decisions/{rule['decision']}.md").is_file()


def test_every_switch_is_one_of_the_command_line() -> None:
    named = {rule["switch"] for rule in RULES if "switch" in rule}
    assert named <= flags(root())


def test_every_stricter_default_has_a_switch_or_a_page_that_says_why_not() -> None:
    bare = [rule["id"] for rule in RULES if rule.get("stricter") is True and not {"switch", "decision"} & rule.keys()]
    assert bare == []


def test_the_client_of_the_public_suite_uses_the_switches() -> None:
    client = (ROOT / "tools/conformance/oms_client.py").read_text(encoding="utf-8")
    used = set(re.findall(r'"(--[a-z-]+)"', client))
    stricter = {rule["switch"] for rule in RULES if rule.get("stricter") is True and "switch" in rule}
    assert stricter - used == {"--allow-symlinks", "--link-root"}  # the suite wants links refused
