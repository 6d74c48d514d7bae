"""JUnit XML: one test case per file or rule, for services that show test results."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from modelsign.report.escape import escape_line
from modelsign.report.output import Output
from modelsign.verdict import CheckResult, Outcome, RuleOutcome, ScanResult

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]


def render(report: Report, *, colour: bool = False) -> str:
    """Write one suite; a case without a failure passed. Colour is never used."""
    del colour
    cases = _cases(report)
    failures = sum(1 for _, message in cases if message)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuite name={_attribute("modelsign " + report.command)} tests="{len(cases)}" failures="{failures}">',
    ]
    for name, message in cases:
        case = f"  <testcase classname={_attribute('modelsign.' + report.command)} name={_attribute(name)}"
        if message:
            lines += [f"{case}>", f"    <failure>{escape(escape_line(message))}</failure>", "  </testcase>"]
        else:
            lines.append(f"{case}/>")
    return "\n".join([*lines, "</testsuite>"]) + "\n"


def _cases(report: Report) -> list[tuple[str, str]]:
    """Return name and failure message; the message is empty where the case passed."""
    result = report.result
    if isinstance(result, ScanResult):
        return [
            (
                file.path,
                ""
                if file.outcome is Outcome.CLEAN
                else f"{file.outcome}: " + "; ".join(finding.message for finding in file.findings),
            )
            for file in result.files
        ]
    if isinstance(result, CheckResult):
        good = (RuleOutcome.PASS, RuleOutcome.WAIVED)
        return [
            (rule.id, "" if rule.result in good else f"expected {rule.expected}; observed {rule.observed}")
            for rule in result.rules
        ]
    message = "; ".join(f"{reason.code}: {reason.message}" for reason in report.reasons)
    return [(report.command, message or ("" if int(report.exit_status) == 0 else f"exit {int(report.exit_status)}"))]


def _attribute(text: str) -> str:
    return quoteattr(escape_line(text))


OUTPUT = Output("junit", "JUnit XML", "Files or rules as test cases.", "application/xml", render)
