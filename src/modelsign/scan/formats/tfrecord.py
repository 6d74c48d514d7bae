"""TFRecord files: records of a length and bytes, in which TensorBoard keeps events and TensorFlow data sets.

Readers take numbers, text and pictures from the records; nothing in them is run. A graph that TensorBoard draws may
stand in an event: it is drawn, never loaded. Checksums are not compared, but the lengths must fill the file.

Source: TensorFlow, core/lib/io/record_writer.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.plainfile import number
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.syntax.checksums import crc32c

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_HEAD, _FOOT = 12, 4
"""Length and its checksum in front of the bytes, their checksum behind them."""
_EXTENSIONS: Final = (".tfrecord", ".tfrecords")
_MOST: Final = 4_000_000
_MASK: Final = 0xA282EAD8


def _checksum(data: bytes) -> int:
    """Return the masked CRC-32C of a few bytes."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def _recognise(reading: Reading, name: str) -> bool:
    """Ask where the first length has the right checksum, which chance gives to one file in four thousand million."""
    del name
    head = reading.read_at(0, _HEAD)
    return len(head) == _HEAD and _checksum(head[:8]) == int.from_bytes(head[8:], "little")


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    at = 0
    for _ in range(_MOST):
        if at >= reading.size:
            break
        short = at + _HEAD > reading.size
        at += _HEAD if short else _HEAD + number(reading, at, 8, "little") + _FOOT
    else:
        return Inspection(readable=True, findings=(BUDGET.finding(f"more than {_MOST} records"),))
    findings = (BROKEN.finding(f"the last record is {at - reading.size} bytes short"),) if at > reading.size else ()
    return Inspection(readable=True, findings=findings, inert=True)


FORMAT = Format(
    id="tfrecord",
    title="TFRecord file",
    description="Records of bytes: events of TensorBoard and data sets.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    rules=(BROKEN, BUDGET),
)
