"""Arrow tables: messages with a length each, as a stream or between two marks as a file (Apache Arrow, IPC format).

Columns are never read. What describes them is searched for types that PyArrow unpickles. Data sets of Hugging Face are
kept as such streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.reading import Slice
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.arrow_types import PICKLED, pickled_types
from modelsign.scan.plainfile import BEHIND, Cut, number, parts
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_MAGIC: Final = b"ARROW1"
_CONTINUES: Final = b"\xff\xff\xff\xff"
_BODY_LENGTH, _HEADER_TYPE = 3, 1
_SCHEMA: Final = 1
_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of one message's description."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    head = reading.read_at(0, 12)
    if head.startswith(_MAGIC):
        return True
    return head[:4] == _CONTINUES and 0 < int.from_bytes(head[4:8], "little") < _LARGEST and len(head) > 8  # noqa: PLR2004 - both words


def _walk(reading: Reading, at: int, findings: list[Finding]) -> int:
    """Follow the messages, the schema first; return the offset behind the last.

    Raises:
        Cut: the bytes are no messages.
        Damaged: the description of one is no flat buffer.

    """
    for count in parts():
        if at == reading.size and count:
            break
        if reading.read_at(at, 4) != _CONTINUES:
            raise Cut(f"no message begins at byte {at}")
        length = number(reading, at + 4, 4, "little")
        at += 8
        if not length:
            break
        if length > _LARGEST or at + length > reading.size:
            raise Cut(f"the message at byte {at} has {length} bytes")
        message = FlatBuffer(Slice(reading, at, length), 1000).root()
        is_schema = message.number(_HEADER_TYPE, 1) == _SCHEMA
        if is_schema:
            findings += pickled_types(reading.read_at(at, length), at)
        body = message.number(_BODY_LENGTH, 8)
        if is_schema == bool(count) or at + length + body > reading.size:
            raise Cut(f"the message at byte {at} does not fit")
        at += length + body
    return at


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    as_file = reading.read_at(0, 6) == _MAGIC
    findings: list[Finding] = []
    try:
        end = _walk(reading, 8 if as_file else 0, findings)
    except (Cut, Damaged) as fault:
        return Inspection(readable=as_file, findings=(*findings, BROKEN.finding(str(fault))))
    if as_file:
        findings += _footer(reading)
    elif end < reading.size:
        findings.append(BEHIND.finding(f"{reading.size - end} bytes follow the end", offset=end))
    return Inspection(readable=True, findings=tuple(findings), inert=True)


def _footer(reading: Reading) -> Iterator[Finding]:
    """Search the second copy of the schema, which readers of files use."""
    length = int.from_bytes(reading.read_at(reading.size - 10, 4), "little")
    if reading.read_at(reading.size - 6, 6) != _MAGIC or not 0 < length <= reading.size - 18:
        yield BROKEN.finding("it does not end like a table")
    elif length > limits.SCAN_JSON_BYTES:
        yield BUDGET.finding(f"a description of {length} bytes")
    else:
        yield from pickled_types(reading.read_at(reading.size - 10 - length, length), reading.size - 10 - length)


FORMAT = Format(
    id="arrow",
    title="Arrow table",
    description="Columns of values in messages, as a file or a stream; types that are unpickled are found.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MAGIC),),
    extensions=(".arrow", ".feather"),
    rules=(PICKLED, BEHIND, BROKEN, BUDGET),
)
