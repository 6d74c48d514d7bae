"""Documents that name code: keys by which libraries import, call or render what stands under them.

The same in JSON, YAML and TOML. The keys are data (``knowledge/inert.json``), each with its source. What a key names is
judged by what is known of the name: a function that runs programs makes the document unsafe.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign.scan.configuration.remote_references import (
    component_references,
    imported,
    map_references,
    pipeline_references,
)
from modelsign.scan.configuration.targets import is_constructible, reference, soft_target
from modelsign.scan.jinja.carried import judged_together, texts_below
from modelsign.scan.jinja.rules import TEMPLATE_RULES
from modelsign.scan.knowledge import allowed, capability
from modelsign.scan.tables import table
from modelsign.scan.trust import is_trusted
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsign.verdict import Finding

__all__ = ["CALLS", "CODE", "DOCUMENT_RULES", "capability_of", "document_findings"]

_REFERENCES: Final = ("https://huggingface.co/docs/transformers/custom_models",)
CODE: Final = Rule(
    "json-code-reference",
    "a configuration names code",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "A key in the document makes a library import or call what its value names: code beside the model, or any "
    "function that is installed.",
    "Read the code that is named, and load the model without remote code if you can. Accept a class that you know with "
    "`--trust-global module.Class`.",
    _REFERENCES,
)
CALLS: Final = Rule(
    "config-dangerous-reference",
    "a configuration names a function that runs code",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A key by which a library imports or calls what its value names (Hydra's `_target_`, jsonpickle's `py/…`, …) names "
    "something that runs programs, evaluates text, reaches attributes or files, or loads further objects.",
    "Do not load the model; no configuration has a use for that.",
    (
        "CVE-2025-23304",
        "CVE-2025-23249",
        "CVE-2026-24157",
        "CVE-2026-22584",
        "https://hydra.cc/docs/advanced/instantiate_objects/overview/",
    ),
)
ELSEWHERE: Final = Rule(
    "remote-code-elsewhere",
    "a configuration names Python of another repository",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "The name of the class begins with that of another repository (`owner/name--module.Class`). A loader that trusts "
    "remote code downloads and imports what lies there at that time, which is no part of this model and not judged.",
    "Load the model without remote code, or with the code of a revision that you have read (`code_revision`).",
    _REFERENCES,
)
KERNEL: Final = Rule(
    "config-hub-kernel",
    "a configuration has code downloaded and run",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The implementation of attention is a repository of the Hub: transformers 4.56 to 5.2 downloads a kernel from "
    "there and imports its Python, whether or not remote code is trusted.",
    "Do not load the model. Update transformers to 5.3 or later, and take the key out.",
    ("CVE-2026-4372",),
)
DOCUMENT_RULES: Final = (CODE, CALLS, ELSEWHERE, KERNEL, *TEMPLATE_RULES)
_REMOTE: Final = {"auto_map": map_references, "custom_pipelines": pipeline_references}
_TARGETS: Final = frozenset({"target", "soft-target"})
_SHOWN: Final = 200
_LONGEST: Final = 1000
_MODULE_KEYS: Final = frozenset({"idx", "name", "path", "type"})
_MAPPING: Final = frozenset({"base_model_class", "parent_library"})
_MODELING: Final = re.compile(r"transformers\.models\.[a-z0-9_]{1,60}\.modeling_[a-z0-9_]{1,60}")
_EVALUATED: Final = frozenset({"py/repr"})
_KERNELS: Final = "kernels-community/"
"""The one place from which transformers 5.3 still takes kernels: not known to be safe, not known to be dangerous."""


@functools.cache
def _keys() -> dict[str, str]:
    return {row["key"]: row["kind"] for row in table("inert")["keys"]}


@functools.cache
def _modules() -> frozenset[str]:
    return frozenset(row["type"] for row in table("inert")["modules"])


def capability_of(name: str) -> str | None:
    """Return what a dotted name can do (``execute``, ``network``, …); None if nothing dangerous is known of it."""
    module, _, rest = name.strip()[:_LONGEST].replace("/", ".").replace(":", ".").partition(".")
    return capability(module, rest) if rest else capability("builtins", module)


def document_findings(document: object, *, without: frozenset[str] = frozenset()) -> tuple[tuple[Finding, ...], bool]:
    """Return what a document of dictionaries, lists and scalars names, and whether it says how something is made.

    That is where it holds a template, or names classes. Objects that stand in several places are looked at once.
    ``without`` are keys that the caller judges by itself.
    """
    keys = _keys().keys() - without
    found: set[Finding] = set()
    makes = False
    templates: list[tuple[str, str]] = []
    prompts: list[tuple[str, str]] = []
    for node in _dictionaries(document):
        for key in sorted(node.keys() & keys):
            kind = _keys()[key]
            if kind == "code":
                if _says_something(node[key]) and not _is_harmless(key, node[key]):
                    found.update(_judged(key, node[key]))
            elif kind == "kernel":
                found.update(_kernels(key, node[key]))
            elif kind in _TARGETS:
                if _says_something(node[key]) and (kind == "target" or soft_target(node[key], node)):
                    makes = True
                    found.update(_constructed(key, node[key]))
            else:
                sure = kind == "template" or node.get("template_format") == "jinja2"
                (templates if sure else prompts).extend((key, text) for text in texts_below(node[key]) if text)
        if named := reference(node):
            makes = True
            found.update(_constructed("type", named))
        found.update(_component(*one) for one in component_references(node))
        if node.keys() == _MODULE_KEYS and node["type"] not in list(_modules()):
            found.add(_module(node["type"]))
    codes = sorted(found, key=lambda finding: (finding.rule, finding.message))
    return (*codes, *judged_together(templates), *_unsafe(judged_together(prompts))), makes or bool(templates)


def _dictionaries(document: object) -> Iterator[dict[str, object]]:
    """Yield every dictionary in a document, without recursion."""
    seen: set[int] = set()
    waiting: list[object] = [document]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (dict, list)) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting += node
        else:
            waiting += node.values()
            yield node


def _is_harmless(key: str, value: object) -> bool:
    """Whether what a key of code names is none, or a model that transformers brings itself."""
    return (key == "cells" and _are_layers(value)) or (key == "auto_mapping" and _is_own_model(value))


def _is_own_model(value: object) -> bool:
    """Whether PEFT's ``auto_mapping`` names a reviewed class of transformers, in the module where it is defined.

    ``AutoPeftModel`` imports the module and calls the class' ``from_pretrained`` with the base model that the adapter
    names: what loading an adapter is for (peft 0.4-0.21, auto.py).
    """
    if not isinstance(value, dict) or value.keys() != _MAPPING:
        return False
    module, name = value["parent_library"], value["base_model_class"]
    if not isinstance(module, str) or not isinstance(name, str) or not _MODELING.fullmatch(module):
        return False
    return len(name) < _LONGEST and name.isidentifier() and allowed(f"{module}.{name}") is not None


def _judged(key: str, value: object) -> Iterator[Finding]:
    if key in _EVALUATED:
        yield CALLS.finding(f"the key {key} is evaluated")
    elif isinstance(value, str) and (what := capability_of(value)):
        yield CALLS.finding(f"the key {key} names {value[:_SHOWN]} ({what})")
    elif references := _REMOTE[key](value) if key in _REMOTE else []:
        for one in references:
            rule = ELSEWHERE if one.place else CODE
            yield rule.finding(f"the key {key} names {one.text[:_SHOWN]}", calls=one.calls)
    elif key == "auto_mapping" and isinstance(value, dict):
        yield from _mapped(key, value)
    else:
        yield CODE.finding(f"the key {key} is set")


def _mapped(key: str, value: dict[str, object]) -> Iterator[Finding]:
    """Judge the class that PEFT imports for an adapter, which is none of transformers' own."""
    module, name = value.get("parent_library"), value.get("base_model_class")
    if not isinstance(module, str) or not isinstance(name, str):
        yield CODE.finding(f"the key {key} is set")
    elif what := capability_of(f"{module}.{name}"):
        yield CALLS.finding(f"the key {key} names {module[:_SHOWN]}.{name[:_SHOWN]} ({what})")
    else:
        yield CODE.finding(f"the key {key} names {module[:_SHOWN]}.{name[:_SHOWN]}")


