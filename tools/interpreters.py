"""Finds the Pythons this machine has, by trying them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["KNOWN", "found"]

KNOWN = ("3.11", "3.12", "3.13", "3.14")
"""The versions modelsign means to run on."""


def found() -> dict[str, str]:
    """Return the path of one working interpreter for each known version that has one."""
    result: dict[str, str] = {}
    for version in KNOWN:
        for candidate in _candidates(version):
            if _works(candidate, version):
                result[version] = candidate
                break
    return result


def _candidates(version: str) -> list[str]:
    name = f"python{version}"
    on_path = shutil.which(name)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return [
        *([on_path] if on_path else []),
        *sorted(str(path) for path in pyenv.glob(f"versions/{version}.*/bin/{name}")),
    ]


def _works(candidate: str, version: str) -> bool:
    """A shim may stand there without an interpreter behind it, and a system Python may lack venv."""
    program = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([candidate, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version
