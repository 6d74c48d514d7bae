"""The memo gives back what was put in, however sparse, and counts as CPython counts."""

from __future__ import annotations

import pytest

from modelsign.scan.machine.memo import Memo
from modelsign.scan.machine.values import UNKNOWN, Global, Instance

NAME = Global("os", "system", 0)
MADE = Instance("x.Y")


@pytest.mark.parametrize(
    "value", [0, 7, ~7, 1 << 50, ~(1 << 50), (), (1, ~2, 3), (1, NAME), ((1,), 2), NAME, MADE, UNKNOWN]
)
def test_every_kind_of_value_comes_back(value):
    memo = Memo()
    memo.append(5)
    memo.append(value)
    found = memo.get(1)
    assert found is value if isinstance(value, (Global, Instance)) else found == value
    assert memo.get(0) == 5


def test_an_object_is_kept_once():
    memo = Memo()
    for _ in range(100):
        memo.append(MADE)
    assert len(memo._objects) == 1
    assert memo.get(99) is MADE


def test_a_put_beyond_a_gap_counts_as_one_entry():
    memo = Memo()
    memo.put(5, 1)
    assert len(memo) == 1
    memo.append(2)
    assert memo.get(1) == 2
    assert memo.get(5) == 1
    assert memo.get(0) is None
    assert memo.get(-1) is None


def test_a_gap_that_closes_becomes_dense():
    memo = Memo()
    for index in (2, 1, 0):
        memo.put(index, index + 10)
    assert list(memo.dense) == [10, 11, 12]
    assert memo.sparse == {}


def test_a_put_over_an_entry_replaces_it():
    memo = Memo()
    memo.append(1)
    memo.put(0, NAME)
    memo.put(9, 2)
    memo.put(9, 3)
    assert memo.get(0) is NAME
    assert memo.get(9) == 3
    assert len(memo) == 2


def test_a_tuple_with_more_than_data_leaves_nothing_behind_in_the_flat_array():
    memo = Memo()
    memo.append((1, 2, NAME))
    memo.append((3, 4))
    assert memo.get(0) == (1, 2, NAME)
    assert memo.get(1) == (3, 4)
