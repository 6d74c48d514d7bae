"""Fetches the packages of the tests' Sigstore (tests/loopback) from their lock file, once for each lock file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "tests/loopback"


def install() -> bool:
    """Return whether the packages are there; what stands in the way is printed."""
    lock, stamp = FOLDER / "package-lock.json", FOLDER / "node_modules/.package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return True
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("== no node and npm on this machine: tests against the loopback Sigstore are skipped", flush=True)
        return False
    print("+ npm ci, in tests/loopback", flush=True)
    # Some packages ask for a newer node than they need; none of them may run scripts while it is installed.
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, check=False, cwd=FOLDER)
    if done.returncode == 0:
        os.utime(stamp)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(0 if install() else 1)
