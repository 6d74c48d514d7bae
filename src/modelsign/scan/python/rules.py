"""What can be found in Python source."""

from __future__ import annotations

from typing import Final

from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

__all__ = ["CALLS", "IMPORT", "PYTHON_RULES", "SOURCE", "SYNTAX"]

_ADVICE: Final = "Read the code before you load the model with `trust_remote_code`, or load it without."
_REFERENCES: Final = ("https://huggingface.co/docs/transformers/custom_models",)
SOURCE: Final = Rule(
    "python-source",
    "there is Python source beside the model",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A Python file is a program. Libraries import it where a configuration names it (`auto_map`) or where it stands in "
    "a known place; then it can do whatever its author likes, now or in its next version.",
    _ADVICE,
    _REFERENCES,
)
IMPORT: Final = Rule(
    "python-runs-at-import",
    "source does something dangerous as soon as Python imports it",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "Code that runs while the file is imported starts a program, runs text as code, loads native code or pickles, "
    "writes files or talks to the network. Defining a model calls for none of it.",
    "Do not load the model with `trust_remote_code`; report it to where it is published.",
    _REFERENCES,
)
CALLS: Final = Rule(
    "python-dangerous-call",
    "source can do something dangerous when Python uses it",
    Severity.HIGH,
    Outcome.UNVERIFIED,
    "A function in the file calls something that starts programs, runs text as code, loads native code or pickles, "
    "writes files or talks to the network. It does not run on import, but may when the model is used.",
    _ADVICE,
    _REFERENCES,
)
SYNTAX: Final = Rule(
    "python-syntax",
    "the Python source cannot be read",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The file is not Python 3.11, is in another encoding than UTF-8 or Latin-1, or is nested too deeply, and so was "
    "not judged. Another version of Python may run it all the same.",
    "Ask the author for source in UTF-8 that current versions of Python read.",
)
PYTHON_RULES: Final = (SOURCE, IMPORT, CALLS, SYNTAX, BROKEN, BUDGET)
