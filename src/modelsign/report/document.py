"""The JSON document of a command: the keys that are stable, in one place.

``schema``, ``tool``, ``command``, ``exit_code``, ``reasons`` and ``warnings`` are in every document; between them stand
the command's own keys. The schemas are published in ``docs/reference/schemas``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign._version import __version__
from modelsign.verdict import plain

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["SCHEMA_BASE", "document"]

SCHEMA_BASE: Final = "https://modelsign.dev/schema/"


def document(report: Report) -> dict[str, object]:
    """Return the whole document as JSON types."""
    return {
        "schema": f"{SCHEMA_BASE}{report.command.replace(' ', '-')}/v1",
        "tool": {"name": "modelsign", "version": __version__},
        "command": report.command,
        "exit_code": int(report.exit_status),
        **{key: plain(value) for key, value in report.body.items()},
        "reasons": plain(report.reasons),
        "warnings": plain(report.warnings),
    }
