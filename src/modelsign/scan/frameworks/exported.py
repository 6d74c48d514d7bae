"""Judges an exported PyTorch program: the JSON of ``torch.export``, by what its loader looks up, imports and evaluates.

A node's target is looked up attribute by attribute from ``torch``, ``operator`` or ``math``, and anything callable that
is found there is called when the program runs: ``torch.os.system`` as well as ``torch.ops.aten.add.Tensor``. Sizes and
guards are evaluated as Python (``scan/python/sizes.py``). Descriptions of inputs and outputs import the modules of
their enums and of a dictionary's default. All are found by their keys wherever they stand, so that the layout of a
version does not matter.

Source: torch/_export/serde/serialize.py and schema.py (schema 8.20), torch/utils/_pytree.py of PyTorch 2.13.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.configuration.code_keys import DOCUMENT_RULES, document_findings
from modelsign.scan.format import Inspection
from modelsign.scan.frameworks import operators
from modelsign.scan.knowledge import capability
from modelsign.scan.python import sizes
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.tables import table
from modelsign.scan.trust import is_trusted
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["EXPORT_RULES", "parsed", "scan_program"]

_SOURCE: Final = ("https://docs.pytorch.org/docs/stable/export.html", "CWE-502")
CALLS: Final = Rule(
    "export-calls-python",
    "the exported program calls a Python function",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A node of the graph names a function that is no operator. PyTorch looks it up through the modules that it has "
    "itself imported, the operating system's among them, and calls it when the program runs.",
    "Do not load the file; no exporter writes such a node.",
    _SOURCE,
)
REACHES_OUT: Final = Rule(
    "export-operator-dangerous",
    "the exported program uses an operator that reaches outside of it",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The operator reads or writes a file, loads a library, runs Python or calls another machine when the program runs.",
    "Do not load the file. Ask for the weights as safetensors.",
    _SOURCE,
)
UNKNOWN: Final = Rule(
    "export-operator-unknown",
    "the exported program uses an operator that is not known to be harmless",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is none of PyTorch's own that only compute. It comes from a library that the loading process must "
    "have, hands work to native code, or calls methods of an object in the file.",
    "Find out which library registers the operator, or ask for the weights as safetensors.",
    _SOURCE,
)
EVALUATED: Final = Rule(
    "export-expression-code",
    "a size or guard in the exported program is Python code",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "Loading evaluates sizes as Python (`sympify`), and guards when the program is first used. This one calls, reaches "
    "into objects or hands text on, where exporters write arithmetic over symbols.",
    "Do not load the file.",
    ("CWE-95", *_SOURCE),
)
NAMED: Final = Rule(
    "export-name-code",
    "a name in the exported program is Python code",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "Loading writes the graph down as a Python function and runs the text that defines it, with the names of nodes, "
    "arguments and parameters put into it as they are. This one holds signs that no name has.",
    "Do not load the file; no exporter writes such a name.",
    ("CWE-94", *_SOURCE),
)
EXPRESSION: Final = Rule(
    "export-expression-unknown",
    "a size or guard in the exported program is not read",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Loading evaluates sizes and guards as Python. This one uses a function that is not known, or is written in "
    "another way than exporters do, so that nothing is known about it.",
    "Export the program again with a current PyTorch.",
    ("CWE-95", *_SOURCE),
)
IMPORTS: Final = Rule(
    "export-imports",
    "the exported program has a module imported",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The description of an input or output names an enum, or what a dictionary's missing values are made by. Loading "
    "imports the module and looks the name up in it.",
    "Review the module that is named, and accept it with `--trust-global module.name`.",
    _SOURCE,
)
IMPORTS_DANGER: Final = Rule(
    "export-imports-danger",
    "the exported program names something dangerous to make values with",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The description of an input or output names a function that runs code or reaches outside, to be looked up and "
    "called where a value is missing.",
    "Do not load the file.",
    _SOURCE,
)
EXPORT_RULES: Final = (
    CALLS, REACHES_OUT, UNKNOWN, EVALUATED, NAMED, EXPRESSION, IMPORTS, IMPORTS_DANGER, *DOCUMENT_RULES, BROKEN, BUDGET,
)  # fmt: skip
_OPERATOR: Final = re.compile(r"torch\.ops\.((?!__)[A-Za-z_]\w*)\.(\w+)(?:\.([A-Za-z]\w*|_[A-Za-z]\w*))?", re.ASCII)
_FUNCTION_OF_MATH: Final = re.compile(r"math\.[a-z][a-z0-9]*", re.ASCII)
_MODULES: Final = ("torch", "math", "_operator")
"""What targets are looked up from, by how they begin: ``torchx.os`` is ``torch.os``."""
_TARGETS: Final = frozenset({"target"})
"""Judged here, and not as what a configuration constructs."""
_METHODS: Final = frozenset({"import_module", "load_library"})
"""Methods of ``torch.ops`` itself."""
_SPECS: Final = frozenset({"in_spec", "out_spec", "context"})
_NAMES: Final = frozenset({"name", "as_name", "forward_arg_names"})
"""Keys of names that are written into the text of a function: of nodes, arguments and what a caller gives by name."""
_PLACES: Final = frozenset(
    {"fqn", "parameter_name", "buffer_name", "tensor_constant_name", "custom_obj_name", "user_input_name"}
)
"""Keys of places in a module, whose parts may be keys of its dictionaries."""
_NAME: Final = re.compile(r"[\w.]*")
_PLACE: Final = re.compile(r"[\w .:/-]*")
"""Nothing written with these signs alone can call anything, end a text in quotes or begin another statement."""
_DEPTH: Final = 500
_MOST_FINDINGS: Final = 100
_SHOWN: Final = 150
_FIRSTS: Final = frozenset('[{"')


@functools.cache
def _known() -> frozenset[tuple[str, str]]:
    return operators.known("torchscript") | operators.known("torch_export")


@functools.cache
def _listed(kind: str) -> frozenset[str]:
    return frozenset(name for group in table("operators/torch_export")[kind] for name in group["names"])


def parsed(reading: Reading) -> tuple[object, tuple[Finding, ...]]:
    """Return the JSON document in some bytes, and what is wrong with it."""
    if reading.size > limits.SCAN_JSON_BYTES:
        return None, (BUDGET.finding(f"a program of {reading.size} bytes"),)
    try:
        return _loads(reading.read_at(0, reading.size)), ()
    except ModelsignError as fault:
        return None, (BROKEN.finding(fault.message),)


def _loads(data: bytes) -> object:
    return strictjson.loads(
        data,
        most_bytes=limits.SCAN_JSON_BYTES,
        most_room=limits.SCAN_JSON_ROOM,
        what="program",
        depth=_DEPTH,
        finite=False,
    )


def scan_program(reading: Reading, name: str) -> Inspection:
    """Say what loading and running an exported program would do."""
    del name
    document, broken = parsed(reading)
    if broken:
        return Inspection(readable=True, findings=broken)
    if not isinstance(document, dict):
        return Inspection(readable=True, findings=(BROKEN.finding("the program is no object"),))
    found: dict[Finding, None] = {}
    for finding in _findings(document):
        if len(found) < _MOST_FINDINGS or finding.outcome is Outcome.UNSAFE:
            found[finding] = None
    others, _ = document_findings(document, without=_TARGETS)
    return Inspection(readable=True, findings=(*found, *others))


def _findings(document: object) -> Iterator[Finding]:
    """Walk a document and what it holds as text in JSON; every object is judged by its keys."""
    waiting: list[object] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            yield from _of_object(value)
            for key in _SPECS & value.keys():
                text = value[key]
                if isinstance(text, str) and text.lstrip()[:1] in _FIRSTS:
                    try:
                        inner = _loads(text.encode("utf-8", "surrogatepass"))
                    except ModelsignError as fault:
                        yield BROKEN.finding(f"{key}: {fault.message}")
                        continue
                    waiting.append(inner)
                    if key == "in_spec":
                        yield from _of_keywords(inner)


def _of_object(value: dict[str, object]) -> Iterator[Finding]:
    for key in ("target", "as_operator"):
        target = value.get(key)
        if isinstance(target, str):
            yield from _of_target(target)
    size = value.get("expr_str")
    if isinstance(size, str):
        yield from _of_text(size, guard=False)
    guards = value.get("guards_code")
    for guard in guards if isinstance(guards, list) else ():
        if isinstance(guard, str):
            yield from _of_text(guard, guard=True)
    yield from _of_names(value)
    if "__enum__" in value:
        yield from _of_name(str(value.get("fqn")).replace(":", ".", 1), frozenset())
    if "default_factory_module" in value:
        full = f"{value.get('default_factory_module')}.{value.get('default_factory_name')}"
        yield from _of_name(full, _listed("factories"))


def _of_names(value: dict[str, object]) -> Iterator[Finding]:
    """Judge the names that are put into the text of a function as they are."""
    for key in (_NAMES | _PLACES) & value.keys():
        sign = _NAME if key in {"name", "as_name"} else _PLACE
        found = value[key]
        for name in found if isinstance(found, list) else (found,):
            if isinstance(name, str) and not sign.fullmatch(name):
                yield NAMED.finding(f"{key} is {name[:_SHOWN]!r}")


def _of_keywords(spec: object) -> Iterator[Finding]:
    """Judge what a caller gives by name, which becomes parameters: the keys of the second of two parts."""
    for part in spec if isinstance(spec, list) else ():
        parts = part.get("children_spec") if isinstance(part, dict) else None
        second = parts[1] if isinstance(parts, list) and len(parts) > 1 else None
        given = second.get("context") if isinstance(second, dict) else None
        if isinstance(given, str):
            try:
                given = _loads(given.encode("utf-8", "surrogatepass"))
            except ModelsignError:
                continue  # said of the part itself, where it is read again
        yield from _of_names({"forward_arg_names": given})


def _of_target(target: str) -> Iterator[Finding]:
    """Judge what a node calls, by where its name leads."""
    shown = target[:_SHOWN]
    operator = _OPERATOR.fullmatch(target)
    if operator is not None and operator[1] not in _METHODS and (operator[1], operator[2]) in _known():
        return
    if operator is not None and operator[1] not in _METHODS and not operator[2].startswith("__"):
        danger = operators.dangerous("torchscript").get(f"{operator[1]}::{operator[2]}".casefold())
        if danger is not None and danger.certain:
            yield REACHES_OUT.finding(f"{shown} {danger.capability}")
        elif not is_trusted(target):
            yield UNKNOWN.finding(f"{shown} is not known")
    elif target in _listed("functions") or _FUNCTION_OF_MATH.fullmatch(target):
        return
    elif target.startswith(_MODULES):
        yield CALLS.finding(f"calls {shown}")
    else:
        yield UNKNOWN.finding(f"{shown!r} is not known")


def _of_text(text: str, *, guard: bool) -> Iterator[Finding]:
    doubt = sizes.why_not_plain(text, guard=guard)
    if doubt is not None:
        rule = EVALUATED if doubt.certain else EXPRESSION
        yield rule.finding(f"{text[:_SHOWN]!r} {doubt.text}")


def _of_name(full: str, known: frozenset[str]) -> Iterator[Finding]:
    if full in known or is_trusted(full):
        return
    module, _, name = full.rpartition(".")
    danger = capability(module, name) is not None
    yield (IMPORTS_DANGER if danger else IMPORTS).finding(f"names {full[:_SHOWN]}")
