"""What readers of plain data have in common: pictures, sounds, tables, which programs show and no loader executes.

Such a file is inert where its parts follow each other to its end. What stands behind the end is a finding: another
program could read it as something else. Every other reader is asked about the same bytes all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.reading import BLOCK
from modelsign.scan.format import Inspection
from modelsign.scan.rules import BROKEN
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelsign.artifact.reading import Reading

__all__ = ["BEHIND", "RULES", "Cut", "number", "parts", "scanning"]

BEHIND: Final = Rule(
    "bytes-behind-end",
    "bytes follow the end of a picture, sound or table",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The format says where the file ends, and there is more. Programs that show the file ignore it; another may read "
    "it as something else. Cameras write such bytes, and so does who hides a file in another.",
    "Save the file again with an ordinary program.",
)
RULES: Final = (BEHIND, BROKEN)


class Cut(Exception):
    """The file departs from its format; never leaves the readers of plain data."""


def parts(most: int | None = None) -> Iterator[int]:
    """Count the parts of a file, up to ``limits.PLAIN_PARTS`` or another bound.

    Raises:
        Cut: there are more than a scan follows.

    """
    bound = limits.PLAIN_PARTS if most is None else most
    yield from range(bound)
    raise Cut(f"it has more than {bound} parts")


def number(reading: Reading, at: int, width: int, order: str) -> int:
    """Return an unsigned number of the file; ``order`` is ``big`` or ``little``.

    Raises:
        Cut: the file ends before it does.

    """
    data = reading.read_at(at, width)
    if len(data) < width:
        raise Cut(f"it ends within a number at byte {at}")
    return int.from_bytes(data, "big" if order == "big" else "little")


def scanning(end_of: Callable[[Reading], int]) -> Callable[[Reading, str], Inspection]:
    """Make a format's ``scan`` of a function that returns the offset behind the last part, or raises ``Cut``."""

    def scan(reading: Reading, name: str) -> Inspection:
        del name
        try:
            end = end_of(reading)
        except Cut as fault:
            return Inspection(readable=True, findings=(BROKEN.finding(str(fault)),))
        if end > reading.size:
            return Inspection(readable=True, findings=(BROKEN.finding(f"it ends {end - reading.size} bytes early"),))
        left = reading.size - end
        if left and not _is_padding(reading, end):
            finding = BEHIND.finding(f"{left} bytes follow the end", offset=end)
            return Inspection(readable=True, findings=(finding,), inert=True, end=end)
        return Inspection(readable=True, inert=True, end=end)

    return scan


def _is_padding(reading: Reading, start: int) -> bool:
    """Whether nothing but zeros and line ends follows."""
    while data := reading.read_at(start, BLOCK):
        if data.strip(b"\0\r\n"):
            return False
        start += len(data)
    return True
