"""ONNX models: a computation graph in protobuf, with its tensors inside or in files beside it.

The graph computes and nothing else if every operator is known to (``knowledge/operators``), or is a function whose
body stands in the model; all graphs are read, those in attributes, functions and training steps too. Tensors may name a
file beside the model; a name that could lead elsewhere is ``unsafe``. No such file is ever opened here, and numbers are
stepped over without being read. There is no mark at the beginning: what parses as a ``ModelProto`` is one.

Source: ``onnx/onnx.proto`` and ``docs/ExternalData.md`` of ONNX 1.23; ONNX Runtime for the operators it adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.onnx import RULES, Model
from modelsign.scan.syntax.protobuf import Walk
from modelsign.scan.syntax.wire import Span, Wire, outline, shape

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_ROOT: Final = "onnx.ModelProto"
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8
_VARINT, _LENGTH = 0, 2
_GRAPH_FIELDS: Final = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})
_LOOKED_AT: Final = 100_000


def _recognise(reading: Reading, name: str) -> bool:
    return _named(reading, name) or _is_model(reading)


def _named(reading: Reading, name: str) -> bool:
    return reading.size > 0 and name.casefold().endswith(".onnx")


def _is_model(reading: Reading) -> bool:
    """Whether the outermost fields are those of a model, and the graph's those of a graph."""
    fields = outline(reading)
    if fields is None or _GRAPH not in fields or any(place.wire != _LENGTH for place in fields[_GRAPH]):
        return False
    if any(place.wire != _VARINT for place in fields.get(_IR_VERSION, ())):
        return False
    if _IR_VERSION in fields and all(place.wire == _LENGTH for place in fields.get(_OPSET, ())) and _OPSET in fields:
        return True
    graph = fields[_GRAPH][0]
    inner = shape(Wire(reading), Span(graph.start, graph.end), _LOOKED_AT)
    return inner is not None and bool(inner) and inner.keys() <= _GRAPH_FIELDS and not inner.keys().isdisjoint({1, 5})


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    model = Model()
    walk = Walk(reading, "onnx", model.handlers())
    model.walk = walk
    walk.run(_ROOT, Span(0, reading.size))
    return Inspection(readable=True, findings=(*walk.findings(), *model.findings()))


FORMAT = Format(
    id="onnx",
    title="ONNX",
    description="A computation graph of known operators, whose tensors lie inside it or in files beside it.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".onnx",),
    rules=RULES,
)
