"""ExecuTorch programs (``.pte``): a FlatBuffer of operators, values and instructions, with segments of data behind it.

Operators only compute where ExecuTorch or PyTorch register them. XNNPACK's delegate interprets a graph of a closed list
of nodes; any other delegate's blob cannot be judged, and those that carry a native library are unsafe. Every index and
segment must exist. External data (``.ptd``) is found by its key and never by a path.

Source: ``schema/program.fbs`` and ``schema/extended_header.h`` of ExecuTorch (cff6f4dd, August 2026).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.executorch import RULES, Program
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_MARK: Final = b"ET12"
_MARK_AT: Final = 4
_STEPS: Final = 20_000_000


def _marked(reading: Reading) -> bool:
    return reading.read_at(_MARK_AT, len(_MARK)) == _MARK


def _recognise(reading: Reading, name: str) -> bool:
    return _marked(reading) or (reading.size > 0 and name.casefold().endswith(".pte"))


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if not _marked(reading):
        return Inspection(readable=True, findings=(BROKEN.finding("the mark ET12 is missing", offset=_MARK_AT),))
    program = Program(reading)
    damage: tuple[Finding, ...] = ()
    try:
        program.read(FlatBuffer(reading, _STEPS).root())
    except Damaged as fault:
        damage = (BROKEN.finding(str(fault)),)
    return Inspection(readable=True, findings=(*damage, *program.findings()), members=tuple(program.members))


FORMAT = Format(
    id="executorch",
    title="ExecuTorch",
    description="A FlatBuffer of operators that only compute, with the segments of data behind it.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(_MARK_AT, _MARK),),
    extensions=(".pte",),
    rules=RULES,
)
