"""TensorFlow graphs as text (``saved_model.pbtxt``, ``graph.pbtxt``): judged like the same graph in binary.

``tf.saved_model.load`` takes ``saved_model.pbtxt`` where there is no ``saved_model.pb``. The text is written as the
message it stands for, and that is walked by the code for binary graphs.

Source: ``tensorflow/core/protobuf/*.proto`` of TensorFlow 2.21; protobuf.dev/reference/protobuf/textformat-spec.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.tensorflow import RULES, Graphs
from modelsign.scan.rules import BUDGET
from modelsign.scan.syntax.textproto import TextMessage, first_name
from modelsign.scan.syntax.wire import Span

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_ROOTS: Final = {
    "tensorflow.SavedModel": {b"saved_model_schema_version", b"meta_graphs"},
    "tensorflow.MetaGraphDef": {
        b"meta_info_def", b"graph_def", b"saver_def", b"collection_def", b"signature_def", b"asset_file_def",
        b"object_graph_def",
    },
    "tensorflow.GraphDef": {b"node", b"library", b"version", b"versions", b"debug_info"},
}  # fmt: skip
"""The fields that a message of each type may begin with; a parser of text refuses any other."""
_NODE: Final = re.compile(rb"\b(?:node|node_def)[ \t\r\n]*:?[ \t\r\n]*[{<]")
_SUFFIX: Final = ".pbtxt"
_ENUMERATIONS: Final = {"DT_STRING": 7}
"""The value that a reader of graphs looks at (``tensorflow/core/framework/types.proto``)."""


def _root(reading: Reading) -> str | None:
    name = first_name(reading)
    return next((root for root, names in _ROOTS.items() if name in names), None)


def _recognise(reading: Reading, name: str) -> bool:
    if _root(reading) is None:
        return False
    if name.casefold().endswith(_SUFFIX):
        return True
    return _NODE.search(reading.read_at(0, min(reading.size, limits.PROTOBUF_TEXT_BYTES))) is not None


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    root = _root(reading)
    if root is None:
        return Inspection(readable=False)
    if reading.size > limits.PROTOBUF_TEXT_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"more than {limits.PROTOBUF_TEXT_BYTES} bytes"),))
    graphs = Graphs()
    text = TextMessage(reading.read_at(0, reading.size), "tensorflow", _ENUMERATIONS)
    walk = text.walk(root, graphs.handlers())
    graphs.walk = walk
    walk.run(root, Span(0, text.size))
    found = map(text.placed, (*walk.findings(), *graphs.findings()))
    return Inspection(readable=True, findings=(*text.findings(), *found))


FORMAT = Format(
    id="tensorflow-text",
    title="TensorFlow graph as text",
    description="A graph in protobuf's text format, whose operators are held against TensorFlow's own list.",
    recognise=_recognise,
    scan=_scan,
    extensions=(_SUFFIX,),
    dearness=8,
    rules=RULES,
)
