"""Runs every benchmark and prints one table: what was measured, the ratio, and what it should be.

    python tools/bench               all of them
    python tools/bench startup       one of them

Each module with a ``main`` is a benchmark. Figures are ratios of medians over alternating pairs of runs, so that a
busy machine disturbs both sides alike; they are for reading, and no test depends on them.
"""

from __future__ import annotations

import importlib
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


def names() -> list[str]:
    """Return every benchmark, sorted."""
    return sorted(path.stem for path in HERE.glob("[a-z]*.py") if "\ndef main(" in path.read_text(encoding="utf-8"))


def main() -> int:
    """Run the chosen benchmarks; all by default."""
    chosen = sys.argv[1:] or names()
    unknown = set(chosen) - set(names())
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}, {platform.system()} {platform.release()}")
    for name in chosen:
        started = time.monotonic()
        print(f"\n== {name}", flush=True)
        importlib.import_module(name).main()
        print(f"   ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
