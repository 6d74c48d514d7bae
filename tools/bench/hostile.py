"""What hostile files cost: CPU for a megabyte, how it grows with the file, and peak memory, by family.

    python tools/bench/hostile.py              every family
    python tools/bench/hostile.py pickle zip   some of them
    BENCH_HOSTILE_BYTES=1048576 …              larger files (default 256 KiB); the small ones have a quarter of that

Each bomb of ``tests/support/bombs`` is made anew, at a quarter of the size and at the size, and scanned in a child that
has been started and warmed up before. Growth is the CPU of the larger by that of the smaller, by what their bytes grew:
1 is linear. Times below 20 ms say nothing about growth. Memory is what the child took beyond its start.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pairs import row

if TYPE_CHECKING:
    from bombs import Bomb

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))

SIZE = int(os.environ.get("BENCH_HOSTILE_BYTES", str(1 << 18)))
MOST_SECONDS = 120
SHORTEST = 0.02
PAGE = 4096
BASE_SECONDS, SECONDS_PER_MB, GROWTH, PEAK = 30.0, 8.0, 1.5, 2.0


class Cost(NamedTuple):
    """One scan: bytes of the file, seconds of CPU, bytes of memory, outcome."""

    size: int
    cpu: float
    peak: int
    outcome: str


def scan(bomb: Bomb, size: int, most_seconds: int = MOST_SECONDS) -> Cost:
    """Scan a bomb in a child, which has so many seconds of CPU."""
    from modelsign.artifact.reading import BytesReading  # noqa: PLC0415 - after the path is set
    from modelsign.scan.engine import scan_file  # noqa: PLC0415

    data = bomb.make(size)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + most_seconds,) * 2)
        start = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = time.process_time()
        outcome = scan_file(BytesReading(data), bomb.file).outcome
        taken = time.process_time() - before
        status = Path("/proc/self/status").read_text(encoding="ascii")
        peak = int(status.split("VmHWM:")[1].split()[0]) * 1024 - start
        os.write(write, f"{taken} {peak} {outcome}".encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        answer = stream.read().split()
    os.waitpid(child, 0)
    if not answer:
        return Cost(len(data), float(most_seconds), 0, "stopped")
    return Cost(len(data), float(answer[0]), int(answer[1]), answer[2])


def warm_up() -> None:
    """Scan a good file of each format, so that tables are read and modules are there before any child starts."""
    import model_files  # noqa: PLC0415 - after the path is set

    from modelsign.artifact.reading import BytesReading  # noqa: PLC0415
    from modelsign.scan.engine import scan_file  # noqa: PLC0415

    for files in model_files.GOOD.values():
        for name, data in files.items():
            scan_file(BytesReading(data), name)


def growth(small: Cost, large: Cost) -> float:
    """How much more than in proportion the larger file costs."""
    if large.cpu < SHORTEST or small.cpu < SHORTEST / 8 or large.size <= small.size:
        return 0.0
    return large.cpu / small.cpu * small.size / large.size


def main() -> None:
    """Print a line a family, and the figures over all of them."""
    from bombs import BOMBS  # noqa: PLC0415 - after the path is set

    from modelsign import limits  # noqa: PLC0415

    wanted = {name for name in sys.argv[1:] if name in {bomb.family for bomb in BOMBS}}
    warm_up()
    print(f"   {'family':<22}{'bombs':>6}{'s/MB':>8}{'s':>8}{'growth':>8}{'peak MB':>9}{'/ limit':>9}  dearest")
    over = worst_growth = worst_peak = 0.0
    for family in sorted({bomb.family for bomb in BOMBS if not wanted or bomb.family in wanted}):
        costs: list[tuple[Bomb, Cost, float]] = []
        for bomb in (one for one in BOMBS if one.family == family):
            small, large = scan(bomb, SIZE // 4), scan(bomb, SIZE)
            costs.append((bomb, large, growth(small, large)))
        dearest = max(costs, key=lambda cost: cost[1].cpu)
        most = max(grown for _, _, grown in costs)
        peak = max(cost.peak for _, cost, _ in costs)
        seconds = dearest[1].cpu
        print(
            f"   {family:<22}{len(costs):>6}{seconds / dearest[1].size * 1e6:>8.2f}{seconds:>8.2f}{most:>8.2f}"
            f"{peak / 1e6:>9.1f}{peak / limits.SCAN_PEAK_BYTES:>9.3f}  {dearest[0].id}",
            flush=True,
        )
        over = max(over, *(cost.cpu - SECONDS_PER_MB * cost.size / 1e6 for _, cost, _ in costs))
        worst_growth, worst_peak = max(worst_growth, most), max(worst_peak, peak / limits.SCAN_PEAK_BYTES)
    row(f"hostile files: CPU beyond {SECONDS_PER_MB:g} s/MB", over, "<=", BASE_SECONDS, "s")
    row("hostile files: growth of CPU by growth of bytes", worst_growth, "<=", GROWTH)
    row("hostile files: peak memory / limit", worst_peak, "<=", PEAK)


if __name__ == "__main__":
    main()
