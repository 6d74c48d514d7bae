"""Runs modelscan over one folder and writes what it says as JSON; a program of its own, never imported.

Started by ``opinions/asking.py`` with an empty environment. It reads no settings file, and whatever modelscan
prints goes nowhere.
"""

from __future__ import annotations

import copy
import json
import os
import sys

_MOST = 1000
_LENGTH = 500


def main() -> int:
    """Scan the folder named by the only argument; 3 where modelscan is not installed."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        from modelscan._version import __version__  # noqa: PLC0415 - optional
        from modelscan.modelscan import ModelScan  # noqa: PLC0415 - optional
        from modelscan.settings import DEFAULT_SETTINGS  # noqa: PLC0415 - optional
    except ImportError:
        return 3
    scan = ModelScan(settings=copy.deepcopy(DEFAULT_SETTINGS))
    result = scan.scan(sys.argv[1])
    document = {
        "version": str(__version__),
        "scanned": sorted({_place(os.path.relpath(name, sys.argv[1]))[0] for name in scan.scanned}),
        "skipped": len(scan.skipped),
        "issues": [_issue(issue) for issue in result["issues"][:_MOST]],
        "errors": [_error(error) for error in result["errors"][:_MOST]],
    }
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(document, stream)
    return 0


def _place(source: str) -> tuple[str, str]:
    """Split what modelscan calls a source into a path and a member; names of models hold no colon as a rule."""
    path, _, member = source.partition(":")
    return path, member


def _issue(issue: dict[str, object]) -> dict[str, str]:
    path, member = _place(str(issue.get("source", "")))
    said = {key: str(issue.get(key, ""))[:_LENGTH] for key in ("severity", "description")}
    return {**said, "path": path, "member": member}


def _error(error: dict[str, object]) -> dict[str, str]:
    path, _ = _place(str(error.get("source", "")))
    return {"path": path, "description": str(error.get("description", error))[:_LENGTH]}


if __name__ == "__main__":
    sys.exit(main())
