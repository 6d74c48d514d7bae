"""Markdown: a summary for a pull request or a job page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.report.escape import escape_markdown
from modelsign.report.observation import observations
from modelsign.report.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]


def render(report: Report, *, colour: bool = False) -> str:
    """Write a heading with the verdict, a table of observations and the reasons; colour is never used."""
    del colour
    verdict = report.body.get("verdict") or report.body.get("outcome") or f"exit {int(report.exit_status)}"
    parts = [f"### modelsign {report.command}: {escape_markdown(str(verdict))}"]
    found = observations(report)
    if found:
        rows = [
            [one.severity, one.rule, one.path or "", one.message + (f" — {one.advice}" if one.advice else "")]
            for one in found
        ]
        parts.append(_table(["severity", "rule", "file", "what"], rows))
    rules = report.body.get("rules")
    if isinstance(rules, list):
        rows = [[str(rule[key]) for key in ("id", "result", "expected", "observed")] for rule in rules]
        parts.append(_table(["rule", "result", "expected", "observed"], rows))
    facts = [
        [key, str(value)] for key, value in report.body.items() if isinstance(value, (str, int)) and key != "verdict"
    ]
    if facts:
        parts.append(_table(["fact", "value"], facts))
    parts += [f"> {escape_markdown(warning)}" for warning in report.warnings]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(escape_markdown(str(cell)) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


OUTPUT = Output("markdown", "Markdown", "A summary for a pull request or a job page.", "text/markdown", render)
