"""LightGBM models as text: sections of ``key=value`` lines, one tree after the other.

Every line must have the shape that LightGBM writes: a head, trees, importances, parameters in brackets, and the line
with pandas' categories, which is JSON. Anything else is another file. Follows ``GBDT::SaveModelToString``
(src/boosting/gbdt_model_text.cpp) and ``_dump_pandas_categorical`` (python-package/lightgbm/basic.py), v2 to v4.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign import limits, strictjson
from modelsign.artifact.reading import BLOCK
from modelsign.errors import ModelsignError
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import ExhaustedError
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

LINE: Final = Rule(
    "lightgbm-line",
    "a LightGBM model holds a line that LightGBM does not write",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "The file begins like a model and then holds a line of another shape. LightGBM skips what it does not know; other "
    "programs may read the file as something else.",
    "Write the model again with `Booster.save_model`.",
    ("https://github.com/lightgbm-org/LightGBM/blob/master/src/boosting/gbdt_model_text.cpp",),
)
_START: Final = b"tree\nversion=v"
_STARTS: Final = (_START, b"tree\r\nversion=v")
_LINE: Final = re.compile(
    rb"\s*|[^=]+=.*|end of trees|feature[_ ]importances:|parameters:|end of parameters|\[[a-z_0-9]+: .*\]|"
    rb"tree|average_output"
)
_END: Final = b"end of trees"
_CATEGORIES: Final = b"pandas_categorical:"
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _lines(reading: Reading) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its offset."""
    place, rest = 0, b""
    while data := reading.read_at(place + len(rest), BLOCK):
        *whole, last = (rest + data).split(b"\n")
        for line in whole:
            yield place, line
            place += len(line) + 1
        rest = last
        if len(rest) > limits.LIGHTGBM_LINE_BYTES:
            raise ExhaustedError("a line is longer than a scan reads", place)
    if rest:
        yield place, rest


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, 16).startswith(_STARTS)


def _problem(line: bytes) -> str | None:
    """Say what is wrong with one line."""
    if _CONTROL.search(line):
        return "a line holds bytes that are no text"
    if line.startswith(_CATEGORIES):
        try:
            strictjson.loads(
                line.removeprefix(_CATEGORIES).strip(),
                most_bytes=limits.SCAN_JSON_BYTES,
                most_room=limits.SCAN_JSON_ROOM,
            )
        except ModelsignError as fault:
            return f"pandas' categories: {fault.message}"
        return None
    return None if _LINE.fullmatch(line) else "a line is none that LightGBM writes"


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    ended = False
    try:
        for place, line in _lines(reading):
            problem = _problem(line.removesuffix(b"\r"))
            if problem is not None:
                return Inspection(readable=True, findings=(LINE.finding(problem, offset=place),))
            ended = ended or line.startswith(_END)
    except ExhaustedError as halt:
        return Inspection(readable=True, findings=(BUDGET.finding(halt.message, offset=halt.offset),))
    found = () if ended else (BROKEN.finding("the trees have no end", offset=reading.size),)
    return Inspection(readable=True, findings=found)


FORMAT = Format(
    id="lightgbm",
    title="LightGBM text model",
    description="Trees, importances and parameters as lines of text.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _START),),
    rules=(LINE, BROKEN, BUDGET),
)
