"""What a scan of a large file costs beyond hashing its bytes once, in CPU seconds of one process after start-up.

The scan and the bare digest of the same open file take turns; the figure is the difference of the best of each.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import inputs
from pairs import PAIRS, row

from modelsign.artifact.model import open_artifact
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

GOAL = 0.1
CASES = (
    ("PyTorch archive of 300 MB", inputs.torch_archive, "model.pt"),
    ("1 GB of arrays in a pickle", inputs.arrays, "model.pkl"),
    ("1 GB of arrays by joblib", inputs.joblib_arrays, "model.joblib"),
    ("safetensors file of 300 MB", inputs.safetensors, "model.safetensors"),
    ("Keras archive of 100 MB", inputs.keras, "model.keras"),
    ("ONNX model of 100 MB", inputs.onnx, "model.onnx"),
)


def _hashed(path: Path) -> float:
    with open_artifact(path) as artifact, artifact.open(path.name) as reading:
        before = time.process_time()
        reading.sha256()
        return time.process_time() - before


def _scanned(path: Path) -> float:
    with open_artifact(path) as artifact, artifact.open(path.name) as reading:
        before = time.process_time()
        found = scan_file(reading, path.name)
        taken = time.process_time() - before
    if found.outcome is not Outcome.CLEAN:
        sys.exit(f"bench: {path.name} is {found.outcome}: {found.findings[:3]}")
    return taken


def main() -> None:
    """Print every figure."""
    for title, maker, name in CASES:
        with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
            path = Path(folder, name)
            inputs.make(maker.__name__, path)
            _hashed(path)
            _scanned(path)
            pairs = [(_hashed(path), _scanned(path)) for _ in range(PAIRS)]
        digest, scan = (min(taken) for taken in zip(*pairs, strict=True))
        row(f"{title}: CPU beyond one digest ({digest:.2f} s)", scan - digest, "<=", GOAL, "s")


if __name__ == "__main__":
    main()
