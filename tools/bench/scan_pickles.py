"""How fast and how small the pickle machine is on large benign pickles, against picklescan.

Makes its inputs in a scratch folder: a DataFrame of 1 M rows with object columns, a list of 2 M small objects, the
`data.pkl` of a state dict with 20,000 tensors. Both scanners read the same file in a fresh process; the whole process
counts, start-up included.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

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


def _frame(path: Path) -> None:
    import pandas as pd  # noqa: PLC0415 - heavy, and only to make the input

    rows = range(1_000_000)
    frame = pd.DataFrame(
        {
            "name": pd.Series([f"row {number}" for number in rows], dtype=object),
            "group": pd.Series([f"group {number % 1000}" for number in rows], dtype=object),
            "number": pd.Series(list(rows), dtype=object),
            "value": [number / 7 for number in rows],
        }
    )
    path.write_bytes(pickle.dumps(frame, protocol=4))


def _objects(path: Path) -> None:
    makers = (
        lambda number: {"id": number, "name": f"n{number}"},
        lambda number: (number, f"t{number}", number / 3),
        lambda number: f"text {number}",
        lambda number: [number, None, True],
    )
    path.write_bytes(pickle.dumps([makers[number % 4](number) for number in range(2_000_000)], protocol=4))


def _tensors(path: Path) -> None:
    import torch  # noqa: PLC0415 - heavy, and only to make the input

    archive = path.with_suffix(".pt")
    torch.save({f"layer.{number}.weight": torch.zeros(2, 2) for number in range(20_000)}, archive)
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith("data.pkl"))
        path.write_bytes(opened.read(name))
    archive.unlink()


def _make_elsewhere(name: str, path: Path) -> None:
    """Make an input in a process of its own: a child's peak memory starts at its parent's."""
    code = f"import sys, pathlib, scan_pickles; scan_pickles.{name}(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=Path(__file__).parent)


def main() -> None:
    """Print every figure."""
    cases = (
        ("DataFrame, 1 M rows", _frame, 3, ()),
        ("list of 2 M objects", _objects, 3, ()),
        ("20,000 tensors", _tensors, 2, ("torch",)),
    )
    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        for title, make, speed, extra in cases:
            path = Path(folder, "input.pkl")
            _make_elsewhere(make.__name__, path)
            ours = [sys.executable, "-c", OURS, str(path), *extra]
            result = compare([sys.executable, "-c", THEIRS, str(path)], ours)
            row(f"{title}: picklescan CPU / modelsign CPU", result.cpu, ">=", speed)
            row(f"{title}: modelsign peak / picklescan peak", result.second.peak / result.first.peak, "<=", 0.5)


if __name__ == "__main__":
    main()
