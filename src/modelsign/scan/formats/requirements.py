"""Lists of packages for pip: what they would install, and from where.

Nothing is installed or looked up. Recognised by name. Follows pip's requirements file format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.configuration.packages import ELSEWHERE, PACKAGES
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_NAME: Final = re.compile(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)\Z")
_ELSEWHERE: Final = re.compile(
    r"\s*(?:-e\b|--editable|-i\b|--index-url|--extra-index-url|-f\b|--find-links|--trusted-host|\.{0,2}/)"
    r"|\s*[^#\s]*(?:\b(?:git|hg|svn|bzr)\+|\b(?:https?|ftp|file):|\.whl\b|\.zip\b|\.tar\b)|.*[^#]@\s*(?:git\+|\w+:/)"
)
_LONGEST: Final = 2000
_SHOWN: Final = 20


def _recognise(reading: Reading, name: str) -> bool:
    return bool(_NAME.match(name.casefold().rsplit("/", 1)[-1])) and reading.size > 0


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if reading.size > limits.TOML_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"a list of {reading.size} bytes"),))
    try:
        text = reading.read_at(0, reading.size).decode("utf-8")
    except UnicodeDecodeError as fault:
        broken = BROKEN.finding(f"the list is not UTF-8 (byte {fault.start})", offset=fault.start)
        return Inspection(readable=True, findings=(broken,))
    lines = [line.strip() for line in text.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    findings: list[Finding] = []
    if wanted:
        findings.append(PACKAGES.finding(f"{len(wanted)} lines: {', '.join(line[:60] for line in wanted[:5])}"))
    foreign = [line for line in wanted if _ELSEWHERE.match(line[:_LONGEST])]
    findings += [ELSEWHERE.finding(line[:200]) for line in foreign[:_SHOWN]]
    return Inspection(readable=True, findings=tuple(findings))


FORMAT = Format(
    id="requirements",
    title="List of packages",
    description="What pip would install; named, and nothing looked up.",
    recognise=_recognise,
    scan=_scan,
    rules=(PACKAGES, ELSEWHERE, BROKEN, BUDGET),
)
