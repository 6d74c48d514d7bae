"""The scanner's data files: tables that grow, each entry with its source.

They lie in ``scan/knowledge`` as strict JSON and are read once, when first needed.
"""

from __future__ import annotations

import functools
import os
from typing import Any, Final

from modelsign import limits, strictjson
from modelsign.errors import error

__all__ = ["table"]

_FOLDER: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "knowledge")  # noqa: PTH100, PTH118, PTH120


@functools.cache
def table(name: str) -> Any:
    """Return the table ``knowledge/<name>.json``.

    Raises:
        ModelsignError: ``RULESET_UNREADABLE``.

    """
    path = os.path.join(_FOLDER, f"{name}.json")  # noqa: PTH118 - cheap to start
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - cheap to start
            data = stream.read()
    except OSError as fault:
        raise error("RULESET_UNREADABLE", f"{path}: {fault.strerror}") from None
    return strictjson.loads(data, most_bytes=limits.SCAN_JSON_BYTES, what=f"table {name}", code="RULESET_UNREADABLE")
