"""Measures two commands in turn, A B A B …, and compares them pair by pair.

Machines are shared and noisy, so a figure is always a ratio of two commands of one run; each
pair's two halves stand next to each other in time. CPU seconds are the operating system's own
account of the finished process and its children (``wait4``), peak memory likewise.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PAIRS = int(os.environ.get("BENCH_PAIRS", "9"))
"""Alternating pairs for one figure; BENCH_PAIRS=1 is a smoke run."""


@dataclass(frozen=True)
class Run:
    """One finished process: seconds of CPU and wall clock, peak resident bytes, exit status."""

    cpu: float
    wall: float
    peak: int
    status: int


def run(command: list[str]) -> Run:
    """Run a command to its end; its output is thrown away."""
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # compiled once, as everywhere
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * 1024, process.returncode)


@dataclass(frozen=True)
class Comparison:
    """Medians over all pairs; ``cpu`` and ``wall`` are A divided by B, pair by pair."""

    cpu: float
    wall: float
    peak: float
    first: Run
    second: Run


def compare(first: list[str], second: list[str], *, pairs: int = PAIRS, expect: tuple[int, int] = (0, 0)) -> Comparison:
    """Warm both up once, then measure ``pairs`` alternating pairs.

    Exits with a message when a command ends with another status than expected: a figure of a
    command that failed means nothing.
    """
    rows: list[tuple[Run, Run]] = []
    for number in range(pairs + 1):
        pair = (run(first), run(second))
        for command, result, wanted in zip((first, second), pair, expect, strict=True):
            if result.status != wanted:
                sys.exit(f"bench: exit {result.status}, expected {wanted}: {' '.join(command)}")
        if number:
            rows.append(pair)
    return Comparison(
        statistics.median(a.cpu / b.cpu for a, b in rows),
        statistics.median(a.wall / b.wall for a, b in rows),
        statistics.median(a.peak / b.peak for a, b in rows),
        _median([a for a, _ in rows]),
        _median([b for _, b in rows]),
    )


def _median(runs: list[Run]) -> Run:
    return Run(
        statistics.median(one.cpu for one in runs),
        statistics.median(one.wall for one in runs),
        int(statistics.median(one.peak for one in runs)),
        runs[0].status,
    )


def row(what: str, measured: float, relation: str, goal: float, unit: str = "x") -> None:
    """Print one figure beside what it is to reach; ``relation`` is ``<=`` or ``>=``."""
    met = measured <= goal if relation == "<=" else measured >= goal
    print(
        f"{'met   ' if met else 'MISSED'}  {what:<72} {measured:8.3f} {unit:<3} (to reach {relation} {goal:g})",
        flush=True,
    )


def modelsign(*arguments: str) -> list[str]:
    """Return the command line of the console script beside this interpreter."""
    return [str(Path(sys.executable).with_name("modelsign")), *arguments]
