"""Holds the pickle machine against CPython's own unpicklers and pickletools, on programs made from seeds.

    python tools/fuzz_pickles.py                           MODELSIGN_FUZZ_PROGRAMS programs (1,000,000), from seed 0 on
    python tools/fuzz_pickles.py --first 7 --programs 1    the program of seed 7
    python tools/fuzz_pickles.py --python python3.13       ask the unpicklers of another CPython

Unpicklers run with inert stubs in a process of their own (``tests/support/unpickleoracle.py``), only ever on programs
made here. What nothing explains is kept in ``.fuzz/`` and named at the end. One process and its oracle.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / ".fuzz"
BATCH = 64
KEPT = 50
sys.path += [str(ROOT / "tests/support")]


def main() -> int:
    """Run the programs; return how many have a disagreement that nothing explains."""
    from pickledifferences import compare  # noqa: PLC0415 - found by the path set above
    from pickleprograms import program  # noqa: PLC0415
    from unpickleoracle import Oracle  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=int(os.environ.get("MODELSIGN_FUZZ_PROGRAMS", "1000000")))
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--python", default=sys.executable, help="whose unpicklers are asked")
    asked = parser.parse_args()
    oracle, faults, began = Oracle(asked.python), 0, time.monotonic()
    counts: Counter[str] = Counter()
    seeds = range(asked.first, asked.first + asked.programs)

    def ask(start: int) -> list[tuple[int, bytes, dict[str, list] | None]]:
        some = seeds[start : start + BATCH]
        programs = [program(random.Random(seed)) for seed in some]  # noqa: S311 - not a secret
        return list(zip(some, programs, oracle.ask_all(programs), strict=True))

    with ThreadPoolExecutor(1) as ahead:  # the oracle works on the next programs meanwhile
        waiting = ahead.submit(ask, 0)
        for start in range(0, len(seeds), BATCH):
            asked_for, waiting = waiting.result(), ahead.submit(ask, start + BATCH)
            for seed, data, answers in asked_for:
                try:
                    counts.update(compare(data, answers))
                except Exception as fault:  # noqa: BLE001 - whatever it is, it is what is looked for
                    faults += 1
                    _keep(faults, seed, data, fault)
            if start // BATCH % 200 == 0:
                done = min(start + BATCH, len(seeds))
                print(f"  {done} programs, {time.monotonic() - began:.0f} s, {faults} faults", flush=True)
    oracle.close()
    for name, count in sorted(counts.items()):
        print(f"  {count:>9} {name}")
    print(f"{len(seeds)} programs from seed {asked.first} in {time.monotonic() - began:.0f} s: {faults} faults")
    return min(faults, 100)


def _keep(number: int, seed: int, data: bytes, fault: Exception) -> None:
    if number <= KEPT:
        print(f"  seed {seed}: {type(fault).__name__}: {str(fault)[:300]}", flush=True)
        FOUND.mkdir(exist_ok=True)
        (FOUND / f"pickle-{seed}").write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
