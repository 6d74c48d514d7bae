"""Core ML models: the protobuf of a ``.mlmodel``, and manifest and weights of a ``.mlpackage`` around it.

Layers and tree ensembles are data. Custom models and layers name a class that the application must bring; linked models
and weights name files, which must be the package's own. Programs are judged operation by operation
(``knowledge/operators``). Numbers are not read.

Source: ``mlmodel/format/*.proto``, ``modelpackage`` and ``MILBlob`` of coremltools 9.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks import operators
from modelsign.scan.relative import why_escapes
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax import protobuf
from modelsign.scan.syntax.protobuf import Handler, Walk
from modelsign.scan.syntax.wire import Span, outline
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.protobuf import Values
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://apple.github.io/coremltools/mlmodel/index.html",)
CUSTOM: Final = Rule(
    "coreml-custom",
    "the model needs a class, a model or an operation of the application",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A custom layer or model, an opaque model or an operation that Core ML does not document is in the file. The code "
    "that runs for it is the application's, or unknown.",
    "Find out what the application does for it, or ask for a model without custom parts.",
    _REFERENCE,
)
PATH: Final = Rule(
    "coreml-path",
    "the model names a file outside its package",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A weight file, a linked model or an item of the package is named by a path that leads out of the package, so that "
    "loading reads files that are not the model's own.",
    "Do not load the model.",
    _REFERENCE,
)
LINKED: Final = Rule(
    "coreml-linked",
    "the model links to another model",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Part of the model is another file, searched for by name. Which file that is depends on the application.",
    "Make sure that the linked model is the one you mean, and scan it.",
    _REFERENCE,
)
_ROOT: Final = "CoreML.Specification.Model"
_SPEC: Final = "CoreML.Specification."
_HERE: Final = "@model_path/"
_FIRST_KIND: Final = 200
_VARINT, _LENGTH = 0, 2
_MANIFEST_BYTES: Final = 1024 * 1024
_PATH_BYTES: Final = 4096
_MOST_FINDINGS: Final = 100
_BLOB_HEADER: Final = 64
_SENTINEL: Final = (0xDEADBEEF).to_bytes(4, "little")
_MOST_BLOBS: Final = 1_000_000


def _base(name: str) -> str:
    return name.casefold().rsplit("/", 1)[-1]


def _recognise(reading: Reading, name: str) -> bool:
    if reading.size == 0:
        return False
    return _base(name).endswith(".mlmodel") or _is_manifest(reading, name) or _is_blobs(reading) or _is_model(reading)


def _is_model(reading: Reading) -> bool:
    fields = outline(reading)
    if fields is None or not {1, 2} <= fields.keys():
        return False
    kinds = [number for number in fields if number >= _FIRST_KIND]
    wires = [place.wire for number in (2, *kinds) for place in fields[number]]
    return bool(kinds) and fields[1][0].wire == _VARINT and all(wire == _LENGTH for wire in wires)


def _is_manifest(reading: Reading, name: str) -> bool:
    return _base(name) == "manifest.json" and b'"itemInfoEntries"' in reading.read_at(0, 4096)


def _is_blobs(reading: Reading) -> bool:
    head = reading.read_at(0, _BLOB_HEADER + len(_SENTINEL))
    return head[4:8] == b"\x02\0\0\0" and head[_BLOB_HEADER:] == _SENTINEL


def _scan(reading: Reading, name: str) -> Inspection:
    if _is_blobs(reading):
        return Inspection(readable=True, findings=_blobs(reading))
    if _is_manifest(reading, name):
        return _manifest(reading)
    model = _Model()
    walk = Walk(reading, "coreml", model.handlers())
    model.walk = walk
    walk.run(_ROOT, Span(0, reading.size))
    return Inspection(readable=True, findings=(*walk.findings(), *model.found))


def _manifest(reading: Reading) -> Inspection:
    """Check the items of a package; that the document is inert otherwise is the JSON reader's to say."""
    try:
        document: Any = strictjson.loads(
            reading.read_at(0, _MANIFEST_BYTES),
            most_bytes=limits.SCAN_JSON_BYTES,
            most_room=limits.SCAN_JSON_ROOM,
            finite=False,
        )
    except ModelsignError:
        return Inspection(readable=False)
    items = document.get("itemInfoEntries") if isinstance(document, dict) else None
    findings = []
    for item in items.values() if isinstance(items, dict) else ():
        path = item.get("path") if isinstance(item, dict) else None
        reason = why_escapes(path) if isinstance(path, str) else "it is no text"
        if reason is not None:
            findings.append(PATH.finding(f"the item {str(path)[:200]!r}: {reason}"))
    return Inspection(readable=True, findings=tuple(findings[:_MOST_FINDINGS]))


