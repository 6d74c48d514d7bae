"""Runs fickling over one folder and writes what it says as JSON; a program of its own, never imported.

Started by ``opinions/asking.py`` with an empty environment. Whatever fickling prints goes nowhere.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

_MOST = 1000
_LENGTH = 500
_PICKLES = (".pkl", ".pickle", ".joblib")


def main() -> int:
    """Scan the folder named by the only argument; 3 where fickling is not installed."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        from importlib.metadata import version  # noqa: PLC0415 - beside it

        from fickling import loader  # noqa: PLC0415 - optional

        document: Any = {"version": version("fickling"), "scanned": [], "skipped": 0, "issues": [], "errors": []}
    except ImportError:
        return 3
    root = sys.argv[1]
    for folder, _, names in os.walk(root):
        for name in names:
            _look(loader, Path(folder, name), root, document)
    document["issues"] = document["issues"][:_MOST]
    document["errors"] = document["errors"][:_MOST]
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    return 0


def _look(loader: Any, file: Path, root: str, document: Any) -> None:
    """Add what it says of one file; one that it cannot read and that does not look like a pickle was skipped."""
    path = os.path.relpath(file, root)
    try:
        packed = zipfile.is_zipfile(file)
        if packed:
            results = loader.scan_zip_archive(str(file), graceful=True)
        else:
            results = {"": loader.scan_file(str(file), graceful=True)}
        with file.open("rb") as stream:
            is_pickle = packed or stream.read(1) == b"\x80" or file.suffix in _PICKLES
    except Exception as fault:  # noqa: BLE001 - whatever another scanner raises is that it failed
        document["errors"].append({"path": path, "description": f"{type(fault).__name__}: {fault}"[:_LENGTH]})
        return
    read = [analysis for result in results.values() for analysis in result.results]
    faults = [text for result in results.values() for text in result.errors] if is_pickle or read else []
    document["errors"] += [{"path": path, "description": text[:_LENGTH]} for text in faults]
    if read and not faults:
        document["scanned"].append(path)
    elif not faults:
        document["skipped"] += 1
    for member, result in results.items():
        for analysis in result.results:
            for said in analysis.results:
                if not said:
                    issue = {"severity": said.severity.name, "description": str(said)[:_LENGTH]}
                    document["issues"].append({**issue, "path": path, "member": member})


if __name__ == "__main__":
    sys.exit(main())
