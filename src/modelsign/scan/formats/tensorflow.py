"""TensorFlow graphs: SavedModel, MetaGraph, frozen GraphDef, and the protobuf files that lie beside them.

A graph is a program, so it is clean only if every operator in it is known to compute and nothing else
(``knowledge/operators``) or is a function of its own. SaveV2 and RestoreV2 are part of every SavedModel; the file name
they get is followed back to where it begins. Assets must be plain names. Keras metadata is read for Lambda layers.
Checkpoints are numbers and have a reader of their own.

Source: ``tensorflow/core/protobuf/*.proto`` and ``core/framework/*.proto`` of TensorFlow 2.21.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.tensorflow import RULES, Graphs
from modelsign.scan.syntax.protobuf import Walk
from modelsign.scan.syntax.wire import Span, Wire, outline, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.wire import Place

__all__ = ["FORMAT"]

_VARINT, _LENGTH = 0, 2
_LOOKED_AT: Final = 1_000_000
_OPERATOR: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_>.]*")
_OPERATOR_BYTES: Final = 200
_SAVED_MODEL: Final = "tensorflow.SavedModel"
_NAMES: Final = {
    "saved_model.pb": _SAVED_MODEL,
    "keras_metadata.pb": "third_party.tensorflow.python.keras.protobuf.SavedMetadata",
    "fingerprint.pb": "tensorflow.FingerprintDef",
}


def _base(name: str) -> str:
    return name.casefold().rsplit("/", 1)[-1]


def _root(reading: Reading) -> str | None:
    """Return the message that the outermost fields are those of."""
    fields = outline(reading)
    if fields is None:
        return None
    wire = Wire(reading)
    if _has_nodes(wire, fields):
        return "tensorflow.GraphDef"
    if _is_meta_graph(wire, fields):
        return "tensorflow.MetaGraphDef"
    if any(_is_meta_graph(wire, _inside(wire, place)) for place in fields.get(2, ())):
        return _SAVED_MODEL
    return None


def _inside(wire: Wire, place: Place) -> Mapping[int, list[Place]]:
    if place.wire != _LENGTH:
        return {}
    return shape(wire, Span(place.start, place.end), _LOOKED_AT) or {}


def _is_meta_graph(wire: Wire, fields: Mapping[int, list[Place]]) -> bool:
    return any(_has_nodes(wire, _inside(wire, place)) for place in fields.get(2, ()))


def _has_nodes(wire: Wire, fields: Mapping[int, list[Place]]) -> bool:
    """Whether field 1 holds nodes: a name, and the name of an operator."""
    for place in fields.get(1, ()):
        node = _inside(wire, place)
        operators = [one for one in node.get(2, ()) if one.wire == _LENGTH and one.value <= _OPERATOR_BYTES]
        if 1 in node and any(_OPERATOR.fullmatch(wire.bytes(one.start, one.value)) for one in operators):
            return True
    return False


def _recognise(reading: Reading, name: str) -> bool:
    return reading.size > 0 and (_base(name) in _NAMES or _root(reading) is not None)


def _scan(reading: Reading, name: str) -> Inspection:
    graphs = Graphs()
    walk = Walk(reading, "tensorflow", graphs.handlers())
    graphs.walk = walk
    roots = dict.fromkeys(root for root in (_root(reading), _NAMES.get(_base(name))) if root)
    for root in roots:
        walk.run(root, Span(0, reading.size))
    return Inspection(readable=True, findings=(*walk.findings(), *graphs.findings()))


FORMAT = Format(
    id="tensorflow",
    title="TensorFlow graph",
    description="A SavedModel, MetaGraph or GraphDef of known operators.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".pb",),
    rules=RULES,
)
