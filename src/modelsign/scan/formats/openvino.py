"""OpenVINO models: the graph in XML; the numbers lie in a file of the same name that ends in ``.bin``.

Layers of OpenVINO's operator sets only compute. Layers of an extension need a library that the application loads. The
file of numbers has no structure of its own and is not judged here; the places that the graph gives must be sizes.

Source: OpenVINO IR format, version 10 and later; ``openvino`` 2026.4 for the operator sets.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax import xml
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

LAYER: Final = Rule(
    "openvino-layer-unknown",
    "the graph has a layer that is not OpenVINO's own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The layer is in none of OpenVINO's operator sets. It needs an extension, a native library that the application "
    "loads, and what that does is not in the file.",
    "Find out which extension the layer needs and whether you trust it.",
    ("https://docs.openvino.ai/2025/documentation/openvino-extensibility.html",),
)
PLACE: Final = Rule(
    "openvino-place",
    "numbers of the graph lie at a place that cannot be",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "A layer gives an offset or a size in the file of numbers that is negative, no number, or overflows.",
    "Do not load the model; convert it again.",
    ("https://docs.openvino.ai/2025/documentation/openvino-ir-format.html",),
)
_MOST: Final = 2**63 - 1
_DIGITS: Final = 19
_MOST_FINDINGS: Final = 100


@functools.cache
def _known() -> frozenset[str]:
    """Return the layers' names in lower case and without underscores: frontends and schema spell them differently."""
    groups = table("operators/openvino")["groups"]
    return frozenset(name.casefold().replace("_", "") for group in groups for name in group["names"])


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return xml.root_of(reading) == "net"


class _Graph:
    """Judges layers as they begin."""

    def __init__(self) -> None:
        self.found: dict[Finding, None] = {}
        self.layers = 0

    def element(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        if path[-1] == "layer":
            self.layers += 1
            kind, version = attributes.get("type", ""), attributes.get("version", "")
            if kind.casefold() not in _known() or not version.startswith("opset"):
                self._note(LAYER.finding(f"{kind[:100]!r} of {version[:100]!r}", offset=offset))
        elif path[-1] == "data" and "offset" in attributes:
            places = attributes["offset"], attributes.get("size", "0")
            if not all(text.isascii() and text.isdigit() and len(text) <= _DIGITS for text in places):
                self._note(PLACE.finding(f"offset and size {str(places)[:100]}", offset=offset))
            elif sum(map(int, places)) > _MOST:
                self._note(PLACE.finding("offset and size overflow", offset=offset))

    def _note(self, finding: Finding) -> None:
        if len(self.found) < _MOST_FINDINGS:
            self.found.setdefault(finding)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    graph = _Graph()
    odd = xml.walk(reading, graph)
    if not graph.layers and not odd:
        odd.append(BROKEN.finding("there is no layer"))
    return Inspection(readable=True, findings=(*odd, *graph.found))


FORMAT = Format(
    id="openvino",
    title="OpenVINO",
    description="A graph in XML of layers from OpenVINO's own operator sets.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".xml",),
    rules=(LAYER, PLACE, *xml.RULES),
)
