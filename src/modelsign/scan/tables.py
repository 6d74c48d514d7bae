"""The scanner's data files: tables that grow, each entry with its source.

They lie in ``scan/knowledge`` as strict JSON and are read once, when first needed.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

from modelsign import limits, strictjson
from modelsign.errors import error

__all__ = ["load_all", "table"]

_FOLDER: Final = Path(__file__).parent / "knowledge"


@functools.cache
def table(name: str) -> Any:
    """Return the table ``knowledge/<name>.json``.

    Raises:
        ModelsignError: ``RULESET_UNREADABLE``.

    """
    path = _FOLDER / f"{name}.json"
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise error("RULESET_UNREADABLE", f"{path}: {fault.strerror}") from None
    return strictjson.loads(data, most_bytes=limits.SCAN_JSON_BYTES, what=f"table {name}", code="RULESET_UNREADABLE")


def load_all() -> None:
    """Read every table now, for a process that can open no file later.

    Raises:
        ModelsignError: ``RULESET_UNREADABLE``.

    """
    for path in _FOLDER.rglob("*.json"):
        name = path.relative_to(_FOLDER).with_suffix("").as_posix()
        if not name.startswith("allowed/"):  # these are ``scan/knowledge``'s own
            table(name)
