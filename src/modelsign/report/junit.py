"""JUnit XML: one test case per file or rule, one per fault of the evidence, and one for the answer as a whole.

For services that show test results. A suite without a failure says what exit status 0 says: an expired policy, or one
whose rules all pass and that still does not allow, fails by the last case. A model of which only a part was verified is
a case that was skipped, not one that passed; so is a file whose findings somebody accepted. Warnings are the suite's
output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from modelsign.report.escape import escape_line
from modelsign.report.observation import observations
from modelsign.report.output import Output
from modelsign.verdict import CheckResult, Outcome, RuleOutcome, ScanResult, VerifyResult, VerifyVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.report.observation import Observation
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]


@dataclass(frozen=True, slots=True)
class _Case:
    """One case: it passed unless it has a failure, or a word why it was skipped. ``lines`` say more of a failure."""

    name: str
    failure: str = ""
    lines: tuple[str, ...] = ()
    skipped: str = ""


def render(report: Report, *, colour: bool = False) -> str:
    """Write one suite; a case without a failure passed. Colour is never used."""
    del colour
    cases = _cases(report)
    failures = sum(1 for case in cases if case.failure)
    skipped = sum(1 for case in cases if case.skipped)
    counts = f'tests="{len(cases)}" failures="{failures}"' + (f' skipped="{skipped}"' if skipped else "")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuite name={_attribute('modelsign ' + report.command)} {counts}>",
    ]
    for case in cases:
        start = f"  <testcase classname={_attribute('modelsign.' + report.command)} name={_attribute(case.name)}"
        if case.skipped:
            lines += [f"{start}>", f"    <skipped message={_attribute(case.skipped)}/>", "  </testcase>"]
        elif case.failure:
            text = "\n".join(_content(line) for line in case.lines or (case.failure,))
            lines += [f"{start}>", f"    <failure message={_attribute(case.failure)}>{text}</failure>", "  </testcase>"]
        else:
            lines.append(f"{start}/>")
    if report.warnings:
        told = "\n".join(map(_content, report.warnings))
        lines.append(f"  <system-out>{told}</system-out>")
    return "\n".join([*lines, "</testsuite>"]) + "\n"


def _cases(report: Report) -> list[_Case]:
    result = report.result
    if isinstance(result, ScanResult):
        return [*_files(report, result), _Case("outcome", _answer(report, result.outcome))]
    if isinstance(result, CheckResult):
        good = (RuleOutcome.PASS, RuleOutcome.WAIVED)
        rules = [
            _Case(rule.id, "" if rule.result in good else f"expected {rule.expected}; observed {rule.observed}")
            for rule in result.rules
        ]
        told = {rule.code for rule in result.rules}
        faults = [_Case(reason.code, reason.message) for reason in report.reasons if reason.code not in told]
        return [*rules, *faults, _Case("verdict", _answer(report, result.verdict))]
    part = isinstance(result, VerifyResult) and result.verdict is VerifyVerdict.PARTIAL
    return [_Case(report.command, _answer(report, ""), skipped="PARTIAL" if part else "")]


def _files(report: Report, result: ScanResult) -> Iterator[_Case]:
    found: dict[str, list[Observation]] = {}
    for one in observations(report):
        if one.path is not None:
            found.setdefault(one.path, []).append(one)
    for file in result.files:
        told = found.get(file.path, [])
        lines = tuple(line for one in told for line in _lines(one))
        if file.outcome is Outcome.CLEAN:
            yield _Case(file.path)
        elif int(report.exit_status) == 0 or result.left(file) is Outcome.CLEAN:
            yield _Case(file.path, skipped=f"{file.outcome}, and accepted")
        else:
            yield _Case(file.path, f"{file.outcome}: " + "; ".join(one.message for one in told), lines)


def _lines(one: Observation) -> Iterator[str]:
    """Say all of one finding: how bad, where, what, by which calls, what to do."""
    place = f" ({one.inside})" if one.inside else ""
    sure = f" ({one.sureness})" if one.sureness else ""
    yield f"{one.severity} {one.rule}{place}: {one.message}{sure}"
    yield from (f"    {call}" for call in one.calls)
    if one.next_step:
        yield f"  {one.next_step}"


def _answer(report: Report, word: str) -> str:
    """Return why the report as a whole is no success; empty where it is one."""
    if int(report.exit_status) == 0 and not report.reasons:
        return ""
    reasons = "; ".join(f"{reason.code}: {reason.message}" for reason in report.reasons)
    return ": ".join(filter(None, [word, reasons])) or f"exit {int(report.exit_status)}"


def _attribute(text: str) -> str:
    return quoteattr(escape_line(text))


def _content(line: str) -> str:
    return escape(escape_line(line))


OUTPUT = Output("junit", "JUnit XML", "Files or rules as test cases.", "application/xml", render)
