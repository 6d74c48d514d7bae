"""JSON without code in it: configurations, tokenizers, tables.

The document must be strict JSON (no duplicate keys, no NaN), and no key at any depth may be one by which a library
imports code, runs a template, or rebuilds objects: these keys are data (``knowledge/inert.json``), each with its
source. ``modules.json`` of sentence-transformers names classes to import; the library's own are known.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCES: Final = ("https://huggingface.co/docs/transformers/custom_models",)
CODE: Final = Rule(
    "json-code-reference",
    "a configuration names code",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "A key in the document makes a library import or call what its value names: code beside the model, or any "
    "function that is installed.",
    "Read the code that is named, and load the model without remote code if you can.",
    _REFERENCES,
)
TEMPLATE: Final = Rule(
    "json-template",
    "a configuration holds a template",
    Severity.MEDIUM,
    Outcome.UNSUPPORTED,
    "A key in the document holds a Jinja template that a library renders. Templates are small programs, and there is "
    "no reader for them yet.",
    "Read the template, or accept `unsupported` knowingly.",
    ("CVE-2024-34359",),
)
_KINDS: Final = {"code": CODE, "template": TEMPLATE}
_SHOWN: Final = 200
_MODULE_KEYS: Final = frozenset({"idx", "name", "path", "type"})


@functools.cache
def _keys() -> dict[str, str]:
    return {row["key"]: row["kind"] for row in table("inert")["keys"]}


@functools.cache
def _modules() -> frozenset[str]:
    return frozenset(row["type"] for row in table("inert")["modules"])


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
    return Inspection(readable=True, findings=_findings(document), inert=True)


def _findings(document: object) -> tuple[Finding, ...]:
    """Walk the document without recursion and report every key that stands for code, once each."""
    found: set[Finding] = set()
    waiting: list[object] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            for key in node.keys() & _keys().keys():
                if _says_something(node[key]):
                    found.add(_KINDS[_keys()[key]].finding(f"the key {key} is set"))
            if node.keys() == _MODULE_KEYS and node["type"] not in list(_modules()):
                found.add(CODE.finding(f"the module type {str(node['type'])[:_SHOWN]} is imported by the loader"))
    return tuple(sorted(found, key=lambda finding: (finding.rule, finding.message)))


def _says_something(value: object) -> bool:
    """Whether a value could name code; a vocabulary maps any word to a number, and empty values name nothing."""
    return value is True or (isinstance(value, (str, list, dict)) and bool(value))


FORMAT = Format(
    id="json",
    title="JSON",
    description="Strict JSON without keys by which a library would import code or render a template.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".json",),
    rules=(CODE, TEMPLATE, BROKEN, BUDGET),
)
