"""GGUF: metadata, a list of tensors, and their numbers; what llama.cpp and those built on it load.

No code lies in it but the chat templates in its metadata, which programs render (``scan/jinja``). Loaders are written
in C++ and trust its sizes, so every size is checked: counts and shapes that overflow, tensors that overlap, leave holes
or end elsewhere than the file. Follows docs/gguf.md of ggml and ``ggml/src/gguf.cpp``; versions 1 to 3 of either byte
order.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.gguf_header import MAGIC, BrokenHeaderError, Header, OverflowingSizeError, read_header
from modelsign.scan.jinja.carried import judged_together
from modelsign.scan.jinja.rules import TEMPLATE_RULES
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.frameworks.gguf_header import Tensor
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_ADVICE: Final = "Do not load the file; ask its author to write it again with llama.cpp's own tools."
_SPECIFICATION: Final = "https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"
HEADER: Final = Rule(
    "gguf-header",
    "the GGUF header breaks the format's rules",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "A key or tensor stands twice, a name is no text, or a type, version or number of dimensions is not of the "
    "format. Readers differ on what such a file means.",
    _ADVICE,
    (_SPECIFICATION, "CVE-2024-21802", "CVE-2024-21825", "CVE-2024-23496"),
)
LAYOUT: Final = Rule(
    "gguf-layout",
    "the tensors do not fill the file as the header says",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Tensors overlap, leave a hole, are not aligned, or end beyond the file or before its end. Loaders have read "
    "beyond their memory on such files, and what is in a hole is hidden.",
    _ADVICE,
    (_SPECIFICATION, "CVE-2026-7482"),
)
OVERFLOW: Final = Rule(
    "gguf-overflow",
    "sizes in the GGUF header overflow",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A count, length or shape is so large that the loader's arithmetic wraps around: it then reserves little "
    "memory and writes beyond it. No tool writes such a file by accident.",
    _ADVICE,
    ("CVE-2025-53630", "CVE-2026-27940", "CVE-2024-21836", "CVE-2024-23605"),
)
TYPE: Final = Rule(
    "gguf-unknown-type",
    "a tensor has a type that is not known",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The type is none of ggml's, so that the room of the tensor cannot be checked. Programs derived from "
    "llama.cpp have types of their own.",
    "Load the file only with the program it was made for, or ask for it in one of ggml's types.",
    (_SPECIFICATION,),
)
_MOST: Final = 2**62
"""More values or bytes than any file has; loaders add to such sizes before they compare them."""
_LARGEST_ALIGNMENT: Final = 65536
_SHOWN: Final = 10


@functools.cache
def _types() -> Mapping[int, tuple[int, int]]:
    """Return the values and the bytes of one block, by the number of a type."""
    return {row[0]: (row[2], row[3]) for group in table("ggml_types")["types"] for row in group["rows"]}


def _recognise(reading: Reading, name: str) -> bool:
    if name.casefold().endswith(".gguf"):
        return reading.size > 0
    return reading.read_at(0, len(MAGIC)) == MAGIC


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if reading.read_at(0, len(MAGIC)) != MAGIC:
        return Inspection(readable=True, findings=(BROKEN.finding("the file does not begin with GGUF", offset=0),))
    header = Header()
    findings: list[Finding] = []
    try:
        read_header(reading, header)
    except OverflowingSizeError as fault:
        findings.append(OVERFLOW.finding(str(fault), offset=fault.offset))
    except BrokenHeaderError as fault:
        findings.append((HEADER if fault.whole else BROKEN).finding(str(fault), offset=fault.offset))
    findings += [HEADER.finding(text, offset=offset) for text, offset in header.flaws[:_SHOWN]]
    if header.end:
        findings += _check_tensors(header, reading)
    findings += _check_templates(header)
    return Inspection(readable=True, findings=tuple(findings))


def _check_templates(header: Header) -> list[Finding]:
    findings = []
    texts = []
    for key, raw in header.templates:
        try:
            texts.append((key, raw.decode("utf-8")))
        except UnicodeDecodeError:
            findings.append(HEADER.finding("a template that is not UTF-8", member=key))
    if header.room < 0:
        findings.append(BUDGET.finding("the templates are longer than a scan reads"))
    return [*findings, *judged_together(texts)]


def _check_tensors(header: Header, reading: Reading) -> list[Finding]:
    """Check the tensors one by one, then that together they fill the file."""
    alignment = header.alignment
    if not 0 < alignment <= _LARGEST_ALIGNMENT or alignment & (alignment - 1):
        return [LAYOUT.finding(f"an alignment of {alignment} bytes")]
    findings: list[Finding] = []
    places: list[tuple[int, int, Tensor]] = []
    for tensor in header.tensors:
        found = _room(tensor)
        if isinstance(found, int):
            places.append((tensor.offset, found, tensor))
        else:
            findings.append(found)
    if len(places) == len(header.tensors):
        findings += _check_places(sorted(places), header, reading)
    return findings[: _SHOWN * 2]


def _room(tensor: Tensor) -> int | Finding:
    """Return the bytes that a tensor takes by its type and shape, or what is wrong with it."""
    label, at = tensor.name[:100], tensor.place
    total = 1
    for length in tensor.shape:
        total *= length
        if total > _MOST:
            return OVERFLOW.finding(f"the shape of {label} calls for more than 2^62 values", offset=at)
    known = _types().get(tensor.kind)
    if known is None:
        return TYPE.finding(f"{label} has the type {tensor.kind}", offset=at)
    values, size = known
    if total // values * size > _MOST or tensor.offset > _MOST:
        return OVERFLOW.finding(f"the tensor {label} calls for more than 2^62 bytes", offset=at)
    row = tensor.shape[0] if tensor.shape else 1
    if row % values:
        return LAYOUT.finding(f"the rows of {label} are no whole number of blocks", offset=at)
    return total // values * size


def _check_places(places: list[tuple[int, int, Tensor]], header: Header, reading: Reading) -> list[Finding]:
    findings = []
    start = _padded(header.end, header.alignment)
    position = end = 0
    for begin, size, tensor in places:
        label, at = tensor.name[:100], tensor.place
        if begin != position:
            kind = "overlaps the tensor before it" if begin < position else "leaves a hole before it"
            findings.append(LAYOUT.finding(f"{label} {kind}", offset=at))
        end = max(end, begin + size)
        position = _padded(end, header.alignment)
        if position > _MOST:
            findings.append(OVERFLOW.finding(f"the tensors up to {label} call for more than 2^62 bytes", offset=at))
            break
        if len(findings) >= _SHOWN:
            break
    last = min(start, reading.size) if not places else start + end
    if start + end > reading.size and places:
        findings.append(LAYOUT.finding(f"the tensors end at byte {start + end} of {reading.size}"))
    elif reading.size > _padded(last, header.alignment):
        findings.append(LAYOUT.finding(f"{reading.size - last} bytes follow the last tensor", offset=last))
    return findings


def _padded(length: int, alignment: int) -> int:
    return -(-length // alignment) * alignment


FORMAT = Format(
    id="gguf",
    title="GGUF",
    description="Metadata and tensors for llama.cpp; sizes are checked, chat templates in the metadata are read.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, MAGIC),),
    extensions=(".gguf",),
    rules=(HEADER, LAYOUT, OVERFLOW, TYPE, *TEMPLATE_RULES, BROKEN),
)
