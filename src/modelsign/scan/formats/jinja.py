"""Jinja templates: the chat templates that libraries render with whatever a conversation holds.

A template is a small program. It is read by ``scan/jinja`` and never rendered: one that only writes out the messages
it is given is clean, one that reaches for Python's internals is unsafe. Recognised by name, or where a text begins
with a tag. Follows the grammar of Jinja 3.1 with its default delimiters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.jinja.judge import judged
from modelsign.scan.jinja.rules import TEMPLATE_RULES
from modelsign.scan.rules import BROKEN, BUDGET

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_EXTENSIONS: Final = (".jinja", ".jinja2", ".j2")
_TAGS: Final = (b"{%", b"{{", b"{#")
_HEAD: Final = 256
_WIDEST: Final = 4
"""Bytes of the longest character in UTF-8."""


def _named(name: str) -> bool:
    return name.casefold().endswith(_EXTENSIONS)


def _recognise(reading: Reading, name: str) -> bool:
    if _named(name):
        return reading.size > 0
    return reading.read_at(0, _HEAD).removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(_TAGS)


def _scan(reading: Reading, name: str) -> Inspection:
    most = _WIDEST * limits.TEMPLATE_CHARACTERS
    if reading.size > most:
        text = f"a template of {reading.size} bytes; the limit is {most}"
        return Inspection(readable=_named(name), findings=(BUDGET.finding(text),))
    try:
        template = reading.read_at(0, reading.size).decode("utf-8")
    except UnicodeDecodeError as fault:
        text = f"the template is not UTF-8 (byte {fault.start})"
        return Inspection(readable=_named(name), findings=(BROKEN.finding(text, offset=fault.start),))
    return Inspection(readable=True, findings=judged(template))


FORMAT = Format(
    id="jinja",
    title="Jinja template",
    description="A template that is rendered with the messages of a conversation; read, never rendered.",
    recognise=_recognise,
    scan=_scan,
    extensions=_EXTENSIONS,
    dearness=8,
    rules=(*TEMPLATE_RULES, BROKEN),
)
