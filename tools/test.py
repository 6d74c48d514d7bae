"""Runs the tests: all of them with coverage here, and again on every other Python found.

The interpreter of ``.venv`` runs everything. Every other Python >= 3.11 gets a venv of its own without the heavy
extras and runs the same tests but the slow ones; those that need an extra skip there and say so. A version that is
not on this machine is named as untested. Under ``CI=true`` a skip that ``tests/allowed-skips.txt`` does not know is a
failure. The packages of the tests' Sigstore are fetched first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import interpreters
import node_packages
import test_needs

ROOT = Path(__file__).resolve().parent.parent
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
LEAST_COVERAGE = 95


def main() -> int:
    """Run everything and return the number of Pythons on which something failed."""
    chosen = sys.argv[1:]
    failed = []
    test_needs.main()
    node_packages.install()
    print(f"== Python {HERE}, everything, with coverage", flush=True)
    gate = (
        [] if chosen else ["--cov=modelsign", "--cov-branch", "--cov-report=term", f"--cov-fail-under={LEAST_COVERAGE}"]
    )
    if _run([sys.executable, "-m", "pytest", "-q", "-n", "2", *gate, *chosen]):
        failed.append(HERE)
    others = interpreters.found()
    for version in interpreters.KNOWN:
        if version == HERE:
            continue
        if version not in others:
            print(f"== Python {version}: not on this machine, untested", flush=True)
            continue
        print(f"== Python {version}, without the heavy extras", flush=True)
        if _run(
            [str(_environment(version, others[version])), "-m", "pytest", "-q", "-n", "2", "-m", "not slow", *chosen]
        ):
            failed.append(version)
    print(f"== failed on: {', '.join(failed)}" if failed else "== all passed", flush=True)
    return len(failed)


def _environment(version: str, interpreter: str) -> Path:
    """Make ``.venv-3.x`` once; a newer pyproject.toml makes it again."""
    folder = ROOT / f".venv-{version}"
    python, stamp, project = folder / "bin/python", folder / ".light", ROOT / "pyproject.toml"
    if not stamp.exists() or stamp.stat().st_mtime < project.stat().st_mtime:
        if not python.exists():
            subprocess.run([interpreter, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--editable", ".[test]"], check=True, cwd=ROOT)
        stamp.touch()
    return python


def _run(command: list[str]) -> int:
    print("+", " ".join(command), flush=True)
    kind = "full" if command[0] == sys.executable else "light"
    return subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, "MODELSIGN_TESTS": kind}).returncode


if __name__ == "__main__":
    sys.exit(main())
