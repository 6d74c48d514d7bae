"""JSON Lines: the same document on one line, to be appended to a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.report.document import document, dumps
from modelsign.report.output import Output

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]


def render(report: Report, *, colour: bool = False) -> str:
    """Write the document on one line; colour is never used."""
    del colour
    return dumps(document(report), indent=None)


OUTPUT = Output("jsonl", "JSON Lines", "The JSON document on one line.", "application/jsonl", render)
