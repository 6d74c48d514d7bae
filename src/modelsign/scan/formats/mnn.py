"""MNN models: operators of Alibaba's runtime in a FlatBuffer that nothing marks, known by their name.

Operators are numbers; those of MNN only compute. A plug-in is native code that the application registers, and an extra
operator is for another engine. An operator may name a file that its numbers lie in, and the runtime opens it as it is
written. What lies beside the model (``.mnn.weight``) is bare numbers.

Source: alibaba/MNN 4d40bdbd7efb: schema/default/MNN.fbs, source/core/OpCommonUtils.cpp for ``externalPath``.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.relative import why_escapes
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.flatbuffer import Table
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://github.com/alibaba/MNN/blob/master/schema/default/MNN.fbs",)
OPERATOR: Final = Rule(
    "mnn-operator-unknown",
    "the model uses an operator that is not MNN's own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is a plug-in, one for another engine, or newer than those that are known. A plug-in is native code "
    "that the application brings, and what that does is not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _REFERENCE,
)
PATH: Final = Rule(
    "mnn-external-path",
    "an operator's numbers lie in a file outside of the model's folder",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The operator names a file by an absolute path, or one that goes up. The runtime opens it as it is written, and "
    "takes numbers from there.",
    "Do not load the model; it was made to reach files that are not its own.",
    (*_REFERENCE, "CWE-22"),
)
INDEX: Final = Rule(
    "mnn-index",
    "an operator refers to a tensor that is not there",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "An index of an operator leads behind the list of tensors. The runtime reads and writes by these indices.",
    "Do not load the model; ask its author to convert it again.",
    (*_REFERENCE, "CWE-129"),
)
_SUFFIX: Final = ".mnn"
_STEPS: Final = 5_000_000
_MOST_INDICES: Final = 1_000_000
_MOST_FINDINGS: Final = 100
_LOOP, _PLUGIN, _EXTRA = 92, 30, 78
"""Kinds of an operator's parameters (``OpParameter``) that have operators of their own, or name one."""
_PATH_BYTES: Final = 4096


@functools.cache
def _known() -> frozenset[int]:
    return frozenset(int(number) for group in table("operators/mnn")["groups"] for number in group["numbers"])


def _recognise(reading: Reading, name: str) -> bool:
    return reading.size > 0 and name.casefold().endswith(_SUFFIX)


class _Walk:
    """Reads the tables; each operator once, however many refer to it."""

    def __init__(self) -> None:
        self.found: dict[Finding, None] = {}
        self.operators = 0
        self._seen: set[int] = set()

    def run(self, net: Table) -> None:
        """Read a net's tables.

        Raises:
            Damaged: an offset or a length leads out of the file.

        """
        tensors = max(net.number(8, 4, signed=True), net.vector(7, 4).length)
        for operator in net.tables(3):
            self._operator(operator, tensors)
        for graph in net.tables(10):
            count = graph.vector(3, 4).length
            for operator in graph.tables(4):
                self._operator(operator, count)

    def _note(self, finding: Finding) -> None:
        if len(self.found) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            self.found.setdefault(finding)

    def _operator(self, operator: Table, tensors: int | None) -> None:
        """Judge an operator; inside of a loop its tensors are counted otherwise."""
        if operator.at in self._seen:
            return
        self._seen.add(operator.at)
        self.operators += 1
        number, kind = operator.number(5, 4, signed=True), operator.number(1, 1)
        if number not in _known():
            self._unknown(operator, number, kind)
        path = operator.text(7, _PATH_BYTES)
        if path:
            reason = why_escapes(path)
            if reason is not None:
                self._note(PATH.finding(f"{path[:200]!r}: {reason}", offset=operator.at))
        for field in (0, 4) if tensors is not None else ():
            for index in operator.numbers(field, 4, _MOST_INDICES):
                if not -1 <= index < (tensors or 0):
                    self._note(INDEX.finding(f"tensor {index} of {tensors}", offset=operator.at))
        if kind == _LOOP:
            self._loop(operator.table(2))

    def _unknown(self, operator: Table, number: int, kind: int) -> None:
        name = f"operator {number}"
        inside = operator.table(2) if kind in {_PLUGIN, _EXTRA} else None
        if inside is not None:
            name += f", {inside.text(0, 100)!r}"
        self._note(OPERATOR.finding(f"{name} is not known", offset=operator.at))

    def _loop(self, loop: Table | None) -> None:
        for field in (6, 7) if loop is not None else ():
            for command in loop.tables(field) if loop is not None else ():
                inner = command.table(0)
                if inner is not None:
                    self._operator(inner, None)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    walk = _Walk()
    damage: tuple[Finding, ...] = ()
    try:
        walk.run(FlatBuffer(reading, _STEPS).root())
    except Damaged as fault:
        damage = (BROKEN.finding(str(fault)),)
    if not walk.operators and not damage:
        damage = (BROKEN.finding("there is no operator"),)
    return Inspection(readable=True, findings=(*damage, *walk.found))


FORMAT = Format(
    id="mnn",
    title="MNN",
    description="A FlatBuffer of operators of MNN, known by its name.",
    recognise=_recognise,
    scan=_scan,
    extensions=(_SUFFIX,),
    rules=(OPERATOR, PATH, INDEX, BROKEN),
)
