"""How another scanner is asked: one process with little memory, no environment, a clock and a bound on its answer.

A member's runner writes one JSON object to standard output (:class:`Answer` says which keys) and ends with 0; with 3
where the scanner is not installed. Whatever else happens is the opinion's status: nothing here raises.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from modelsign.opinions.opinion import DOUBT, UNSAFE, Asked
from modelsign.verdict import Opinion

if TYPE_CHECKING:
    from subprocess import Popen

__all__ = ["Scanner", "ask_scanner"]

_LIMITED: Final = str(Path(__file__).with_name("_limited.py"))
_ABSENT: Final = 3
_ANSWER_BYTES: Final = 64 * 1024 * 1024
_CHUNK: Final = 1 << 16
_NOTES: Final = 3


@dataclass(frozen=True, slots=True)
class Scanner:
    """Who is asked: a name, the program that asks, how to get it, and which of its severities are an alarm."""

    engine: str
    runner: str
    install: str
    alarms: frozenset[str]


class _Silent(Exception):
    """There is no answer, and why."""

    def __init__(self, message: str, status: str = "failed") -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a runner says: which files it looked at, what it found where, and which files it failed on.

    ``scanned`` are paths relative to the folder, ``issues`` have ``severity``, ``description``, ``path`` and
    ``member``, ``errors`` have ``path`` and ``description``; a path is empty where it is not known.
    """

    version: str
    scanned: tuple[str, ...]
    skipped: int
    issues: tuple[dict[str, str], ...]
    errors: tuple[dict[str, str], ...]


def ask_scanner(scanner: Scanner, folder: str, seconds: float) -> Asked:
    """Ask a scanner about the files in a folder."""
    try:
        answer = _read(_run([sys.executable, "-I", _LIMITED, scanner.runner, folder], seconds, scanner))
    except _Silent as silence:
        return Asked(Opinion(scanner.engine, None, silence.status, (), silence.message))
    return _opinion(scanner, answer)


def _run(command: list[str], seconds: float, scanner: Scanner) -> bytes:
    """Run a command without environment or input, and return what it wrote."""
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
            answer = _receive(process, seconds)
            status = process.wait()
        except _Silent:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if status == _ABSENT:
        raise _Silent(f"it is not installed; {scanner.install}", "absent")
    if status:
        raise _Silent(f"it ended with status {status} and no answer")
    return answer


def _receive(process: Popen[bytes], seconds: float) -> bytes:
    """Read until the process closes its output, within a time and a number of bytes."""
    import selectors  # noqa: PLC0415 - only a second opinion needs it
    from time import monotonic  # noqa: PLC0415 - the same

    if process.stdout is None:  # pragma: no cover - it was asked for
        return b""
    parts: list[bytes] = []
    length, until = 0, monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = until - monotonic()
            if left <= 0 or not selector.select(left):
                raise _Silent(f"it took more than {seconds:g} seconds")
            chunk = os.read(process.stdout.fileno(), _CHUNK)
            if not chunk:
                return b"".join(parts)
            parts.append(chunk)
            length += len(chunk)
            if length > _ANSWER_BYTES:
                raise _Silent(f"its answer has more than {_ANSWER_BYTES} bytes")


def _read(data: bytes) -> Answer:
    """Read an answer; one that is not as agreed is none."""
    try:
        document = json.loads(data)
        return Answer(
            version=str(document["version"]),
            scanned=tuple(str(path) for path in document["scanned"]),
            skipped=int(document["skipped"]),
            issues=tuple(_words(issue, "severity", "description", "path", "member") for issue in document["issues"]),
            errors=tuple(_words(fault, "path", "description") for fault in document["errors"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _Silent("what it answered cannot be read") from None


def _words(entry: dict[str, Any], *keys: str) -> dict[str, str]:
    return {key: str(entry.get(key, "")) for key in keys}


def _opinion(scanner: Scanner, answer: Answer) -> Asked:
    """Turn an answer into an opinion; where nothing was looked at there is none."""
    if answer.issues:
        status = "findings"
    elif answer.errors:
        status = "failed"
    else:
        status = "no findings" if answer.scanned else "nothing scanned"
    counts = f"{len(answer.scanned)} scanned, {answer.skipped} skipped, {len(answer.errors)} errors"
    notes = [counts, *(fault["description"] for fault in answer.errors[:_NOTES])]
    told, findings, words = [], [], dict.fromkeys(answer.scanned, "nothing found")
    words |= {fault["path"]: "failed" for fault in answer.errors if fault["path"]}
    for issue in answer.issues:
        alarm = issue["severity"] in scanner.alarms
        path, member = issue["path"], issue["member"]
        place = f"{path}:{member}" if member else path
        told.append(f"{issue['severity']}: {issue['description']} ({place})")
        message = f"{scanner.engine} {answer.version}, {issue['severity']}: {issue['description']}"
        findings.append((path or None, (UNSAFE if alarm else DOUBT).finding(message, member=member or None)))
        if words.get(path) != "unsafe":
            words[path] = "unsafe" if alarm else "doubtful"
    words.pop("", None)
    opinion = Opinion(
        scanner.engine, answer.version, status, tuple(told), "; ".join(notes), dict(sorted(words.items()))
    )
    return Asked(opinion, tuple(findings))
