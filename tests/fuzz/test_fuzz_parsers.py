"""Feeds every parser changed seeds: nothing but ``ModelsignError`` may come out (DESIGN, security rule 7).

Seeded, so that a run can be repeated. ``make fuzz`` runs many more, and lets atheris look for inputs by coverage.
"""

from __future__ import annotations

import os
import random
import tracemalloc

import pytest
from hostile.bombs import BOMBS, inflated
from hostile.mutation import mutated
from hostile.target import judge, targets
from hypothesis import given
from hypothesis import strategies as st

TARGETS = targets()
FUZZ = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
CHANGES = 20_000 if FUZZ else 150
BOMB_BYTES = 1 << 20 if FUZZ else 1 << 15
MOST_PER_BYTE, MOST_BESIDES = 100, 4 << 20
"""Bytes of memory a parser may take for each byte of its input, and for itself."""


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


@pytest.mark.parametrize("name", TARGETS)
def test_depth_number_and_length_cost_memory_in_proportion(name):
    target = TARGETS[name]
    for seed in target.seeds():
        judge(target, seed)  # what is imported or compiled once does not count
    bombs = {kind: make(BOMB_BYTES) for kind, make in BOMBS.items()}
    bombs |= {f"inflated {number}": data for number, data in enumerate(inflated(target.seeds(), BOMB_BYTES))}
    for kind, data in bombs.items():
        tracemalloc.start()
        try:
            judge(target, data)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak <= MOST_PER_BYTE * len(data) + MOST_BESIDES, f"{kind}: {peak} bytes for {len(data)}"
