"""HTML: one page that needs nothing else, for an auditor or an artifact store.

Every text is escaped; there is no script, no link, no image and no address in it, and a policy in its head forbids
them to a browser too.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from modelsign._version import __version__
from modelsign.report.escape import escape_line
from modelsign.report.observation import observations
from modelsign.report.output import Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}caption{text-align:left;font-weight:bold}"
    "th,td{border:1px solid;padding:.3em .6em;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "h1.good{color:#060}h1.bad{color:#a00}"
)


def render(report: Report, *, colour: bool = False) -> str:
    """Write the answer as a heading, then tables of observations, rules and facts; colour is never asked about."""
    del colour
    answer = report.body.get("verdict") or report.body.get("outcome") or f"exit {int(report.exit_status)}"
    title = _text(f"modelsign {report.command}: {answer}")
    shade = "bad" if int(report.exit_status) else "part" if answer == "PARTIAL" else "good"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f'<h1 class="{shade}">{title}</h1>',
        *_tables(report),
        f"<p>modelsign {_text(__version__)}, exit status {int(report.exit_status)}</p>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _tables(report: Report) -> Iterator[str]:
    found = [
        (str(one.severity), one.rule, one.path or "", one.member or "", one.message, one.advice)
        for one in observations(report)
    ]
    if found:
        yield from _table("What was found", ("severity", "rule", "file", "inside", "what", "what to do"), found)
    rules = report.body.get("rules")
    if isinstance(rules, list):
        head = ("id", "mode", "result", "expected", "observed")
        rows = [tuple(str(rule.get(key, "")) for key in head) for rule in rules]
        yield from _table("Rules of the policy", ("rule", *head[1:]), rows)
    facts = [(key, str(value)) for key, value in report.body.items() if isinstance(value, (str, int))]
    if facts:
        yield from _table("Facts", ("fact", "value"), facts)
    if report.warnings:
        yield from _table("Warnings", ("warning",), [(warning,) for warning in report.warnings])


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"<table><caption>{caption}</caption>"
    yield "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in head) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>"
    yield "</table>"


def _text(text: str) -> str:
    return html.escape(escape_line(text), quote=True)


OUTPUT = Output("html", "HTML", "A page without scripts, for an auditor.", "text/html", render)
