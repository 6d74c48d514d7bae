"""ONNX Runtime's own form of a model (``.ort``): the graph of ONNX as a FlatBuffer.

The same operators, judged by the same lists; numbers lie in the file, and their sizes must follow from type and shape.
A runtime uses the file's indices of nodes as they are.

Source: onnxruntime/core/flatbuffers/schema/ort.fbs, version 6, of ONNX Runtime 1.32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.onnx import RULES, Model
from modelsign.scan.frameworks.onnx_tensors import SIZE, check_room
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.flatbuffer import Table
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_MARK: Final = b"ORTM"
_MARK_AT: Final = 4
_STEPS: Final = 5_000_000
_MOST_DIMENSIONS: Final = 1000
_MOST_FINDINGS: Final = 100
_MOST_EDGES: Final = 1_000_000
_EDGE_NODE: Final = 12
_GRAPH, _GRAPHS, _TENSOR, _TENSORS = 7, 12, 6, 11


def _marked(reading: Reading) -> bool:
    return reading.read_at(_MARK_AT, len(_MARK)) == _MARK


def _recognise(reading: Reading, name: str) -> bool:
    return _marked(reading) or (reading.size > 0 and name.casefold().endswith(".ort"))


class _Walk:
    """Reads the tables; each graph and tensor once, however many refer to it."""

    def __init__(self) -> None:
        self.model = Model()
        self.found: dict[Finding, None] = {}
        self._seen: set[int] = set()
        self._waiting: list[Table] = []

    def run(self, root: Table) -> None:
        """Read a session's tables.

        Raises:
            Damaged: an offset or a length leads out of the file.

        """
        model = root.table(1)
        if model is None:
            raise Damaged("there is no model")
        imports = [(one.text(0), one.number(1, 8, signed=True), one.at) for one in model.tables(1)]
        self.model.check_versions(model.number(0, 8, signed=True), imports)
        self._enter(model.table(7))
        if not self._waiting:
            raise Damaged("there is no graph")
        while self._waiting:
            self._graph(self._waiting.pop())

    def _note(self, finding: Finding) -> None:
        if len(self.found) < _MOST_FINDINGS:
            self.found.setdefault(finding)

    def _enter(self, graph: Table | None) -> None:
        if graph is not None and graph.at not in self._seen:
            self._seen.add(graph.at)
            self._waiting.append(graph)

    def _graph(self, graph: Table) -> None:
        for tensor in graph.tables(0):
            self._tensor(tensor)
        for sparse in graph.tables(7):
            for part in (0, 1):
                self._tensor(sparse.table(part))
        most = graph.number(3, 4)
        for node in graph.tables(2):
            self._node(node, most)
        for edges in graph.tables(4):
            self._edges(edges, most)

    def _node(self, node: Table, most: int) -> None:
        self.model.use(node.text(2), node.text(5), node.at)
        if node.number(4, 4) >= most:
            self._note(SIZE.finding(f"node {node.number(4, 4)} of {most}", offset=node.at))
        for attribute in node.tables(10):
            self._enter(attribute.table(_GRAPH))
            self._tensor(attribute.table(_TENSOR))
            for graph in attribute.tables(_GRAPHS):
                self._enter(graph)
            for tensor in attribute.tables(_TENSORS):
                self._tensor(tensor)

    def _edges(self, edges: Table, most: int) -> None:
        if edges.number(0, 4) >= most:
            self._note(SIZE.finding(f"edges of node {edges.number(0, 4)} of {most}", offset=edges.at))
        for side in (1, 2):
            ends = edges.vector(side, _EDGE_NODE)
            if ends.length > _MOST_EDGES:
                raise Damaged(f"{ends.length} edges of a node")
            data = edges.buffer.bytes(ends.start, ends.length * _EDGE_NODE)
            for at in range(0, len(data), _EDGE_NODE):
                number = int.from_bytes(data[at : at + 4], "little")
                if number >= most:
                    self._note(SIZE.finding(f"an edge to node {number} of {most}", offset=ends.start + at))

    def _tensor(self, tensor: Table | None) -> None:
        if tensor is None or tensor.at in self._seen:
            return
        self._seen.add(tensor.at)
        dims = tensor.numbers(2, 8, _MOST_DIMENSIONS)
        inside = tensor.place(4) is not None
        room = [tensor.vector(4, 1).length] if inside else []
        for finding in check_room(tensor.number(3, 4, signed=True), dims, room, tensor.at):
            self._note(finding)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if not _marked(reading):
        return Inspection(readable=True, findings=(BROKEN.finding("the mark ORTM is missing", offset=_MARK_AT),))
    walk = _Walk()
    damage: tuple[Finding, ...] = ()
    try:
        walk.run(FlatBuffer(reading, _STEPS).root())
    except Damaged as fault:
        damage = (BROKEN.finding(str(fault)),)
    return Inspection(readable=True, findings=(*damage, *walk.found, *walk.model.findings()))


FORMAT = Format(
    id="ort",
    title="ONNX Runtime model",
    description="The graph of ONNX as a FlatBuffer, as ONNX Runtime keeps it for small devices.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(_MARK_AT, _MARK),),
    extensions=(".ort",),
    rules=RULES,
)
