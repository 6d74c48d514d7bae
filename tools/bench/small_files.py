"""What one small file costs in a scan, in one process after start-up: CPU by format, mean and slowest.

Takes the good files of every format that the tests build by hand (``tests/support/model_files.py``) again and again,
each round under other names, until there are more than a thousand, opened from a folder as a model is. The machine's
moods go to the best of a few rounds.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from pairs import row

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))

FILES = 1000
ROUNDS = 5
GOAL_MS = 3.0


def _fill(folder: Path) -> dict[str, str]:
    """Write the files; return the format of each by its name."""
    import model_files  # noqa: PLC0415 - found beside the tests

    kinds: dict[str, str] = {}
    number = 0
    while len(kinds) < FILES:
        for kind, files in model_files.GOOD.items():
            for name, data in files.items():
                place = f"{number:03d}/{kind}/{name}"  # the good files of two formats may have one name
                path = folder / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                kinds[place] = kind
        number += 1
    return kinds


def main() -> None:
    """Print every figure."""
    from modelsign.artifact.model import open_artifact  # noqa: PLC0415 - the figure is for what comes after start-up
    from modelsign.scan.engine import scan_file  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        kinds = _fill(Path(folder))
        best: dict[str, float] = {}
        with open_artifact(Path(folder)) as artifact:
            for turn in range(ROUNDS + 1):
                for entry in artifact.files:
                    before = time.process_time()
                    with artifact.open(entry.name) as reading:
                        scan_file(reading, entry.name)
                    taken = 1000 * (time.process_time() - before)
                    if turn:
                        best[entry.name] = min(best.get(entry.name, taken), taken)
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for name, taken in best.items():
        by_kind[kinds[name]].append(taken)
    for kind in sorted(by_kind, key=lambda kind: -max(by_kind[kind])):
        times = by_kind[kind]
        print(
            f"   {kind:<24} {len(times):>4} files, mean {sum(times) / len(times):6.3f} ms, slowest {max(times):6.3f} ms"
        )
    row(f"{len(best)} small files: mean CPU of one", sum(best.values()) / len(best), "<=", GOAL_MS, "ms")
    row(f"{len(best)} small files: CPU of the slowest", max(best.values()), "<=", GOAL_MS, "ms")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
