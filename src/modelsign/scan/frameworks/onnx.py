"""What an ONNX model says, gathered from its messages: operators, functions, tensors, external files, versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from modelsign.scan.frameworks import operators
from modelsign.scan.frameworks.onnx_tensors import EXTERNAL, KEY, SIZE, check_external, check_size
from modelsign.scan.python import expressions
from modelsign.scan.relative import why_escapes
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.protobuf import Handler
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from modelsign.scan.syntax.protobuf import Values, Walk
    from modelsign.scan.syntax.wire import Span
    from modelsign.verdict import Finding

__all__ = ["RULES", "Model"]

_OPERATORS: Final = (
    "https://onnx.ai/onnx/operators/",
    "https://onnxruntime.ai/docs/reference/operators/add-custom-op.html",
)
OPERATOR: Final = Rule(
    "onnx-operator-unknown",
    "the graph uses an operator that is not known",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is none of ONNX's or ONNX Runtime's own, and the model does not define it as a function. The runtime "
    "must be given a library that implements it, and what that library does is not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _OPERATORS,
)
DANGEROUS: Final = Rule(
    "onnx-operator-dangerous",
    "the graph uses an operator that runs code or reaches outside",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The operator does more than compute: it calls Python by name, opens a file or connects to a service that the "
    "model names, as soon as the graph is run.",
    "Do not run the model; export it again without this operator.",
    _OPERATORS,
)
NATIVE: Final = Rule(
    "onnx-operator-native",
    "the graph holds a part that other code runs",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator hands a compiled blob, or the name of another library's operator, to code outside the runtime. What "
    "it does is not in the graph.",
    "Ask for the model as an ordinary graph, and compile it yourself.",
    ("https://onnxruntime.ai/docs/execution-providers/EP-Context-Design.html",),
)
VERSION: Final = Rule(
    "onnx-version",
    "the model is of a version that is not known",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The version of the format, or of a set of operators, is newer than those that the operators were taken from, or "
    "none at all. Operators may have another meaning there.",
    "Update modelsign, or export the model for an older version.",
    ("https://github.com/onnx/onnx/blob/main/docs/Versioning.md",),
)
EXPRESSION: Final = Rule(
    "onnx-metadata-code",
    "the model's metadata holds a Python expression that calls something",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "Some loaders evaluate what they find in the metadata, class names for one. A call in there would be run by them, "
    "and plain values need none.",
    "Read the metadata, and load the model with a library that does not evaluate it.",
    ("https://onnx.ai/onnx/repo-docs/MetadataProps.html",),
)
RULES: Final = (OPERATOR, DANGEROUS, NATIVE, VERSION, EXPRESSION, EXTERNAL, KEY, SIZE, *protobuf.RULES)
_ONNX: Final = "ai.onnx"
_MOST_OPERATORS: Final = 10_000
_MOST_FINDINGS: Final = 100
_PATH_BYTES: Final = 4096
_EMBEDDED: Final = 1
_METADATA_BYTES: Final = 64 * 1024


@dataclass(slots=True)
class Model:
    """Gathers what the handlers are given; ``findings`` judges it when all was read."""

    walk: Walk | None = None
    _used: dict[tuple[str, str], int] = field(default_factory=dict)
    _defined: set[tuple[str, str]] = field(default_factory=set)
    _found: dict[Finding, None] = field(default_factory=dict)

    def handlers(self) -> Mapping[str, Handler]:
        """Return what is wanted of which message."""
        wanted = {
            "ModelProto": ("ir_version opset_import metadata_props graph", self._model),
            "OperatorSetIdProto": ("domain version", self._opset),
            "StringStringEntryProto": ("key value", self._entry),
            "TensorProto": ("dims data_type raw_data external_data float_data double_data", self._tensor),
            "NodeProto": ("op_type domain attribute", self._node),
            "AttributeProto": ("name s i", self._attribute),
            "FunctionProto": ("name domain", self._function),
            "GraphProto": ("name", lambda _: True),
        }
        return {f"onnx.{name}": Handler(frozenset(fields.split()), fold) for name, (fields, fold) in wanted.items()}

    def findings(self) -> list[Finding]:
        """Return what is wrong with the model; which operators are known depends on the functions it defines."""
        known = operators.known("onnx")
        dangers = operators.dangerous("onnx")
        for (domain, name), offset in self._used.items():
            called = f"{domain or _ONNX}.{name}"
            danger = dangers.get(name.casefold())
            if danger is not None:
                rule = DANGEROUS if danger.certain else NATIVE
                self._note(rule.finding(f"{called} {danger.capability}", offset=offset))
            elif (domain, name) not in known and (domain, name) not in self._defined:
                self._note(OPERATOR.finding(f"{called} is not known", offset=offset))
        return list(self._found)

    def use(self, domain: str, name: str, offset: int) -> None:
        """Take an operator that a node names."""
        operator = ("" if domain == _ONNX else domain, name)
        if operator not in self._used:
            if len(self._used) >= _MOST_OPERATORS:
                operator = (operator[0], "and others")
            self._used.setdefault(operator, offset)

    def check_versions(self, ir_version: int, imports: Iterable[tuple[str, int, int]]) -> None:
        """Hold versions against those that are known; an import is a domain, its version, and an offset."""
        versions = table("operators/onnx")
        if not 1 <= ir_version <= versions["ir_version"]:
            self._note(VERSION.finding(f"version {ir_version} of the format", offset=0))
        for named, version, offset in imports:
            domain = "" if named == _ONNX else named
            newest = versions["opsets"].get(domain)
            if newest is not None and version > newest:
                self._note(VERSION.finding(f"version {version} of the operators of {domain or _ONNX}", offset=offset))

    def _note(self, finding: Finding) -> None:
        if len(self._found) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            self._found.setdefault(finding)

    def _text(self, place: Span | None, most: int = 1000) -> str:
        return self.walk.text(place, most) if self.walk is not None else ""

    def _domain(self, place: Span | None) -> str:
        domain = self._text(place)
        return "" if domain == _ONNX else domain

    def _entry(self, values: Values) -> tuple[str, Span | None, int]:
        return self._text(values.last("key")), values.last("value"), values.start

    def _opset(self, values: Values) -> tuple[str, int, int]:
        return self._domain(values.last("domain")), (values.signed("version") or [0])[-1], values.start

    def _attribute(self, values: Values) -> tuple[Span | None, Span | None, int]:
        return values.last("name"), values.last("s"), values.last("i", 0)

    def _node(self, values: Values) -> None:
        name = self._text(values.last("op_type"))
        self.use(self._text(values.last("domain")), name, values.start)
        if name == "EPContext":
            self._compiled(values)

    def _compiled(self, values: Values) -> None:
        """Check the file that a node with a compiled blob may name instead of holding it."""
        attributes = {self._text(name): (text, number) for name, text, number in values.all("attribute")}
        _, embedded = attributes.get("embed_mode", (None, _EMBEDDED))
        path, _ = attributes.get("ep_cache_context", (None, 0))
        if embedded != _EMBEDDED:
            reason = why_escapes(self._text(path, _PATH_BYTES))
            if reason is not None:
                self._note(EXTERNAL.finding(f"a compiled blob's file: {reason}", offset=values.start))

    def _function(self, values: Values) -> None:
        self._defined.add((self._domain(values.last("domain")), self._text(values.last("name"))))

    def _tensor(self, values: Values) -> None:
        external = [(key, self._text(value, _PATH_BYTES)) for key, value, _ in values.all("external_data")]
        for finding in (*check_external(external, values.start), *check_size(values, dict(external))):
            self._note(finding)

    def _model(self, values: Values) -> None:
        if not values.all("graph"):
            self._note(BROKEN.finding("there is no graph", offset=0))
        self.check_versions((values.signed("ir_version") or [0])[-1], values.all("opset_import"))
        for finding in self._metadata(values.all("metadata_props")):
            self._note(finding)

    def _metadata(self, entries: list[Any]) -> Iterator[Finding]:
        for key, value, offset in entries:
            if expressions.calls_something(self._text(value, _METADATA_BYTES)):
                yield EXPRESSION.finding(f"the value of {key[:100]}", offset=offset)
