"""NumPy arrays: ``.npy`` files, and ``.npz`` archives of them.

An array of numbers is its header and exactly as many bytes as type and shape call for; several arrays may follow
each other in one file, as ``numpy.save`` on an open file writes them. An array of objects is a pickle and is
judged as one. In an archive every member is scanned by its content. Follows ``numpy/lib/_format_impl.py``
(versions 1.0 to 3.0) including headers that Python 2 wrote.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.scan.archives.zips import (
    archive_of,
    findings_of,
    is_numpy_archive,
    looks_like_zip,
    member_of,
)
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.pickles import RULES, scan_pickle
from modelsign.scan.rules import ZIP_RULES
from modelsign.scan.syntax.literals import LiteralError, parse_literal
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGIC: Final = b"\x93NUMPY"
_LENGTHS: Final = {(1, 0): 2, (2, 0): 4, (3, 0): 4}
"""Bytes of the header's length, by the format's version."""
_DTYPE: Final = re.compile(
    r"[<>|=]?(?:(?P<kind>[biufcOSUVaT])(?P<size>\d{0,9})|(?P<time>[mM])8(?:\[[^\]]{0,16}\])?|(?P<bool>\?))", re.ASCII
)
_UNICODE_BYTES: Final = 4
_MOST: Final = 2**63 - 1
_MOST_AXES: Final = 64
"""NumPy's own limit since version 2.0 (``NPY_MAXDIMS``)."""
_FIELD_PARTS: Final = (2, 3)

HEADER: Final = Rule(
    "numpy-header",
    "the header of a NumPy array is not understood",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The header is no plain dictionary of type, order and shape, or the type is none that NumPy writes. Whether the "
    "array holds numbers or objects cannot be told.",
    "Save the array again with a current NumPy and `allow_pickle=False`.",
    ("https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",),
)
SIZE: Final = Rule(
    "numpy-size",
    "a NumPy file does not have the size its header calls for",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The numbers are cut short, or other bytes follow them; a loader that reads on would meet what nobody judged.",
    "Fetch the file again and compare its digest with the author's.",
)


class _NotUnderstoodError(ValueError):
    """A header that is none."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(_MAGIC)) == _MAGIC or looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if reading.read_at(0, len(_MAGIC)) == _MAGIC:
        return _scan_arrays(reading)
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError) or not is_numpy_archive(archive):
        return Inspection(readable=False)
    members = tuple(member_of(reading, member) for member in archive.members if not member.is_folder)
    return Inspection(readable=True, findings=findings_of(archive, reading), members=members)


def _scan_arrays(reading: Reading) -> Inspection:
    """Read array after array; objects go to the end of the file, since their pickle says where it ends."""
    position = 0
    while position < reading.size:
        if reading.read_at(position, len(_MAGIC)) != _MAGIC:
            text = f"{reading.size - position} bytes follow the array"
            return Inspection(readable=True, findings=(SIZE.finding(text, offset=position),))
        try:
            start, size = _read_header(reading, position)
        except _NotUnderstoodError as fault:
            return Inspection(readable=True, findings=(HEADER.finding(str(fault), offset=position),))
        if size is None:
            return scan_pickle(reading, start=start)
        position = start + size
        if position > reading.size:
            text = f"{position - reading.size} bytes of the array are missing"
            return Inspection(readable=True, findings=(SIZE.finding(text, offset=reading.size),))
    return Inspection(readable=True)


def _read_header(reading: Reading, position: int) -> tuple[int, int | None]:
    """Return where an array's bytes begin, and how many there are; None where they are a pickle."""
    fixed = reading.read_at(position, 12)
    width = _LENGTHS.get((fixed[6], fixed[7])) if len(fixed) == 12 else None  # noqa: PLR2004 - magic, version, length
    if width is None:
        raise _NotUnderstoodError("the version of the header is unknown")
    length = int.from_bytes(fixed[8 : 8 + width], "little")
    start = position + 8 + width + length
    if length > limits.NUMPY_HEADER_BYTES or start > reading.size:
        raise _NotUnderstoodError(f"the header claims {length} bytes")
    raw = reading.read_at(position + 8 + width, length)
    try:
        header = parse_literal(raw.decode("utf-8" if fixed[6] == 3 else "latin-1"))  # noqa: PLR2004 - version 3
    except (LiteralError, UnicodeDecodeError) as fault:
        raise _NotUnderstoodError(f"the header is no dictionary: {fault}") from None
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise _NotUnderstoodError("the header does not have exactly descr, fortran_order and shape")
    shape = header["shape"]
    if not isinstance(shape, tuple) or not isinstance(header["fortran_order"], bool):
        raise _NotUnderstoodError("shape or fortran_order are of the wrong type")
    size = _size_of(header["descr"])
    return start, None if size is None else _times(size, shape)


def _times(size: int, shape: tuple[object, ...]) -> int:
    if len(shape) > _MOST_AXES:
        raise _NotUnderstoodError(f"the shape has {len(shape)} axes")
    total = size
    for length in shape:
        if type(length) is not int or length < 0:
            raise _NotUnderstoodError("the shape holds something that is no size")
        total *= length
    if total > _MOST:
        raise _NotUnderstoodError("the shape calls for more than 2^63 bytes")
    return total


def _size_of(descr: object) -> int | None:
    """Return the bytes of one element; None where it holds objects."""
    if isinstance(descr, str):
        return _size_of_plain(descr)
    if isinstance(descr, tuple) and len(descr) == 2 and isinstance(descr[1], tuple):  # noqa: PLR2004 - type and shape
        inner = _size_of(descr[0])
        return None if inner is None else _times(inner, descr[1])
    if not isinstance(descr, list) or not descr:
        raise _NotUnderstoodError("the type is neither text nor a list of fields")
    sizes = []
    for part in descr:
        if not isinstance(part, tuple) or len(part) not in _FIELD_PARTS:
            raise _NotUnderstoodError("a field of the type is no pair of a name and a type")
        inner = _size_of(part[1])
        shape = part[2] if len(part) == 3 else ()  # noqa: PLR2004 - name, type, shape
        shape = shape if isinstance(shape, tuple) else (shape,)
        sizes.append(None if inner is None else _times(inner, shape))
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _size_of_plain(descr: str) -> int | None:
    match = _DTYPE.fullmatch(descr)
    if match is None:
        raise _NotUnderstoodError(f"the type {descr[:40]} is none that NumPy writes")
    if match["bool"]:
        return 1
    if match["time"]:
        return 8
    if match["kind"] in {"O", "T"}:
        return None
    if not match["size"]:
        raise _NotUnderstoodError(f"the type {descr[:40]} has no size")
    return int(match["size"]) * (_UNICODE_BYTES if match["kind"] == "U" else 1)


FORMAT = Format(
    id="numpy",
    title="NumPy arrays",
    description="A .npy file or a .npz archive: arrays of numbers, or of objects in pickles.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MAGIC),),
    extensions=(".npy", ".npz"),
    rules=(HEADER, SIZE, *ZIP_RULES, *RULES),
)
