"""Files without a single byte: there is nothing in them to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.scan.format import Format, Inspection

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.size == 0


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    return Inspection(readable=reading.size == 0, inert=True)


FORMAT = Format(
    id="empty",
    title="Empty file",
    description="A file without a single byte. A name that stands for code still makes it unsupported.",
    recognise=_recognise,
    scan=_scan,
)
