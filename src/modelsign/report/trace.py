"""Traces as text: one line an opcode, and what was found there below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.report.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsign.report.style import Style
    from modelsign.verdict import Trace

__all__ = ["trace_lines"]


def trace_lines(traces: Sequence[Trace], style: Style) -> Iterator[str]:
    """Write each trace, its findings marked with an arrow."""
    for trace in traces:
        place = trace.path if trace.member is None else f"{trace.path} in {trace.member}"
        yield f"{escape_line(place)}: {trace.opcodes} opcodes from byte {trace.start}"
        for line in trace.lines:
            if line.omitted:
                yield style.paint(f"            … {line.omitted} opcodes are not shown", "quiet")
            yield f"{line.offset:>10}  {line.opcode:<16} {escape_line(line.argument)}".rstrip()
            yield from (f"        {style.paint('^^^', 'bad')} {escape_line(text)}" for text in line.findings)
        if trace.omitted:
            yield style.paint(f"            … {trace.omitted} opcodes are not shown", "quiet")
        if trace.note:
            yield f"            {escape_line(trace.note)}"
        yield from (f"        {style.paint('***', 'bad')} {escape_line(text)}" for text in trace.elsewhere)
