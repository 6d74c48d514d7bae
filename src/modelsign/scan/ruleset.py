"""The digest that names exactly these rules.

A scan is a function of the names and bytes in the artifact and of this digest (DESIGN, security rule 8). It
covers the scanner's source and data, the budgets, and what it stands on: readings, containers, strict JSON.
It is the same from a wheel and from a checkout. Never looks at what else is installed.
"""

from __future__ import annotations

import functools
import hashlib
import os
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
    "verdict.py",
)
_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - cheap to start


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
            with open(os.path.join(_PACKAGE, name), "rb") as stream:  # noqa: PTH118, PTH123 - cheap to start
                total.update(f"{hashlib.sha256(stream.read()).hexdigest()}  {name}\n".encode())
    except OSError as fault:
        raise error("RULESET_UNREADABLE", f"{fault.filename}: {fault.strerror}") from None
    return total.hexdigest()


def _files(covered: str) -> list[str]:
    """Return the files below a covered name, relative to the package, with slashes."""
    if covered.endswith(".py"):
        return [covered]
    found = []
    with os.scandir(os.path.join(_PACKAGE, covered)) as entries:  # noqa: PTH118 - cheap to start
        for entry in entries:
            name = f"{covered}/{entry.name}"
            if entry.is_dir():
                found += _files(name) if entry.name != "__pycache__" else []
            elif os.path.splitext(entry.name)[1] in DATA_SUFFIXES and not entry.name.startswith("."):  # noqa: PTH122
                found.append(name)
    return found
