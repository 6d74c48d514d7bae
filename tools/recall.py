"""Measures recall: names that other scanners call dangerous, by every route to them, in every container.

Prints the figures that ``docs/known-attacks.md`` states, with the versions they were taken with, and every outcome
that is neither unsafe nor argued (``tests/corpus/recall/argued.py``). Everything is inert, made here and only read.

    python tools/recall.py            the whole family: about a quarter of a million files, some minutes of one core
    python tools/recall.py --count N  a slice of N files
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

_TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(_TESTS / "corpus"), str(_TESTS / "support")]

from recall.argued import reason_for  # noqa: E402 - the family lies with the tests
from recall.containers import CONTAINERS  # noqa: E402
from recall.family import slice_of, whole  # noqa: E402
from recall.names import gadgets, installed  # noqa: E402
from recall.routes import CALLS, ROUTES  # noqa: E402

_WANTED = 0.98


def main() -> int:
    """Scan the family; return 1 where something is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, help="only so many files")
    parser.add_argument("--seed", type=int, default=20261126, help="draws names and combinations (default %(default)s)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = whole(options.seed) if options.count is None else slice_of(options.count, options.seed)
    outcomes: Counter[tuple[bool, str]] = Counter()
    missed, reasons, files = [], Counter[str](), 0
    started = time.process_time()
    for case in cases:
        outcome = str(case.scan().outcome)
        files += 1
        outcomes[case.calls, outcome] += 1
        if outcome == "clean" or (case.calls and outcome != "unsafe"):
            reason = reason_for(case, outcome)
            if reason is None:
                missed.append(f"{case}: {outcome}")
            else:
                reasons[f"{outcome}: {reason}"] += 1
    _report(options.seed, files, outcomes, reasons, time.process_time() - started)
    for line in missed:
        print(f"MISSED {line}")
    called = {outcome: count for (calls, outcome), count in outcomes.items() if calls}
    return int(bool(missed) or called.get("unsafe", 0) < _WANTED * sum(called.values()))


def _report(seed: int, files: int, outcomes: Counter[tuple[bool, str]], reasons: Counter[str], seconds: float) -> None:
    versions = ", ".join(f"{tool} {version}" for tool, version in installed().items())
    print(f"Python {platform.python_version()}, {versions}, seed {seed}, {time.strftime('%Y-%m-%d')}")
    print(f"{len(gadgets())} names, {len(ROUTES)} routes ({len(CALLS)} that call), {len(CONTAINERS)} containers")
    print(f"{files} files in {seconds:.0f} CPU s")
    for calls, words in ((True, "call a dangerous name"), (False, "carry one")):
        counted = {outcome: count for (kind, outcome), count in outcomes.items() if kind is calls}
        total = sum(counted.values()) or 1
        shares = ", ".join(
            f"{count} {outcome} ({100 * count / total:.2f} %)" for outcome, count in sorted(counted.items())
        )
        print(f"{total} {words}: {shares}")
    for reason, count in reasons.most_common():
        print(f"{count:6} argued: {reason}")


if __name__ == "__main__":
    sys.exit(main())
