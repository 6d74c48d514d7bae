"""What can be found in a Jinja template."""

from __future__ import annotations

from typing import Final

from modelsign.scan.rules import BUDGET
from modelsign.verdict import Outcome, Rule, Severity

__all__ = ["COMPUTED", "DANGEROUS", "ESCAPE", "EXHAUSTS", "FORMAT", "LOADS", "SYNTAX", "TEMPLATE_RULES", "UNKNOWN"]

_ADVICE: Final = "Do not render the template; ask its author for one that only reads the messages."
_READ: Final = "Read the template, and render it only in Jinja's ImmutableSandboxedEnvironment."
ESCAPE: Final = Rule(
    "jinja-escape",
    "a template reaches for Python's internals",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The template asks for an attribute such as `__class__`, `__globals__` or `mro`, by which any value leads to any "
    "function of Python. Rendered outside a sandbox it runs whatever its author likes.",
    _ADVICE,
    ("CVE-2024-34359", "CVE-2016-10745", "CVE-2019-10906", "CVE-2025-27516"),
)
DANGEROUS: Final = Rule(
    "jinja-dangerous-call",
    "a template calls a function that runs programs or opens files",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The template calls something of the name of Python's own dangerous functions or modules (`open`, `eval`, "
    "`os.popen`, …). No ordinary template has a use for them.",
    _ADVICE,
    ("CVE-2024-34359",),
)
EXHAUSTS: Final = Rule(
    "jinja-exhausts",
    "a template is made to use up time or memory",
    Severity.HIGH,
    Outcome.UNSAFE,
    "Loops, repetitions or powers of constant size run to millions of steps or more, so that rendering the template "
    "stops the program that does it.",
    _ADVICE,
    ("CWE-400",),
)
COMPUTED: Final = Rule(
    "jinja-computed-name",
    "a template puts the name of an attribute together itself",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "A name by which the template asks for an item or attribute is assembled from pieces, or is hidden in text, so "
    "that it cannot be told what is asked for. Sandbox escapes hide their names so.",
    _READ,
    ("CVE-2025-27516",),
)
FORMAT: Final = Rule(
    "jinja-format-string",
    "a template formats text by a pattern that reaches into values",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "`str.format` follows attributes that its pattern names. The pattern is not constant here, names attributes, or "
    "the method itself is handed on.",
    _READ,
    ("CVE-2016-10745", "CVE-2024-56326"),
)
UNKNOWN: Final = Rule(
    "jinja-unknown-name",
    "a template uses a function, filter, test or tag that is not known to be harmless",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Chat templates make do with Jinja's own filters and tests, a few functions of the libraries that render them, and "
    "methods of text, lists and dictionaries. Anything else does what the program that renders it makes of it.",
    _READ,
)
LOADS: Final = Rule(
    "jinja-loads-template",
    "a template loads another template",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "An include, import or extends tag opens a further template by its name, which is not part of what was judged.",
    "Ask the author for a template in one piece.",
)
SYNTAX: Final = Rule(
    "jinja-syntax",
    "the template is not Jinja",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The template breaks Jinja's grammar, or is nested more deeply than any template needs, and was not read to its "
    "end. Programs that render it with other delimiters or extensions may read on.",
    "Ask the author for a template that Jinja's own parser accepts.",
)
TEMPLATE_RULES: Final = (ESCAPE, DANGEROUS, EXHAUSTS, COMPUTED, FORMAT, UNKNOWN, LOADS, SYNTAX, BUDGET)
