"""Caffe networks: the architecture as text (``.prototxt``) and the weights in binary (``.caffemodel``).

The text is what builds the network: a layer of type Python imports a module and makes an object of a class that the
file names; data layers open files. Of a ``.caffemodel`` Caffe takes the numbers of layers with matching names and
nothing else (``Net::CopyTrainedLayersFrom``), so layers there that would read data are as ordinary as training is, and
a Python layer is told but does not run. A solver (``.prototxt``, too) is what training reads: it names networks and
weights to open, and the beginning of names to write snapshots under.

Source: ``src/caffe/proto/caffe.proto`` and ``src/caffe/layer_factory.cpp`` of BVLC/caffe 1.0 (9b891540183d).
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks import operators
from modelsign.scan.relative import why_escapes
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.protobuf import Handler, Walk
from modelsign.scan.syntax.textproto import TextMessage, first_name
from modelsign.scan.syntax.wire import Span, Wire, outline, shape
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.protobuf import Values
    from modelsign.scan.syntax.wire import Place
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://caffe.berkeleyvision.org/tutorial/layers/python.html",)
DANGEROUS: Final = Rule(
    "caffe-layer-dangerous",
    "a layer runs Python or writes files",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A layer of type Python imports the module that the file names and makes an object of a class in it as soon as the "
    "network is built; HDF5Output writes to a file that it names.",
    "Do not load the network. Ask for one of Caffe's own layers.",
    _REFERENCE,
)
CARRIED: Final = Rule(
    "caffe-layer-carried",
    "the weights were trained with a layer that runs Python or writes files",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The file of weights carries the description of such a layer. Caffe takes numbers alone from it; a tool that "
    "builds a network from this file would run the layer.",
    "Judge the network's architecture (`.prototxt`), and use the file for its weights alone.",
    _REFERENCE,
)
READS: Final = Rule(
    "caffe-layer-reads",
    "a layer reads data that the network names",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The layer opens a database, pictures or a matrix by a path in the file as soon as the network is built. Networks "
    "for training have such layers; those for use have not.",
    "Use the network without its data layers.",
    _REFERENCE,
)
UNKNOWN: Final = Rule(
    "caffe-layer-unknown",
    "a layer is none of Caffe's own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The type of the layer is not registered in Caffe. It needs a build of Caffe with other native code, and what that "
    "does is not in the file.",
    "Find out which build the layer needs and whether you trust it.",
    _REFERENCE,
)
SOLVER: Final = Rule(
    "caffe-solver-files",
    "the solver names files that training reads and writes",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "Training with this file opens the networks and weights that it names, and writes snapshots under names that begin "
    "as it says. Nothing of it is needed to use a network.",
    "Leave solvers out of what is published for use.",
    ("https://caffe.berkeleyvision.org/tutorial/solver.html",),
)
ESCAPES: Final = Rule(
    "caffe-solver-path",
    "the solver names a file outside of the folder",
    Severity.HIGH,
    Outcome.UNSAFE,
    "A network, weights or snapshots lie by an absolute path, or one that goes up. Training would read or overwrite "
    "files that are not the model's.",
    "Do not train with the solver before the path is changed.",
    ("https://caffe.berkeleyvision.org/tutorial/solver.html", "CWE-22"),
)
_NET: Final = "caffe.NetParameter"
_SOLVER: Final = "caffe.SolverParameter"
_FILES: Final = ("net", "train_net", "test_net", "weights", "snapshot_prefix")
_FIRST: Final = frozenset({
    b"name", b"input", b"input_dim", b"input_shape", b"force_backward", b"state", b"debug_info", b"layer", b"layers",
})  # fmt: skip
_LAYER: Final = re.compile(rb"\blayers?[ \t\r\n]*:?[ \t\r\n]*[{<]")
_TYPE: Final = re.compile(rb"[A-Za-z][A-Za-z0-9_]{0,99}")
_WEIGHTS: Final = ".caffemodel"
_TEXT: Final = ".prototxt"
_VARINT, _LENGTH = 0, 2
_LAYERS, _LAYERS_V1 = 100, 2
_PATH_BYTES: Final = 4096
_LAST_V1: Final = 42
_LOOKED_AT: Final = 100_000
_MOST_FINDINGS: Final = 100


@functools.cache
def _older() -> tuple[Mapping[str, int], Mapping[int, str], Mapping[str, str]]:
    """Return the numbers of layer types before 2014, their names by number, and those of types before that."""
    older = table("operators/caffe")
    numbers: Mapping[str, int] = older["v1_numbers"]
    names: Mapping[str, str] = older["v1_names"]
    return numbers, {number: names[key] for key, number in numbers.items()}, older["v0_names"]


class _Layers:
    """Gathers the layers of a network; ``findings`` judges them."""

    def __init__(self, *, builds: bool) -> None:
        """Take whether the file builds a network, or only brings weights."""
        self.walk: Walk | None = None
        self.count = 0
        self._builds = builds
        self._found: dict[Finding, None] = {}

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "caffe.LayerParameter": Handler(frozenset({"name", "type", "python_param"}), self._layer),
            "caffe.V1LayerParameter": Handler(frozenset({"name", "type", "layer"}), self._layer_v1),
            "caffe.V0LayerParameter": Handler(frozenset({"type"}), lambda values: self._text(values.last("type"))),
            "caffe.PythonParameter": Handler(frozenset({"module", "layer"}), self._python),
            _SOLVER: Handler(frozenset(_FILES), self._solver),
        }

    def findings(self) -> list[Finding]:
        return list(self._found)

    def _text(self, place: Span | None) -> str:
        return self.walk.text(place, 200) if self.walk is not None else ""

    def _python(self, values: Values) -> str:
        module, layer = self._text(values.last("module")), self._text(values.last("layer"))
        return f"from {module} import {layer}; {layer}()"

    def _solver(self, values: Values) -> None:
        """Judge the files that a solver names, where the message ends."""
        for name in _FILES:
            for place in values.all(name):
                path = self.walk.text(place, _PATH_BYTES) if self.walk is not None else ""
                reason = why_escapes(path)
                if reason is not None:
                    self._note(ESCAPES, f"{name} {path[:200]!r}: {reason}", place.start)
                else:
                    self._note(SOLVER, f"{name} {path[:200]!r}", place.start)

    def _layer(self, values: Values) -> None:
        self._judge(self._text(values.last("type")), values, values.last("python_param", ""))

    def _layer_v1(self, values: Values) -> None:
        oldest = values.last("layer")
        _, names, older = _older()
        if oldest is not None:
            self._judge(older.get(oldest, oldest), values, "")
        number = values.last("type", 0)
        if number or oldest is None:
            self._judge(names.get(number, f"type {number}"), values, "")

    def _judge(self, kind: str, values: Values, code: str) -> None:
        self.count += 1
        danger = operators.dangerous("caffe").get(kind.casefold())
        if danger is not None and danger.certain:
            rule = DANGEROUS if self._builds else CARRIED
            self._note(rule, f"{kind} {danger.capability}" + f": {code}" * bool(code), values.start)
        elif danger is not None:
            if self._builds:
                self._note(READS, f"{kind} {danger.capability}", values.start)
        elif ("", kind) not in operators.known("caffe"):
            self._note(UNKNOWN, f"{kind!r} is not known", values.start)

    def _note(self, rule: Rule, message: str, offset: int) -> None:
        if len(self._found) < _MOST_FINDINGS or rule.outcome is Outcome.UNSAFE:
            self._found.setdefault(rule.finding(message, offset=offset))


def _is_text(reading: Reading) -> bool:
    return (
        first_name(reading) in _FIRST
        and _LAYER.search(reading.read_at(0, min(reading.size, limits.PROTOBUF_TEXT_BYTES))) is not None
    )


@functools.cache
def _solver_fields() -> frozenset[bytes]:
    return frozenset(name.encode() for name, _ in table("schemas/caffe")["messages"][_SOLVER].values())


def _is_solver(reading: Reading, name: str) -> bool:
    """Whether a file that is named as Caffe's texts are begins like a solver: in its words there is no mark."""
    return name.casefold().endswith(_TEXT) and first_name(reading) in _solver_fields() and not _is_text(reading)


