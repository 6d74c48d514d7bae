"""TOML: pyproject.toml and other configurations.

Keys name code as they do in JSON (``scan/configuration/code_keys.py``); a project's file names packages and what builds
it. Read by ``tomllib``, which makes nothing but plain values.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.configuration.code_keys import DOCUMENT_RULES, document_findings
from modelsign.scan.configuration.packages import PACKAGES
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_EXTENSIONS: Final = (".toml",)
_LONG_KEY: Final = re.compile(
    rb"""(?<![A-Za-z0-9_.-])(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){%d}""" % limits.JSON_DEPTH
)
"""A key of many parts, for which ``tomllib`` takes the square of their number."""
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_INSTALLING: Final = frozenset({"build-system", "project", "dependencies", "dependency-groups", "tool"})


def _recognise(reading: Reading, name: str) -> bool:
    return name.casefold().endswith(_EXTENSIONS) and reading.size > 0


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if reading.size > limits.TOML_BYTES:
        text = f"a TOML document of {reading.size} bytes; the limit is {limits.TOML_BYTES}"
        return Inspection(readable=True, findings=(BUDGET.finding(text),))
    data = reading.read_at(0, reading.size)
    if _LONG_KEY.search(data):
        return Inspection(readable=True, findings=(BUDGET.finding(f"a key of more than {limits.JSON_DEPTH} parts"),))
    if _depth(data) > limits.JSON_DEPTH:
        return Inspection(readable=True, findings=(BROKEN.finding("the document is nested too deeply"),))
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError, OverflowError):
        return Inspection(readable=True, findings=(BROKEN.finding("the document is no TOML in UTF-8"),))
    named: list[Finding] = []
    if tables := sorted(_INSTALLING & document.keys()):
        named.append(PACKAGES.finding(f"the document has {', '.join(tables)}"))
    findings, _ = document_findings(document)
    return Inspection(readable=True, findings=(*named, *findings))


def _depth(data: bytes) -> int:
    """Return how many brackets are open at most, strings and comments among them: parsers' own bounds differ."""
    deepest = depth = 0
    for found in _BRACKET.finditer(data):
        depth = depth + 1 if found[0] in b"[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


FORMAT = Format(
    id="toml",
    title="TOML",
    description="Configurations without keys by which a library would import code or an installer install packages.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    dearness=2,
    rules=(PACKAGES, *DOCUMENT_RULES, BROKEN),
)
