"""Arrays whose numbers matter: those that native code takes for indices, once it has them from a state.

Where an array's bytes lie, of which type and shape they are, is noted from the first instance on whose review asks for
it (``machine.spatial``), by BUILD, by ``_frombuffer`` and where joblib writes them. Numbers are read piece by piece.
"""

from __future__ import annotations

import struct
import sys
from array import array
from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.artifact.reading import BytesReading, Slice
from modelsign.scan.machine.dtypes import Dtype
from modelsign.scan.machine.values import EMPTY_BYTES, UNKNOWN, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.scan.machine.joblib import RawArray
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["Arrays", "Layout", "bytes_of"]

_ENCODED: Final = 64 * 1024 * 1024
_PIECE: Final = 256 * 1024
_ARRAY: Final = "numpy.ndarray"
_MOST: Final = 100_000
"""Arrays that are noted; those behind are unknown."""
_NOTHING: Final = BytesReading(b"")
_SIZES: Final = {"<f8": 8, "<i8": 8, "<i4": 4, "|S1": 1, "|i1": 1, "|u1": 1, "<c16": 16}
"""Types that are followed, and their bytes; numbers of another order are none that native code may take as they are."""
_INTEGERS: Final = {"<i8": "q", "<i4": "i"}


class Layout(NamedTuple):
    """What an array is: NumPy's name of its type, its shape, and its bytes, in whichever order of axes."""

    kind: str
    shape: tuple[int, ...]
    content: Reading

    def is_like(self, kind: str, *shape: int) -> bool:
        """Say whether it is of a type and shape."""
        return self.kind == kind and self.shape == shape

    def pieces(self, whole: int) -> Iterator[bytes]:
        """Yield its bytes, piece by piece, each of a multiple of ``whole`` bytes."""
        step = _PIECE - _PIECE % whole
        for offset in range(0, self.content.size, step):
            yield self.content.read_at(offset, step)

    def lies_within(self, low: int, high: int) -> bool:
        """Say whether each of its integers is from ``low`` up to, and not, ``high``."""
        code = _INTEGERS.get(self.kind)
        if code is None:
            return False
        for piece in self.pieces(8):
            numbers = array(code, piece)
            if sys.byteorder != "little":
                numbers.byteswap()
            if min(numbers) < low or max(numbers) >= high:
                return False
        return True

    def doubles(self, most: int) -> tuple[float, ...] | None:
        """Return its numbers; None if there are more, or they are none of eight bytes."""
        count = self.content.size // 8
        if self.kind != "<f8" or count > most:
            return None
        return struct.unpack(f"<{count}d", self.content.read_at(0, 8 * count))


class Arrays:
    """The arrays that were seen, by what stands for them."""

    def __init__(self) -> None:
        """Start with none."""
        self.triangulations: dict[Instance, tuple[int, int]] = {}
        """Those that were proven, and how many points of how many dimensions they are of."""
        self._seen: dict[Instance, tuple[str, tuple[int, ...], Value | Slice]] = {}

    def built(self, judge: Judge, target: Instance, state: Value) -> None:
        """BUILD of an array: from here on it is what its state says, or nobody knows what."""
        self._seen.pop(target, None)
        version = state[0] if isinstance(state, tuple) and state else UNKNOWN
        numbered = _integer(judge.source, version) is not None
        rest = state[numbered:] if isinstance(state, tuple) else ()
        if len(rest) == 4:  # noqa: PLR2004 - shape, dtype, order, data
            self._note(judge.source, target, rest[1], rest[0], rest[3])

    def viewed(self, judge: Judge, target: Value, arguments: tuple[Value, ...]) -> None:
        """``_frombuffer(buffer, dtype, shape, order, axes)``: a view of the bytes; by NumPy 2 with its axes changed."""
        source = judge.source
        if not isinstance(target, Instance) or len(arguments) not in {4, 5}:
            return
        buffer, dtype, shape, order = arguments[:4]
        axes = arguments[4] if len(arguments) > 4 else None  # noqa: PLR2004 - the fifth
        if isinstance(axes, tuple) and isinstance(shape, tuple) and isinstance(order, int) and order >= 0:
            places = [_integer(source, axis) for axis in axes]
            if source.text(order) != "K" or sorted(-1 if one is None else one for one in places) != [
                *range(len(shape))
            ]:
                return
            shape = tuple(shape[place] for place in places if place is not None)
        self._note(source, target, dtype, shape, buffer)

    def dumped(self, judge: Judge, target: Instance, found: RawArray) -> None:
        """Note an array that joblib wrote between opcodes."""
        end = found.unpadded_end if judge.ignores_alignment else found.end
        content = Slice(judge.source.reading, end - found.size, found.size)
        self._note(judge.source, target, found.dtype, found.shape, content)

    def layout(self, judge: Judge, value: Value) -> Layout | None:
        """Return what an array is, for somebody who keeps it: from here on, another state for it is a finding."""
        if not isinstance(value, Instance) or value not in self._seen or value.cls != _ARRAY:
            return None
        value.built = True
        kind, shape, content = self._seen[value]
        size = prod(shape) * _SIZES[kind]
        found = (
            content if isinstance(content, (BytesReading, Slice)) else bytes_of(judge, content) if size else _NOTHING
        )
        return Layout(kind, shape, found) if found is not None and found.size == size else None

    def _note(
        self, source: Source, target: Instance, dtype: Value | None, shape: Value | None, content: Value | Slice
    ) -> None:
        kind = f"{dtype.order}{dtype.detail}" if isinstance(dtype, Dtype) and dtype.settled else ""
        sizes = [_integer(source, size) for size in shape] if isinstance(shape, tuple) else [None]
        known = tuple(size for size in sizes if size is not None and size >= 0)
        if kind in _SIZES and len(known) == len(sizes) and len(self._seen) < _MOST:
            self._seen[target] = kind, known, content


def _integer(source: Source, value: Value) -> int | None:
    return source.integer(value) if isinstance(value, int) and value >= 0 else None


def bytes_of(judge: Judge, value: Value, *, changeable: bool = True) -> Reading | None:
    """Return the bytes that a literal, or an encoded text, stands for; None if they are not in the file as such.

    A bytearray is one only where it may be ``changeable``: other bytes can be put into it, which has its own finding.
    """
    source = judge.source
    kinds = {"bytes", "bytearray"} if changeable else {"bytes"}
    if isinstance(value, Instance) and value.cls.removeprefix("builtins.") in kinds and value.detail:
        if value.detail == EMPTY_BYTES:
            return BytesReading(b"")
        place = int(value.detail)
        if source.kind(place) != "str":
            return bytes_of(judge, place, changeable=changeable)
        text = source.text(place, _ENCODED)
        try:
            return None if text is None else BytesReading(text.encode("latin-1"))
        except UnicodeEncodeError:
            return None
    if isinstance(value, int) and value >= 0 and source.kind(value) in kinds:
        return Slice(source.reading, *source.content(value))
    return None
