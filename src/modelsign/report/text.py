"""Text for people: the verdict first, then why, then what to do next.

Names and messages come from strangers, so everything is escaped before colour is added.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, cast

from modelsign.report.escape import escape, escape_line
from modelsign.report.output import Output
from modelsign.report.style import Style
from modelsign.report.trace import trace_lines
from modelsign.verdict import who

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsign.verdict import CheckResult, FileScan, Report, ScanResult, Signer, VerifyResult

__all__ = ["OUTPUT", "render"]

_MOST_NAMES: Final = 10
"""Names shown of one list; the JSON document has them all."""
# The results' classes are not imported here: showing one need not build the others.
_WORST_FIRST: Final = ("unsafe", "incomplete", "unsupported", "unverified", "clean")
_CLEAN: Final = "clean"
_SURE: Final = "high"
_MOST_ADVICE: Final = 3
_SPOKEN: Final = ("findings", "no findings")
_PASS: Final = "PASS"  # noqa: S105 - a rule's result, not a password


def render(report: Report, *, colour: bool = False) -> str:
    """Write the report for a person; coloured only when asked for."""
    style = Style(colour=colour)
    lines: list[str] = []
    if report.text is not None:
        lines += escape(report.text).rstrip("\n").split("\n") if report.text else []
    else:
        lines += _WORDS.get(type(report.result).__name__, _facts)(report, style)
    for reason in report.reasons:
        lines.append(f"{style.paint(reason.code, 'bad')}: {escape_line(reason.message)}")
        lines.append(f"  {style.paint('next:', 'quiet')} {escape_line(reason.advice)}")
    lines += [f"{style.paint('warning:', 'doubt')} {escape_line(warning)}" for warning in report.warnings]
    return "\n".join(lines) + "\n"


def _scan(report: Report, style: Style) -> Iterator[str]:
    result = cast("ScanResult", report.result)
    for file in result.files:
        if file.outcome != _CLEAN or file.findings:
            yield from _file(file, style)
    for opinion in result.opinions:
        version = f" {opinion.version}" if opinion.version else ""
        why = "" if opinion.status in _SPOKEN else f" ({escape_line(opinion.message)})"
        yield f"second opinion of {escape_line(opinion.engine + version)}: {opinion.status}{why}"
        yield from (f"  {escape_line(finding)}" for finding in opinion.findings[:_MOST_NAMES])
    for one in result.acceptances:
        until = f"until {escape_line(one.expires)}: {escape_line(one.reason)}"
        yield f"acceptance of {escape_line(one.rule)} in {escape_line(one.path)} ({one.status}) {until}"
    yield from _comparison(result)
    yield from trace_lines(result.traces, style)
    if result.confinement:
        yield style.paint(escape_line(str(result.confinement)), "quiet")
    counts = Counter(file.outcome.value for file in result.files)
    told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _WORST_FIRST if counts[outcome])
    yield f"{style.verdict(result.outcome)}: {len(result.files)} file{_s(result.files)} ({told or 'nothing scanned'})"


def _comparison(result: ScanResult) -> Iterator[str]:
    """Show who says what, one line a file."""
    if not result.comparison:
        return
    head = ["file", "modelsign", *result.comparison[0].opinions]
    rows = [[escape_line(row.path), row.outcome.value, *row.opinions.values()] for row in result.comparison]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(1, len(head))]
    for row in [head, *rows]:
        cells = [f"{cell:<{width}}" for cell, width in zip(row[1:], widths, strict=True)]
        yield "  ".join([*cells, row[0]]).rstrip()


def _file(file: FileScan, style: Style) -> Iterator[str]:
    yield f"{style.verdict(file.outcome, width=11)} {escape_line(file.path)} ({escape_line(file.format)})"
    for finding in file.findings:
        place = "" if finding.offset is None else f" at byte {finding.offset}"
        if finding.member is not None:
            place = f" in {escape_line(finding.member)}{place}"
        severity = style.verdict(finding.severity)
        sure = "" if finding.confidence == _SURE else f" ({finding.confidence} confidence)"
        yield f"  {severity} {finding.rule}{place}: {escape_line(finding.message)}{sure}"
        if len(finding.calls) > 1:
            yield from (f"      {style.paint(escape_line(call), 'quiet')}" for call in finding.calls)
    decisive = [finding for finding in file.findings if finding.outcome == file.outcome and file.outcome != _CLEAN]
    for advice, references in list(dict.fromkeys((one.advice, one.references) for one in decisive))[:_MOST_ADVICE]:
        see = f" (see {', '.join(references)})" if references else ""
        if advice:
            yield f"  {style.paint('next:', 'quiet')} {escape_line(advice + see)}"


def _verify(report: Report, style: Style) -> Iterator[str]:
    result = cast("VerifyResult", report.result)
    yield style.verdict(result.verdict)
    for signer in result.signers:
        yield from _signer(signer)
    if result.root_digest:
        yield f"  root digest  {result.root_digest}"
    if result.tree_digest:
        yield f"  tree digest  {result.tree_digest}"
    if result.format:
        yield f"  format       {escape_line(result.format)}{'' if result.oms else ' (not OMS)'}"
    if result.expires:
        yield f"  good until   {escape_line(result.expires)}"
    yield f"  files        {result.files.signed} signed, {result.files.checked} checked"
    for word in ("changed", "missing", "unsigned", "ignored", "unchecked"):
        yield from _names(word, getattr(result.files, word))


def _signer(signer: Signer) -> Iterator[str]:
    yield f"  signed by    {escape_line(who(signer))}"
    if signer.identity is not None:
        yield f"  with key     {signer.key_digest} ({escape_line(signer.algorithm)})"
    if signer.time:
        yield f"  existed by   {escape_line(signer.time)}, shown by {escape_line(signer.time_proof or '')}"
    for log in signer.logs:
        yield f"  logged in    {escape_line(log.log)}, entry {log.index}"
    for name, value in signer.claims.items():
        yield f"  claim        {escape_line(name)} = {escape_line(value)}"
    if signer.root:
        yield f"  under root   {escape_line(signer.root)}"
    for switch in signer.insecure:
        yield f"  INSECURE     {escape_line(switch)} was given"


def _names(word: str, names: Sequence[str]) -> Iterator[str]:
    for name in names[:_MOST_NAMES]:
        yield f"  {word:<12} {escape_line(name)}"
    if len(names) > _MOST_NAMES:
        yield f"  {word:<12} … and {len(names) - _MOST_NAMES} more (--format json lists them)"


def _check(report: Report, style: Style) -> Iterator[str]:
    result = cast("CheckResult", report.result)
    policy = f"{escape_line(result.policy.name)}@sha256:{result.policy.digest[:12]}"
    yield f"{style.verdict(result.verdict)} by policy {policy}"
    for rule in result.rules:
        mode = "" if rule.mode == "enforce" else f" ({rule.mode})"
        yield f"  {style.verdict(rule.result, width=13)} {escape_line(rule.id)}{mode}"
        if rule.result == _PASS:
            yield f"                {style.paint(escape_line(rule.observed), 'quiet')}"
            continue
        yield f"                expected {escape_line(rule.expected)}"
        yield f"                observed {escape_line(rule.observed)}"
        if rule.advice:
            yield f"                {style.paint('next:', 'quiet')} {escape_line(rule.advice)}"
    if result.tree_digest:
        yield f"  tree digest   {result.tree_digest}"
    for item in result.inputs:
        version = "" if item.version is None else f", version {item.version}"
        yield f"  {item.type:<13} {escape_line(item.parameter)}: {item.digest}{version}"
    if result.scan and result.scan.confinement:
        yield f"  scan          {escape_line(str(result.scan.confinement))}"
    for file in result.scan.files if result.scan else ():
        if file.outcome != _CLEAN:
            yield from (f"  {line}" for line in _file(file, style))
    yield from _names("ignored", result.ignored_evidence)


def _facts(report: Report, style: Style) -> Iterator[str]:
    """Show the plain values of a body that no renderer above knows."""
    for key, value in report.body.items():
        if isinstance(value, (str, int, float)):
            yield f"{style.paint(key.replace('_', ' ') + ':', 'quiet')} {escape_line(str(value))}"


def _s(values: Sequence[object]) -> str:
    return "" if len(values) == 1 else "s"


_WORDS: Final = {"ScanResult": _scan, "VerifyResult": _verify, "CheckResult": _check}

OUTPUT = Output("text", "Text", "For people: the verdict, why, and what to do next.", "text/plain", render)
