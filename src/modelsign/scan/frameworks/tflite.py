"""What a TensorFlow Lite model says: operators, tensors and buffers, judged while its tables are read."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import BytesReading
from modelsign.scan.frameworks import operators
from modelsign.scan.frameworks.tensorflow import RULES as TENSORFLOW_RULES
from modelsign.scan.frameworks.tensorflow import Graphs
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax.flatbuffer import Damaged
from modelsign.scan.syntax.flexbuffer import texts
from modelsign.scan.syntax.protobuf import Walk
from modelsign.scan.syntax.wire import Span
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.flatbuffer import Table
    from modelsign.verdict import Finding

__all__ = ["RULES", "Model"]

_REFERENCE: Final = ("https://ai.google.dev/edge/litert/models/ops_custom",)
OPERATOR: Final = Rule(
    "tflite-operator-unknown",
    "the model uses a custom operator",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is not built into TensorFlow Lite. The application must bring native code for it, and what that code "
    "does is not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _REFERENCE,
)
SIZE: Final = Rule(
    "tflite-size",
    "an index, a shape or a buffer contradicts the rest of the model",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "An index leads behind its list, a shape calls for another number of bytes than its buffer has, or a size "
    "overflows. Interpreters have read and written beyond their memory on such models.",
    "Do not load the model; ask its author to convert it again.",
    ("CVE-2022-23558", "CVE-2022-23559", "CVE-2022-23560", "CVE-2022-23561"),
)
RULES: Final = (OPERATOR, SIZE, *TENSORFLOW_RULES)
_VERSION: Final = 3
_CUSTOM: Final = 32
_FLEX: Final = "Flex"
_BITS: Final[Mapping[int, int]] = {
    0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64, 11: 128, 12: 64, 15: 32, 16: 16, 17: 4, 18: 16,
    19: 2, 20: 4, 21: 8, 22: 8,
}  # fmt: skip
"""Bits of one number of each type (``TensorType``) that is stored as such."""
_MOST: Final = 2**63 - 1
_MOST_DIMENSIONS: Final = 1000
_MOST_FINDINGS: Final = 100
_MOST_OPTIONS: Final = 16 * 1024 * 1024


@functools.cache
def _builtin() -> int:
    return len(table("operators/tflite")["builtin"]["names"])


class Model:
    """Reads the tables of one model; ``findings`` has what was found, also where the reading broke off."""

    def __init__(self, reading: Reading) -> None:
        """Take the bytes, for the buffers that lie behind the FlatBuffer."""
        self._size = reading.size
        self._found: dict[Finding, None] = {}
        self._codes: list[tuple[int, str]] = []
        self._buffers: list[int | None] = []

    def findings(self) -> list[Finding]:
        """Return what was found so far."""
        return list(self._found)

    def _note(self, finding: Finding) -> None:
        if len(self._found) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            self._found.setdefault(finding)

    def _contradiction(self, text: str, at: int) -> None:
        self._note(SIZE.finding(text, offset=at))

    def read(self, model: Table) -> None:
        """Read the model's tables.

        Raises:
            Damaged: an offset or a length leads out of the file.

        """
        version = model.number(0, 4)
        if version != _VERSION:
            self._note(BROKEN.finding(f"version {version} of the schema"))
        for code in model.tables(1):
            self._code(code)
        self._buffers = [self._buffer(buffer) for buffer in model.tables(4)]
        if not model.vector(2, 4).length:
            self._note(BROKEN.finding("there is no graph"))
        for graph in model.tables(2):
            tensors = 0
            for tensor in graph.tables(0):
                tensors += 1
                self._tensor(tensor)
            for operator in graph.tables(3):
                self._operator(operator, tensors)
        for metadata in model.tables(6):
            if metadata.number(1, 4) >= len(self._buffers):
                self._contradiction("metadata in a buffer that is not there", metadata.at)

    def _code(self, code: Table) -> None:
        """Judge one kind of operator; a number above 127 stands in the newer of two fields."""
        number = max(code.number(0, 1, signed=True), code.number(3, 4, signed=True))
        name = code.text(1)
        self._codes.append((number, name))
        if number != _CUSTOM:
            if not 0 <= number < _builtin():
                self._note(OPERATOR.finding(f"the built-in operator {number} is not known", offset=code.at))
        elif name.startswith(_FLEX):
            graphs = Graphs()
            graphs.use(name.removeprefix(_FLEX), code.at)
            self._take(graphs)
        elif ("", name) not in operators.known("tflite"):
            self._note(OPERATOR.finding(f"{name or 'an operator without a name'} is not built in", offset=code.at))

    def _take(self, graphs: Graphs) -> None:
        for finding in graphs.findings():
            self._note(finding)

    def _buffer(self, buffer: Table) -> int | None:
        """Return how many bytes a buffer has; None where it has none of its own."""
        inside = buffer.vector(0, 1)
        offset, size = buffer.number(1, 8), buffer.number(2, 8)
        if offset > 1:
            if offset + size > self._size:
                self._contradiction(f"a buffer of {size} bytes at {offset} is not in the file", buffer.at)
            return size
        return inside.length or None

    def _tensor(self, tensor: Table) -> None:
        shape = tensor.numbers(0, 4, _MOST_DIMENSIONS)
        kind, number = tensor.number(1, 1, signed=True), tensor.number(2, 4)
        count = 1
        for length in shape:
            count *= length
            if length < 0 or count > _MOST:
                self._contradiction(f"the shape {shape[:10]} is negative or overflows", tensor.at)
                return
        if number >= len(self._buffers):
            self._contradiction("a tensor in a buffer that is not there", tensor.at)
            return
        room = self._buffers[number]
        bits = _BITS.get(kind)
        if room is None or bits is None or tensor.place(6) is not None:
            return
        wanted = -(-count * bits // 8)
        if wanted != room:
            self._contradiction(f"type and shape call for {wanted} bytes, the buffer has {room}", tensor.at)

    def _operator(self, operator: Table, tensors: int) -> None:
        index = operator.number(0, 4)
        if index >= len(self._codes):
            self._contradiction("an operator of a kind that is not there", operator.at)
            return
        for field in (1, 2):
            for one in operator.numbers(field, 4, max(tensors * 4, _MOST_DIMENSIONS)):
                if not -1 <= one < tensors:
                    self._contradiction(f"an operator of tensor {one} of {tensors}", operator.at)
        large = operator.number(9, 8), operator.number(10, 8)
        if large[0] > 1 and sum(large) > self._size:
            self._contradiction("options that are not in the file", operator.at)
        number, name = self._codes[index]
        if number == _CUSTOM and name.startswith(_FLEX):
            self._flex(operator, name, large)

    def _flex(self, operator: Table, name: str, large: tuple[int, int]) -> None:
        """Judge the node that a TensorFlow operator carries: its operator is what runs, whatever the name says."""
        options = operator.vector(5, 1)
        start, length = large if large[0] > 1 else (options.start, options.length)
        if length > _MOST_OPTIONS:
            raise Damaged(f"options of {length} bytes")
        found = texts(operator.buffer.bytes(start, length)) if length else None
        if found is None or len(found) != 2:  # noqa: PLR2004 - the operator's name and its node
            self._note(BROKEN.finding(f"the options of {name[:100]} cannot be read", offset=operator.at))
            return
        called, node = found
        graphs = Graphs()
        graphs.use(called.decode("utf-8", "backslashreplace"), start)
        walk = Walk(BytesReading(node), "tensorflow", graphs.handlers())
        graphs.walk = walk
        walk.run("tensorflow.NodeDef", Span(0, len(node)))
        for finding in walk.findings():
            self._note(finding)
        self._take(graphs)
