"""The plainest rendering of a report, for when the report family itself cannot answer.

Depends on nothing that could have failed before: an internal error in an output still ends in one document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign._version import __version__
from modelsign.report.escape import escape, escape_line

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["last_words"]


def last_words(report: Report, name: str) -> str:
    """Write a report as JSON where a JSON format was asked for, else as text."""
    if name in ("json", "jsonl", "sarif"):
        import json

        document = {
            "schema": f"https://modelsign.dev/schema/{report.command.replace(' ', '-')}/v1",
            "tool": {"name": "modelsign", "version": __version__},
            "command": report.command,
            "exit_code": int(report.exit_status),
            "reasons": [
                {"code": reason.code, "message": reason.message, "advice": reason.advice} for reason in report.reasons
            ],
            "warnings": list(report.warnings),
            **report.body,
        }
        return json.dumps(document, default=str, indent=None if name == "jsonl" else 2) + "\n"
    lines = [
        f"{reason.code}: {escape_line(reason.message)}\n  next: {escape_line(reason.advice)}"
        for reason in report.reasons
    ]
    return "\n".join([*([escape(report.text.rstrip("\n"))] if report.text else []), *lines]) + "\n"
