"""A disassembly of pickles with what the scan found marked at its opcode."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Trace", "TraceLine"]


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One opcode, or a run of bytes that are none.

    ``offset`` is in the member (or file), ``opcode`` the name as in CPython's ``pickle`` module, ``argument`` what
    follows it, cut short. ``findings`` are ``rule: message`` of what was found at this opcode. ``omitted`` is how many
    opcodes before this one are not shown.
    """

    offset: int
    opcode: str
    argument: str = ""
    findings: tuple[str, ...] = ()
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """The pickles of one file, or of one member of a container.

    ``opcodes`` counts those seen, ``omitted`` those behind the last line shown; ``note`` says why the disassembly ends
    where it does, and is empty where it reached the end of the last pickle. ``elsewhere`` are findings about no opcode.
    """

    path: str
    member: str | None
    start: int
    lines: tuple[TraceLine, ...]
    opcodes: int
    omitted: int = 0
    note: str = ""
    elsewhere: tuple[str, ...] = ()
