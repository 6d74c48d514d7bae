"""Reads XML element by element, without a document type, entities or anything that lies elsewhere.

Nothing is kept but the open elements. A document type with entities, or one that names a file, ends the reading as a
finding of its own: a parser that follows it opens files or unpacks bombs.

Source: XML 1.0, 2.8 and 4; the parser is the standard library's expat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol
from xml.parsers import expat

from modelsign import limits
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["CODECS", "RULES", "Visitor", "looks_like_xml", "root_of", "walk"]

CODECS: Final = frozenset(
    {f"windows-{number}" for number in range(1250, 1259)}
    | {f"iso-8859-{number}" for number in range(2, 17) if number != 12}  # noqa: PLR2004 - there is no twelfth
    | {"koi8-r", "koi8-u", "ibm437", "ibm850", "ibm852", "ibm866", "macintosh"}
)
"""Encodings of one byte a character that documents may declare, in lowercase; Python's own codecs read them."""
_ENCODINGS: Final = CODECS | {"utf-8", "utf-16", "iso-8859-1", "us-ascii"}
"""With those expat reads by itself. Others end the reading, so that nobody has to have their codecs."""
ENTITY: Final = Rule(
    "xml-entity",
    "the document defines entities or a document type elsewhere",
    Severity.HIGH,
    Outcome.UNSAFE,
    "An XML parser that follows the document type opens the files or addresses that it names, or unpacks a few bytes "
    "to gigabytes. No library writes one into a model.",
    "Do not load the file.",
    ("CWE-611", "CWE-776", "https://www.w3.org/TR/xml/#sec-external-ent"),
)
INSTRUCTION: Final = Rule(
    "xml-instruction",
    "the document holds an instruction to a program",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "A processing instruction such as a stylesheet names something for a program to apply. Models have no need of it.",
    "Read the instruction, or ask for the model without it.",
    ("https://www.w3.org/TR/xml/#sec-pi",),
)
RULES: Final = (ENTITY, INSTRUCTION, BROKEN, BUDGET)
_BLOCK: Final = 4 * 1024 * 1024
_HEAD: Final = 64 * 1024
_W3C: Final = ("http://www.w3.org/", "https://www.w3.org/")
_W3C_PUBLIC: Final = "-//W3C//DTD "
_BOMS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Visitor(Protocol):
    """What a format wants to hear: each element as it begins, with its path of names from the root."""

    def element(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        """Hear of an element; names are without namespace prefixes."""


class _Stop(Exception):
    """Ends a reading from inside the parser."""


def looks_like_xml(reading: Reading) -> bool:
    """Whether the file begins like XML."""
    head = reading.read_at(0, 256)
    if head.startswith(_BOMS):
        return b"<" in head
    return head.lstrip(b" \t\r\n").startswith(b"<")


class _Root:
    """Remembers the first element."""

    def __init__(self) -> None:
        self.name = ""

    def element(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        del attributes, offset
        self.name = path[0]
        raise _Stop


def root_of(reading: Reading) -> str:
    """Return the name of the root element or of the document type; nothing where neither is near the beginning."""
    if not looks_like_xml(reading):
        return ""
    root = _Root()
    parser = _Parser(root)
    parser.feed(reading.read_at(0, _HEAD), last=False)
    return root.name or parser.doctype


def walk(reading: Reading, visitor: Visitor, *, known_type: str = "") -> list[Finding]:
    """Hand every element to the visitor; return what was odd about the document.

    ``known_type`` names a root for which the document type that W3C published is no finding; it is not opened.
    """
    if reading.size > limits.XML_BYTES:
        return [BUDGET.finding(f"an XML document of {reading.size} bytes; the limit is {limits.XML_BYTES}")]
    parser = _Parser(visitor, known_type)
    position = 0
    while not parser.ended:
        data = reading.read_at(position, _BLOCK)
        position += len(data)
        parser.feed(data, last=position >= reading.size)
        if parser.held(position) > limits.XML_TAG_BYTES:
            text = f"a tag or comment of more than {limits.XML_TAG_BYTES} bytes"
            return [*parser.findings, BUDGET.finding(text)]
    return parser.findings


class _Parser:
    """Expat with every door shut."""

    def __init__(self, visitor: Visitor, known_type: str = "") -> None:
        self._known_type = known_type
        self.findings: list[Finding] = []
        self.ended = False
        self.doctype = ""
        self._visitor = visitor
        self._path: list[str] = []
        self._parser = parser = expat.ParserCreate()
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.XmlDeclHandler = self._declaration
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._external
        parser.ProcessingInstructionHandler = self._instruction

    def held(self, position: int) -> int:
        """Return how many bytes before this one the parser keeps: it waits for the end of a tag, or of a comment."""
        return 0 if self.ended else position - self._parser.CurrentByteIndex

    def feed(self, data: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except _Stop:
            self.ended = True
        except (expat.ExpatError, ValueError, LookupError) as fault:
            self.findings.append(BROKEN.finding(f"no well-formed XML: {fault}", offset=self._parser.ErrorByteIndex))
            self.ended = True
        self.ended = self.ended or last

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        del version, standalone
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            self._finish(BROKEN.finding(f"the document is in the encoding {encoding[:40]!r}"))

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name.rsplit(":", 1)[-1])
        if len(self._path) > limits.XML_DEPTH:
            self._finish(BUDGET.finding(f"elements are nested more than {limits.XML_DEPTH} deep"))
        self._visitor.element(self._path, attributes, self._parser.CurrentByteIndex)

    def _end(self, name: str) -> None:
        del name
        self._path.pop()

    def _doctype(self, name: str, system: str | None, public: str | None, internal: object) -> None:
        del internal
        self.doctype = name
        known = name == self._known_type and str(system).startswith(_W3C) and str(public).startswith(_W3C_PUBLIC)
        if (system or public) and not known:
            self._finish(ENTITY.finding(f"a document type in {str(system or public)[:200]!r}"))

    def _entity(self, *declaration: object) -> None:
        self._finish(ENTITY.finding(f"the entity {str(declaration[0])[:100]!r}"))

    def _external(self, context: str, *place: str | None) -> int:
        del context
        self._finish(ENTITY.finding(f"an entity in {str(place)[:200]}"))
        return 0

    def _instruction(self, target: str, data: str) -> None:
        del data
        finding = INSTRUCTION.finding(f"an instruction to {target[:100]!r}")
        if finding not in self.findings and len(self.findings) < 100:  # noqa: PLR2004 - enough to see
            self.findings.append(finding)

    def _finish(self, finding: Finding) -> None:
        self.findings.append(finding)
        raise _Stop
