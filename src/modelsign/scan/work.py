"""The work that a scan of one file may cost, whoever asks for its bytes and however often.

Readers are linear in the bytes they look at; what keeps a scan linear in the file is that these bytes are counted, over
all readers, all readings of the same bytes and everything that was unpacked. One unit is about what the pickle machine
needs for a byte of opcodes; a format whose reader needs more for a byte says so (``Format.dearness``). Counts no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["Work", "Worked"]

_ASKED: Final = 64
"""Units for one request for bytes, however few: it costs about as much as so many bytes."""


class Work:
    """What is left to be spent on one file."""

    __slots__ = ("dearness", "left")

    def __init__(self, size: int) -> None:
        """Take the file's size in bytes."""
        self.left = limits.SCAN_WORK + limits.SCAN_WORK_PER_BYTE * size
        self.dearness = 1

    def spend(self, units: int) -> None:
        """Count some units.

        Raises:
            ModelsignError: ``SCAN_BUDGET``, from the first unit on that is not left.

        """
        self.left -= units
        if self.left < 0:
            raise error("SCAN_BUDGET", "the file costs more work than a scan spends on one of its size")

    @property
    def unpackable(self) -> int:
        """How many bytes may still be unpacked."""
        return max(0, self.left) * limits.SCAN_UNPACKED_PER_WORK

    def unpacked(self, size: int) -> None:
        """Count bytes that were unpacked; the last ones may go beyond what is left."""
        self.left = max(0, self.left - size // limits.SCAN_UNPACKED_PER_WORK)


class Worked:
    """A reading whose bytes are counted when they are asked for."""

    def __init__(self, reading: Reading, work: Work) -> None:
        """Take the bytes and what they are counted against."""
        self._reading = reading
        self._work = work

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._reading.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the bytes from ``offset``, fewer than ``length`` only at the end.

        Raises:
            ModelsignError: ``SCAN_BUDGET``, or what the reading raises.

        """
        data = self._reading.read_at(offset, length)
        self._work.spend((len(data) + _ASKED) * self._work.dearness)
        return data
