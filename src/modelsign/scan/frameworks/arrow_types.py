"""Arrow's extension types in files: one of them unpickles bytes from the file's own schema.

PyArrow before 14.0.1 made a Python object of any type called ``arrow.py_extension_type`` by unpickling its metadata,
and later ones do so where a program asks for it (CVE-2023-47248). Parquet keeps the same schema in base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.verdict import Finding

__all__ = ["PICKLED", "pickled_types"]

PICKLED: Final = Rule(
    "arrow-pickled-type",
    "a table's schema holds a pickled type",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The schema declares a type `arrow.py_extension_type`. PyArrow before 14.0.1 unpickles its metadata as soon as it "
    "reads the table, and runs whatever is in it; no column of numbers or text needs that.",
    "Do not open the file. Ask for the table without Python types.",
    ("CVE-2023-47248", "CWE-502"),
)
_TYPE: Final = b"arrow.py_extension_type"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
_MOST: Final = 100


def pickled_types(schema: bytes, offset: int) -> Iterator[Finding]:
    """Look for pickled types in the bytes of a schema, plain or in base64; ``offset`` is where they lie."""
    place = schema.find(_TYPE)
    if place >= 0:
        yield PICKLED.finding("the schema declares a pickled type", offset=offset + place)
        return
    for number, found in enumerate(_BASE64.finditer(schema)):
        if number >= _MOST:
            break
        text = found[0].rstrip(b"=")
        try:
            inner = base64.b64decode(text + b"=" * (-len(text) % 4))
        except binascii.Error:
            continue
        if _TYPE in inner:
            yield PICKLED.finding("the schema in base64 declares a pickled type", offset=offset + found.start())
            return
