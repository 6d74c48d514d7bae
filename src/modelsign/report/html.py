"""HTML: one page that needs nothing else, for an auditor, an artifact store or a printer.

Every text is escaped; there is no script, no link, no image and no address in it, and a policy in its head forbids
them to a browser too: nothing but the very style that stands in the page is let in, by its digest (CSP level 3, 2.3.1).
No meaning is carried by colour alone, every table has a caption and headers, and what is shown is also printed.
"""

from __future__ import annotations

import base64
import hashlib
import html
from typing import TYPE_CHECKING, Final

from modelsign._version import __version__
from modelsign.report.escape import escape_line
from modelsign.report.observation import observations
from modelsign.report.output import Output
from modelsign.report.style import Style
from modelsign.report.trace import trace_lines
from modelsign.verdict import CheckResult, ScanResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelsign.report.observation import Observation
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}caption{text-align:left;font-weight:bold}"
    "th,td{border:1px solid;padding:.3em .6em;text-align:left;vertical-align:top}"
    "th[scope=row],td:last-child{overflow-wrap:anywhere}"
    "article{border:1px solid;border-left:.5em solid;padding:0 1em;margin:1em 0}"
    "article h3{margin:.6em 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2em 1em}"
    "dt{font-weight:bold}dd{margin:0;overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0}"
    ".critical,.high,.bad{border-left-color:#b00020}.medium,.part{border-left-color:#8a5a00}"
    ".low,.info{border-left-color:#556}.good{border-left-color:#006b2d}"
    "header{border-left:.5em solid;padding-left:1em}"
    "@media print{body{font-size:11px;margin:0;max-width:none}article,tr,header{break-inside:avoid}"
    "thead{display:table-header-group}}"
)
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def render(report: Report, *, colour: bool = False) -> str:
    """Write the answer as a heading, then what was found, rules, facts and warnings; colour is never asked about."""
    del colour
    answer = report.body.get("verdict") or report.body.get("outcome") or f"exit {int(report.exit_status)}"
    title = _text(f"modelsign {report.command}: {answer}")
    shade = "bad" if int(report.exit_status) else "part" if answer == "PARTIAL" else "good"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f'<header class="{shade}"><h1>{title}</h1>',
        f"<p>modelsign {_text(__version__)}, exit status {int(report.exit_status)}</p></header>",
        "<main>",
        *_sections(report),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _sections(report: Report) -> Iterator[str]:
    found = observations(report)
    if found:
        yield "<h2>What was found</h2>"
        for one in found:
            yield from _finding(one)
    rules = report.body.get("rules")
    if isinstance(rules, list):
        head = ("id", "mode", "result", "expected", "observed")
        rows = [tuple(str(rule.get(key, "")) for key in head) for rule in rules]
        yield from _table("Rules of the policy", ("rule", *head[1:]), rows)
    result = report.result
    scan = result.scan if isinstance(result, CheckResult) else result
    if isinstance(scan, ScanResult):
        yield from _scan(scan)
    facts = [(key, str(value)) for key, value in report.body.items() if isinstance(value, (str, int))]
    if facts:
        yield from _table("Facts", ("fact", "value"), facts)
    if report.warnings:
        yield from _table("Warnings", ("warning",), [(warning,) for warning in report.warnings])


def _finding(one: Observation) -> Iterator[str]:
    """Write one finding: how bad, what, where, by which calls, and what to do."""
    yield f'<article class="{one.severity}"><h3>{_text(one.severity)}: {_text(one.rule)}</h3>'
    yield f"<p>{_text(one.message)}</p><dl>"
    facts = (
        ("file", one.path or ""),
        ("inside", one.inside),
        ("confidence", one.confidence),
        ("SHA-256 of the file", one.sha256 or ""),
    )
    yield from (f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in facts if value)
    if one.calls:
        calls = "\n".join(_text(call) for call in one.calls)
        yield f"<dt>calls</dt><dd><pre><code>{calls}</code></pre></dd>"
    further = (("what to do", one.advice), ("references", ", ".join(one.references)), ("accepted", one.accepted))
    yield from (f"<dt>{name}</dt><dd>{_text(value)}</dd>" for name, value in further if value)
    yield "</dl></article>"


def _scan(result: ScanResult) -> Iterator[str]:
    """Write what a scan says beside its findings: every file, other scanners, acceptances, traces."""
    files = [(file.path, file.outcome.value, file.format, str(file.size), file.sha256 or "") for file in result.files]
    yield from _table("Files", ("file", "outcome", "format", "bytes", "SHA-256"), files)
    opinions = [(one.engine, one.version or "", one.status, one.message) for one in result.opinions]
    if opinions:
        yield from _table("Second opinions", ("scanner", "version", "status", "note"), opinions)
    if result.comparison:
        head = ("file", "modelsign", *result.comparison[0].opinions)
        said = [(row.path, row.outcome.value, *row.opinions.values()) for row in result.comparison]
        yield from _table("Who says what", head, said)
    accepted = [(one.rule, one.path, one.status.value, one.expires, one.reason) for one in result.acceptances]
    if accepted:
        yield from _table("Accepted findings", ("rule", "file", "status", "until", "reason"), accepted)
    if result.traces:
        lines = "\n".join(_text(line) for line in trace_lines(result.traces, Style(colour=False)))
        yield f"<h2>Disassembly</h2><pre><code>{lines}</code></pre>"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"<table><caption>{caption}</caption>"
    yield "<thead><tr>" + "".join(f'<th scope="col">{_text(name)}</th>' for name in head) + "</tr></thead><tbody>"
    for row in rows:
        first, *rest = (_text(cell) for cell in row)
        yield f'<tr><th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"
    yield "</tbody></table>"


def _text(text: str) -> str:
    return html.escape(escape_line(text), quote=True)


OUTPUT = Output("html", "HTML", "A page without scripts, for an auditor.", "text/html", render)
