"""MindSpore checkpoints (``.ckpt``): named tensors in protobuf, whose shapes must call for the bytes that are there.

Long tensors are cut into several entries of one name. Nothing in a checkpoint is run. MindIR graphs (``.mindir``) and
encrypted checkpoints have no reader.

Source: ``mindspore/ccsrc/utils/checkpoint.proto`` and ``mindspore/train/serialization.py`` of MindSpore 2.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.protobuf import Handler, Walk
from modelsign.scan.syntax.wire import Span, Wire, outline, shape
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.protobuf import Values
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

SIZE: Final = Rule(
    "mindspore-tensor-size",
    "a tensor's shape and its numbers do not agree",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Shape and type call for another number of bytes than the entries of this name hold together, a length is "
    "negative, or the type is not known.",
    "Do not load the checkpoint; ask its author to save it again.",
    ("https://www.mindspore.cn/docs/en/master/api_python/mindspore/mindspore.load_checkpoint.html",),
)
_BYTES: Final[Mapping[str, int]] = {
    "Bool": 1, "Int8": 1, "Uint8": 1, "UInt8": 1, "Int16": 2, "Uint16": 2, "UInt16": 2, "Int32": 4, "Uint32": 4,
    "UInt32": 4, "Int64": 8, "Uint64": 8, "UInt64": 8, "Float16": 2, "Float32": 4, "Float64": 8, "BFloat16": 2,
    "Int4": 1, "Complex64": 8, "Complex128": 16,
}  # fmt: skip
_LENGTH: Final = 2
_MOST_TYPE: Final = 32
_MOST_BYTES: Final = 2**63 - 1
_MOST_NAMES: Final = 1_000_000
_MOST_FINDINGS: Final = 20
_LOOKED_AT: Final = 1000


def _recognise(reading: Reading, name: str) -> bool:
    del name
    fields = outline(reading)
    if fields is None or fields.keys() != {1} or fields[1][0].wire != _LENGTH:
        return False
    wire = Wire(reading)
    value = shape(wire, Span(fields[1][0].start, fields[1][0].end), _LOOKED_AT) or {}
    if value.keys() != {1, 2} or value[2][0].wire != _LENGTH:
        return False
    tensor = shape(wire, Span(value[2][0].start, value[2][0].end), _LOOKED_AT) or {}
    kinds = [one for one in tensor.get(2, ()) if one.wire == _LENGTH and one.value <= _MOST_TYPE]
    named = (wire.bytes(one.start, one.value).decode("latin-1") for one in kinds)
    return tensor.keys() <= {1, 2, 3} and any(one in _BYTES for one in named)


class _Tensors:
    """Adds up what the entries of each name hold."""

    def __init__(self) -> None:
        self.walk: Walk | None = None
        self._rooms: dict[str, list[int]] = {}
        self._found: dict[Finding, None] = {}

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "mindspore.Checkpoint.Value": Handler(frozenset({"tag", "tensor"}), self._value),
            "mindspore.TensorProto": Handler(frozenset({"dims", "tensor_type", "tensor_content"}), self._tensor),
        }

    def findings(self) -> list[Finding]:
        for name, (wanted, there, offset) in self._rooms.items():
            if wanted != there and len(self._found) < _MOST_FINDINGS:
                words = f"{name[:100]!r} calls for {wanted} bytes, there are {there}"
                self._found.setdefault(SIZE.finding(words, offset=offset))
        return list(self._found)

    def _tensor(self, values: Values) -> tuple[int, int, int]:
        content, kind = values.last("tensor_content"), values.last("tensor_type")
        size = _BYTES.get(self.walk.text(kind, _MOST_TYPE), -1) if self.walk is not None else -1
        for length in values.signed("dims"):
            size = -1 if length < 0 or size < 0 or size * length > _MOST_BYTES else size * length
        return size, content.end - content.start if content is not None else 0, values.start

    def _value(self, values: Values) -> None:
        name = self.walk.text(values.last("tag")) if self.walk is not None else ""
        wanted, there, offset = values.last("tensor", (-1, 0, values.start))
        if name in self._rooms:
            self._rooms[name][1] += there
        elif len(self._rooms) < _MOST_NAMES:
            self._rooms[name] = [wanted, there, offset]


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    tensors = _Tensors()
    walk = Walk(reading, "mindspore", tensors.handlers())
    tensors.walk = walk
    walk.run("mindspore.Checkpoint", Span(0, reading.size))
    return Inspection(readable=True, findings=(*walk.findings(), *tensors.findings()))


FORMAT = Format(
    id="mindspore",
    title="MindSpore checkpoint",
    description="Named tensors in protobuf, whose shapes call for the bytes that are there.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".ckpt",),
    rules=(SIZE, *protobuf.RULES),
)
