"""safetensors: a JSON header and the numbers it describes, nothing else.

The format's rules are strict and so is this reader: header of at most 100 MB that begins with ``{``, no duplicate
keys, known types, sizes that follow from the shapes, and numbers that fill the rest of the file without overlap,
hole or remainder. Any departure is a finding, because it is a place to hide something or to trip a loader.
Follows the format section of the safetensors README and ``safetensors/src/tensor.rs`` 0.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_ADVICE: Final = "Do not load the file; ask its author to write it again with the safetensors library."
_README: Final = ("https://github.com/huggingface/safetensors#format",)
HEADER: Final = Rule(
    "safetensors-header",
    "the safetensors header breaks the format's rules",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "The header is not strict JSON of the documented shape: a duplicate key, an unknown type, a shape that is no list "
    "of sizes, metadata that is not text. Readers differ on what such a file means.",
    _ADVICE,
    _README,
)
LAYOUT: Final = Rule(
    "safetensors-layout",
    "the tensors do not fill the file exactly",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Tensors overlap, leave a hole, end beyond the file or before its end, or take other room than type and shape "
    "call for. The format forbids it, so that nothing can hide in the file.",
    _ADVICE,
    _README,
)
_BITS: Final[Mapping[str, int]] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
"""Bits of one number of each type (``Dtype::bitsize`` in tensor.rs)."""
_LENGTH: Final = 8
_MOST: Final = 2**64 - 1
_KEYS: Final = frozenset({"dtype", "shape", "data_offsets"})
_SHOWN: Final = 10


def _header_size(reading: Reading) -> int:
    return int.from_bytes(reading.read_at(0, _LENGTH), "little")


def _recognise(reading: Reading, name: str) -> bool:
    if name.casefold().endswith(".safetensors"):
        return reading.size > 0
    return reading.read_at(_LENGTH, 1) == b"{" and _LENGTH + _header_size(reading) <= reading.size


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    size = _header_size(reading)
    if reading.size < _LENGTH or _LENGTH + size > reading.size:
        return Inspection(readable=True, findings=(BROKEN.finding("the header is longer than the file", offset=0),))
    if size > limits.SAFETENSORS_HEADER_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"the header has {size} bytes", offset=0),))
    raw = reading.read_at(_LENGTH, size)
    if not raw.startswith(b"{"):
        return Inspection(readable=True, findings=(HEADER.finding("the header does not begin with {", offset=8),))
    try:
        header = strictjson.loads(
            raw, most_bytes=limits.SAFETENSORS_HEADER_BYTES, most_room=limits.SCAN_JSON_ROOM, what="header"
        )
    except ModelsignError as fault:
        return Inspection(readable=True, findings=(HEADER.finding(fault.message, offset=_LENGTH),))
    if not isinstance(header, dict):
        return Inspection(readable=True, findings=(HEADER.finding("the header is no object", offset=_LENGTH),))
    return Inspection(readable=True, findings=tuple(_check(header, _LENGTH + size, reading.size)), inert=False)


def _check(header: dict[str, object], start: int, end: int) -> list[Finding]:
    """Check the entries one by one, then that together they fill the file."""
    findings = _check_metadata(header.pop("__metadata__", None)) if "__metadata__" in header else []
    places: list[tuple[int, int, str]] = []
    for name, entry in header.items():
        problem = _check_entry(entry)
        if problem is None:
            begin, stop = entry["data_offsets"]  # type: ignore[index] # _check_entry saw that it is a dict with these
            places.append((begin, stop, name))
        else:
            findings.append(problem[0].finding(f"{name[:100]}: {problem[1]}", offset=_LENGTH))
    if not findings:
        findings += _check_places(sorted(places), start, end)
    return findings


def _check_metadata(metadata: object) -> list[Finding]:
    if isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values()):
        return []
    return [HEADER.finding("__metadata__ is not a map from text to text", offset=_LENGTH)]


def _check_entry(entry: object) -> tuple[Rule, str] | None:
    """Return the rule one tensor's entry breaks, and how."""
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        return HEADER, "the entry does not have exactly dtype, shape and data_offsets"
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        return HEADER, "the dtype is unknown"
    if not _are_sizes(shape):
        return HEADER, "the shape is no list of sizes"
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:  # noqa: PLR2004 - begin and end
        return HEADER, "data_offsets is no pair of a begin and an end"
    problem = _check_room(_BITS[dtype], shape, offsets[1] - offsets[0])
    return None if problem is None else (LAYOUT, problem)


def _check_room(bits: int, shape: list[int], room: int) -> str | None:
    """Say how the room a tensor has differs from what type and shape call for."""
    for length in shape:
        bits *= length
        if bits > _MOST:
            return "the shape calls for more than 2^64 bits"
    if bits % 8:
        return "the tensor does not end on a whole byte"
    return None if bits // 8 == room else f"type and shape call for {bits // 8} bytes, data_offsets for {room}"


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item <= _MOST for item in value)


def _check_places(places: list[tuple[int, int, str]], start: int, end: int) -> list[Finding]:
    findings = []
    position = 0
    for begin, stop, name in places:
        if begin != position:
            kind = "overlaps the tensor before it" if begin < position else "leaves a hole before it"
            findings.append(LAYOUT.finding(f"{name[:100]} {kind}", offset=start + position))
        position = max(position, stop)
        if len(findings) >= _SHOWN:
            break
    if start + position != end and len(findings) < _SHOWN:
        text = f"the tensors end at byte {start + position} of {end}"
        findings.append(LAYOUT.finding(text, offset=min(start + position, end)))
    return findings


FORMAT = Format(
    id="safetensors",
    title="safetensors",
    description="A JSON header that describes tensors, and their numbers without gap or overlap.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".safetensors",),
    rules=(HEADER, LAYOUT, BROKEN, BUDGET),
)
