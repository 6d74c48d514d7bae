"""JUnit XML: one test case per file or rule, one per fault of the evidence, and one for the answer as a whole.

For services that show test results. A suite without a failure says what exit status 0 says: an expired policy, or one
whose rules all pass and that still does not allow, fails by the last case. A model of which only a part was verified is
a case that was skipped, not one that passed. Warnings are the suite's output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from modelsign.report.escape import escape_line
from modelsign.report.output import Output
from modelsign.verdict import CheckResult, Outcome, RuleOutcome, ScanResult, VerifyResult, VerifyVerdict

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]


def render(report: Report, *, colour: bool = False) -> str:
    """Write one suite; a case without a failure passed. Colour is never used."""
    del colour
    cases = _cases(report)
    failures = sum(1 for _, message in cases if message)
    part = isinstance(report.result, VerifyResult) and report.result.verdict is VerifyVerdict.PARTIAL
    counts = f'tests="{len(cases)}" failures="{failures}"' + (f' skipped="{len(cases)}"' if part else "")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuite name={_attribute('modelsign ' + report.command)} {counts}>",
    ]
    for name, message in cases:
        case = f"  <testcase classname={_attribute('modelsign.' + report.command)} name={_attribute(name)}"
        if part:
            lines += [f"{case}>", '    <skipped message="PARTIAL"/>', "  </testcase>"]
        elif message:
            lines += [f"{case}>", f"    <failure>{escape(escape_line(message))}</failure>", "  </testcase>"]
        else:
            lines.append(f"{case}/>")
    lines += [f"  <system-out>{escape(escape_line(warning))}</system-out>" for warning in report.warnings]
    return "\n".join([*lines, "</testsuite>"]) + "\n"


def _cases(report: Report) -> list[tuple[str, str]]:
    """Return name and failure message; the message is empty where the case passed."""
    result = report.result
    if isinstance(result, ScanResult):
        files = [
            (
                file.path,
                ""
                if file.outcome is Outcome.CLEAN
                else f"{file.outcome}: " + "; ".join(finding.message for finding in file.findings),
            )
            for file in result.files
        ]
        return [*files, ("outcome", _answer(report, result.outcome))]
    if isinstance(result, CheckResult):
        good = (RuleOutcome.PASS, RuleOutcome.WAIVED)
        rules = [
            (rule.id, "" if rule.result in good else f"expected {rule.expected}; observed {rule.observed}")
            for rule in result.rules
        ]
        told = {rule.code for rule in result.rules}
        faults = [(reason.code, reason.message) for reason in report.reasons if reason.code not in told]
        return [*rules, *faults, ("verdict", _answer(report, result.verdict))]
    return [(report.command, _answer(report, ""))]


def _answer(report: Report, word: str) -> str:
    """Return why the report as a whole is no success; empty where it is one."""
    if int(report.exit_status) == 0 and not report.reasons:
        return ""
    reasons = "; ".join(f"{reason.code}: {reason.message}" for reason in report.reasons)
    return ": ".join(filter(None, [word, reasons])) or f"exit {int(report.exit_status)}"


def _attribute(text: str) -> str:
    return quoteattr(escape_line(text))


OUTPUT = Output("junit", "JUnit XML", "Files or rules as test cases.", "application/xml", render)
