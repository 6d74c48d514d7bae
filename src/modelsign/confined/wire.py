"""What a child says of one file, as JSON, and how strictly it is read again.

The child has seen hostile bytes and may be theirs: whatever it says must be something that the scanner could have
said. What a rule decides (severity, outcome, references, advice) is taken from the rule, not from the answer, and the
outcome of the file has to be the one its findings call for.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from modelsign import limits
from modelsign.errors import error
from modelsign.scan.engine import known_rules
from modelsign.verdict import Confidence, FileScan, Finding, Outcome, Trace, TraceLine, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsign.verdict import Rule

__all__ = ["read_file", "read_traces", "write_file", "write_traces"]

_Kind = TypeVar("_Kind")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FORMAT: Final = re.compile(r"[a-z0-9+-]{1,500}")
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_CONFIDENCES: Final = {confidence.value: confidence for confidence in Confidence}


def write_file(file: FileScan) -> dict[str, Any]:
    """Return a scan as JSON types."""
    return {
        "sha256": file.sha256,
        "size": file.size,
        "format": file.format,
        "outcome": file.outcome.value,
        "loadable": file.loadable,
        "globals": list(file.globals),
        "findings": [
            [one.rule, one.message, one.member, one.offset, one.confidence.value, list(one.calls), one.name]
            for one in file.findings
        ],
    }


def write_traces(traces: Iterable[Trace]) -> list[Any]:
    """Return disassemblies as JSON types."""
    return [
        [
            one.member,
            one.start,
            [[line.offset, line.opcode, line.argument, list(line.findings), line.omitted] for line in one.lines],
            one.opcodes,
            one.omitted,
            one.note,
            list(one.elsewhere),
        ]
        for one in traces
    ]


def read_file(said: Mapping[str, Any], path: str) -> FileScan:
    """Return what was said of a file.

    Raises:
        ModelsignError: ``SANDBOX_ANSWER`` where no scan says such a thing.

    """
    try:
        findings = tuple(map(_finding, _a(list, said["findings"])))
        file = FileScan(
            path=path,
            sha256=_matching(_DIGEST, said["sha256"]) if said["sha256"] is not None else None,
            size=_number(said["size"]),
            format=_matching(_FORMAT, said["format"]),
            outcome=_OUTCOMES[_a(str, said["outcome"])],
            findings=findings,
            loadable=_a(bool, said["loadable"]),
            globals=_texts(said["globals"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise error("SANDBOX_ANSWER", f"what was said of the file is no scan of it: {fault!s:.100}") from None
    if file.outcome is not worst(one.outcome for one in findings) or len(findings) > limits.SCAN_FINDINGS + 1:
        raise error("SANDBOX_ANSWER", "the outcome of the file is not that of its findings")
    if not file.loadable and file.outcome is not Outcome.CLEAN:
        raise error("SANDBOX_ANSWER", "a file that is not clean was called inert")
    return file


def read_traces(said: object, path: str) -> tuple[Trace, ...]:
    """Return the disassemblies that were made of a file.

    Raises:
        ModelsignError: ``SANDBOX_ANSWER``.

    """
    try:
        return tuple(_trace(row, path) for row in _a(list, said))
    except (TypeError, ValueError) as fault:
        raise error("SANDBOX_ANSWER", f"no disassembly looks like this: {fault!s:.100}") from None


@functools.cache
def _rules() -> dict[str, Rule]:
    return {rule.id: rule for rule in known_rules()}


def _finding(row: object) -> Finding:
    rule, message, member, offset, confidence, calls, name = _a(list, row)
    known = _rules()[_a(str, rule)]
    return Finding(
        known.id,
        known.severity,
        known.outcome,
        _a(str, message),
        None if member is None else _a(str, member),
        None if offset is None else _number(offset),
        confidence=_CONFIDENCES[_a(str, confidence)],
        calls=_texts(calls),
        references=known.references,
        advice=known.advice,
        name=None if name is None else _a(str, name),
    )


def _trace(row: object, path: str) -> Trace:
    member, start, lines, opcodes, omitted, note, elsewhere = _a(list, row)
    return Trace(
        path,
        None if member is None else _a(str, member),
        _number(start),
        tuple(_line(line) for line in _a(list, lines)),
        _number(opcodes),
        omitted=_number(omitted),
        note=_a(str, note),
        elsewhere=_texts(elsewhere),
    )


def _line(row: object) -> TraceLine:
    offset, opcode, argument, findings, omitted = _a(list, row)
    return TraceLine(_number(offset), _a(str, opcode), _a(str, argument), _texts(findings), _number(omitted))


def _a(kind: type[_Kind], value: object) -> _Kind:
    """Return a value that is exactly of a kind; JSON's true is no number."""
    if type(value) is not kind:
        message = f"{type(value).__name__} where {kind.__name__} is agreed"
        raise TypeError(message)
    return value


def _number(value: object) -> int:
    number = _a(int, value)
    if number < 0:
        message = f"{number} is no size"
        raise ValueError(message)
    return number


def _matching(form: re.Pattern[str], value: object) -> str:
    text = _a(str, value)
    if form.fullmatch(text) is None:
        message = f"{text[:40]!r} is not of the form agreed"
        raise ValueError(message)
    return text


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_a(str, text) for text in _a(list, value))
