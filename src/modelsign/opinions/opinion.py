"""What a member of ``opinions/`` is: another scanner, asked in a process of its own.

An opinion can add findings and never lowers an outcome. A scanner that is absent, fails or looks at nothing has no
opinion, and that is recorded; it is never taken for "no findings".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign.verdict import Confidence, Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.verdict import Finding, Opinion

__all__ = ["DOUBT", "RULES", "UNSAFE", "Asked", "SecondOpinion"]

UNSAFE: Final = Rule(
    "opinion-unsafe",
    "another scanner calls the file unsafe",
    Severity.HIGH,
    Outcome.UNSAFE,
    "A scanner that was asked for a second opinion reports a finding that it calls critical or high. It may be wrong, "
    "but it was asked for its opinion, and an opinion only ever adds.",
    "Read the finding; if it is a false alarm, report it to that scanner and ask without it.",
    confidence=Confidence.MEDIUM,
)
DOUBT: Final = Rule(
    "opinion-doubt",
    "another scanner doubts the file",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A scanner that was asked for a second opinion reports a finding that it calls medium or low.",
    "Read the finding and decide whether it matters for how the file is loaded.",
    confidence=Confidence.LOW,
)
RULES: Final = (UNSAFE, DOUBT)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came back: the opinion as it is recorded, and its findings by the file they are about.

    A finding about no file that can be told has the path None.
    """

    opinion: Opinion
    findings: tuple[tuple[str | None, Finding], ...] = ()


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Another scanner.

    ``ask`` takes a folder that holds the model's files under their own names, and the seconds it may take; it gives
    an answer in any case and raises nothing.
    """

    id: str
    title: str
    description: str
    distribution: str
    ask: Callable[[str, float], Asked]
