"""JSON Lines: one strict JSON document a line, as training logs, data sets and evaluations are kept.

Each line is judged like a document of its own (``scan/configuration/code_keys.py``). Data sets also stand in lines
under the name ``.json``. A file of which one line is no JSON is not this format. Follows jsonlines.org; blank lines are
skipped, as readers do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.artifact.reading import BLOCK
from modelsign.errors import ModelsignError
from modelsign.scan.configuration.code_keys import DOCUMENT_RULES, document_findings
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_EXTENSIONS: Final = (".jsonl", ".ndjson", ".json")
_BLANK: Final = b" \t\r\n"


def _recognise(reading: Reading, name: str) -> bool:
    """Ask where a document that begins in the first line is not the whole."""
    head = reading.read_at(0, 64).lstrip(_BLANK)
    return head[:1] in {b"{", b"["} or (reading.size > 0 and name.casefold().endswith(_EXTENSIONS[:2]))


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    found: dict[Finding, None] = {}
    documents, templates = 0, False
    for line in _documents(reading):
        if line is None:
            text = f"a line of more than {limits.SCAN_JSON_BYTES} bytes"
            return Inspection(readable=documents > 0, findings=(*found, BUDGET.finding(text)))
        try:
            document = strictjson.loads(
                line, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False
            )
        except ModelsignError:
            return Inspection(readable=False)
        documents += 1
        if isinstance(document, (dict, list)):
            findings, holds = document_findings(document)
            templates = templates or holds
            if len(found) < limits.SCAN_FINDINGS:
                found.update(dict.fromkeys(findings))
    return Inspection(readable=documents > 1, findings=tuple(found), inert=not templates)


def _documents(reading: Reading) -> Iterator[bytes | None]:
    """Yield the lines that are not blank, none where there is a single one; None instead of one that is too long."""
    first: bytes | None = None
    several = False
    for line in _lines(reading):
        if line is None:
            yield None
            return
        if not line.strip(_BLANK):
            continue
        if several:
            yield line
        elif first is None:
            first = line
        else:
            several = True
            yield first
            yield line


def _lines(reading: Reading) -> Iterator[bytes | None]:
    """Yield the lines; None instead of one that is too long."""
    pieces: list[bytes] = []
    position = held = 0
    while data := reading.read_at(position, BLOCK):
        position += len(data)
        first, *further = data.split(b"\n")
        pieces.append(first)
        held += len(first)
        if further:
            yield b"".join(pieces)
            yield from further[:-1]
            pieces, held = [further[-1]], len(further[-1])
        if held > limits.SCAN_JSON_BYTES:
            yield None
            return
    yield b"".join(pieces)


FORMAT = Format(
    id="jsonl",
    title="JSON Lines",
    description="One strict JSON document a line, each judged like a file of its own.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS[:2],
    rules=(*DOCUMENT_RULES, BUDGET),
    refines=("json",),
)
