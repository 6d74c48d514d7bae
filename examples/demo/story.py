"""How the demo tells its story: headings, commands a reader could type, and an end as soon as something is not as told.

Every command runs for real, in a process of its own, in the demo's folder. Nothing reaches a network: sockets are
refused in this process and in every process it starts.
"""

from __future__ import annotations

import inspect
import os
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Story", "no_network"]

_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_COLOR": "1"}
_SHOWN_LINES = 14
_KEPT = ("DENY ", "UNDECIDED ", "unsafe ", "  critical ", "  PASS ", "  FAIL ", "  INDETERMINATE ")


def no_network(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse every way to a network; an audit hook cannot be taken off again."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise PermissionError(f"the demo runs without a network: {event}{arguments[1:]}")


class Story:
    """One run of the demo, in one folder."""

    def __init__(self, folder: Path) -> None:
        """Take the folder everything happens in."""
        self.folder = folder
        self.started = time.monotonic()
        self.denials: list[tuple[str, str]] = []
        self._chapter = 0
        self._environment = _environment(folder)
        sys.addaudithook(no_network)

    def chapter(self, title: str, *lines: str) -> None:
        """Start a part of the story."""
        self._chapter += 1
        print(f"\n{self._chapter}. {title}\n{'=' * (len(title) + 3)}")
        for line in lines:
            print(line)

    def say(self, line: str) -> None:
        """Say one line."""
        print(line)

    def run(self, *command: str | Path, expect: int = 0, quiet: bool = False) -> str:
        """Print a command, run it, print what it says, and insist on its exit status; return its output."""
        words = [str(word) for word in command]
        print(f"\n$ {shlex.join(words)}")
        answer = subprocess.run(  # noqa: S603 - the commands of this demo
            [*_program(words[0]), *words[1:]],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
        if not quiet or answer.returncode != expect:
            lines = answer.stdout.rstrip().splitlines()
            _show(lines if answer.returncode != expect else lines[:_SHOWN_LINES], len(lines))
        if answer.returncode != expect:
            self.fail(f"exit status {answer.returncode}, expected {expect}")
        return answer.stdout

    def denied(self, code: str, what: str, *command: str | Path, expect: int = 1) -> None:
        """Run a command that must be refused, with this reason code and exit status."""
        lines = self.run(*command, expect=expect, quiet=True).splitlines()
        at = next((number for number, line in enumerate(lines) if line.startswith(f"{code}: ")), None)
        if at is None:
            self.fail(f"the answer does not name the reason {code}")
        shown = [line for line in lines[:at] if line.startswith(_KEPT) and line != lines[at]]
        advice = [line for line in lines[at + 1 : at + 2] if line.startswith("  next: ")]
        _show([*shown, lines[at], *advice], len(lines))
        print(f"  => exit {expect}, {code}: as it must be")
        self.denials.append((what, code))

    def demand(self, truth: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
        """End the demo if something is not true."""
        if not truth:
            self.fail(otherwise)

    def fail(self, message: str) -> NoReturn:
        """End the demo as failed."""
        print(f"\nDEMO FAILED: {message}", file=sys.stderr)
        raise SystemExit(1)

    def end(self) -> None:
        """Say what was shown."""
        print(f"\nAll as told, in {time.monotonic() - self.started:.0f} seconds. Denied, each for its own reason:")
        for what, code in self.denials:
            print(f"  {what:<44} {code}")


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of the demo's processes: no network, no settings of the user's."""
    hook = folder / ".offline"
    hook.mkdir(parents=True)
    source = f"import sys\n\n{inspect.getsource(no_network)}\nsys.addaudithook(no_network)\n"
    (hook / "sitecustomize.py").write_text(source, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MODELSIGN_", "PYTHON"))}
    return {**kept, **_OFFLINE, "PYTHONPATH": str(hook), "PYTHONUTF8": "1", "PYTHONWARNINGS": "ignore"}


def _program(word: str) -> list[str]:
    """Return what stands behind the first word of a command: this environment's own programs."""
    if word == "modelsign":
        return [sys.executable, "-m", "modelsign"]
    return [sys.executable] if word == "python" else [word]


def _show(lines: list[str], of: int) -> None:
    for line in lines:
        print(f"  {line}")
    if len(lines) < of:
        print(f"  … {of - len(lines)} more")
