"""JSON, indented: the machine's answer (RFC 8259). ASCII only, so that no terminal can be fooled by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.report.document import document, dumps
from modelsign.report.output import Output

if TYPE_CHECKING:
    from modelsign.verdict import Report

__all__ = ["OUTPUT", "render"]


def render(report: Report, *, colour: bool = False) -> str:
    """Write the document; colour is never used."""
    del colour
    return dumps(document(report))


OUTPUT = Output("json", "JSON", "One indented JSON document with stable keys.", "application/json", render)
