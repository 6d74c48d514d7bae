"""The JSON document of a command: the keys that are stable, in one place.

``schema``, ``tool``, ``command``, ``exit_code``, ``reasons`` and ``warnings`` are in every document; between them stand
the command's own keys. The schemas are published in ``docs/reference/schemas``. Names that are not UTF-8 hold lone
surrogates in Python, which strict readers refuse (RFC 8259, section 8.2); they are written as visible escapes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from modelsign._version import __version__
from modelsign.report.escape import escape
from modelsign.verdict import plain

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["SCHEMA_BASE", "document", "dumps"]

SCHEMA_BASE: Final = "https://modelsign.dev/schema/"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


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


def dumps(value: object, *, indent: int | None = 2) -> str:
    """Write JSON in ASCII, with a newline at the end; one line where ``indent`` is None."""
    separators = (",", ":") if indent is None else None
    return json.dumps(_sound(value), indent=indent, separators=separators) + "\n"


def _sound(value: object) -> object:
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: escape(match[0]), value)
    if isinstance(value, dict):
        return {_sound(key): _sound(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sound(item) for item in value]
    return value
