"""``modelsign explain``: what a reason code, a scan rule or a kind of policy rule means, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelsign.cli.command import define
from modelsign.reasons import CATALOG, ExitStatus
from modelsign.verdict import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.cli.command import Session

__all__ = ["command"]


@define("explain", examples=("modelsign explain INTERNAL", "modelsign explain --format json"), formats=("text", "json"))
@click.argument("code", required=False)
def command(session: Session, *, code: str | None) -> Report:
    """Explain a reason code or a rule.

    CODE is what `reasons` or `findings` of any answer holds; without it every code is listed with its title.
    """
    if code is None:
        return _all(session)
    wanted = code.strip()
    entries = [entry for entry in _entries() if entry["code"].casefold() == wanted.casefold()]
    if not entries:
        raise click.BadParameter(_unknown(wanted), param_hint="CODE")
    text = "\n".join(_paragraphs(entry) for entry in entries)
    return Report(session.command, ExitStatus.OK, body={"entries": entries}, text=text)


def _all(session: Session) -> Report:
    entries = list(_entries())
    width = max(len(entry["code"]) for entry in entries)
    lines = [f"{entry['code']:<{width}}  {entry['title']}" for entry in entries]
    return Report(session.command, ExitStatus.OK, body={"entries": entries}, text="\n".join(lines) + "\n")


def _entries() -> Iterator[dict[str, str]]:
    for reason in CATALOG.values():
        yield {
            "code": reason.code,
            "kind": "reason",
            "title": reason.title,
            "explanation": reason.explanation,
            "advice": reason.advice,
            "exit_status": str(int(reason.exit_status)),
        }
    yield from _scan_rules()
    yield from _rule_kinds()


def _scan_rules() -> Iterator[dict[str, str]]:
    from modelsign.opinions.opinion import RULES
    from modelsign.scan.engine import formats, known_rules

    for rule in (*known_rules(), *RULES):
        yield {
            "code": rule.id,
            "kind": "scan rule",
            "title": rule.title,
            "explanation": rule.description,
            "advice": rule.advice,
            "severity": rule.severity.value,
            "outcome": rule.outcome.value,
            "confidence": rule.confidence.value,
            "formats": " ".join(entry.id for entry in formats() if rule in entry.rules),
            "references": " ".join(rule.references),
        }


def _rule_kinds() -> Iterator[dict[str, str]]:
    from modelsign.policy.rules import _index

    for name in _index.IDS:
        kind = _index.load(name)
        yield {
            "code": kind.id,
            "kind": "kind of policy rule",
            "title": kind.title,
            "explanation": kind.description,
            "advice": "`modelsign policy schema` shows its fields.",
        }


def _paragraphs(entry: dict[str, str]) -> str:
    facts = {
        "Exit status": entry.get("exit_status"),
        "Severity": entry.get("severity"),
        "Outcome": entry.get("outcome"),
        "Confidence": entry.get("confidence"),
        "Formats": entry.get("formats"),
        "See": entry.get("references"),
    }
    lines = [f"{entry['code']} ({entry['kind']}): {entry['title']}", ""]
    lines += [entry["explanation"], ""] if entry["explanation"] else []
    lines += [f"{name}: {value}" for name, value in facts.items() if value]
    return "\n".join([*lines, f"What to do: {entry['advice']}", ""])


def _unknown(wanted: str) -> str:
    import difflib

    known = [entry["code"] for entry in _entries()]
    near = difflib.get_close_matches(wanted.upper(), known, n=3) or difflib.get_close_matches(wanted, known, n=3)
    return f"{wanted!r} is no code of modelsign." + (f" Did you mean {', '.join(near)}?" if near else "")
