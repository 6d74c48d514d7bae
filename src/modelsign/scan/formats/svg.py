"""SVG pictures: XML that a browser shows, and in which scripts can stand (W3C SVG 2, 2.2 and 15).

A picture without scripts, handlers, foreign documents and links to others is inert. The document type of SVG 1.1 that
old programs write names no file that a reader has to open. Style sheets within the picture are not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection
from modelsign.scan.syntax import xml
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

SCRIPT: Final = Rule(
    "svg-script",
    "a picture holds a script",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A browser that opens the picture by itself runs the script or handler in it, or the address that begins with "
    "`javascript:`. Loading the model does not.",
    "Do not open the picture in a browser; ask for it without scripts.",
    ("CWE-79",),
)
ELSEWHERE: Final = Rule(
    "svg-elsewhere",
    "a picture embeds something from elsewhere",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The picture embeds another document, or takes a part of it from another place, which a browser fetches when it "
    "shows the picture.",
    "Ask for the picture in one file.",
)
_SCRIPTS: Final = frozenset({"script", "handler", "listener"})
_FOREIGN: Final = frozenset({"iframe", "embed", "object", "audio", "video"})
_FETCHING: Final = frozenset({"image", "use", "feImage", "tref", "pattern", "linearGradient", "radialGradient"})
_ADDRESS: Final = re.compile(r"url\(['\"]?(?!['\"]?(?:#|data:image/|data:font/))")
_MOST: Final = 50


def _recognise(reading: Reading, name: str) -> bool:
    return xml.root_of(reading) == "svg" or (reading.size > 0 and name.casefold().endswith(".svg"))


class _Picture:
    """Gathers what is active in a picture."""

    def __init__(self) -> None:
        self.root = ""
        self.found: dict[Finding, None] = {}

    def element(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        name = path[-1]
        self.root = path[0]
        if name in _SCRIPTS:
            self._note(SCRIPT.finding(f"the element {name}", offset=offset))
        elif name in _FOREIGN:
            self._note(ELSEWHERE.finding(f"the element {name}", offset=offset))
        for key, value in attributes.items():
            word = "".join(value.split()).casefold()
            if key.casefold().startswith("on"):
                self._note(SCRIPT.finding(f"the handler {key[:50]}", offset=offset))
            elif word.startswith(("javascript:", "vbscript:", "data:text/html", "data:application/")):
                self._note(SCRIPT.finding(f"the attribute {key[:50]} is an address of a script", offset=offset))
            elif key.rpartition(":")[2] == "href" and name in _FETCHING and not word.startswith(("#", "data:image/")):
                self._note(ELSEWHERE.finding(f"the element {name} takes {value[:100]}", offset=offset))
            elif _ADDRESS.search(word):
                self._note(ELSEWHERE.finding(f"the attribute {key[:50]} takes {value[:100]}", offset=offset))

    def _note(self, finding: Finding) -> None:
        if len(self.found) < _MOST:
            self.found.setdefault(finding)


def _scan(reading: Reading, name: str) -> Inspection:
    picture = _Picture()
    odd = xml.walk(reading, picture, known_type="svg")
    if picture.root != "svg":
        return Inspection(readable=name.casefold().endswith(".svg"), findings=tuple(odd))
    findings = (*odd, *picture.found)
    return Inspection(readable=True, findings=findings, inert=not findings)


FORMAT = Format(
    id="svg",
    title="SVG picture",
    description="A picture in XML; scripts in it are found.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".svg",),
    rules=(SCRIPT, ELSEWHERE, *xml.RULES),
)
