"""What a command costs before it does anything, against a bare interpreter of the same environment."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from pairs import compare, modelsign, row


def main() -> None:
    """Print every figure."""
    bare = [sys.executable, "-c", "pass"]
    row("modelsign --version, CPU / python -c pass", compare(modelsign("--version"), bare).cpu, "<=", 8)
    row("modelsign --help, CPU / python -c pass", compare(modelsign("--help"), bare).cpu, "<=", 8)
    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        model, key = Path(folder, "model"), Path(folder, "bench.key")
        model.mkdir()
        (model / "weights.bin").write_bytes(b"tiny")
        subprocess.run(modelsign("key", "generate", str(key), "-q"), check=True, stdout=subprocess.DEVNULL)
        subprocess.run(modelsign("sign", str(model), "--key", str(key), "-q"), check=True, stdout=subprocess.DEVNULL)
        verify = modelsign("verify", str(model), "--key", f"{key}.pub")
        row("modelsign verify --key on a tiny model, CPU / python -c pass", compare(verify, bare).cpu, "<=", 10)


if __name__ == "__main__":
    main()
