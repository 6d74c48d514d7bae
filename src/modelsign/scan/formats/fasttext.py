"""Models of fastText (``.bin``, ``.ftz``): settings, a dictionary, and two matrices, plain or quantised.

Every count and size is held against the file, which the parts fill to the last byte. fastText allocates what dictionary
and matrices call for, and reads numbers into it.

Source: fastText 0.9.3: ``FastText::loadModel``, and ``load`` of dictionary.cc, densematrix.cc, quantmatrix.cc and
productquantizer.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.embeddings import BrokenWordsError, behind_words
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import BrokenError, ExhaustedError, Window

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGIC: Final = (793712314).to_bytes(4, "little")
_VERSIONS: Final = frozenset({11, 12})
_SETTINGS: Final = 12
_COUNT_AND_KIND: Final = 9
_PRUNED: Final = 8
_CENTRES: Final = 256
_WIDTH: Final = 4


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(_MAGIC)) == _MAGIC


class _Walk:
    """Reads the parts one behind the other."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._window = Window(reading, len(_MAGIC))

    def run(self) -> None:
        version = self._number(4)
        if version not in _VERSIONS:
            raise BrokenError(f"version {version}", self._window.at)
        for _ in range(_SETTINGS):
            self._window.sint(4, "little")
        self._window.skip(8)
        self._dictionary()
        quantised = self._flag()
        self._matrix(quantised=quantised)
        own = self._flag()
        self._matrix(quantised=quantised and own)
        if self._window.left:
            raise BrokenError(f"{self._window.left} bytes follow the model", self._window.at)

    def _number(self, width: int) -> int:
        at = self._window.at
        value = self._window.sint(width, "little")
        if value < 0:
            raise BrokenError("a size is negative", at)
        return value

    def _flag(self) -> bool:
        value = self._window.uint(1, "little")
        if value > 1:
            raise BrokenError(f"{value} is neither yes nor no", self._window.at - 1)
        return value == 1

    def _dictionary(self) -> None:
        at = self._window.at
        size, words, labels = self._number(4), self._number(4), self._number(4)
        self._number(8)
        pruned = self._window.sint(8, "little")
        if words + labels != size or size * (_COUNT_AND_KIND + 1) > self._window.left:
            raise BrokenError(f"{words} words and {labels} labels of {size}", at)
        self._window.at = behind_words(self._reading, self._window.at, size, b"\0", _COUNT_AND_KIND)
        self._window.skip(_PRUNED * max(0, pruned))

    def _matrix(self, *, quantised: bool) -> None:
        normed = quantised and self._flag()
        at = self._window.at
        rows, columns = self._number(8), self._number(8)
        if not quantised:
            self._window.skip(rows * columns * _WIDTH)
            return
        codes = self._number(4)
        self._window.skip(codes)
        parts = self._quantiser(columns)
        if codes != rows * parts:
            raise BrokenError(f"{codes} codes for {rows} rows of {parts}", at)
        if normed:
            self._window.skip(rows)
            self._quantiser(1)

    def _quantiser(self, columns: int) -> int:
        """Read what turns codes into numbers; return how many codes a row has."""
        at = self._window.at
        length, parts, width, last = (self._number(4) for _ in range(4))
        if length != columns or not width or parts != -(-length // width) or last != (length - 1) % width + 1:
            raise BrokenError(f"{parts} parts of {width} and {last} for {columns} columns", at)
        self._window.skip(length * _CENTRES * _WIDTH)
        return parts


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    try:
        _Walk(reading).run()
    except BrokenError as halt:
        rule = BUDGET if isinstance(halt, ExhaustedError) else BROKEN
        return Inspection(readable=True, findings=(rule.finding(halt.message, offset=halt.offset),))
    except BrokenWordsError as fault:
        return Inspection(readable=True, findings=(BROKEN.finding(str(fault)),))
    return Inspection(readable=True)


FORMAT = Format(
    id="fasttext",
    title="fastText model",
    description="Settings, words and labels, and two matrices of numbers, plain or quantised.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MAGIC),),
    extensions=(".bin", ".ftz"),
    rules=(BROKEN, BUDGET),
)
