"""GitHub Actions annotations: workflow commands on standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.report.escape import escape_line
from modelsign.report.observation import observations
from modelsign.report.output import Output
from modelsign.verdict import Severity

if TYPE_CHECKING:
    from modelsign.report.observation import Observation
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]

_COMMANDS: Final = {
    Severity.INFO: "notice",
    Severity.LOW: "notice",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}


def render(report: Report, *, colour: bool = False) -> str:
    """Write one annotation a line, then one for the result; colour is never used."""
    del colour
    lines = [_annotation(one) for one in observations(report)]
    lines += [f"::warning title=modelsign::{_data(warning)}" for warning in report.warnings]
    status = int(report.exit_status)
    word = "notice" if status == 0 else "error"
    lines.append(f"::{word} title=modelsign {_property(report.command)}::exit {status}")
    return "\n".join(lines) + "\n"


def _annotation(one: Observation) -> str:
    place = f"file={_property(one.path)}," if one.path is not None else ""
    inside = f" ({one.member})" if one.member is not None else ""
    advice = f" {one.advice}" if one.advice else ""
    return f"::{_COMMANDS[one.severity]} {place}title={_property(one.rule)}::{_data(one.message + inside + advice)}"


def _data(text: str) -> str:
    return escape_line(text.replace("\n", " ")).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


OUTPUT = Output("github", "GitHub annotations", "Workflow commands for GitHub Actions.", "text/plain", render)