def _blobs(reading: Reading) -> tuple[Finding, ...]:
    """Walk the descriptions of a file of weights: each says where its numbers lie, and the next one follows them."""
    count = int.from_bytes(reading.read_at(0, 4), "little")
    at = _BLOB_HEADER
    for number in range(min(count, _MOST_BLOBS)):
        head = reading.read_at(at, _BLOB_HEADER)
        size, offset = (int.from_bytes(head[place : place + 8], "little") for place in (8, 16))
        if head[:4] != _SENTINEL or offset < at + _BLOB_HEADER or offset + size > reading.size:
            return (BROKEN.finding(f"the description of blob {number} of {count}", offset=at),)
        at = -(-(offset + size) // _BLOB_HEADER) * _BLOB_HEADER
    return ()


class _Model:
    """Gathers what the handlers are given, judged at once."""

    def __init__(self) -> None:
        self.walk: Walk | None = None
        self.found: dict[Finding, None] = {}
        self._known = operators.known("coreml")

    def handlers(self) -> Mapping[str, Handler]:
        wanted = {
            "CustomModel": ("className", self._custom),
            "CustomLayerParams": ("className", self._custom),
            "SerializedModel": ("identifier", self._custom),
            "MILSpec.Operation": ("type", self._operation),
            "MILSpec.Value.BlobFileValue": ("fileName", self._file),
            "StringParameter": ("defaultValue", lambda values: self._text(values.last("defaultValue"))),
            "LinkedModelFile": ("linkedModelFileName linkedModelSearchPath", self._linked),
        }
        return {_SPEC + name: Handler(frozenset(fields.split()), fold) for name, (fields, fold) in wanted.items()}

    def _text(self, place: Span | None) -> str:
        return self.walk.text(place, _PATH_BYTES) if self.walk is not None else ""

    def _note(self, finding: Finding) -> None:
        if len(self.found) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            self.found.setdefault(finding)

    def _custom(self, values: Values) -> None:
        name = self._text(values.last("className", values.last("identifier")))
        self._note(CUSTOM.finding(f"the class or model {name[:200]!r}", offset=values.start))

    def _operation(self, values: Values) -> None:
        name = self._text(values.last("type"))
        if ("", name) not in self._known:
            self._note(CUSTOM.finding(f"the operation {name[:200]!r}", offset=values.start))

    def _file(self, values: Values) -> None:
        name = self._text(values.last("fileName"))
        reason = why_escapes(name.removeprefix(_HERE))
        if reason is not None:
            self._note(PATH.finding(f"weights in {name[:200]!r}: {reason}", offset=values.start))

    def _linked(self, values: Values) -> None:
        self._note(LINKED.finding("a linked model", offset=values.start))
        for field in ("linkedModelFileName", "linkedModelSearchPath"):
            name = values.last(field)
            if name and why_escapes(name) is not None:
                self._note(PATH.finding(f"a linked model {name[:200]!r}: {why_escapes(name)}", offset=values.start))


FORMAT = Format(
    id="coreml",
    title="Core ML",
    description="A Core ML model of documented layers and operations, with manifest and weights of its package.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".mlmodel",),
    rules=(CUSTOM, PATH, LINKED, *protobuf.RULES),
)
