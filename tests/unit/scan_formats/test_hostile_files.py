"""Hostile files of every format cost operations and memory in proportion to their bytes, and never an exception.

Operations are lines of Python that run; what C does in one of them is bounded by a scan's work (``test_work.py``) and
measured by ``tools/bench/hostile.py``. No time is taken. Tests take every 23rd bomb; ``make fuzz`` takes all.
"""

from __future__ import annotations

import os
import sys
import tracemalloc

import model_files
import pytest
from bombs import BOMBS

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

SMALL = 1 << 13
EVERY = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else 23
SLACK = 3000
"""Lines by which rounding, windows and the first few of a kind may differ."""
MOST_GROWTH = 2.4
"""Of what a file of twice the bytes costs more; 2 is linear, 4 is quadratic."""
MEMORY_PER_BYTE, MEMORY_BESIDES = 400, 48 << 20
UNPACKING = frozenset({"compressed", "zip"})
"""Families whose bytes are not those that are looked at; their work is bounded by its own budget."""


@pytest.fixture(scope="module", autouse=True)
def _warm():
    for files in model_files.GOOD.values():
        for name, data in files.items():
            scan_file(BytesReading(data), name)


def lines(data: bytes, name: str) -> int:
    """Scan and return how many lines of Python ran."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        scan_file(BytesReading(data), name)
    finally:
        sys.settrace(before)
    return count


def bombs(*, unpacking: bool):
    chosen = [bomb for bomb in BOMBS if (bomb.family in UNPACKING) == unpacking]
    return [pytest.param(bomb, id=f"{bomb.family}: {bomb.id}") for bomb in chosen[::EVERY]]


@pytest.mark.parametrize("bomb", bombs(unpacking=False))
def test_operations_grow_as_the_file_does(bomb):
    sizes, counts = [], []
    scan_file(BytesReading(bomb.make(SMALL)), bomb.file)  # what is remembered of names and tables does not count
    for size in (SMALL, 2 * SMALL, 4 * SMALL):
        data = bomb.make(size)
        sizes.append(len(data))
        counts.append(lines(data, bomb.file))
    first, second = counts[1] - counts[0], counts[2] - counts[1]
    wanted = (sizes[2] - sizes[1]) / max(1, sizes[1] - sizes[0])
    assert second <= max(wanted, 2) / 2 * MOST_GROWTH * max(first, 0) + SLACK, (sizes, counts)


@pytest.mark.parametrize("bomb", bombs(unpacking=False))
def test_memory_is_in_proportion_to_the_file(bomb):
    data = bomb.make(2 * SMALL)
    tracemalloc.start()
    try:
        scan_file(BytesReading(data), bomb.file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_PER_BYTE * len(data) + MEMORY_BESIDES


@pytest.mark.parametrize("bomb", bombs(unpacking=True))
def test_what_unpacks_to_far_more_stays_within_the_work_of_its_size(bomb, monkeypatch):
    monkeypatch.setattr(limits, "SCAN_WORK", 1 << 17)
    data = bomb.make(SMALL // 4)
    tracemalloc.start()
    try:
        result = scan_file(BytesReading(data), bomb.file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.outcome != "clean" or len(result.findings) == 0
    assert peak <= limits.SCAN_PEAK_BYTES / 8
