"""Files of bare numbers beside a graph, which have no structure of their own: of ONNX, OpenVINO, NCNN, MNN and Darknet.

A runtime maps such a file and takes numbers from the places that the graph gives; it parses nothing in it. No bytes
mark one, so it is known by its name alone, as the shards of TensorFlow's checkpoints are: what any other reader finds
in the bytes counts as under any other name, and bytes that are text, begin like a pickle or an archive, or are marked
as a format without a reader are not taken for numbers. The places are judged where they are given (ONNX, OpenVINO).

Source: onnx ``external_data_helper``; OpenVINO IR; ``parser.c`` of Darknet for the header of ``.weights``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.scan import sniff
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import BROKEN

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_NAMED: Final = re.compile(
    r"(?:\.ncnn\.bin|\.mnn\.weight|\.onnx_data(?:_\d+)?|\.onnx\.data|(?:^|/)openvino_[a-z_0-9]+\.bin)$"
)
_WEIGHTS: Final = ".weights"
_VERSIONS: Final = {(0, 1): 16, (0, 2): 20}
"""The header's length by Darknet's version: the count of images seen grew to eight bytes."""
_LAST_REVISION: Final = 9
_WIDTH: Final = 4


def _recognise(reading: Reading, name: str) -> bool:
    folded = name.casefold()
    named = _NAMED.search(folded) is not None or (folded.endswith(_WEIGHTS) and _is_darknet(reading))
    return named and bool(reading.size) and not _is_another(reading)


def _is_another(reading: Reading) -> bool:
    """Whether the bytes are text, or begin like something that a loader would not take for numbers."""
    head = reading.read_at(0, 8)
    return sniff.is_loadable(head) or sniff.is_text(reading) or sniff.by_content(reading) is not None


def _is_darknet(reading: Reading) -> bool:
    """Whether the file begins with Darknet's version, and has whole numbers behind its header."""
    major, minor, revision = (int.from_bytes(reading.read_at(at, 4), "little") for at in (0, 4, 8))
    rest = reading.size - _VERSIONS.get((major, minor), reading.size + 1)
    return rest >= 0 and not rest % _WIDTH and revision <= _LAST_REVISION


def _scan(reading: Reading, name: str) -> Inspection:
    return Inspection(readable=_recognise(reading, name))


FORMAT = Format(
    id="numbers",
    title="Numbers beside a graph",
    description="A file of bare numbers that a graph of ONNX, OpenVINO, NCNN or Darknet refers to, known by its name.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".onnx_data", _WEIGHTS),
    rules=(BROKEN,),
)
