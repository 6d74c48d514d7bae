"""What TensorFlow's graphs say, gathered from their messages: operators, files they name, Keras layers in metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from modelsign.scan.frameworks import operators
from modelsign.scan.frameworks.keras_metadata import CUSTOM, LAMBDA, check_metadata
from modelsign.scan.frameworks.tensorflow_paths import CONSUMERS, TRACED, Node, leading_text
from modelsign.scan.relative import why_escapes
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.protobuf import Handler
from modelsign.scan.syntax.wire import Malformed, Span, shape
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.scan.syntax.protobuf import Values, Walk
    from modelsign.verdict import Finding

__all__ = ["RULES", "Graphs"]

_SECURITY: Final = ("https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md",)
OPERATOR: Final = Rule(
    "tensorflow-operator-unknown",
    "the graph uses an operator that is not known",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is none of those that TensorFlow registers. It needs a library that is loaded beside the model, and "
    "what that library does is not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _SECURITY,
)
DANGEROUS: Final = Rule(
    "tensorflow-operator-dangerous",
    "the graph uses an operator that runs code or reaches outside",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A TensorFlow graph is a program. This operator calls Python, opens files or connections that the graph names, as "
    "soon as the graph is run, and parts of a SavedModel are run while it is loaded.",
    "Do not load the model; ask for a graph without this operator.",
    _SECURITY,
)
NATIVE: Final = Rule(
    "tensorflow-operator-native",
    "the graph holds a part that other code runs",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator hands a compiled program, or work of the host, to code that the graph alone does not show.",
    "Ask for the model as an ordinary graph.",
    _SECURITY,
)
PATH: Final = Rule(
    "tensorflow-path",
    "the model names a file outside its folder",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "An asset, a checkpoint or an output stream is named by a path that leads out of the model's folder. Loading or "
    "running the model reads or writes that file.",
    "Do not load the model.",
    _SECURITY,
)
TABLE: Final = Rule(
    "tensorflow-table-path",
    "a lookup table is read from a file outside the model",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A table is filled from a file that the graph names by a path of its own instead of an asset of the model, so that "
    "the content depends on the machine.",
    "Ask for the model as a SavedModel with the table among its assets.",
    _SECURITY,
)
RULES: Final = (OPERATOR, DANGEROUS, NATIVE, PATH, TABLE, LAMBDA, CUSTOM, *protobuf.RULES)
_PACKAGE: Final = "tensorflow."
_KERAS: Final = "third_party.tensorflow.python.keras.protobuf."
_STRING: Final = 7
_MOST_OPERATORS: Final = 100_000
_MOST_FINDINGS: Final = 100
_PATH_BYTES: Final = 4096
_CALLBACKS: Final = (b"python_cpu_callback", b"python_gpu_callback", b"python_tpu_callback", b"xla_ffi_python")
"""Names by which compiled StableHLO calls back into the Python process that made it (jaxlib)."""
_BLOCK: Final = 256 * 1024
_FILENAME: Final = 2


@dataclass(slots=True)
class Graphs:
    """Gathers what the handlers are given; ``findings`` judges it when all was read."""

    walk: Walk | None = None
    _used: dict[str, int] = field(default_factory=dict)
    _defined: set[str] = field(default_factory=set)
    _assets: set[str] = field(default_factory=set)
    _tables: dict[str, tuple[str, int]] = field(default_factory=dict)
    _found: dict[Finding, None] = field(default_factory=dict)

    def handlers(self) -> Mapping[str, Handler]:
        """Return what is wanted of which message."""
        wanted = {
            "NodeDef": ("name op input attr", self._node),
            "NodeDef.AttrEntry": ("key value", self._attribute),
            "AttrValue": ("s tensor", self._value),
            "TensorProto": ("dtype string_val", self._tensor),
            "FunctionDef": ("signature node_def", self._function),
            "OpDef": ("name", lambda values: self._text(values.last("name"))),
            "GraphDef": ("node", lambda values: self._paths(values.all("node"))),
            "TensorInfo": ("name", lambda values: self._text(values.last("name"), _PATH_BYTES)),
            "AssetFileDef": ("tensor_info filename", self._asset),
            "SavedUserObject": ("identifier metadata", self._object),
        }
        handlers = {_PACKAGE + name: Handler(frozenset(want.split()), fold) for name, (want, fold) in wanted.items()}
        handlers["google.protobuf.Any"] = Handler(frozenset({"type_url", "value"}), self._any)
        handlers[f"{_KERAS}SavedObject"] = Handler(frozenset({"identifier", "metadata"}), self._object)
        return handlers

    def findings(self) -> list[Finding]:
        """Return what is wrong with the graphs; which operators are known depends on the functions they define."""
        known = operators.known("tensorflow")
        dangers = operators.dangerous("tensorflow")
        for name, offset in self._used.items():
            danger = dangers.get(name.casefold())
            if danger is not None:
                rule = DANGEROUS if danger.certain else NATIVE
                self._note(rule.finding(f"{name} {danger.capability}", offset=offset))
            elif ("", name) not in known and name not in self._defined:
                self._note(OPERATOR.finding(f"{name} is not known", offset=offset))
        for name, (path, offset) in self._tables.items():
            if name not in self._assets:
                self._note(TABLE.finding(f"a table from {path[:200]!r}", offset=offset))
        return list(self._found)

    def use(self, operator: str, offset: int) -> None:
        """Note an operator that is used outside of any graph."""
        self._used.setdefault(operator, offset)

    def _note(self, finding: Finding) -> None:
        if len(self._found) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            self._found.setdefault(finding)

    def _text(self, place: Span | None, most: int = 1000) -> str:
        return self.walk.text(place, most) if self.walk is not None else ""

    def _tensor(self, values: Values) -> Span | None:
        strings = values.all("string_val")
        return strings[0] if strings and values.last("dtype") == _STRING else None

    def _value(self, values: Values) -> Span | None:
        place: Span | None = values.last("s", values.last("tensor"))
        return place

    def _attribute(self, values: Values) -> tuple[Span | None, Span] | None:
        value = values.last("value")
        return None if value is None else (values.last("key"), value)

    def _node(self, values: Values) -> Node | None:
        operator = self._text(values.last("op"))
        if operator not in self._used and len(self._used) < _MOST_OPERATORS:
            self._used[operator] = values.start
        if operator in {"PrintV2", "XlaCallModule"}:
            self._special(operator, values)
        if operator not in TRACED and operator not in CONSUMERS:
            return None
        text = None
        if operator == "Const":
            text = next((place for key, place in values.all("attr") if self._text(key) == "value"), None)
            if text is None:
                return None
        name = self._text(values.last("name"), _PATH_BYTES)
        inputs = tuple(self._text(place, _PATH_BYTES) for place in values.all("input")[:100])
        return Node(name, operator, inputs, None if text is None else self._text(text, _PATH_BYTES), values.start)

    def _special(self, operator: str, values: Values) -> None:
        attributes = {self._text(key): place for key, place in values.all("attr")}
        stream = self._text(attributes.get("output_stream"), _PATH_BYTES)
        if operator == "PrintV2" and stream.startswith("file:"):
            self._note(PATH.finding(f"it prints to {stream[:200]!r}", offset=values.start))
        module = attributes.get("module")
        if operator == "XlaCallModule" and module is not None and self._calls_back(module):
            text = "XlaCallModule calls back into Python by an address"
            self._note(DANGEROUS.finding(text, offset=values.start))

    def _calls_back(self, place: Span) -> bool:
        """Look for the name of a callback in a compiled module, block by block."""
        overlap = max(map(len, _CALLBACKS))
        if self.walk is None:
            return False
        for start in range(place.start, place.end, _BLOCK):
            data = self.walk.wire.bytes(start, min(_BLOCK + overlap, place.end - start))
            if any(name in data for name in _CALLBACKS):
                return True
        return False

    def _function(self, values: Values) -> None:
        if values.last("signature"):
            self._defined.add(values.last("signature"))
        self._paths(values.all("node_def"))

    def _paths(self, nodes: list[Any]) -> None:
        """Judge the file names that one graph hands to operators that save, restore and fill tables."""
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            if node.operator not in CONSUMERS:
                continue
            source, text = leading_text(node, CONSUMERS[node.operator], by_name)
            if not text or not (text.startswith("/") or "://" in text or ".." in text.split("/")):
                continue
            if node.operator.startswith("InitializeTable"):
                self._tables.setdefault(f"{source}:0", (text, node.offset))
            else:
                self._note(PATH.finding(f"{node.operator} of {text[:200]!r}", offset=node.offset))

    def _asset(self, values: Values) -> None:
        if values.last("tensor_info"):
            self._assets.add(values.last("tensor_info"))
        self._file(values.last("filename"), values.start)

    def _file(self, place: Span | None, offset: int) -> None:
        reason = why_escapes(self._text(place, _PATH_BYTES + 1))
        if reason is not None:
            self._note(PATH.finding(f"an asset {self._text(place, 200)!r}: {reason}", offset=offset))

    def _any(self, values: Values) -> None:
        """Look into an asset that an older SavedModel keeps in a collection."""
        place = values.last("value")
        if place is None or self.walk is None or not self._text(values.last("type_url")).endswith("AssetFileDef"):
            return
        fields = shape(self.walk.wire, place, 100) or {}
        for name in fields.get(_FILENAME, ()):
            self._file(Span(name.start, name.end), values.start)
        for info in fields.get(1, ()):
            try:
                first = self.walk.wire.field(info.start, info.end)
            except Malformed:
                continue
            self._assets.add(self._text(Span(first.start, first.end), _PATH_BYTES))

    def _object(self, values: Values) -> None:
        place = values.last("metadata")
        if place is None or self.walk is None or place.start == place.end:
            return
        if self._text(values.last("identifier")).startswith("_tf_keras"):
            for finding in check_metadata(self.walk.wire.bytes(place.start, place.end - place.start), values.start):
                self._note(finding)
