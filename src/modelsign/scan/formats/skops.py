"""skops models: a ZIP archive whose ``schema.json`` is a tree of nodes, each with a loader, a module and a name.

Every node is judged by its name, whatever its loader, because loaders differ in which of them they look up: the set
of names that remain is that of ``skops.io.get_untrusted_types``. Known are the names that skops trusts itself
(``knowledge/skops.json``) and those that the knowledge of pickles says may be made and given state. The members beside
the schema are scanned as what they are. Follows skops/io/_general.py, _audit.py and old/ 0.16, protocols 0 to 2.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.artifact.containers.zip import ZipArchive
from modelsign.errors import ModelsignError
from modelsign.scan import knowledge
from modelsign.scan.archives.zips import archive_of, findings_of, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import AMBIGUOUS, BROKEN, BUDGET, ZIP_RULES
from modelsign.scan.tables import table
from modelsign.scan.trust import is_trusted
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_SCHEMA: Final = "schema.json"
_DEPTH: Final = 500
"""Levels of a schema: a node in a node takes two or three."""
_SHOWN: Final = 150
_PERSISTENCE: Final = "https://skops.readthedocs.io/en/stable/persistence.html"
DANGEROUS: Final = Rule(
    "skops-dangerous-type",
    "the skops model names something dangerous",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A node of the schema names a function or class that runs commands, reaches into objects, reads, writes or loads. "
    "Loading imports it, and several loaders call it.",
    "Do not load the model.",
    ("CVE-2025-54412", "CVE-2025-54413", "CVE-2024-37065", _PERSISTENCE),
)
DISGUISED: Final = Rule(
    "skops-disguised-node",
    "a node of the skops model is not what its loader stands for",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The loader looks up another name than the one that is shown for approval: an operator outside of `operator`, a "
    "method of another class. skops never writes this; it hides what is called.",
    "Do not load the model.",
    ("CVE-2025-54412", "CVE-2025-54413"),
)
UNTRUSTED: Final = Rule(
    "skops-untrusted-type",
    "the skops model names a type that is not known to be safe",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Loading imports the name and makes or calls it once the caller trusts it, or at once where `trusted=True` was "
    "still allowed. Nobody has reviewed what it does.",
    "Review the code behind the name, and accept it with `--trust-global module.name`.",
    ("CVE-2024-37065", _PERSISTENCE),
)
_LOADERS: Final = frozenset({
    "BytearrayNode", "BytesNode", "CachedNode", "ConstructorFromReduceNode", "DTypeNode", "DefaultDictNode", "DictNode",
    "FunctionNode", "JsonNode", "ListNode", "LossNode", "MaskedArrayNode", "MethodNode", "NdArrayNode", "ObjectNode",
    "OperatorFuncNode", "PartialNode", "QuantileForestNode", "RandomGeneratorNode", "RandomStateNode", "SGDNode",
    "SetNode", "SliceNode", "SparseMatrixNode", "TreeNode", "TupleNode", "TypeNode", "_DictWithDeprecatedKeysNode",
})  # fmt: skip
_NAMELESS: Final = frozenset({"JsonNode", "CachedNode"})
_OPERATORS: Final = frozenset({"attrgetter", "itemgetter", "methodcaller"})
_PROTOCOLS: Final = range(3)


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(table("skops")["names"])


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = archive_of(reading)
    if not isinstance(archive, ZipArchive):
        return Inspection(readable=False)
    names = {member.name.casefold().rsplit("/", 1)[-1] for member in archive.members}
    if _SCHEMA not in names:
        return Inspection(readable=False)
    findings = list(findings_of(archive, reading))
    if reading.read_at(0, 2) != b"PK":
        findings.append(AMBIGUOUS.finding("something else stands before the archive"))
    return Inspection(readable=True, findings=tuple(findings), members=tuple(_members(reading, archive)))


def _members(reading: Reading, archive: ZipArchive) -> list[Member]:
    found = []
    for member in archive.members:
        if not member.is_folder:
            inner = member_of(reading, member, data=member.name.endswith(".bin"))
            if member.name.casefold().rsplit("/", 1)[-1] == _SCHEMA:
                inner = replace(inner, reader=_scan_schema, replaces="json")
            found.append(inner)
    return found


def _scan_schema(reading: Reading, name: str) -> Inspection:
    del name
    if reading.size > limits.SCAN_JSON_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"a schema of {reading.size} bytes"),))
    data = reading.read_at(0, reading.size)
    try:
        document = strictjson.loads(
            data,
            most_bytes=limits.SCAN_JSON_BYTES,
            most_room=limits.SCAN_JSON_ROOM,
            what="schema",
            depth=_DEPTH,
            finite=False,
        )
    except ModelsignError as fault:
        return Inspection(readable=True, findings=(BROKEN.finding(fault.message),))
    if not isinstance(document, dict):
        return Inspection(readable=True, findings=(BROKEN.finding("the schema is no object"),))
    found: dict[Finding, None] = {}
    protocol = document.get("protocol", 0)
    if isinstance(protocol, bool) or protocol not in _PROTOCOLS:
        found[DISGUISED.finding(f"the protocol is {str(protocol)[:_SHOWN]}")] = None
    waiting: list[object] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            for rule, text in _judge(node):
                found[rule.finding(text)] = None
    return Inspection(readable=True, findings=tuple(sorted(found, key=lambda one: (one.rule, one.message))))


def _judge(node: dict[str, object]) -> list[tuple[Rule, str]]:
    """Judge one node by its name and its loader; a dictionary without either is content."""
    path, function = node.get("module_path"), node.get("function")
    if isinstance(path, str) and isinstance(function, str):  # functions of protocol 0
        return _of_name(path, function)
    loader, module, name = node.get("__loader__"), node.get("__module__"), node.get("__class__")
    if loader is None and module is None and name is None:
        return []
    known = isinstance(loader, str) and loader in _LOADERS
    found = [] if known else [(UNTRUSTED, f"the loader {str(loader)[:_SHOWN]} is unknown")]
    if known and loader in _NAMELESS:
        return found
    if not isinstance(module, str) or not isinstance(name, str):
        return [*found, (DISGUISED, f"a {str(loader)[:_SHOWN]} has no name")]
    if loader == "OperatorFuncNode":
        return _of_operator(module, name)
    if loader == "MethodNode":
        found += _of_method(node.get("content"), f"{module}.{name}")
    return found + _of_name(module, name)


def _of_operator(module: str, name: str) -> list[tuple[Rule, str]]:
    """A function of ``operator``, which its loader takes from there whatever the module says."""
    if module != "operator" or name not in _OPERATORS:
        return [(DISGUISED, f"calls operator.{name[:_SHOWN]} and shows {module[:_SHOWN]}.{name[:_SHOWN]}")]
    return [(UNTRUSTED, f"{module}.{name} reaches into the objects it is used on")]


def _of_method(content: object, full: str) -> list[tuple[Rule, str]]:
    """A bound method: of the class that is shown, and of no other."""
    inner = content.get("obj") if isinstance(content, dict) else None
    method = content.get("func") if isinstance(content, dict) else None
    if not isinstance(inner, dict) or f"{inner.get('__module__')}.{inner.get('__class__')}" != full:
        return [(DISGUISED, f"a method of another class than {full[:_SHOWN]}")]
    if not isinstance(method, str) or knowledge.capability("object", f"x.{method}"):
        return [(DANGEROUS, f"takes the attribute {str(method)[:_SHOWN]} of {full[:_SHOWN]}")]
    return [] if is_trusted(f"{full}.{method}") else [(UNTRUSTED, f"the method {full[:_SHOWN]}.{method[:_SHOWN]}")]


def _of_name(module: str, name: str) -> list[tuple[Rule, str]]:
    full = f"{module}.{name}"
    if full in _known():
        return []
    entry = knowledge.allowed(full)
    if entry is not None and (entry.reference or entry.state is not None or entry.new):
        return []
    if knowledge.capability(module, name):
        return [(DANGEROUS, f"names {full[:_SHOWN]}")]
    return [] if is_trusted(full) else [(UNTRUSTED, f"{full[:_SHOWN]} is not known to be safe")]


FORMAT = Format(
    id="skops",
    title="skops model",
    description="A schema of nodes that name types and functions, each known or not, with arrays beside it.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".skops",),
    rules=(AMBIGUOUS, DANGEROUS, DISGUISED, UNTRUSTED, *ZIP_RULES),
    refines=("zip", "numpy"),
)
