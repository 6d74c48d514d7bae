"""Runs picklescan over one folder and writes what it says as JSON; a program of its own, never imported.

Started by ``opinions/asking.py`` with an empty environment. Whatever picklescan prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_MOST = 1000
_LENGTH = 500


def main() -> int:
    """Scan the folder named by the only argument; 3 where picklescan is not installed."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        from importlib.metadata import version  # noqa: PLC0415 - beside it

        from picklescan import scanner  # noqa: PLC0415 - optional

        document: Any = {"version": version("picklescan"), "scanned": [], "skipped": 0, "issues": [], "errors": []}
    except ImportError:
        return 3
    extensions: set[str] = set()
    for kind in ("numpy", "pytorch", "pickle", "zip"):
        extensions |= getattr(scanner, f"_{kind}_file_extensions", set())
    root = sys.argv[1]
    for folder, _, names in os.walk(root):
        for name in names:
            _look(scanner, Path(folder, name), root, extensions, document)
    document["issues"] = document["issues"][:_MOST]
    document["errors"] = document["errors"][:_MOST]
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    return 0


def _look(scanner: Any, file: Path, root: str, extensions: set[str], document: Any) -> None:
    """Add what it says of one file."""
    path = os.path.relpath(file, root)
    try:
        result = scanner.scan_file_path(str(file))
    except Exception as fault:  # noqa: BLE001 - whatever another scanner raises is that it failed
        document["errors"].append({"path": path, "description": f"{type(fault).__name__}: {fault}"[:_LENGTH]})
        return
    known = file.suffix in extensions
    if result.scan_err:
        document["errors"].append({"path": path, "description": "it could not read the whole file"})
    elif known or result.globals:
        document["scanned"].append(path)
    else:
        document["skipped"] += 1
    for found in result.globals:
        if found.safety is scanner.SafetyLevel.Dangerous:
            description = f"imports {found.module} {found.name}"[:_LENGTH]
            document["issues"].append({"severity": "dangerous", "description": description, "path": path})


if __name__ == "__main__":
    sys.exit(main())
