"""Single tensors of ONNX (``.pb``): the inputs and outputs that lie beside a model to test it by.

A ``TensorProto`` has no mark. What parses as one, with a type that ONNX knows and no field of another message, is one;
its numbers may lie in another file, whose name is judged as in a model.

Source: ``onnx/onnx.proto`` of ONNX 1.23; docs/OnnxBackendTest for where such files lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.onnx import RULES, Model
from modelsign.scan.syntax.protobuf import Walk
from modelsign.scan.syntax.wire import Span, outline

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_ROOT: Final = "onnx.TensorProto"
_DIMS, _TYPE, _NAME = 1, 2, 8
_TELLING: Final = frozenset({4, 6, 7, _NAME, 9, 10, 13})
"""Fields of which one must be there: five numbers alone are a fingerprint of TensorFlow's."""
_LENGTHS: Final = (3, _NAME, 12, 16)
_DATA: Final = {4: {2, 5}, 5: {0, 2}, 6: {2}, 7: {0, 2}, 9: {2}, 10: {1, 2}, 11: {0, 2}, 13: {2}}
"""Fields that hold numbers or say where they are, each with the wire types that it may have."""
_FIELDS: Final = frozenset({_DIMS, _TYPE, 3, _NAME, 12, 14, 16, *_DATA})
_LAST_TYPE: Final = 28
_VARINT, _LENGTH = 0, 2


def _recognise(reading: Reading, name: str) -> bool:
    """Whether the outermost fields are those of a tensor: a type, and numbers or a name."""
    del name
    fields = outline(reading)
    if fields is None or _TYPE not in fields or not fields.keys() <= _FIELDS or fields.keys().isdisjoint(_TELLING):
        return False
    if any(place.wire != _LENGTH for number in _LENGTHS for place in fields.get(number, ())):
        return False
    kinds = fields[_TYPE]
    if len(kinds) > 1 or kinds[0].wire != _VARINT or not 1 <= kinds[0].value <= _LAST_TYPE:
        return False
    if any(place.wire not in {_VARINT, _LENGTH} for place in fields.get(_DIMS, ())):
        return False
    return all(place.wire in wires for number, wires in _DATA.items() for place in fields.get(number, ()))


def _scan(reading: Reading, name: str) -> Inspection:
    if not _recognise(reading, name):
        return Inspection(readable=False)
    model = Model()
    walk = Walk(reading, "onnx", model.handlers())
    model.walk = walk
    walk.run(_ROOT, Span(0, reading.size))
    return Inspection(readable=True, findings=(*walk.findings(), *model.findings()))


FORMAT = Format(
    id="onnx-tensor",
    title="ONNX tensor",
    description="One tensor of numbers, as it lies beside a model to test it by.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".pb",),
    rules=RULES,
)
