"""What is known of names in templates (``knowledge/jinja.json``), and which are never asked for in good faith."""

from __future__ import annotations

import functools
import re
from typing import Final

from modelsign.scan.tables import table

__all__ = ["escapes", "hides", "known", "pattern_escapes", "pattern_reaches"]

_HIDDEN: Final = re.compile(r"__\w+__\Z")
_FIELD: Final = re.compile(r"\{([^{}]{0,4096})")


@functools.cache
def known(kind: str) -> frozenset[str]:
    """Return the names of one kind: functions, filters, tests, methods, internals or dangerous."""
    return frozenset(name for group in table("jinja")[kind] for name in group["names"])


def escapes(name: str) -> bool:
    """Whether an attribute of this name leads to Python's internals."""
    return name.startswith("__") or name in known("internals")


def hides(text: str) -> bool:
    """Whether a whole text is a name of Python's internals."""
    return bool(_HIDDEN.match(text))


def pattern_escapes(pattern: str) -> bool:
    """Whether a pattern of ``str.format`` follows an attribute to Python's internals."""
    return any(escapes(part) for field in _FIELD.findall(pattern) for part in re.split(r"[.\[\]!:]", field)[1:] if part)


def pattern_reaches(pattern: str) -> bool:
    """Whether a pattern of ``str.format`` follows any attribute or item."""
    return any("." in field.split(":")[0] or "[" in field for field in _FIELD.findall(pattern))
