"""JSON without code in it: configurations, tokenizers, tables.

The document must be strict JSON (no duplicate keys, no NaN), and no key at any depth may be one by which a library
imports code or rebuilds objects: these keys are data (``knowledge/inert.json``), each with its source. Templates under
the keys that libraries render are read as what they are (``scan/jinja``). ``modules.json`` of sentence-transformers
names classes to import; the library's own are known.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection
from modelsign.scan.jinja.carried import judged_together, texts_below
from modelsign.scan.jinja.rules import TEMPLATE_RULES
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    codes, templates, prompts = _walk(document)
    findings = (*_sorted(codes), *judged_together(templates), *_unsafe(judged_together(prompts)))
    return Inspection(readable=True, findings=findings, inert=not templates)


def _walk(document: object) -> tuple[set[Finding], list[tuple[str, str]], list[tuple[str, str]]]:
    """Walk the document without recursion; report every key that stands for code once, and hand out the templates.

    What is only sometimes a template comes last: prompts are written in other ways, too.
    """
    found: set[Finding] = set()
    templates: list[tuple[str, str]] = []
    prompts: list[tuple[str, str]] = []
    waiting: list[object] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            for key in sorted(node.keys() & _keys().keys()):
                kind = _keys()[key]
                if kind == "code" and _says_something(node[key]) and not _are_layers(node[key]):
                    found.add(CODE.finding(f"the key {key} is set"))
                elif kind != "code":
                    sure = kind == "template" or node.get("template_format") == "jinja2"
                    (templates if sure else prompts).extend((key, text) for text in texts_below(node[key]) if text)
            if node.keys() == _MODULE_KEYS and node["type"] not in list(_modules()):
                found.add(CODE.finding(f"the module type {str(node['type'])[:_SHOWN]} is imported by the loader"))
    return found, templates, prompts


def _sorted(findings: set[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.rule, finding.message))


def _unsafe(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.outcome is Outcome.UNSAFE]


def _says_something(value: object) -> bool:
    """Whether a value could name code; a vocabulary maps any word to a number, and empty values name nothing."""
    return value is True or (isinstance(value, (str, list, dict)) and bool(value))


def _are_layers(value: object) -> bool:
    """Whether a list holds objects of Keras' alone, which their own reader judges: an RNN has `cells`, too."""
    return isinstance(value, list) and all(isinstance(item, dict) and "class_name" in item for item in value)


FORMAT = Format(
    id="json",
    title="JSON",
    description="Strict JSON without keys by which a library would import code; chat templates in it are read.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".json",),
    rules=(CODE, *TEMPLATE_RULES, BROKEN),
)
