"""A second opinion from Protect AI's modelscan (0.8.8), asked in a process of its own.

modelscan decides by file extension and by a list of known bad names, and says "no issues" of what it did not look
at; so its silence counts only where it scanned something and met no error. Its process gets an empty environment,
one argument and a wall-clock limit; it is killed with its children when the limit is over.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from modelsign.opinions.opinion import DOUBT, UNSAFE, Asked, SecondOpinion
from modelsign.verdict import Opinion

__all__ = ["OPINION", "ask"]

_ENGINE: Final = "modelscan"
_RUNNER: Final = str(Path(__file__).with_name("_modelscan_runner.py"))
_ABSENT: Final = 3
_SERIOUS: Final = frozenset({"CRITICAL", "HIGH"})


def ask(folder: str, seconds: float) -> Asked:
    """Ask modelscan about the files in a folder; whatever goes wrong is the opinion's status."""
    status, answer = _run([sys.executable, "-I", _RUNNER, folder], seconds)
    if status is None:
        return _no_opinion("failed", f"it took more than {seconds:g} seconds")
    if status == _ABSENT:
        return _no_opinion("absent", "it is not installed; pip install 'modelsign[modelscan]' (Python 3.11 or 3.12)")
    try:
        document = json.loads(answer) if status == 0 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return _no_opinion("failed", f"it ended with status {status} and no answer")
    return _read(document)


def _run(command: list[str], seconds: float) -> tuple[int | None, bytes]:
    """Run a command without environment or input; the status is None where the time was over."""
    import signal  # noqa: PLC0415 - only a second opinion starts a process
    import subprocess  # noqa: PLC0415 - the same

    with subprocess.Popen(  # noqa: S603 - our own runner by our own interpreter
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    ) as process:
        try:
            answer, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return None, b""
    return process.returncode, answer


def _no_opinion(status: str, message: str) -> Asked:
    return Asked(Opinion(_ENGINE, None, status, (), message))


def _read(document: dict[str, Any]) -> Asked:
    issues, errors = document["issues"], document["errors"]
    version, scanned = document["version"], document["scanned"]
    notes = [f"{scanned} scanned, {document['skipped']} skipped, {len(errors)} errors", *errors[:3]]
    if issues:
        status = "findings"
    elif errors:
        status = "failed"
    else:
        status = "no findings" if scanned else "nothing scanned"
    told = tuple(f"{issue['severity']}: {issue['description']} ({issue['source']})" for issue in issues)
    findings = []
    for issue in issues:
        path, _, member = issue["source"].partition(":")
        rule = UNSAFE if issue["severity"] in _SERIOUS else DOUBT
        message = f"{_ENGINE} {version}, {issue['severity']}: {issue['description']}"
        findings.append((path or None, rule.finding(message, member=member or None)))
    return Asked(Opinion(_ENGINE, version, status, told, "; ".join(notes)), tuple(findings))


OPINION = SecondOpinion(
    id=_ENGINE,
    title="modelscan",
    description="Protect AI's scanner: known bad names in pickles, Keras Lambda layers, TensorFlow file operators.",
    distribution="modelscan",
    ask=ask,
)
