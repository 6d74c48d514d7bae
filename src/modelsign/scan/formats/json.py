"""JSON without code in it: configurations, tokenizers, tables.

The document must be strict JSON (no duplicate keys, no NaN), and no key at any depth may be one by which a library
imports code or rebuilds objects (``scan/code_keys.py``). Templates under the keys that libraries render are read as
what they are (``scan/jinja``). ``modules.json`` of sentence-transformers names classes to import; the library's own are
known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.code_keys import DOCUMENT_RULES, document_findings
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]


def _recognise(reading: Reading, name: str) -> bool:
    head = reading.read_at(0, 64).lstrip(b" \t\r\n")
    return head[:1] in {b"{", b"["} or (reading.size > 0 and name.casefold().endswith(".json"))


def _scan(reading: Reading, name: str) -> Inspection:
    if reading.size > limits.SCAN_JSON_BYTES:
        text = f"a JSON document of {reading.size} bytes; the limit is {limits.SCAN_JSON_BYTES}"
        return Inspection(readable=True, findings=(BUDGET.finding(text),))
    data = reading.read_at(0, reading.size)
    try:
        document = strictjson.loads(data, most_bytes=limits.SCAN_JSON_BYTES)
    except ModelsignError as fault:
        named = name.casefold().endswith(".json")
        return Inspection(readable=named, findings=(BROKEN.finding(fault.message),) if named else ())
    findings, templates = document_findings(document)
    return Inspection(readable=True, findings=findings, inert=not templates)


FORMAT = Format(
    id="json",
    title="JSON",
    description="Strict JSON without keys by which a library would import code; chat templates in it are read.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".json",),
    rules=(*DOCUMENT_RULES, BROKEN),
)
