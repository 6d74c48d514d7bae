"""Markdown: a summary for a pull request or a job page (CommonMark with GitHub's tables).

A table of all that was found, then each finding with its place, its chain of calls and what to do; beyond a number of
them the table alone, because services cut long pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.report.escape import code_block, code_span, escape_markdown
from modelsign.report.observation import observations
from modelsign.report.output import Output
from modelsign.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsign.report.observation import Observation
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]

_MOST_DETAILS: Final = 50
_ADDRESS: Final = re.compile(r"https://[\w./#?=&%~-]+", re.ASCII)
_WEIGHTS: Final = {severity: rank for rank, severity in enumerate(Severity)}


def render(report: Report, *, colour: bool = False) -> str:
    """Write a heading with the verdict, what was found, the policy's rules and the facts; colour is never used."""
    del colour
    verdict = report.body.get("verdict") or report.body.get("outcome") or f"exit {int(report.exit_status)}"
    parts = [f"### modelsign {report.command}: {escape_markdown(str(verdict))}"]
    found = observations(report)
    if found:
        rows = [[one.severity, code_span(one.rule), _where(one), escape_markdown(one.message)] for one in found]
        parts.append(_table(["severity", "rule", "where", "what"], rows))
    rules = report.body.get("rules")
    if isinstance(rules, list):
        rows = [[escape_markdown(str(rule[key])) for key in ("id", "result", "expected", "observed")] for rule in rules]
        parts.append(_table(["rule", "result", "expected", "observed"], rows))
    facts = [
        [escape_markdown(key), escape_markdown(str(value))]
        for key, value in report.body.items()
        if isinstance(value, (str, int)) and key != "verdict"
    ]
    if facts:
        parts.append(_table(["fact", "value"], facts))
    parts += _details(found)
    parts += [f"> {escape_markdown(warning)}" for warning in report.warnings]
    return "\n\n".join(parts) + "\n"


def _where(one: Observation) -> str:
    return " → ".join(code_span(part) for part in (one.path, one.inside) if part)


def _details(found: Sequence[Observation]) -> Iterator[str]:
    """Write the worst findings one by one: all that a table has no room for."""
    ranked = sorted(found, key=lambda one: -_WEIGHTS[one.severity])
    for one in ranked[:_MOST_DETAILS]:
        sure = f", {one.sureness}" if one.sureness else ""
        yield f"#### {code_span(one.rule)} ({one.severity}{sure})"
        where = _where(one)
        if where:
            yield where
        yield escape_markdown(one.message)
        if one.calls:
            yield code_block(one.calls, "python")
        if one.advice:
            yield f"What to do: {escape_markdown(one.advice)}"
        if one.references:
            yield f"See {', '.join(map(_reference, one.references))}."
        if one.accepted:
            yield f"Accepted: {escape_markdown(one.accepted)}"
    if len(ranked) > _MOST_DETAILS:
        yield f"{len(ranked) - _MOST_DETAILS} more stand in the table alone."


def _reference(text: str) -> str:
    """Write a rule's own reference; the addresses among them are links."""
    return f"<{text}>" if _ADDRESS.fullmatch(text) else escape_markdown(text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


OUTPUT = Output("markdown", "Markdown", "A summary for a pull request or a job page.", "text/markdown", render)
