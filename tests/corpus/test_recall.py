"""The recall family, a seeded slice of it: ``tools/recall.py`` runs the whole. Everything is inert and only read."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from recall.argued import reason_for
from recall.containers import CONTAINERS
from recall.family import slice_of
from recall.names import TOOLS, gadgets, installed
from recall.routes import CALLS, ROUTES

SEED = 20261126
COUNT = len(ROUTES) * len(CONTAINERS)
"""Each route once in each container."""
once = pytest.mark.slow
"""On one Python only: ``tests/compat/test_every_python.py`` holds that all of them say the same."""


@pytest.fixture(scope="module")
def seen():
    missing = [tool for tool in TOOLS if tool not in installed()]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    return [(case, str(case.scan().outcome)) for case in slice_of(COUNT, SEED)]


def test_every_tool_says_which_names_are_dangerous():
    for tool in installed():
        assert sum(tool in gadget.tools for gadget in gadgets()) > 50, tool


def test_names_are_read_without_importing_the_tools():
    before = set(sys.modules)
    gadgets()
    assert not {name.partition(".")[0] for name in set(sys.modules) - before} & set(TOOLS)


@once
def test_the_slice_has_every_route_and_every_container(seen):
    assert len(seen) == COUNT >= 5000
    assert {case.route for case, _ in seen} == set(ROUTES)
    assert {case.container for case, _ in seen} == set(CONTAINERS)


@once
def test_nothing_that_was_not_argued_is_clean(seen):
    assert [str(case) for case, outcome in seen if outcome == "clean" and reason_for(case, outcome) is None] == []


@once
def test_what_calls_a_dangerous_name_is_unsafe_or_argued(seen):
    tame = [(case, outcome) for case, outcome in seen if case.calls and outcome != "unsafe"]
    assert [f"{case}: {outcome}" for case, outcome in tame if reason_for(case, outcome) is None] == []


@once
def test_at_least_98_of_100_calls_are_unsafe(seen):
    counted = Counter(outcome for case, outcome in seen if case.calls)
    assert counted["unsafe"] / counted.total() >= 0.98, counted


def test_routes_have_names_of_their_own():
    assert len({route.__name__ for route in ROUTES}) == len(ROUTES)
    assert len(CALLS) > 90
