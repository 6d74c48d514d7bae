"""PaddlePaddle models: the program in protobuf, and the files of parameters beside it.

A program computes and nothing else if every operator is known to (``knowledge/operators``). Parameters are tensors one
behind the other. The newer programs in JSON (PIR) name an operator by the number of its dialect and its name; an
operator is what stands in a list called ``ops``, wherever that hangs.

Source: ``paddle/fluid/framework/framework.proto``, ``dense_tensor_serialize.cc`` and
``fluid/pir/serialize_deserialize`` of Paddle 3.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks import operators
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.jsonkeys import document_with_key
from modelsign.scan.syntax.protobuf import Handler, Walk
from modelsign.scan.syntax.wire import Span, Wire, outline, shape
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.protobuf import Values
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://github.com/PaddlePaddle/Paddle/blob/develop/SECURITY.md",)
OPERATOR: Final = Rule(
    "paddle-operator-unknown",
    "the program uses an operator that is not known",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is none of those that Paddle registers, or hands part of the program to another engine. What it does "
    "is not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _REFERENCE,
)
DANGEROUS: Final = Rule(
    "paddle-operator-dangerous",
    "the program uses an operator that runs code or reaches outside",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The operator calls Python, opens files that the program names or talks to other machines, as soon as the program "
    "is run.",
    "Do not load the model.",
    _REFERENCE,
)
_PACKAGE: Final = "paddle.framework.proto."
_DIALECTS: Final = {"0": "builtin", "1": "pd_op", "2": "cf", "3": "custom_op", "4": "dist_op"}
"""Dialects by the number that stands for them (``schema.cc``)."""
_VARINT, _LENGTH = 0, 2
_MOST_OPERATORS: Final = 10_000
_MOST_TENSORS: Final = 1_000_000
_MOST_DESCRIPTION: Final = 4096
_PREFIX: Final = 16
_MOST_DIMENSIONS: Final = 100
_BITS: Final[Mapping[int, int]] = {
    0: 8, 1: 16, 2: 32, 3: 64, 4: 16, 5: 32, 6: 64, 19: 64, 20: 8, 21: 8, 22: 16, 23: 64, 24: 128, 32: 8, 33: 8,
}  # fmt: skip
"""Bits of one number of each type (``VarType.Type``)."""


def _recognise(reading: Reading, name: str) -> bool:
    named = reading.size > 0 and name.casefold().endswith((".pdmodel", ".pdiparams"))
    return named or _is_program(reading) or _is_tensors(reading) or _json_program(reading) is not None


def _is_program(reading: Reading) -> bool:
    """Whether the outermost fields are blocks: two indexes, then variables or operators."""
    fields = outline(reading)
    if fields is None or not fields.keys() <= {1, 4, 5} or 1 not in fields or fields[1][0].wire != _LENGTH:
        return False
    block = shape(Wire(reading), Span(fields[1][0].start, fields[1][0].end), 100_000)
    if block is None or not {1, 2} <= block.keys() <= {1, 2, 3, 4, 5}:
        return False
    indexes = [place.wire for number in (1, 2) for place in block[number]]
    return all(wire == _VARINT for wire in indexes) and not block.keys().isdisjoint({3, 4})


def _is_tensors(reading: Reading) -> bool:
    if reading.read_at(0, _PREFIX) != bytes(_PREFIX):
        return False
    size = int.from_bytes(reading.read_at(_PREFIX, 4), "little")
    if not 0 < size <= _MOST_DESCRIPTION:
        return False
    fields = shape(Wire(reading), Span(_PREFIX + 4, _PREFIX + 4 + size), size)
    return fields is not None and 1 in fields and fields.keys() <= {1, 2} and fields[1][0].wire == _VARINT


def _json_program(reading: Reading) -> dict[str, Any] | None:
    data = document_with_key(reading, "base_code")
    if data is None:
        return None
    try:
        document = strictjson.loads(
            data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False
        )
    except ModelsignError:
        return None
    return document if isinstance(document, dict) and {"base_code", "program"} <= document.keys() else None


def _json_findings(document: dict[str, Any]) -> list[Finding]:
    """Judge the operators of a program in JSON."""
    used: dict[tuple[str, str], None] = {}
    waiting: list[Any] = [document["program"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            for one in node.get("ops", ()) if isinstance(node.get("ops"), list) else ():
                name = one.get("#") if isinstance(one, dict) else None
                if len(used) < _MOST_OPERATORS:
                    used.setdefault(_dialect(name if isinstance(name, str) else ""))
    return list(dict.fromkeys(finding for dialect, name in used for finding in _judge_in_dialect(dialect, name)))


def _dialect(name: str) -> tuple[str, str]:
    """Split an operator's name into its dialect, by name, and the rest; a lone ``p`` is a parameter."""
    if name == "p":
        return "builtin", "parameter"
    number, _, rest = name.partition(".")
    return _DIALECTS.get(number, number), rest


