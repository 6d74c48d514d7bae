"""What the rules on the local scan share: the files such a rule is about, whether all were scanned, how it is told.

Never judges a file; that is each rule's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.policy.files import check_patterns, concerned
from modelsign.policy.rule import Judgement
from modelsign.verdict import RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.policy.rule import Context
    from modelsign.verdict import FileScan, ScanResult

__all__ = ["check_files", "listed", "scanned", "where"]

_SHOWN: Final = 5


def check_files(patterns: tuple[str, ...] | None, *, if_present: bool) -> None:
    """Raise ValueError for patterns that cannot be used, and for ``if_present`` without any."""
    check_patterns(patterns or ())
    if if_present and not patterns:
        message = "if_present is about files, and none are given"
        raise ValueError(message)


def scanned(patterns: tuple[str, ...] | None, context: Context) -> tuple[ScanResult, list[FileScan]] | Judgement:
    """Return the scan, and of it the files concerned, by name; a failure where one of them was not scanned."""
    scan = context.facts.scan
    if scan is None:
        return Judgement(RuleOutcome.FAIL, "no local scan", (), "POLICY_SCAN_MISSING")
    seen = {file.path: file for file in scan.files}
    names = concerned(context.facts.files, patterns or ())
    unseen = [name for name in names if name not in seen]
    if unseen:
        return Judgement(RuleOutcome.FAIL, f"not scanned: {listed(unseen)}", (), "POLICY_SCAN_MISSING")
    return scan, [seen[name] for name in names]


def where(patterns: tuple[str, ...] | None, *, if_present: bool) -> str:
    """Say which files a rule is about."""
    return (f"files matching {', '.join(patterns)}" if patterns else "every file") + (" (if any)" if if_present else "")


def listed(items: Sequence[str]) -> str:
    """Return the first few of them, and how many more there are."""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