def _is_binary(reading: Reading) -> bool:
    """Whether the outermost fields are those of a network, with a layer among the first."""
    fields = outline(reading)
    if fields is None or not fields.keys() <= {1, 2, 3, 4, 5, 6, 7, 8, _LAYERS}:
        return False
    wire = Wire(reading)
    return any(_is_layer(wire, place) for place in fields.get(_LAYERS, ())) or any(
        _is_layer_v1(wire, place) for place in fields.get(_LAYERS_V1, ())
    )


def _inside(wire: Wire, place: Place) -> Mapping[int, list[Place]]:
    return (shape(wire, Span(place.start, place.end), _LOOKED_AT) or {}) if place.wire == _LENGTH else {}


def _is_layer(wire: Wire, place: Place) -> bool:
    kinds = _inside(wire, place).get(2, [])
    return any(one.wire == _LENGTH and _TYPE.fullmatch(wire.bytes(one.start, min(one.value, 200))) for one in kinds)


def _is_layer_v1(wire: Wire, place: Place) -> bool:
    inside = _inside(wire, place)
    if not inside or not all(number <= _LAST_V1 or number in {1001, 1002} for number in inside):
        return False
    kinds, names = inside.get(5, []), inside.get(4, [])
    return bool(kinds and names) and kinds[0].wire == _VARINT and names[0].wire == _LENGTH


def _recognise(reading: Reading, name: str) -> bool:
    if reading.size and name.casefold().endswith(_WEIGHTS):
        return True
    return _is_text(reading) or _is_solver(reading, name) or _is_binary(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    if _is_text(reading):
        return _scan_text(reading, _NET)
    if _is_solver(reading, name):
        return _scan_text(reading, _SOLVER)
    layers = _Layers(builds=False)
    walk = Walk(reading, "caffe", layers.handlers())
    layers.walk = walk
    walk.run(_NET, Span(0, reading.size))
    odd = walk.findings()
    if not layers.count and all(one.rule != BROKEN.id for one in odd):
        odd.append(BROKEN.finding("there is no layer"))
    return Inspection(readable=True, findings=(*odd, *layers.findings()))


def _scan_text(reading: Reading, root: str) -> Inspection:
    if reading.size > limits.PROTOBUF_TEXT_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"more than {limits.PROTOBUF_TEXT_BYTES} bytes"),))
    layers = _Layers(builds=True)
    text = TextMessage(reading.read_at(0, reading.size), "caffe", _older()[0])
    walk = text.walk(root, layers.handlers())
    layers.walk = walk
    walk.run(root, Span(0, text.size))
    found = map(text.placed, (*walk.findings(), *layers.findings()))
    return Inspection(readable=True, findings=(*text.findings(), *found))


FORMAT = Format(
    id="caffe",
    title="Caffe",
    description="A network of Caffe's own layers as text, or weights in binary.",
    recognise=_recognise,
    scan=_scan,
    extensions=(_WEIGHTS, _TEXT),
    dearness=8,
    rules=(DANGEROUS, CARRIED, READS, UNKNOWN, SOLVER, ESCAPES, *protobuf.RULES),
)