def _judge_in_dialect(dialect: str, name: str) -> list[Finding]:
    plain = name.rstrip("_")
    danger = operators.dangerous("paddle").get(plain.casefold())
    if danger is not None:
        rule = DANGEROUS if danger.certain else OPERATOR
        return [rule.finding(f"{dialect}.{name[:200]} {danger.capability}")]
    known = operators.known("paddle")
    if (dialect, plain) in known or (dialect == "pd_op" and ("", plain) in known):
        return []
    return [OPERATOR.finding(f"{dialect[:100]}.{name[:200]} is not known")]


def _scan(reading: Reading, name: str) -> Inspection:
    program = _json_program(reading)
    if program is not None:
        return Inspection(readable=True, findings=tuple(_json_findings(program)))
    if _is_tensors(reading) or name.casefold().endswith(".pdiparams"):
        return Inspection(readable=True, findings=tuple(_tensors(reading)))
    used: dict[str, int] = {}
    walk: Walk

    def operator(values: Values) -> None:
        if len(used) < _MOST_OPERATORS:
            used.setdefault(walk.text(values.last("type")), values.start)

    walk = Walk(reading, "paddle", {f"{_PACKAGE}OpDesc": Handler(frozenset({"type"}), operator)})
    walk.run(f"{_PACKAGE}ProgramDesc", Span(0, reading.size))
    return Inspection(readable=True, findings=(*walk.findings(), *_judge(used)))


def _judge(used: Mapping[str, int]) -> list[Finding]:
    known, dangers = operators.known("paddle"), operators.dangerous("paddle")
    findings = []
    for name, offset in used.items():
        danger = dangers.get(name.casefold())
        if danger is not None:
            rule = DANGEROUS if danger.certain else OPERATOR
            findings.append(rule.finding(f"{name} {danger.capability}", offset=offset))
        elif ("", name) not in known:
            findings.append(OPERATOR.finding(f"{name[:200]} is not known", offset=offset))
    return findings


def _tensors(reading: Reading) -> list[Finding]:
    """Walk the tensors: a version, levels, a description, and the numbers that it calls for."""
    described: list[tuple[int, list[int]]] = []

    def tensor(values: Values) -> None:
        described.append((values.last("data_type", -1), values.signed("dims")))

    walk = Walk(reading, "paddle", {f"{_PACKAGE}VarType.TensorDesc": Handler(frozenset({"data_type", "dims"}), tensor)})
    at = 0
    for number in range(_MOST_TENSORS):
        if at == reading.size:
            return walk.findings()
        size = int.from_bytes(reading.read_at(at + _PREFIX, 4), "little")
        start = at + _PREFIX + 4
        fault = f"tensor {number}"
        if reading.read_at(at, _PREFIX) != bytes(_PREFIX) or size > _MOST_DESCRIPTION or start + size > reading.size:
            return [*walk.findings(), BROKEN.finding(fault, offset=at)]
        walk.run(f"{_PACKAGE}VarType.TensorDesc", Span(start, start + size))
        kind, dims = described.pop()
        room = _BITS.get(kind, 0)
        for length in dims[:_MOST_DIMENSIONS]:
            room *= length
        at = start + size + room // 8
        if kind not in _BITS or len(dims) > _MOST_DIMENSIONS or min(dims, default=0) < 0 or at > reading.size:
            return [*walk.findings(), BROKEN.finding(f"{fault} of type {kind} and shape {dims[:10]}", offset=start)]
    return [*walk.findings(), BROKEN.finding("more tensors than are looked at", offset=at)]


FORMAT = Format(
    id="paddle",
    title="PaddlePaddle",
    description="A program of known operators, or a file of parameters.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".pdmodel", ".pdiparams"),
    rules=(OPERATOR, DANGEROUS, *protobuf.RULES),
)
