"""Tells whether a path that a model names stays beside the model: plain, relative, and the same on every system."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["why_escapes"]

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST: Final = 4096


def why_escapes(path: str) -> str | None:
    """Say how a path leaves the model's folder, or could on some system; None for a plain relative path."""
    faults = (
        (not path, "it is empty"),
        (len(path) > _LONGEST, f"it has more than {_LONGEST} characters"),
        (path.startswith("/"), "it is absolute"),
        (_SCHEME.match(path), "it names a drive or a URL"),
        ("\\" in path, "it holds a backslash"),
        (_CONTROL.search(path), "it holds a control character"),
        (path.startswith("~"), "it begins with a home folder"),
        (".." in path.split("/"), "it goes up with .."),
    )
    return next((reason for fault, reason in faults if fault), None)
