"""What a member of ``scan/formats/`` is: one file format, its marks, its rules and its reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.containers.stream import Stream
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding, Rule

__all__ = ["Format", "Inspection", "Magic", "Member"]


@dataclass(frozen=True, slots=True)
class Magic:
    """Bytes that mark a format, at an offset from the start."""

    offset: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """A stream inside a container, which the engine scans like a file of its own.

    ``open`` gives its bytes and is handed the most bytes it may unpack; what it could not unpack is the
    stream's ``fault``.
    ``reader`` is always asked, whatever the member's bytes look like, and stands for the reading by the format
    that ``replaces`` names. ``data`` marks bytes that the container declares to be plain numbers: no reader
    need recognise them, yet what a reader finds unsafe in them counts.
    """

    name: str
    open: Callable[[int], Stream]
    reader: Callable[[Reading, str], Inspection] | None = None
    replaces: str = ""
    data: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one format's reader saw in one reading.

    ``readable`` is False where the bytes are not this format after all. ``globals`` are the names
    a pickle would import. ``inert`` is True where no loader takes code from such a file.
    ``members`` are the streams inside, which the engine scans next; their names are relative to this reading.
    ``end`` is the offset behind the last byte understood, where a reader stops before the end.
    """

    readable: bool
    findings: tuple[Finding, ...] = ()
    globals: frozenset[str] = frozenset()
    inert: bool = False
    members: tuple[Member, ...] = ()
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One file format.

    ``recognise`` takes the bytes and the file's relative name and says whether this reader must be asked;
    content decides, and a name may add a reading but never remove one. ``scan`` is total: any bytes give
    an :class:`Inspection` or a ``ModelsignError``, in time and memory linear in the input.
    ``rules`` are all the rules whose findings ``scan`` may return, shared ones included.
    ``refines`` names formats of which this one is a special case: it reads all they would read, so where it
    is readable their reading is left out. ``dearness`` is what the reader needs for a byte, in units of work
    (``scan/work.py``).
    """

    id: str
    title: str
    description: str
    recognise: Callable[[Reading, str], bool]
    scan: Callable[[Reading, str], Inspection]
    magic: tuple[Magic, ...] = ()
    extensions: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    refines: tuple[str, ...] = ()
    dearness: int = 1
