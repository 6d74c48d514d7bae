"""Disassembles the pickles of a scan and marks at each opcode what was found there.

Bounded: of a long pickle its beginning and the surroundings of each finding are shown. Nothing is run, and the scan
is the same with it and without it.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from struct import unpack
from typing import TYPE_CHECKING, Final, Self

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.scan.machine import opcodes as op
from modelsign.scan.machine.frames import ARGUMENTS, LINES
from modelsign.scan.machine.source import Source
from modelsign.scan.watching import watcher
from modelsign.verdict import Trace, TraceLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["tracing"]

_WINDOW: Final = 1024 * 1024
_SHOWN: Final = 60
_BEFORE: Final = 12
_AFTER: Final = 4
_FIRST: Final = 200


class tracing:  # noqa: N801 - reads as a verb: with tracing() as trace
    """Disassemble what is scanned within a block; ``found`` holds the traces."""

    def __init__(self) -> None:
        """Begin with none."""
        self.found: list[Trace] = []
        self._seen: set[tuple[str, str, int]] = set()
        self._path = self._where = ""

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._token = watcher.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        watcher.reset(self._token)

    def take(self, traces: Iterable[Trace]) -> None:
        """Take what was disassembled elsewhere."""
        self.found += islice(traces, limits.TRACES - len(self.found))

    def enter(self, path: str | None, where: str) -> None:
        """Remember what is looked at."""
        self._path = self._path if path is None else path
        self._where = where

    def pickles(
        self, reading: Reading, start: int, end: int, findings: Sequence[Finding], skips: Mapping[int, int]
    ) -> None:
        """Disassemble pickles that were walked; the same ones once, and only so many."""
        place = (self._path, self._where, start)
        if place in self._seen or len(self.found) >= limits.TRACES:
            return
        self._seen.add(place)
        marks: dict[int, list[str]] = {}
        for finding in findings:
            marks.setdefault(-1 if finding.offset is None else finding.offset, []).append(
                f"{finding.rule}: {finding.message}"
            )
        made = _Disassembly(Source(reading), marks, skips)
        try:
            note = made.run(start, end)
        except ModelsignError as fault:
            note = fault.message
        self.found.append(
            Trace(
                self._path,
                self._where or None,
                start,
                tuple(made.lines),
                made.opcodes,
                omitted=made.left_out,
                note=note,
                elsewhere=tuple(text for _, texts in sorted(marks.items()) for text in texts),
            )
        )


class _Disassembly:
    """Goes through opcodes, and keeps the lines that are shown."""

    def __init__(self, source: Source, marks: dict[int, list[str]], skips: Mapping[int, int]) -> None:
        self.source = source
        self.marks = marks
        self.skips = skips
        self.lines: list[TraceLine] = []
        self.opcodes = 0
        self.left_out = 0
        self._held: deque[TraceLine] = deque(maxlen=_BEFORE)
        self._after = _FIRST

    def run(self, start: int, end: int) -> str:
        """Go from ``start`` until ``end``; return why it stopped before."""
        position = start
        while position < end:
            if self.opcodes >= limits.TRACE_OPCODES:
                return f"there are more than {limits.TRACE_OPCODES} opcodes"
            if len(self.lines) >= limits.TRACE_LINES:
                return f"more than {limits.TRACE_LINES} lines would be shown"
            behind = self.skips.get(position)
            if behind is not None and behind > position:
                self._add(TraceLine(position, "(array)", f"{behind - position} bytes"))
                position = behind
                continue
            code = self._byte(position)
            name = op.NAMES.get(code)
            if name is None:
                self._add(TraceLine(position, f"(0x{code:02x})", "no opcode"))
                return "here stands no opcode"
            argument, behind = self._argument(code, position)
            self.opcodes += 1
            self._add(TraceLine(position, name, argument))
            if behind > self.source.size:
                return "here the bytes end in the middle of an opcode"
            position = behind
        return ""

    def _byte(self, position: int) -> int:
        place = self.source.look(position, _WINDOW)
        return self.source.window[place]

    def _add(self, line: TraceLine) -> None:
        """Show a line, or hold it until a finding follows."""
        found = tuple(self.marks.pop(line.offset, ()))
        if found:
            line = TraceLine(line.offset, line.opcode, line.argument, found)
            held = list(self._held)
            self._held.clear()
            for number, before in enumerate(held):
                omitted = self.left_out - len(held) if number == 0 else 0
                self._show(TraceLine(before.offset, before.opcode, before.argument, (), omitted))
            self.left_out = 0
            self._after = max(self._after, _AFTER + 1)
        if self._after > 0:
            self._after -= 1
            self._show(line)
        else:
            self._held.append(line)
            self.left_out += 1

    def _show(self, line: TraceLine) -> None:
        self.lines.append(line)

    def _argument(self, code: int, position: int) -> tuple[str, int]:
        """Return an opcode's argument, cut short, and the offset behind it."""
        source = self.source
        if code in op.COUNT_BYTES:
            start, length = source.content(position)
            return self._counted(code, start, length), start + length
        if code in LINES:
            end = position + 1
            for _ in range(LINES[code]):
                end = source.line_end(end)
                if end < 0:
                    return "", source.size + 1
            text = source.read(position + 1, min(end - position - 2, _SHOWN * 2)).decode("latin-1")
            return _cut(" ".join(text.split("\n"))), end
        width = ARGUMENTS.get(code, 0)
        if not width or position + 1 + width > source.size:
            return "", position + 1 + width
        raw = source.read(position + 1, width)
        if code == op.BINFLOAT:
            return repr(unpack(">d", raw)[0]), position + 1 + width
        return str(int.from_bytes(raw, "little", signed=code == op.BININT)), position + 1 + width

    def _counted(self, code: int, start: int, length: int) -> str:
        raw = self.source.read(start, min(length, _SHOWN * 4))
        if op.KINDS[code] == "int":
            return str(int.from_bytes(raw, "little", signed=True)) if length <= _SHOWN else f"{length} bytes"
        text = repr(raw.decode("utf-8", "replace") if op.KINDS[code] == "str" else raw)
        return _cut(text) if length <= _SHOWN else f"{_cut(text)} ({length} bytes)"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
