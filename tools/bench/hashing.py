"""How near hashing comes to what the processors can do, measured in one process, turn by turn.

One file is one chain: its bound is the time to read plus the time to hash in memory, both measured here on the same
bytes, in CPU seconds. Shards and several files are bound by the number of processors times the rate of one thread, in
wall seconds. How many processors a process gets is the machine's business at that moment, so bare threads that hash a
block in memory are measured in the same rounds: their gain over one thread is the number that counts, and is printed.
Best of all rounds on both sides; the median of the rounds' ratios stands beside it. Needs 1 GB of disk and page cache.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pairs import PAIRS, row

from modelsign.artifact.hashing import hash_artifact, hash_model
from modelsign.artifact.manifest import Serialization
from modelsign.artifact.model import open_artifact

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.model import Artifact

SIZE = 1024 * 1024 * 1024
SHARD = 32 * 1024 * 1024
BUFFER = 1024 * 1024
CORES = len(os.sched_getaffinity(0))


class Taken(NamedTuple):
    """Seconds of one step: by the clock, and of all processors together."""

    wall: float
    cpu: float


def in_memory(path: Path) -> None:
    """Hash as many bytes, all of them in the processor's cache."""
    digest, block = hashlib.sha256(), bytes(BUFFER)
    for _ in range(size_of(path) // BUFFER):
        digest.update(block)


def in_memory_everywhere(path: Path) -> None:
    """Hash as many bytes in as many threads as there are processors, each its part."""
    blocks = size_of(path) // BUFFER // CORES

    def part() -> None:
        digest, block = hashlib.sha256(), bytes(BUFFER)
        for _ in range(blocks):
            digest.update(block)

    crew = [threading.Thread(target=part) for _ in range(CORES)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()


def read_only(path: Path) -> None:
    """Read the file as hashing does, and do nothing with it."""
    view = memoryview(bytearray(BUFFER))
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(view):
            pass


def one_thread(path: Path) -> None:
    """Read and hash a file, or every file of a folder, in one bare loop."""
    view = memoryview(bytearray(BUFFER))
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        digest = hashlib.sha256()
        with file.open("rb", buffering=0) as stream:
            while count := stream.readinto(view):
                digest.update(view[:count])


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of every file of a folder."""
    return sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))


def ours(hash_it: Callable[[Artifact], object]) -> Callable[[Path], None]:
    """Return what opens a model and hashes it."""

    def run(path: Path) -> None:
        with open_artifact(path) as artifact:
            hash_it(artifact)

    return run


def rounds(path: Path, *steps: Callable[[Path], None]) -> list[list[Taken]]:
    """Take the steps in turn, again and again; return what each took, the first round left out."""
    taken: list[list[Taken]] = [[] for _ in steps]
    for number in range(PAIRS + 1):
        for step, found in zip(steps, taken, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            step(path)
            if number:
                found.append(Taken(time.perf_counter() - wall, time.process_time() - cpu))
    return taken


def show(what: str, best: float, each: list[float], goal: float) -> None:
    """Print the figure of the best rounds, and the median of all."""
    row(f"{what} (median {statistics.median(each):.3f})", best, ">=", goal)


def least(found: list[Taken], clock: str) -> float:
    """Return the seconds of the best round."""
    return float(min(getattr(taken, clock) for taken in found))


def one_file(path: Path) -> None:
    """Compare one file with its bound, in CPU seconds."""
    steps = (in_memory, read_only, ours(lambda artifact: hash_artifact(artifact, threads=1)))
    hashing, reading, found = rounds(path, *steps)
    each = [(a.cpu + b.cpu) / c.cpu for a, b, c in zip(hashing, reading, found, strict=True)]
    best_hashing, best_reading = least(hashing, "cpu"), least(reading, "cpu")
    print(f"   SHA-256 {SIZE / best_hashing / 1e9:.2f} GB/s, reading {SIZE / best_reading / 1e9:.2f} GB/s per core")
    best = (best_hashing + best_reading) / least(found, "cpu")
    show("one file: rate / 1/(1/SHA-256 + 1/read), CPU", best, each, 0.95)


def parallel(what: str, path: Path, hash_it: Callable[[Artifact], object]) -> None:
    """Compare a way to hash with one bare thread times the processors the machine gives at the moment."""
    alone, everywhere, plain, found = rounds(path, in_memory, in_memory_everywhere, one_thread, ours(hash_it))
    given = [a.wall / b.wall for a, b in zip(alone, everywhere, strict=True)]
    cores = least(alone, "wall") / least(everywhere, "wall")
    gain = least(plain, "wall") / least(found, "wall")
    print(
        f"   {what}: {CORES} bare threads gain {cores:.2f} x (median {statistics.median(given):.2f}), ours {gain:.2f} x"
    )
    each = [a.wall / b.wall / n for a, b, n in zip(plain, found, given, strict=True)]
    show(f"{what}: wall rate / processors given x one thread", gain / cores, each, 0.9)
    each = [a.cpu / b.cpu for a, b in zip(plain, found, strict=True)]
    show(f"{what}: CPU of one bare thread / CPU of ours", least(plain, "cpu") / least(found, "cpu"), each, 0.9)


def with_tree(path: Path) -> None:
    """A file in shards with its tree digest: two digests of the same bytes, the second on a thread of its own."""
    shards = Serialization("sha256", SHARD)
    plain, found = rounds(path, one_thread, ours(lambda artifact: hash_model(artifact, shards)))
    each = [a.cpu / b.cpu for a, b in zip(plain, found, strict=True)]
    best = least(plain, "cpu") / least(found, "cpu")
    show("one file in shards with tree digest: CPU of one digest / CPU of both", best, each, 0.5)


def fill(path: Path, size: int) -> None:
    """Write a file of random bytes."""
    with path.open("wb") as stream:
        for _ in range(size // BUFFER):
            stream.write(os.urandom(BUFFER))


def main() -> None:
    """Print every figure."""
    shards = Serialization("sha256", SHARD)
    with tempfile.TemporaryDirectory(prefix="modelsign-bench-") as folder:
        large = Path(folder, "large.bin")
        fill(large, SIZE)
        one_file(large)
        parallel("one file in shards", large, lambda artifact: hash_model(artifact, shards, tree=False))
        with_tree(large)
        large.unlink()
        several = Path(folder, "several")
        several.mkdir()
        for number in range(16):
            fill(several / f"{number}.bin", SIZE // 16)
        parallel("16 files", several, hash_artifact)


if __name__ == "__main__":
    main()
