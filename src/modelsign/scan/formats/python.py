"""Python source beside a model: what it would do while it is imported, by its syntax tree.

Libraries import such files where a configuration names them (``auto_map``) or by their place (``hubconf.py``). Source
is a program and never clean; what it does on import makes the difference between unverified and unsafe. Nothing is
compiled or run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.python.examine import UnreadableSourceError, decoded, examined, parsed
from modelsign.scan.python.outline import outline
from modelsign.scan.python.rules import CALLS, IMPORT, PYTHON_RULES, SOURCE, SYNTAX
from modelsign.scan.rules import BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_EXTENSIONS: Final = (".py", ".pyw")
_SCRIPT: Final = re.compile(rb"#![^\n]{0,200}\bpython")
_SHOWN: Final = 50


def _recognise(reading: Reading, name: str) -> bool:
    return name.casefold().endswith(_EXTENSIONS) or bool(_SCRIPT.match(reading.read_at(0, 256)))


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    text = "Python source can be imported by a library"
    findings: list[Finding] = [SOURCE.finding(text)]
    if reading.size > limits.SOURCE_BYTES:
        why = f"source of {reading.size} bytes; the limit is {limits.SOURCE_BYTES}"
        return Inspection(readable=True, findings=(*findings, BUDGET.finding(why)))
    try:
        tree = parsed(decoded(reading.read_at(0, reading.size)))
        acts = examined(tree)
    except UnreadableSourceError as fault:
        return Inspection(readable=True, findings=(*findings, SYNTAX.finding(str(fault))))
    findings = [SOURCE.finding(text, calls=outline(tree))]
    on_import = [act for act in acts if act.on_import]
    later = [act for act in acts if not act.on_import]
    findings += [IMPORT.finding(f"line {act.line}: {act.name} ({act.what})") for act in on_import[:_SHOWN]]
    findings += [CALLS.finding(f"line {act.line}: {act.name} ({act.what})") for act in later[:_SHOWN]]
    return Inspection(readable=True, findings=tuple(findings))


FORMAT = Format(
    id="python",
    title="Python source",
    description="Source that a library may import; what it does on import is found in its syntax tree.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    dearness=8,
    rules=PYTHON_RULES,
)
