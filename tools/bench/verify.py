"""How fast and how small `verify --key` and `sign` are, against bare loops and the reference.

Makes its models in a scratch folder (8.5 GB of disk for the large ones) and removes them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pairs import compare, modelsign, row

WALK = """
import hashlib, os, sys
for folder, folders, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb", buffering=0) as stream:
            hashlib.sha256(stream.read()).hexdigest()
"""
ONE = """
import hashlib, sys
with open(sys.argv[1], "rb", buffering=0) as stream:
    digest, buffer = hashlib.sha256(), bytearray(1 << 20)
    view = memoryview(buffer)
    while count := stream.readinto(buffer):
        digest.update(view[:count])
"""
TWO = """
import hashlib, os, sys
from concurrent.futures import ThreadPoolExecutor
def one(path):
    with open(path, "rb", buffering=0) as stream:
        digest, buffer = hashlib.sha256(), bytearray(1 << 20)
        view = memoryview(buffer)
        while count := stream.readinto(buffer):
            digest.update(view[:count])
with ThreadPoolExecutor(2) as pool:
    list(pool.map(one, [entry.path for entry in os.scandir(sys.argv[1])]))
"""


def fill(folder: Path, count: int, size: int) -> None:
    """Make ``count`` files of ``size`` random bytes, fifty to a folder where there are many."""
    for number in range(count):
        place = folder / f"part-{number // 50:04d}" if count > 1000 else folder  # noqa: PLR2004 - "many"
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"{number:06d}.bin").open("wb") as stream:
            left = size
            while left:
                left -= stream.write(os.urandom(min(left, 1 << 24)))


def signed(folder: Path, key: Path) -> list[str]:
    """Sign a model and return the command that verifies it."""
    subprocess.run(modelsign("sign", str(folder), "--key", str(key), "-q"), check=True, stdout=subprocess.DEVNULL)
    return modelsign("verify", str(folder), "--key", f"{key}.pub", "-q")


def python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs a bare loop."""
    return [sys.executable, "-c", code, *arguments]


def small(scratch: Path, key: Path) -> None:
    """Many small files: the walk, the opens and the manifest are what costs."""
    model = scratch / "small"
    fill(model, 20_000, 4096)
    verify = signed(model, key)
    figure = compare(verify, python(WALK, str(model)))
    row("verify 20,000 x 4 KB, CPU / bare walk-and-hash loop", figure.cpu, "<=", 2)
    row("verify 20,000 x 4 KB, peak memory", figure.first.peak / 2**20, "<=", 100, "MB")
    sign = modelsign("sign", str(model), "--key", str(key), "--force", "-q")
    row("sign 20,000 x 4 KB, peak memory", compare(sign, ["true"], pairs=1).first.peak / 2**20, "<=", 100, "MB")
    reference = [sys.executable, "-m", "model_signing", "verify", "key", str(model), "--signature"]
    reference += [str(model / "model.sig"), "--public_key", f"{key}.pub"]
    row("verify 20,000 x 4 KB, CPU / model-signing", compare(verify, reference).cpu, "<=", 1 / 6)
    shutil.rmtree(model)


def large(scratch: Path, key: Path) -> None:
    """One file of 4 GB: only the hash should cost."""
    model = scratch / "large"
    fill(model, 1, 4 * 10**9)
    figure = compare(signed(model, key), python(ONE, str(next(model.glob("*.bin")))))
    row("verify one 4 GB file, CPU / hashlib over the same file", figure.cpu, "<=", 1.1)
    row("verify one 4 GB file, peak memory", figure.first.peak / 2**20, "<=", 100, "MB")
    shutil.rmtree(model)


def forty(scratch: Path, key: Path) -> None:
    """Forty files of 100 MB: both cores should be busy."""
    model = scratch / "forty"
    fill(model, 40, 10**8)
    verify = signed(model, key)
    plain = scratch / "plain"
    plain.mkdir()
    for path in model.glob("*.bin"):
        os.link(path, plain / path.name)
    figure = compare(verify, python(TWO, str(plain)))
    row("verify 40 x 100 MB, wall rate / two-thread hashlib loop", 1 / figure.wall, ">=", 0.9)
    shutil.rmtree(model)


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        scratch = Path(folder)
        key = scratch / "bench.key"
        subprocess.run(modelsign("key", "generate", str(key), "-q"), check=True, stdout=subprocess.DEVNULL)
        small(scratch, key)
        large(scratch, key)
        forty(scratch, key)


if __name__ == "__main__":
    main()
