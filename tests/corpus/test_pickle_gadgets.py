"""Gadget by route: no dangerous name is ever clean, and each is called unsafe. Everything is inert and only read."""

from __future__ import annotations

import pytest
from picklebytes import GADGETS, PYTHON2_GADGETS, ROUTES, dotted, inst, obj, obj_popped, reduce_global

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome, worst


def outcome(data: bytes) -> Outcome:
    return worst(finding.outcome for finding in scan_pickle(BytesReading(data)).findings)


def test_there_are_more_than_a_hundred_gadgets():
    assert len(set(GADGETS)) >= 100


def name_of(route) -> str:
    return route.__name__


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_every_gadget_is_unsafe_by_this_route(route):
    missed = {f"{module}.{name}" for module, name in GADGETS if outcome(route(module, name)) is not Outcome.UNSAFE}
    assert missed == set()


@pytest.mark.parametrize("gadget", PYTHON2_GADGETS, ids=".".join)
@pytest.mark.parametrize("route", [reduce_global, inst, obj, obj_popped], ids=name_of)
def test_python_2_names_are_mapped_before_they_are_judged(gadget, route):
    assert outcome(route(*gadget)) is Outcome.UNSAFE


def test_a_dangerous_name_is_found_behind_any_module_and_depth():
    assert outcome(dotted("functools.os", "system")) is Outcome.UNSAFE


def test_names_that_picklescan_calls_dangerous_are_never_clean():
    scanner = pytest.importorskip("picklescan.scanner", reason="picklescan is not installed")
    clean, tame = set(), set()
    for module, names in scanner._unsafe_globals.items():
        for name in ["anything"] if names == "*" else [names] if isinstance(names, str) else names:
            found = outcome(reduce_global(module, name))
            (clean if found is Outcome.CLEAN else tame if found is not Outcome.UNSAFE else set()).add(
                f"{module}.{name}"
            )
    assert clean == set()
    getters = {f"{module}.{kind}getter" for module in ("operator", "_operator") for kind in ("attr", "item")}
    assert tame - getters == {"uuid.anything"}, "uuid.UUID is ordinary data, so only uuid's own helpers are dangerous"
