"""Pickles: what ``pickle.dump`` and ``joblib.dump`` without compression write.

A pickle of protocol 2 and later starts with a mark; older ones start with any opcode that pushes something, so the
walk itself decides whether the bytes are one. Never imports or calls what a pickle names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Magic
from modelsign.scan.pickles import RULES, scan_pickle

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Inspection

__all__ = ["FORMAT"]

_FIRST: Final = frozenset(b"(])}cINKMJLFGSTUVXPBC\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97")
"""Opcodes that can come first: all others need something on the stack."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    first = reading.read_at(0, 1)
    return bool(first) and first[0] in _FIRST


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    return scan_pickle(reading)


FORMAT = Format(
    id="pickle",
    title="Pickle",
    description="Python's own serialisation, protocols 0 to 5, with joblib's arrays between its opcodes.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, b"\x80\x02"), Magic(0, b"\x80\x03"), Magic(0, b"\x80\x04"), Magic(0, b"\x80\x05")),
    extensions=(".pkl", ".pickle", ".joblib", ".p", ".sav", ".dump"),
    rules=RULES,
)
