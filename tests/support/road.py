"""Runs ``modelsign`` as a program, the way a shell or a CI job does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "modelsign")


def environment(**added: str) -> dict[str, str]:
    """Return an environment without settings of modelsign's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELSIGN_")}
    return {**kept, "MODELSIGN_NO_CONFIG": "1", **added}


def modelsign(
    *arguments: str | os.PathLike[str] | bytes,
    cwd: Path,
    before: Callable[[], None] | None = None,
    stdout: int = subprocess.PIPE,
    **added: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run one command without a terminal; ``before`` runs in the child first."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=cwd,
        env=environment(**added),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
        preexec_fn=before,
    )


def document(*arguments: str | os.PathLike[str] | bytes, cwd: Path, **settings: Any) -> dict[str, Any]:
    """Run one command and return its JSON document, which must agree with the exit status."""
    answer = modelsign(*arguments, "--format", "json", cwd=cwd, **settings)
    found: dict[str, Any] = json.loads(answer.stdout)
    assert found["exit_code"] == answer.returncode, (found, answer)
    return found


def codes(found: dict[str, Any]) -> list[str]:
    """Return the reason codes of a document."""
    return [reason["code"] for reason in found["reasons"]]