def _component(key: str, module: str, name: str) -> Finding:
    """Judge a component of a pipeline of diffusers, from a folder of the model or from any module that is installed."""
    text = f"the component {key[:_SHOWN]} is {module[:_SHOWN]}.{name[:_SHOWN]}"
    if what := capability_of(f"{module}.{name}"):
        return CALLS.finding(f"{text} ({what})")
    place = module if key == "_class_name" else f"{key}.{module}"
    return CODE.finding(text, calls=imported(place, name))


def _constructed(key: str, value: object) -> Iterator[Finding]:
    """Judge what is constructed by name; nothing is said of what is known to compute and no more."""
    name = value.strip() if isinstance(value, str) else ""
    if is_constructible(name):
        return
    if name and (what := capability_of(name)):
        yield CALLS.finding(f"the key {key} names {name[:_SHOWN]} ({what})")
    elif not is_trusted(name):
        shown = name[:_SHOWN] or "something that is no text"
        yield CODE.finding(f"the key {key} names {shown}, which is not known to be safe")


def _kernels(key: str, value: object) -> Iterator[Finding]:
    """Judge an implementation: one name, or one for each part of a model; a name with a slash is a repository."""
    for name in value.values() if isinstance(value, dict) else [value]:
        if isinstance(name, str) and "/" in name:
            rule = CODE if name.rpartition("|")[2].startswith(_KERNELS) else KERNEL
            yield rule.finding(f"the key {key} names the repository {name[:_SHOWN]}")


def _module(kind: object) -> Finding:
    if isinstance(kind, str) and (what := capability_of(kind)):
        return CALLS.finding(f"the module type {kind[:_SHOWN]} is imported by the loader ({what})")
    module, _, name = str(kind)[:_SHOWN].rpartition(".")
    calls = imported(module, name) if module else ()
    return CODE.finding(f"the module type {str(kind)[:_SHOWN]} is imported by the loader", calls=calls)


def _unsafe(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.outcome is Outcome.UNSAFE]


def _says_something(value: object) -> bool:
    """Whether a value could name code; a vocabulary maps any word to a number, and empty values name nothing."""
    return value is True or (isinstance(value, (str, list, dict)) and bool(value))


def _are_layers(value: object) -> bool:
    """Whether a list holds objects of Keras' alone, which their own reader judges: an RNN has `cells`, too."""
    return isinstance(value, list) and all(isinstance(item, dict) and "class_name" in item for item in value)
