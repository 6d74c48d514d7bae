"""PMML: statistical models as XML.

A model in PMML is data and expressions. Expressions call functions that the standard defines or the document does;
other names are looked up by the consumer, JPMML takes them for Java classes. Tables that lie in a database are named
by locators.

Source: PMML 4.4.1 (dmg.org), the schema and the chapter on built-in functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks import operators
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax import xml
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCE: Final = ("https://dmg.org/pmml/v4-4-1/BuiltinFunctions.html",)
FUNCTION: Final = Rule(
    "pmml-function-unknown",
    "the model calls a function that neither PMML nor the document defines",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "The consumer looks the name up among its own functions; JPMML loads a Java class of that name and calls it.",
    "Find out what the function does, or ask for a model that defines it.",
    _REFERENCE,
)
ELSEWHERE: Final = Rule(
    "pmml-elsewhere",
    "the model points to data outside of the document",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A table locator, a script or a link in the document makes the consumer fetch or run what it names.",
    "Ask for a model that holds its tables.",
    ("https://dmg.org/pmml/v4-4-1/Taxonomy.html",),
)
_FETCHES: Final = frozenset({"TableLocator", "script", "object", "applet", "iframe"})
_LINKS: Final = frozenset({"xlink:href", "href", "src"})
_MOST_NAMES: Final = 10_000
_MOST_FINDINGS: Final = 100


def _recognise(reading: Reading, name: str) -> bool:
    if xml.root_of(reading) == "PMML":
        return True
    return reading.size > 0 and name.casefold().endswith(".pmml")


class _Document:
    """Gathers the functions that are called and those that are defined."""

    def __init__(self) -> None:
        self.root = ""
        self._called: dict[str, int] = {}
        self._defined: set[str] = set()
        self._found: dict[Finding, None] = {}

    def element(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        name = path[-1]
        self.root = path[0]
        if name == "Apply" and len(self._called) < _MOST_NAMES:
            self._called.setdefault(attributes.get("function", ""), offset)
        elif name == "DefineFunction" and len(self._defined) < _MOST_NAMES:
            self._defined.add(attributes.get("name", ""))
        if name in _FETCHES or (name != "Extension" and not _LINKS.isdisjoint(attributes)):
            self._note(ELSEWHERE.finding(f"the element {name[:100]}", offset=offset))

    def _note(self, finding: Finding) -> None:
        if len(self._found) < _MOST_FINDINGS:
            self._found.setdefault(finding)

    def findings(self) -> list[Finding]:
        for function, offset in self._called.items():
            if ("", function) not in operators.known("pmml") and function not in self._defined:
                self._note(FUNCTION.finding(f"the function {function[:200]!r}", offset=offset))
        if len(self._called) >= _MOST_NAMES:
            self._note(FUNCTION.finding("more functions than are looked at"))
        return list(self._found)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    document = _Document()
    odd = xml.walk(reading, document)
    if document.root not in {"PMML", ""}:
        odd.append(BROKEN.finding(f"the root is {document.root[:100]!r}"))
    return Inspection(readable=True, findings=(*odd, *document.findings()))


FORMAT = Format(
    id="pmml",
    title="PMML",
    description="A statistical model in XML, whose expressions call functions of the standard or its own.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".pmml",),
    rules=(FUNCTION, ELSEWHERE, *xml.RULES),
)
