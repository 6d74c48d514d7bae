"""Jupyter notebooks: what their cells do when a person runs them.

No library loads a notebook with a model, so what its cells do is named and unverified, commands of the shell included.
Cells are read as Python; magics and shell commands are lines of IPython. Follows nbformat 4 (and the worksheets of 3).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection
from modelsign.scan.python.examine import UnreadableSourceError, examined, parsed
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_ADVICE: Final = "Read the cells before you run them."
_FORMAT: Final = ("https://nbformat.readthedocs.io/en/latest/format_description.html",)
CODE: Final = Rule(
    "notebook-code",
    "there is a notebook with code",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "A notebook is a program in cells. Nothing in it runs when the model is loaded, all of it may when a person "
    "opens and runs it.",
    _ADVICE,
    _FORMAT,
)
COMMAND: Final = Rule(
    "notebook-command",
    "a notebook runs programs or does something dangerous",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A cell runs a command of the shell, or calls something that starts programs, runs text as code, loads native "
    "code or pickles, writes files or uses the network.",
    _ADVICE,
    _FORMAT,
)
ACTIVE: Final = Rule(
    "notebook-active-output",
    "a notebook's output holds a script",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "An output is HTML or JavaScript with a script in it, which a viewer that trusts the notebook runs when it is "
    "opened.",
    "Clear the outputs, or open the notebook untrusted.",
    _FORMAT,
)
_SHELL: Final = re.compile(r"\s*(?:!|%%?(?:bash|sh|script|system|sx|cmd|pip|conda|run|load_ext)\b|\w+\s*=\s*!)")
_MAGIC: Final = re.compile(r"\s*(?:[%!?]|\w+(?:\s*,\s*\w+)*\s*=\s*[!%])")
_SCRIPT: Final = re.compile(r"(?i)<script|javascript:|\bonerror\s*=|<iframe")
_ACTIVE: Final = frozenset({"text/html", "application/javascript", "image/svg+xml"})
_SHOWN: Final = 30


def _recognise(reading: Reading, name: str) -> bool:
    if name.casefold().endswith(".ipynb"):
        return reading.size > 0
    head = reading.read_at(0, 4096)
    return head.lstrip(b" \t\r\n").startswith(b"{") and b'"cells"' in head


def _scan(reading: Reading, name: str) -> Inspection:
    named = name.casefold().endswith(".ipynb")
    if reading.size > limits.NOTEBOOK_BYTES:
        return Inspection(readable=named, findings=(BUDGET.finding(f"a notebook of {reading.size} bytes"),))
    try:
        document = strictjson.loads(
            reading.read_at(0, reading.size),
            most_bytes=limits.NOTEBOOK_BYTES,
            most_room=limits.SCAN_JSON_ROOM,
            finite=False,
        )
    except ModelsignError as fault:
        return Inspection(readable=named, findings=(BROKEN.finding(fault.message),))
    cells = list(_cells(document))
    if not cells and not named:
        return Inspection(readable=False)
    source = [_text(cell.get("source", cell.get("input"))) for cell in cells if cell.get("cell_type") == "code"]
    findings: list[Finding] = [CODE.finding(f"{len(source)} cells of code")]
    findings += _commands(source)
    findings += [
        ACTIVE.finding(f"an output of {kind}") for kind in sorted({kind for cell in cells for kind in _live(cell)})
    ]
    return Inspection(readable=True, findings=tuple(findings))


def _cells(document: object) -> Iterator[dict[str, object]]:
    """Yield the cells of a notebook, those of nbformat 3 from its worksheets."""
    sheets = [document]
    if isinstance(document, dict) and isinstance(document.get("worksheets"), list):
        sheets += document["worksheets"]
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if isinstance(cell, dict):
                yield cell


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _commands(source: list[str]) -> list[Finding]:
    """Name commands of the shell, and what the cells' Python calls."""
    found: dict[Finding, None] = {}
    left = limits.SOURCE_BYTES
    for number, cell in enumerate(source, 1):
        left -= len(cell)
        if left < 0:
            found[BUDGET.finding("the cells are longer than a scan reads")] = None
            break
        lines = cell.split("\n")
        found.update(
            (COMMAND.finding(f"cell {number}: {line.strip()[:200]}"), None) for line in lines if _SHELL.match(line)
        )
        plain = "" if lines[0].startswith("%%") else "\n".join("pass" if _MAGIC.match(line) else line for line in lines)
        try:
            acts = examined(parsed(plain))
        except UnreadableSourceError:
            continue  # IPython's own syntax; the cell is unverified as it is
        found.update((COMMAND.finding(f"cell {number}: {act.name} ({act.what})"), None) for act in acts)
        if len(found) > _SHOWN:
            break
    return list(found)[:_SHOWN]


def _live(cell: dict[str, object]) -> Iterator[str]:
    """Yield the kinds of outputs that hold a script."""
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        for kind in (_ACTIVE & data.keys()) if isinstance(data, dict) else ():
            if kind == "application/javascript" or _SCRIPT.search(_text(data[kind])):  # type: ignore[index] # a dict
                yield kind


FORMAT = Format(
    id="notebook",
    title="Jupyter notebook",
    description="Cells of code that a person runs; what they do is named.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".ipynb",),
    dearness=2,
    rules=(CODE, COMMAND, ACTIVE, BROKEN, BUDGET),
)
