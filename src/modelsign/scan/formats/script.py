"""Scripts beside a model: shell, batch and PowerShell files, Dockerfiles, Makefiles.

No loader runs them, people and build systems do; what they fetch, install or remove is named, and none is clean.
Recognised by name or by the line that makes a file executable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BUDGET
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_ADVICE: Final = "Read the script before you run it."
SCRIPT: Final = Rule(
    "script-source",
    "there is a script beside the model",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "A script is a program that people or build systems run. Loading the model does not run it.",
    _ADVICE,
)
COMMAND: Final = Rule(
    "script-command",
    "a script fetches, installs or removes something",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A line of the script downloads or installs something, runs what it downloads, changes permissions or removes "
    "files.",
    _ADVICE,
    ("CWE-494",),
)
_EXTENSIONS: Final = (".sh", ".bash", ".zsh", ".bat", ".cmd", ".ps1")
_NAMES: Final = frozenset({"dockerfile", "makefile", "containerfile"})
_PYTHON: Final = re.compile(rb"#![^\n]{0,200}\bpython")
_COMMAND: Final = re.compile(
    r"\b(?:curl|wget|Invoke-WebRequest|Invoke-Expression|iwr|iex|pip3? install|conda install|npm install"
    r"|apt(?:-get)? install|git clone|rm -[a-zA-Z]*[rf]|chmod|sudo|nc|eval|base64|python3? -c|mkfifo|crontab|ssh|scp)\b"
    r"|/dev/tcp/"
)
_LONGEST: Final = 2000
_SHOWN: Final = 20


def _recognise(reading: Reading, name: str) -> bool:
    base = name.casefold().rsplit("/", 1)[-1]
    if base.endswith(_EXTENSIONS) or base in _NAMES or base.startswith(("dockerfile.", "dockerfile-")):
        return reading.size > 0
    head = reading.read_at(0, 256)
    return head.startswith(b"#!") and not _PYTHON.match(head)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    findings: list[Finding] = [SCRIPT.finding("a script is run by people and build systems")]
    text = reading.read_at(0, limits.SOURCE_BYTES).decode("utf-8", "replace")
    if reading.size > limits.SOURCE_BYTES:
        findings.append(BUDGET.finding(f"a script of {reading.size} bytes"))
    named = 0
    for number, line in enumerate(text.splitlines(), 1):
        if named < _SHOWN and not line.lstrip().startswith(("#", "::")) and _COMMAND.search(line[:_LONGEST]):
            findings.append(COMMAND.finding(f"line {number}: {line.strip()[:200]}"))
            named += 1
    return Inspection(readable=True, findings=tuple(findings))


FORMAT = Format(
    id="script",
    title="Script",
    description="Shell scripts, Dockerfiles and the like; what they fetch, install or remove is named.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    rules=(SCRIPT, COMMAND, BUDGET),
)
