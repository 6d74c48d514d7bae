"""GGML files from before GGUF: llama.cpp's ``ggjt``, ``ggmf``, ``ggml`` and adapters (``ggla``), whisper.cpp's models.

The header has no names: how many numbers it holds, and whether filters and a vocabulary follow, is known to the program
of each architecture alone. So every known layout is tried, and the file is clean where one of them accounts for every
byte: numbers, a vocabulary, and tensors of ggml's types to the very end. Nothing in such a file is run.

Source: llama.cpp at master-294f424 (``llama_load_*``), whisper.cpp ``whisper_model_load``, ggml ``examples``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.rules import BROKEN, BUDGET, UNSUPPORTED
from modelsign.scan.tables import table
from modelsign.scan.window import BrokenError, ExhaustedError, Window
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

LAYOUT: Final = Rule(
    "ggml-layout",
    "the file fits no known layout of GGML's",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "No known layout of header, vocabulary and tensors accounts for every byte of the file. It is damaged, cut short, "
    "of an architecture that is not known, or made so that a size leads a loader out of its memory.",
    "Ask for the model as GGUF, which says of itself what it holds.",
    ("https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#historical-state-of-affairs",),
)
_UNVERSIONED, _GGMF, _GGJT, _GGLA = b"lmgg", b"fmgg", b"tjgg", b"algg"


class _Layout(NamedTuple):
    """How many numbers the header holds, and what follows it before the tensors."""

    numbers: int
    filters: bool = False
    counted: bool = False
    """Whether the vocabulary gives its own length, instead of the header's first number."""
    scores: bool = False
    aligned: bool = False
    vocabulary: bool = True


_LAYOUTS: Final[Mapping[bytes, tuple[_Layout, ...]]] = {
    _GGJT: (_Layout(7, scores=True, aligned=True),),
    _GGMF: (_Layout(7, scores=True),),
    _GGLA: (_Layout(2, vocabulary=False, aligned=True),),
    _UNVERSIONED: (
        _Layout(11, filters=True, counted=True),
        _Layout(7),
        _Layout(6, counted=True),
        _Layout(7, counted=True),
        _Layout(8),
        _Layout(8, counted=True),
    ),
}
_VERSIONS: Final = {_GGJT: range(1, 4), _GGMF: range(1, 2), _GGLA: range(1, 2)}
_ALIGNMENT: Final = 32
_MOST_WORDS: Final = 300_000
_LONGEST_WORD: Final = 65_536
_LONGEST_NAME: Final = 1024
_DIMENSIONS: Final = 4
_MOST_BYTES: Final = 2**63 - 1
_OLDER_BLOCKS: Final = {2: (32, 20), 3: (32, 24), 6: (32, 24), 7: (32, 24), 8: (32, 36)}
"""Blocks of quantised numbers before May 2023, where scales had four bytes (Q4_0, Q4_1, Q5_0, Q5_1, Q8_0)."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, 4) in _LAYOUTS


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    magic = reading.read_at(0, 4)
    if magic not in _LAYOUTS:
        return Inspection(readable=False)
    start = 4
    if magic in _VERSIONS:
        version = int.from_bytes(reading.read_at(4, 4), "little")
        if version not in _VERSIONS[magic]:
            return Inspection(
                readable=True, findings=(UNSUPPORTED.finding(f"version {version} of the format", offset=4),)
            )
        start = 8
    farthest = 0
    for layout in _LAYOUTS[magic]:
        for blocks in (_blocks(), _blocks() | _OLDER_BLOCKS):
            window = Window(reading, start)
            try:
                _read(window, layout, blocks)
            except ExhaustedError as fault:
                return Inspection(readable=True, findings=(BUDGET.finding(fault.message, offset=fault.offset),))
            except BrokenError:
                farthest = max(farthest, window.at)
            else:
                return Inspection(readable=True)
    words = f"the best layout leads as far as byte {farthest} of {reading.size}"
    return Inspection(readable=True, findings=(LAYOUT.finding(words, offset=farthest),))


def _blocks() -> dict[int, tuple[int, int]]:
    """Return how many numbers a block of each type holds, and its bytes."""
    return {row[0]: (row[2], row[3]) for group in table("ggml_types")["types"] for row in group["rows"]}


def _read(window: Window, layout: _Layout, blocks: Mapping[int, tuple[int, int]]) -> None:
    """Read the whole file by one layout.

    Raises:
        BrokenError: it does not fit.

    """
    numbers = [window.uint(4, "little") for _ in range(layout.numbers)]
    if layout.filters:
        rows, columns = window.uint(4, "little"), window.uint(4, "little")
        window.skip(4 * rows * columns)
    if layout.vocabulary:
        words = window.uint(4, "little") if layout.counted else numbers[0]
        if words > _MOST_WORDS:
            raise BrokenError("a vocabulary of too many words", window.at)
        for _ in range(words):
            length = window.uint(4, "little")
            if length > _LONGEST_WORD:
                raise BrokenError("a word is too long", window.at)
            window.skip(length + 4 * layout.scores)
    if not window.left:
        raise BrokenError("there is no tensor", window.at)
    for _ in range(limits.GGUF_TENSORS):
        _tensor(window, blocks, aligned=layout.aligned)
        if not window.left:
            return
    raise ExhaustedError(f"more than {limits.GGUF_TENSORS} tensors", window.at)


def _tensor(window: Window, blocks: Mapping[int, tuple[int, int]], *, aligned: bool) -> None:
    dimensions, length, kind = (window.uint(4, "little") for _ in range(3))
    if not 0 < dimensions <= _DIMENSIONS or not 0 < length <= _LONGEST_NAME or kind not in blocks:
        raise BrokenError("this is no tensor", window.at)
    shape = [window.uint(4, "little") for _ in range(dimensions)]
    window.skip(length)
    if aligned:
        window.skip(-window.at % _ALIGNMENT)
    count, size = blocks[kind]
    values = math.prod(shape)
    if values % count or values // count * size > _MOST_BYTES:
        raise BrokenError("a tensor of no whole blocks", window.at)
    window.skip(values // count * size)


FORMAT = Format(
    id="ggml",
    title="GGML",
    description="A model of ggml's programs from before GGUF, all of whose bytes a known layout accounts for.",
    recognise=_recognise,
    scan=_scan,
    magic=tuple(Magic(0, magic) for magic in _LAYOUTS),
    rules=(LAYOUT, UNSUPPORTED, BUDGET, BROKEN),
)
