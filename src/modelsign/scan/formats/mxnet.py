"""MXNet models: the graph of a symbol in JSON, and the file of parameters beside it.

A graph computes and nothing else if every operator is known to (``knowledge/operators``). Parameters are arrays one
behind the other, then their names; dense arrays are walked without reading the numbers.

Source: MXNet 1.9.1, ``3rdparty/tvm/nnvm/src/pass/saveload_json.cc`` and ``src/ndarray/ndarray.cc``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks import operators
from modelsign.scan.rules import BROKEN, UNSUPPORTED
from modelsign.scan.syntax.jsonkeys import document_with_key
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://mxnet.apache.org/versions/1.9.1/api/faq/security",)
OPERATOR: Final = Rule(
    "mxnet-operator-unknown",
    "the graph uses an operator that is not known",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is none of those that MXNet registers, or hands part of the graph to an extension. What it does is "
    "not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _REFERENCE,
)
DANGEROUS: Final = Rule(
    "mxnet-operator-dangerous",
    "the graph uses an operator that calls Python",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The operator calls a class of the Python process by a name that the graph gives, as soon as the graph is bound.",
    "Do not load the model.",
    _REFERENCE,
)
NAME: Final = Rule(
    "mxnet-operator-name",
    "an operator has a name that is made to hang the loader",
    Severity.HIGH,
    Outcome.UNSAFE,
    "MXNet before 1.9.1 matches the names of operators with a regular expression that takes exponential time on "
    "crafted ones. Real names are short words.",
    "Do not load the model.",
    ("CVE-2022-24294",),
)
_MARK: Final = (0x112).to_bytes(8, "little") + bytes(8)
_DENSE_V2, _DENSE_V1, _NUMPY = 0xF993FAC9, 0xF993FAC8, 0xF993FACA
_BYTES: Final[Mapping[int, int]] = {0: 4, 1: 8, 2: 2, 3: 1, 4: 4, 5: 1, 6: 8, 7: 1, 8: 2, 9: 2, 10: 4, 11: 8, 12: 2}
"""Bytes of one number of each type (``mshadow::TypeFlag``)."""
_MOST_NAME: Final = 1000
_MOST_DIMENSIONS: Final = 32
_MOST_FINDINGS: Final = 100


def _recognise(reading: Reading, name: str) -> bool:
    return _is_parameters(reading) or name.casefold().endswith("-symbol.json") or _graph(reading) is not None


def _is_parameters(reading: Reading) -> bool:
    return reading.read_at(0, len(_MARK)) == _MARK


def _graph(reading: Reading) -> dict[str, Any] | None:
    """Return the document if it is a graph: it lists nodes, and which of them are arguments."""
    data = document_with_key(reading, "arg_nodes")
    if data is None:
        return None
    try:
        document = strictjson.loads(
            data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False
        )
    except ModelsignError:
        return None
    return document if isinstance(document, dict) and {"nodes", "arg_nodes"} <= document.keys() else None


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if _is_parameters(reading):
        return Inspection(readable=True, findings=_parameters(reading))
    graph = _graph(reading)
    if graph is None:
        return Inspection(readable=False)
    return Inspection(readable=True, findings=tuple(_judge(graph)))


def _judge(document: dict[str, Any]) -> list[Finding]:
    """Judge the nodes of a graph and of the graphs inside them."""
    known, dangers = operators.known("mxnet"), operators.dangerous("mxnet")
    found: dict[Finding, None] = {}
    waiting: list[Any] = [document]
    while waiting and len(found) < _MOST_FINDINGS:
        graph = waiting.pop()
        nodes = graph.get("nodes") if isinstance(graph, dict) else None
        if not isinstance(nodes, list):
            found.setdefault(BROKEN.finding("a graph without a list of nodes"))
            continue
        for node in nodes:
            operator, name = (node.get("op"), node.get("name")) if isinstance(node, dict) else (None, None)
            if not isinstance(operator, str) or not isinstance(name, str):
                found.setdefault(BROKEN.finding("a node without operator and name"))
                continue
            waiting += node["subgraphs"] if isinstance(node.get("subgraphs"), list) else []
            danger = dangers.get(operator.casefold())
            if max(len(operator), len(name)) > _MOST_NAME:
                found.setdefault(NAME.finding(f"a name of {max(len(operator), len(name))} characters"))
            elif danger is not None:
                rule = DANGEROUS if danger.certain else OPERATOR
                found.setdefault(rule.finding(f"{operator} {danger.capability}"))
            elif operator != "null" and ("", operator) not in known:
                found.setdefault(OPERATOR.finding(f"{operator[:200]!r} is not known"))
    return list(found)


class _Stop(Exception):
    """Why the parameters cannot be read on."""


class _Cursor:
    """Reads little-endian numbers one behind the other."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.at = len(_MARK)

    def number(self, width: int) -> int:
        data = self._reading.read_at(self.at, width)
        if len(data) != width:
            raise _Stop("it ends early")
        self.at += width
        return int.from_bytes(data, "little")

    def skip(self, length: int) -> None:
        if length > self._reading.size - self.at:
            raise _Stop("it ends early")
        self.at += length


def _parameters(reading: Reading) -> tuple[Finding, ...]:
    cursor = _Cursor(reading)
    try:
        for _ in range(_counted(cursor, reading)):
            if not _array(cursor):
                return (UNSUPPORTED.finding("an array that is sparse or older than MXNet 1.0 cannot be judged yet"),)
        for _ in range(_counted(cursor, reading)):
            cursor.skip(cursor.number(8))
    except _Stop as fault:
        return (BROKEN.finding(f"the parameters: {fault}", offset=cursor.at),)
    if cursor.at != reading.size:
        return (BROKEN.finding(f"{reading.size - cursor.at} bytes follow the parameters", offset=cursor.at),)
    return ()


def _counted(cursor: _Cursor, reading: Reading) -> int:
    """Return a number of things, of which each takes at least four bytes."""
    count = cursor.number(8)
    if count > reading.size // 4:
        raise _Stop(f"{count} of something in {reading.size} bytes")
    return count


def _array(cursor: _Cursor) -> bool:
    """Step over one array: shape, place, type, numbers; False where it is not dense."""
    mark = cursor.number(4)
    if mark not in {_DENSE_V1, _DENSE_V2, _NUMPY}:
        return False
    if mark != _DENSE_V1 and cursor.number(4) != 0:
        return False
    dimensions = cursor.number(4)
    if dimensions > _MOST_DIMENSIONS:
        raise _Stop(f"{dimensions} dimensions")
    count = 1
    for _ in range(dimensions):
        count *= cursor.number(8)
    if dimensions == 0 and mark != _NUMPY:
        return True
    cursor.skip(8)
    width = _BYTES.get(cursor.number(4))
    if width is None:
        raise _Stop("an unknown type of number")
    cursor.skip(count * width)
    return True


FORMAT = Format(
    id="mxnet",
    title="MXNet",
    description="The graph of a symbol with known operators, or a file of parameters.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MARK),),
    extensions=(".params",),
    rules=(OPERATOR, DANGEROUS, NAME, BROKEN, UNSUPPORTED),
)
