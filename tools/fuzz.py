"""Looks for bytes that a parser does not survive: coverage-guided by atheris, or by seeded changes where it is missing.

    python tools/fuzz.py                     every target of tests/fuzz/hostile/targets, in equal parts
    python tools/fuzz.py bundle inspect      some of them

``MODELSIGN_FUZZ_SECONDS`` is the time for all of them together (600). A fault is an exception that is no
``ModelsignError``, more than 25 seconds for one input of at most 64 KiB, or more than 2 GiB. What is found is kept in
``.fuzz/`` and named at the end. One process and one core; each target runs in a child of its own.
"""

# ruff: noqa: PLC0415
# What is to be instrumented is imported by a child when it is told to.

from __future__ import annotations

import importlib.util
import os
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / ".fuzz"
SLOWEST_SECONDS = 25
MOST_MEBIBYTES = 2048
sys.path += [str(ROOT / "tests/fuzz"), str(ROOT / "tests/support")]


def main() -> int:
    """Run the targets one after another; return how many have a fault."""
    if sys.argv[1:2] == ["--child"]:
        return _child(sys.argv[2], int(sys.argv[3]))
    names = sys.argv[1:] or _names()
    seconds = int(os.environ.get("MODELSIGN_FUZZ_SECONDS", "600"))
    share = max(1, seconds // len(names))
    guided = importlib.util.find_spec("atheris") is not None
    print(
        f"{len(names)} targets, {share} s each, {'guided by atheris' if guided else 'seeded changes: no atheris here'}"
    )
    FOUND.mkdir(exist_ok=True)
    faults = [name for name in names if not _run(name, share)]
    print(f"faults: {', '.join(faults)}; the inputs are in {FOUND.name}/" if faults else "no fault")
    return len(faults)


def _names() -> list[str]:
    from hostile.target import targets

    return list(targets())


def _run(name: str, seconds: int) -> bool:
    """Run one target in a child; say what came of it."""
    command = [sys.executable, "-W", "error", str(Path(__file__)), "--child", name, str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=ROOT)
    said = done.stdout + done.stderr
    runs = re.findall(r"^(?:Done |#)(\d+)(?: runs|\s)", said, re.MULTILINE)
    edges = re.findall(r" cov: (\d+) ", said)
    reached = f", {edges[-1]} edges reached" if edges else ""
    print(f"  {name}: {runs[-1] if runs else '?'} executions{reached}{'' if done.returncode == 0 else ', A FAULT'}")
    if done.returncode:
        (FOUND / f"{name}.log").write_text(said[-20_000:], encoding="utf-8", errors="replace")
    sys.stdout.flush()
    return done.returncode == 0


def _child(name: str, seconds: int) -> int:
    if importlib.util.find_spec("atheris") is None:
        return _change(name, seconds)
    import atheris  # type: ignore[import-not-found, unused-ignore] # optional

    with atheris.instrument_imports(include=["modelsign"]):
        from hostile.target import judge, targets

        target = targets()[name]
        judge(target, b"")  # what is imported on first use is instrumented too
        seeds = list(target.seeds())
        for seed in seeds:
            judge(target, seed)
    from hostile.mutation import mutated

    def change(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)  # noqa: S311 - not a secret
        if chance.random() < 0.5:  # noqa: PLR2004 - half by structure, half as libFuzzer likes
            return bytes(atheris.Mutate(data, len(data)))[:most]
        return mutated(chance, [data or b"{}"], target.form)[:most]

    with tempfile.TemporaryDirectory(prefix="modelsign-fuzz-") as corpus:
        for number, seed in enumerate(seeds):
            (Path(corpus) / f"seed{number}").write_bytes(seed)
        options = {
            "max_total_time": seconds,
            "max_len": 65536,
            "timeout": SLOWEST_SECONDS,
            "rss_limit_mb": MOST_MEBIBYTES,
            "artifact_prefix": f"{FOUND}/{name}-",
        }
        words = [sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), corpus]
        atheris.Setup(words, lambda data: judge(target, data) and None, custom_mutator=change)
        atheris.Fuzz()
    return 0


def _change(name: str, seconds: int) -> int:
    """Feed seeded changes until the time is over."""
    from hostile.mutation import mutated
    from hostile.target import judge, targets

    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEBIBYTES << 20, MOST_MEBIBYTES << 20))
    target, chance = targets()[name], random.Random(f"{name} {time.time_ns()}")  # noqa: S311 - not a secret
    seeds, runs, end = list(target.seeds()), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(chance, seeds, target.form)
        signal.alarm(SLOWEST_SECONDS)
        _keeping(name, data, lambda: judge(target, data))  # noqa: B023 - called at once
        runs += 1
    print(f"Done {runs} runs")
    return 0


def _keeping(name: str, data: bytes, call: Callable[[], Any]) -> None:
    """Keep the input of a call that fails."""
    try:
        call()
    except BaseException:
        (FOUND / f"{name}-crash").write_bytes(data)
        raise


if __name__ == "__main__":
    sys.exit(main())
