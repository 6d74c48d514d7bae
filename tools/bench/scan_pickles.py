"""How fast and how small the pickle machine is on large benign pickles, against picklescan.

Makes its inputs in a scratch folder: a DataFrame of 1 M rows with object columns, a list of 2 M small objects, the
`data.pkl` of a state dict with 20,000 tensors. Both scanners read the same file in a fresh process; the whole process
counts, start-up included.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import inputs
from pairs import compare, row

OURS = """
import os, sys
from modelsign.artifact.reading import FileReading
from modelsign.scan.pickles import scan_pickle
with FileReading(os.open(sys.argv[1], os.O_RDONLY), "bench") as reading:
    found = scan_pickle(reading, persistent=sys.argv[2] if len(sys.argv) > 2 else None)
assert found.readable and not found.findings, found.findings[:3]
"""
THEIRS = """
import sys
from picklescan.scanner import scan_pickle_bytes
with open(sys.argv[1], "rb") as stream:
    found = scan_pickle_bytes(stream, "bench")
assert not found.scan_err and not found.issues_count
"""


def main() -> None:
    """Print every figure."""
    cases = (
        ("DataFrame, 1 M rows", inputs.frame, 3, ()),
        ("list of 2 M objects", inputs.objects, 3, ()),
        ("20,000 tensors", inputs.tensors, 2, ("torch",)),
    )
    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        for title, make, speed, extra in cases:
            path = Path(folder, "input.pkl")
            inputs.make(make.__name__, path)
            ours = [sys.executable, "-c", OURS, str(path), *extra]
            result = compare([sys.executable, "-c", THEIRS, str(path)], ours)
            row(f"{title}: picklescan CPU / modelsign CPU", result.cpu, ">=", speed)
            row(f"{title}: modelsign peak / picklescan peak", result.second.peak / result.first.peak, "<=", 0.5)


if __name__ == "__main__":
    main()
