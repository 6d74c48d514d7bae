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
    lines = [_annotation(one, report.place or "") for one in observations(report)]
    lines += [f"::warning title=modelsign::{_data(warning)}" for warning in report.warnings]
    status = int(report.exit_status)
    word = "notice" if status == 0 else "error"
    lines.append(f"::{word} title=modelsign {_property(report.command)}::exit {status}")
    return "\n".join(lines) + "\n"


def _annotation(one: Observation, folder: str) -> str:
    """Write one; its further lines are escaped line ends, which the runner shows as lines.

    The runner looks for files from the root of the repository, where the command is started.
    """
    place = f"file={_property(folder + one.path)}," if one.path is not None else ""
    inside = f" ({one.inside})" if one.inside else ""
    sure = f" ({one.sureness})" if one.sureness else ""
    lines = [
        f"{one.message}{inside}{sure}",
        *one.calls,
        one.next_step,
        f"Accepted: {one.accepted}" * bool(one.accepted),
    ]
    text = "%0A".join(_data(line) for line in lines if line)
    word = "notice" if one.accepted else _COMMANDS[one.severity]
    return f"::{word} {place}title={_property(one.rule)}::{text}"


def _data(text: str) -> str:
    return escape_line(text.replace("\n", " ")).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


OUTPUT = Output("github", "GitHub annotations", "Workflow commands for GitHub Actions.", "text/plain", render)
