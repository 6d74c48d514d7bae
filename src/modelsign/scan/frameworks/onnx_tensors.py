"""What an ONNX tensor says of itself: the file its numbers lie in, and whether its sizes agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.relative import why_escapes
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from modelsign.scan.syntax.protobuf import Values
    from modelsign.verdict import Finding

__all__ = ["EXTERNAL", "KEY", "SIZE", "check_external", "check_room", "check_size"]

EXTERNAL: Final = Rule(
    "onnx-external-path",
    "a tensor's file lies outside the model",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The model says that numbers lie in a file, and the name leads out of the model's folder, to a device, a URL or to "
    "the memory of the process. Loading reads that place, and saving the model again overwrites it.",
    "Do not load the model; it was made to reach files that are not its own.",
    (
        "CVE-2022-25882",
        "CVE-2024-27318",
        "CVE-2025-51480",
        "CVE-2026-27489",
        "CVE-2026-34446",
        "CVE-2026-34447",
        "https://onnx.ai/onnx/repo-docs/ExternalData.html",
    ),
)
KEY: Final = Rule(
    "onnx-external-key",
    "a tensor's place in a file is described by an unknown key",
    Severity.HIGH,
    Outcome.UNSAFE,
    "ONNX before 1.21 sets any attribute that such a key names on an object of its own, and so lets the model "
    "overwrite the object's methods and state. No writer uses other keys than the documented ones.",
    "Do not load the model.",
    ("CVE-2026-34445",),
)
SIZE: Final = Rule(
    "onnx-tensor-size",
    "a tensor's shape and its numbers do not agree",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Shape and type call for another number of bytes than the tensor has, a length is negative or no number, or the "
    "size overflows. Runtimes have read and written beyond their memory on such tensors.",
    "Do not load the model; ask its author to export it again.",
    ("https://onnx.ai/onnx/repo-docs/IR.html#tensors",),
)
_KEYS: Final = frozenset({"location", "offset", "length", "checksum", "basepath"})
_MEMORY: Final = "_ORT_MEM_ADDR_"
"""ONNX Runtime's mark for a tensor that lies at an address of the process."""
_MOST_BYTES: Final = 2**63 - 1
_BITS: Final[Mapping[int, int]] = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2, 27: 6, 28: 6,
}  # fmt: skip
"""Bits of one number of each type (``TensorProto.DataType``); 8 is text, which has no size."""
_TEXT: Final = 8
_DIGITS: Final = 19


def check_external(entries: Iterable[tuple[str, str]], offset: int) -> Iterator[Finding]:
    """Check the description of a tensor's place in another file: pairs of key and value."""
    seen = set()
    for key, value in entries:
        if key in seen:
            yield KEY.finding(f"{key[:100]} is given twice", offset=offset)
        seen.add(key)
        if key not in _KEYS:
            yield KEY.finding(f"the key {key[:100]}", offset=offset)
        elif key in {"location", "basepath"}:
            reason = "it names an address in memory" if _MEMORY in value else why_escapes(value)
            if reason is not None:
                yield EXTERNAL.finding(f"{key} {value[:200]!r}: {reason}", offset=offset)
        elif key in {"offset", "length"} and not _is_size(value):
            yield SIZE.finding(f"{key} {value[:100]!r} is no size", offset=offset)
    if seen and "location" not in seen:
        yield KEY.finding("no location is given", offset=offset)


def _is_size(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _DIGITS and int(value) <= _MOST_BYTES


def check_size(values: Values, external: Mapping[str, str]) -> Iterator[Finding]:
    """Check that shape and type call for the bytes that are there."""
    room = [place.end - place.start for place in values.all("raw_data")]
    declared = external.get("length", "")
    if _is_size(declared):
        room.append(int(declared))
    return check_room(values.last("data_type", 0) & 0xFFFF_FFFF, values.signed("dims"), room, values.start)


def check_room(kind: int, dims: Iterable[int], room: Iterable[int], offset: int) -> Iterator[Finding]:
    """Check the bytes that are there, as often as they are given, against a type and a shape."""
    bits = _BITS.get(kind)
    count = 1
    for length in dims:
        count *= length
        if length < 0 or count > _MOST_BYTES:
            yield SIZE.finding("the shape is negative or overflows", offset=offset)
            return
    if bits is None or kind == _TEXT:
        return
    wanted = -(-count * bits // 8)
    if wanted > _MOST_BYTES:
        yield SIZE.finding("the size overflows", offset=offset)
    for one in room:
        if one != wanted:
            yield SIZE.finding(f"shape and type call for {wanted} bytes, there are {one}", offset=offset)
