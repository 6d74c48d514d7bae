"""The arrays that joblib writes between opcodes: how long they are.

``joblib.numpy_pickle.NumpyUnpickler.load_build`` reads an array's bytes from the stream right behind the BUILD
of a ``NumpyArrayWrapper``; ``pickletools`` and plain unpicklers take those bytes for opcodes. Follows
joblib 0.10 to 1.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["ARRAY_CLASSES", "WRAPPER", "RawArray", "array_bytes"]

WRAPPER: Final = "joblib.numpy_pickle.NumpyArrayWrapper"
_DTYPE: Final = re.compile(r"[<>|=]?([biufcmMOSUV])([0-9]{1,9})?", re.ASCII)
_UNITS: Final = {"U": 4}
_PADDING: Final = 16
_MOST_AXES: Final = 64
"""Dimensions that NumPy allows (``NPY_MAXDIMS``)."""
ARRAY_CLASSES: Final = frozenset({"numpy.ndarray", "numpy.memmap", "numpy.matrix"})


@dataclass(frozen=True, slots=True)
class RawArray:
    """An array in the stream: ``end`` is the offset behind it; joblib before 1.2 takes ``unpadded_end`` for that.

    ``pickled`` arrays are a pickle of their own from here. ``aligned`` ones start with a byte that is no opcode,
    so a plain unpickler stops there; others it would go on reading. ``size`` is in bytes.
    """

    end: int
    aligned: bool
    pickled: bool = False
    unpadded_end: int = 0
    size: int = 0
    dtype: Value | None = None
    shape: Value | None = None


def array_bytes(source: Source, state: list[Value], offset: int) -> RawArray | None:
    """Return where the array behind a wrapper's BUILD ends; None if it cannot be told."""
    fields: dict[str, Value] = {}
    for key, value in zip(state[::2], state[1::2], strict=False):
        name = source.text(key) if isinstance(key, int) and key >= 0 else None
        if name is None or name in fields:
            return None
        fields[name] = value
    count, dtype = _count(source, fields.get("shape")), fields.get("dtype")
    if not _is_array_class(fields.get("subclass")) or not isinstance(dtype, Instance) or dtype.cls != "numpy.dtype":
        return None
    match = _DTYPE.fullmatch(dtype.detail)
    if match is not None and count is not None and match[1] == "O":
        return RawArray(offset, aligned=True, pickled=True)
    if match is None or count is None or match[2] is None:
        return None
    size = count * int(match[2]) * _UNITS.get(match[1], 1)
    start, aligned = _padded(source, fields, offset)
    if start is None or start + size > source.size:
        return None
    return RawArray(start + size, aligned, False, offset + size, size, dtype, fields["shape"])  # noqa: FBT003 - as its fields


def _is_array_class(subclass: Value | None) -> bool:
    return isinstance(subclass, Global) and subclass.entry is not None and subclass.entry.name in ARRAY_CLASSES


def _padded(source: Source, fields: dict[str, Value], offset: int) -> tuple[int | None, bool]:
    """Return where the numbers start: behind the padding, whose length stands in one byte."""
    alignment = fields.get("numpy_array_alignment_bytes")
    if alignment is None:
        return offset, False
    if not isinstance(alignment, int) or alignment < 0:
        return None, False
    if source.kind(alignment) == "none":
        return offset, False
    padding = source.number(offset, 1)
    return (offset + 1 + padding, True) if source.kind(alignment) == "int" and padding <= _PADDING else (None, False)


def _count(source: Source, shape: Value | None) -> int | None:
    if not isinstance(shape, tuple) or len(shape) > _MOST_AXES:
        return None
    sizes = [source.integer(item) if isinstance(item, int) and item >= 0 else None for item in shape]
    known = [size for size in sizes if size is not None and 0 <= size <= source.size]
    return prod(known) if len(known) == len(sizes) else None
