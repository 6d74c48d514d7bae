"""Feeds every parser changed seeds: nothing but ``ModelsignError`` may come out (DESIGN, security rule 7).

Seeded, so that a run can be repeated. ``make fuzz`` runs many more, and lets atheris look for inputs by coverage.
"""

from __future__ import annotations

import os
import random

import pytest
from hostile.mutation import mutated
from hostile.target import judge, targets
from hypothesis import given
from hypothesis import strategies as st

TARGETS = targets()
CHANGES = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 150


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_read_and_most_are_good(name):
    target = TARGETS[name]
    seeds = target.seeds()
    assert "ok" in [judge(target, data) for data in seeds]


@pytest.mark.parametrize("name", TARGETS)
def test_changed_seeds_are_read_or_refused(name):
    target = TARGETS[name]
    chance, seeds = random.Random(f"7 {name}"), list(target.seeds())
    for _ in range(CHANGES):
        judge(target, mutated(chance, seeds, target.form))


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(name, data):
    judge(TARGETS[name], data)
