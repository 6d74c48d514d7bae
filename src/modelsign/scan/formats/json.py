"""JSON without code in it: configurations, tokenizers, tables.

The document must be strict JSON (no duplicate keys), and no key at any depth may be one by which a library imports code
or rebuilds objects (``scan/configuration/code_keys.py``). ``NaN`` and infinities, which Python writes and reads, are
numbers. Templates under the keys that libraries render are read as what they are (``scan/jinja``). ``modules.json`` of
sentence-transformers names classes to import; the library's own are known. A document with a byte order mark, in UTF-8
or UTF-16, is read again without it, so that every reader of JSON gets to see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan.configuration.code_keys import DOCUMENT_RULES, document_findings
from modelsign.scan.format import Format, Inspection, Member
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.syntax.jsonkeys import document_bytes

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MARKS: Final = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_BLANK: Final = " \t\r\n"


def _marked(reading: Reading) -> tuple[bytes, str]:
    """Return the byte order mark and the encoding it stands for; empty and UTF-8 where there is none."""
    head = reading.read_at(0, 3)
    return next(((mark, encoding) for mark, encoding in _MARKS.items() if head.startswith(mark)), (b"", "utf-8"))


def _recognise(reading: Reading, name: str) -> bool:
    mark, encoding = _marked(reading)
    head = reading.read_at(len(mark), 64).decode(encoding, "replace").lstrip(_BLANK)
    return head[:1] in {"{", "["} or (reading.size > 0 and name.casefold().endswith(".json"))


def _scan(reading: Reading, name: str) -> Inspection:
    if reading.size > limits.SCAN_JSON_BYTES:
        text = f"a JSON document of {reading.size} bytes; the limit is {limits.SCAN_JSON_BYTES}"
        return Inspection(readable=True, findings=(BUDGET.finding(text),))
    named = name.casefold().endswith(".json")
    mark, encoding = _marked(reading)
    data = document_bytes(reading)
    try:
        if mark:
            plain = data[len(mark) :].decode(encoding).encode()
            strictjson.loads(plain, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False)
            member = Member(name, lambda _: Stream(BytesReading(plain), unpacked=len(plain)))
            return Inspection(readable=True, inert=True, members=(member,))
        document = strictjson.loads(
            data, most_bytes=limits.SCAN_JSON_BYTES, most_room=limits.SCAN_JSON_ROOM, finite=False
        )
    except UnicodeError as fault:
        text = f"the document is not in the encoding of its byte order mark ({fault})"
        return Inspection(readable=named, findings=(BROKEN.finding(text),) if named else ())
    except ModelsignError as fault:
        return Inspection(readable=named, findings=(BROKEN.finding(fault.message),) if named else ())
    findings, templates = document_findings(document)
    return Inspection(readable=True, findings=findings, inert=not templates)


FORMAT = Format(
    id="json",
    title="JSON",
    description="Strict JSON without keys by which a library would import code; chat templates in it are read.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".json",),
    rules=(*DOCUMENT_RULES, BROKEN),
)
