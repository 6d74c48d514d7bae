"""The digest that names exactly these rules.

A scan is a function of the names and bytes in the artifact and of this digest (DESIGN, security rule 8). It
covers the scanner's source and data, the budgets, and what it stands on: readings, containers, strict JSON.
It is the same from a wheel and from a checkout. Never looks at what else is installed.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Final

from modelsign.errors import error

__all__ = ["DATA_SUFFIXES", "GRAMMAR", "ruleset_digest"]

GRAMMAR: Final = 1
"""Raised when the meaning of outcomes or findings changes although no covered file does."""
DATA_SUFFIXES: Final = frozenset({".py", ".json", ".toml", ".tsv", ".txt"})
"""What counts as source or data of the scanner; anything else beside it (caches) is left out."""
_COVERED: Final = (
    "scan",
    "artifact/containers",
    "artifact/reading.py",
    "limits.py",
    "strictjson.py",
    "verdict/scanning.py",
)
_PACKAGE: Final = Path(__file__).parent.parent


@functools.cache
def ruleset_digest() -> str:
    """Return the SHA-256, lowercase hex, over ``<sha256>  <name>`` lines of all covered files, sorted by name.

    Raises:
        ModelsignError: ``RULESET_UNREADABLE`` where the source is not there as ordinary files.

    """
    total = hashlib.sha256(f"modelsign ruleset, grammar {GRAMMAR}\n".encode())
    try:
        names = sorted(name for covered in _COVERED for name in _files(covered))
        for name in names:
            total.update(f"{hashlib.sha256((_PACKAGE / name).read_bytes()).hexdigest()}  {name}\n".encode())
    except OSError as fault:
        raise error("RULESET_UNREADABLE", f"{fault.filename}: {fault.strerror}") from None
    return total.hexdigest()


def _files(covered: str) -> list[str]:
    """Return the files below a covered name, relative to the package, with slashes."""
    if covered.endswith(".py"):
        return [covered]
    found = []
    for entry in (_PACKAGE / covered).iterdir():
        name = f"{covered}/{entry.name}"
        if entry.is_dir():
            found += _files(name) if entry.name != "__pycache__" else []
        elif entry.suffix in DATA_SUFFIXES and not entry.name.startswith("."):
            found.append(name)
    return found
