"""What a configuration of a spaCy pipeline looks up: functions of registries, components, a language.

``spacy.load`` makes what the sections ``nlp`` and ``components`` name; training makes the rest. Keys that begin with
``@`` name a registry and the function in it, ``factory`` a component, ``source`` another pipeline, which is a package
to import or a folder. The libraries' own names are data (``knowledge/spacy.json``). Values are JSON, and may name
functions like sections do; what is put together from other values cannot be judged.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.tables import table
from modelsign.scan.trust import is_trusted
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.scan.syntax.ini import Section
    from modelsign.verdict import Finding

__all__ = ["REGISTERED", "is_pipeline", "judged_pipeline"]

REGISTERED: Final = Rule(
    "spacy-registered-function",
    "a pipeline's configuration names a function that is not known to be safe",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "spaCy looks the name up among functions that packages and code beside the pipeline have registered, and calls it "
    "with the values of the section; a language or another pipeline is imported by its name. The name is none of "
    "spaCy's and thinc's own, or one that opens or loads what it is told.",
    "Review the code that registers the name, and accept it with `--trust-global NAME`.",
    ("https://spacy.io/usage/training#config-functions", "https://spacy.io/usage/saving-loading"),
)
_REFERENCE: Final = re.compile(r"\$\{[\w.:-]+\}\Z")
_SHOWN: Final = 100
_MOST: Final = 50


@functools.cache
def _registry(kind: str) -> frozenset[str]:
    return frozenset(table("spacy")["registries"].get(kind, ()))


@functools.cache
def _languages() -> frozenset[str]:
    return frozenset(table("spacy")["languages"])


def is_pipeline(sections: list[Section]) -> bool:
    """Whether a file is a configuration of spaCy or thinc: it has a pipeline, or names functions of registries."""
    return any(
        section.name == "nlp"
        or section.name.startswith("components.")
        or any(key[0] == "@" for key, _, _ in section.items)
        for section in sections
    )


def judged_pipeline(sections: list[Section]) -> list[Finding]:
    """Judge every name that the file has looked up; each once."""
    found: dict[Finding, None] = {}
    for section in sections:
        everywhere = section.name == "DEFAULT"  # configparser's: its values stand in every section
        component = everywhere or section.name.startswith("components.")
        for key, text, line in section.items:
            for why in _why(key, text, is_component=component, is_pipeline=everywhere or section.name == "nlp"):
                found[REGISTERED.finding(f"line {line}: {why}")] = None
            if len(found) >= _MOST:
                return list(found)
    return list(found)


def _unquoted(text: str) -> str:
    """Return what a text in quotation marks holds: confection takes them off, and then reads what it holds as JSON."""
    while text.startswith('"'):
        try:
            inner = strictjson.loads(text.encode(), most_bytes=limits.INI_BYTES)
        except (ModelsignError, UnicodeEncodeError):
            break
        text = str(inner)
    return text


def _quoted(key: str, text: str) -> Iterator[str]:
    """Judge what stood in quotation marks, which may be an object of JSON, or become one."""
    if "${" in text:
        if not _REFERENCE.match(text) and text.rstrip().endswith(("}", "]")):
            yield f"the value of {key[:_SHOWN]} is put together from other values"
    elif text.lstrip().startswith(("{", "[")):
        try:
            yield from _inside(strictjson.loads(text.encode(), most_bytes=limits.INI_BYTES, finite=False))
        except (ModelsignError, UnicodeEncodeError):
            if "@" in text:
                yield f"the value of {key[:_SHOWN]} is no JSON"


def _why(key: str, text: str, *, is_component: bool, is_pipeline: bool) -> Iterator[str]:
    if text.startswith('"') and not key.startswith("@"):
        yield from _quoted(key, _unquoted(text))
    if "${" in text and not _REFERENCE.match(text) and not text.startswith('"'):
        yield f"the value of {key[:_SHOWN]} is put together from other values"
    elif key.startswith("@") or text.startswith(("{", "[")):
        try:
            value = strictjson.loads(text.encode(), most_bytes=limits.INI_BYTES, finite=False)
        except (ModelsignError, UnicodeEncodeError):
            if key.startswith("@") or not text.startswith("["):
                yield f"the value of {key[:_SHOWN]} is no JSON"
            return
        yield from _inside({key: value})
    elif is_component and key == "source":
        yield f"the component comes from another pipeline, {text[:_SHOWN]}"
    elif is_component and key == "factory" and not _is_known("factories", text.strip('"')):
        yield f"the component {text[:_SHOWN]} is none of spaCy's"
    elif is_pipeline and key == "lang" and text != "null" and text.strip('"') not in _languages():
        yield f"the language {text[:_SHOWN]} is none of spaCy's"


def _inside(value: object) -> Iterator[str]:
    """Judge the names at any depth of a value, without recursion."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            for key, name in node.items():
                if key.startswith("@") and not (isinstance(name, str) and _is_known(key[1:], name)):
                    yield f"{key[:_SHOWN]} names {str(name)[:_SHOWN]}"


def _is_known(kind: str, name: str) -> bool:
    return name in _registry(kind) or is_trusted(name)
