"""YAML without objects in it: configurations of training runs, of Hydra, NeMo, MLflow and others.

Tags make objects: `!!python/object/apply:` calls any function where a file is loaded without a safe loader. Keys name
code as they do in JSON (``scan/configuration/code_keys.py``). Read as events by ``scan/syntax/yaml_events.py``, which
makes nothing. Recognised by name, or by what only YAML begins with or holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from modelsign import limits
from modelsign.scan.configuration.code_keys import CALLS, DOCUMENT_RULES, capability_of, document_findings
from modelsign.scan.configuration.packages import PACKAGES
from modelsign.scan.format import Format, Inspection
from modelsign.scan.jinja.carried import texts_below
from modelsign.scan.knowledge import allowed
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.syntax.yaml_events import BrokenYamlError, read_yaml
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.yaml_events import Documents
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_REFERENCES: Final = (
    "https://pyyaml.org/wiki/PyYAMLDocumentation",
    "CVE-2020-14343",
    "CVE-2017-18342",
    "CVE-2022-1471",
)
OBJECT: Final = Rule(
    "yaml-object",
    "a YAML document calls a function by its tag",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A tag makes a loader call a function, or make an object, that is known to run code or is not known at all. "
    "Loaders that are not safe ones do it while they read the file.",
    "Do not load the file; ask its author for one without such tags.",
    _REFERENCES,
)
TAG: Final = Rule(
    "yaml-tag",
    "a YAML document makes objects by its tags",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A tag makes a loader import a module, make an object of some class, or do what the program that reads it has tied "
    "to the tag.",
    "Load the file with a safe loader, which refuses such tags.",
    _REFERENCES,
)
EVALUATED: Final = Rule(
    "yaml-evaluated-text",
    "a description of a network holds text that its loader evaluates",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "YOLO's loaders evaluate the texts of a network's description (`backbone`, `head`, `activation`) as Python. This "
    "one is more than the name of a module or of a layer with plain arguments.",
    "Compare the description with that of the published network.",
    ("CWE-95", "https://github.com/ultralytics/yolov5/blob/master/models/yolo.py"),
)
_NETWORK: Final = ("backbone", "head", "neck", "activation")
_ARGUMENT: Final = r"-?[\w.]+(?:=-?[\w.]+)?"
_LAYER: Final = re.compile(
    rf"(?:[A-Za-z]\w*\.)*[A-Za-z]\w*(?:\((?:{_ARGUMENT}(?:, *{_ARGUMENT})*)?\))?\Z|[A-Za-z]\w*(?:-[A-Za-z]\w*)+\Z"
)
"""A name, dotted or called with plain arguments; or words with hyphens (`fast-swiglu`): differences of names."""
_LONGEST_LAYER: Final = 200
_EXTENSIONS: Final = (".yaml", ".yml")
_NAMES: Final = frozenset({"mlmodel"})
_MARKS: Final = (b"%YAML ", b"%TAG ")
_OBJECTS: Final = (b"!!python/", b"tag:yaml.org,2002:python/")
_HEAD: Final = 65536
_SHOWN: Final = 50


def _named(name: str) -> bool:
    base = name.casefold().rsplit("/", 1)[-1]
    return base.endswith(_EXTENSIONS) or base in _NAMES


def _recognise(reading: Reading, name: str) -> bool:
    if _named(name):
        return reading.size > 0
    head = reading.read_at(0, _HEAD)
    return head.startswith(_MARKS) or any(mark in head for mark in _OBJECTS)


def _scan(reading: Reading, name: str) -> Inspection:
    named = _named(name)
    if reading.size > limits.YAML_BYTES:
        text = f"a YAML document of {reading.size} bytes; the limit is {limits.YAML_BYTES}"
        return Inspection(readable=named, findings=(BUDGET.finding(text),))
    try:
        documents = read_yaml(reading.read_at(0, reading.size).decode("utf-8"))
    except UnicodeDecodeError as fault:
        text = f"the document is not UTF-8 (byte {fault.start})"
        return Inspection(readable=named, findings=(BROKEN.finding(text, offset=fault.start),))
    except BrokenYamlError as fault:
        rule = BUDGET if fault.budget else BROKEN
        return Inspection(readable=named, findings=(rule.finding(str(fault)),))
    findings, _ = document_findings(documents.values)
    findings = (*_tagged(documents), *findings, *_packages(documents), *_evaluated(documents))
    return Inspection(readable=True, findings=findings)


def _tagged(documents: Documents) -> list[Finding]:
    """Judge every tag, once for each line."""
    known: Any = table("yaml")
    plain = {tag for group in known["plain"] for tag in group["tags"]}
    found: dict[Finding, None] = {}
    for tag, line, _ in documents.tags:
        if tag not in plain:
            found[_judged(known, tag, line)] = None
        if len(found) >= _SHOWN:
            break
    return list(found)


def _judged(known: Any, tag: str, line: int) -> Finding:
    shown = f"line {line}: the tag {tag[:200]}"
    if any(tag.startswith(row["prefix"]) for row in known["foreign"]):
        return OBJECT.finding(f"{shown} makes an object of another language")
    for row in known["calling"]:
        if tag.startswith(row["prefix"]):
            name = tag[len(row["prefix"]) :]
            ordinary = allowed(name) is not None and capability_of(name) is None
            return (TAG if ordinary else OBJECT).finding(f"{shown} calls {name[:200]}")
    for row in known["naming"]:
        if tag.startswith(row["prefix"]):
            what = capability_of(tag[len(row["prefix"]) :])
            return OBJECT.finding(f"{shown} ({what})") if what else TAG.finding(shown)
    return TAG.finding(shown)


def _packages(documents: Documents) -> list[Finding]:
    """Tell environments of conda and MLflow, which name packages to install."""
    for document in documents.values:
        if isinstance(document, dict) and isinstance(wanted := document.get("dependencies"), list) and wanted:
            words = ", ".join(str(word)[:50] for word in wanted[:5] if isinstance(word, str))
            return [PACKAGES.finding(f"{len(wanted)} entries: {words}")]
    return []


def _evaluated(documents: Documents) -> list[Finding]:
    """Judge the texts of a network's description that loaders evaluate."""
    found: dict[Finding, None] = {}
    for document in documents.values:
        parts = [document[key] for key in _NETWORK if key in document] if isinstance(document, dict) else []
        for text in texts_below(parts):
            if len(text) > _LONGEST_LAYER or not _LAYER.match(text):
                found[EVALUATED.finding(f"the text {text[:_LONGEST_LAYER]}")] = None
    return list(found)[:_SHOWN]


FORMAT = Format(
    id="yaml",
    title="YAML",
    description="Documents without tags that make objects, and without keys by which a library would import code.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    dearness=8,
    rules=(OBJECT, TAG, EVALUATED, PACKAGES, *DOCUMENT_RULES, CALLS, BROKEN),
)
