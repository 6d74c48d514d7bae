"""Parquet tables: columns of values between two marks, described at the end (Apache Parquet, file format).

Columns are never read. The description is searched for types that PyArrow unpickles. A description that is encrypted
cannot be judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.arrow_types import PICKLED, pickled_types
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGIC: Final = b"PAR1"
_TAIL: Final = 8
"""The length of the description, and the mark."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, 4) == _MAGIC


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    tail = reading.read_at(reading.size - _TAIL, _TAIL)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not 0 < length <= reading.size - _TAIL - len(_MAGIC):
        return Inspection(readable=True, findings=(BROKEN.finding("it does not end like a table"),))
    if length > limits.SCAN_JSON_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"a description of {length} bytes"),))
    start = reading.size - _TAIL - length
    findings = tuple(pickled_types(reading.read_at(start, length), start))
    return Inspection(readable=True, findings=findings, inert=True)


FORMAT = Format(
    id="parquet",
    title="Parquet table",
    description="Columns of values with a description at the end; types that are unpickled are found.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MAGIC),),
    extensions=(".parquet",),
    rules=(PICKLED, BROKEN, BUDGET),
)
