"""NCNN networks as text (``.param``): a mark, two counts, and a layer a line; read word by word, as ncnn reads them.

Layers of ncnn's own only compute. A custom layer needs native code of the application. The file of numbers beside it
has no structure of its own (``numbers``); networks in binary (``.param.bin``) have no reader.

Source: ``Net::load_param`` and ``ParamDict::load_param`` of Tencent/ncnn, a4d2ea1d (July 2026).
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks import operators
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

LAYER: Final = Rule(
    "ncnn-layer-unknown",
    "a layer is none of ncnn's own",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The type of the layer is not registered in ncnn. The application must bring native code for it, and what that "
    "does is not in the file.",
    "Find out which application the layer needs and whether you trust it.",
    ("https://github.com/Tencent/ncnn/wiki/how-to-implement-custom-layer-step-by-step",),
)
_MARK: Final = b"7767517"
_COUNT: Final = re.compile(rb"\d{1,7}")
_WORD: Final = re.compile(rb"[^ \t\n\r\f\v]+")
_PARAMETER: Final = re.compile(rb"-?\d{1,7}=.*", re.DOTALL)
_LONGEST: Final = 255
_MOST_FINDINGS: Final = 100


def _recognise(reading: Reading, name: str) -> bool:
    del name
    head = reading.read_at(0, 64).split(maxsplit=3)
    return len(head) > 2 and head[0] == _MARK and all(_COUNT.fullmatch(one) for one in head[1:3])  # noqa: PLR2004 - two counts


def _scan(reading: Reading, name: str) -> Inspection:
    if not _recognise(reading, name):
        return Inspection(readable=False)
    if reading.size > limits.INERT_BYTES:
        return Inspection(readable=True, findings=(BUDGET.finding(f"more than {limits.INERT_BYTES} bytes"),))
    words = (found.group() for found in _WORD.finditer(reading.read_at(0, reading.size)))
    return Inspection(readable=True, findings=tuple(_layers(words)))


def _layers(words: Iterator[bytes]) -> dict[Finding, None]:
    """Read the layers and return what is wrong with them; more than are counted, which ncnn ignores, are read too."""
    known = operators.known("ncnn")
    found: dict[Finding, None] = {}
    _, count, _ = islice(words, 3)
    word = next(words, None)
    number = 0
    while word is not None or number < int(count):
        head = [] if word is None else [word, *islice(words, 3)]
        if len(head) < 4 or not all(map(_COUNT.fullmatch, head[2:])) or max(map(len, head)) > _LONGEST:  # noqa: PLR2004 - type, name, two counts
            found[BROKEN.finding(f"layer {number} is not there")] = None
            return found
        names = sum(map(int, head[2:]))
        if sum(1 for _ in islice(words, names)) < names:
            found[BROKEN.finding(f"layer {number} names fewer inputs and outputs than it says")] = None
            return found
        kind = head[0].decode("utf-8", "replace")
        if ("", kind) not in known and len(found) < _MOST_FINDINGS:
            found.setdefault(LAYER.finding(f"{kind[:200]!r} is not known"))
        word = next((one for one in words if not _PARAMETER.fullmatch(one)), None)
        number += 1
    return found


FORMAT = Format(
    id="ncnn",
    title="NCNN network",
    description="A network as text, of layers from ncnn's own list.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MARK),),
    extensions=(".param",),
    rules=(LAYER, BROKEN, BUDGET),
)
