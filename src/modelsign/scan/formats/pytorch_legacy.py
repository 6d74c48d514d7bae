"""Older PyTorch files: what ``torch.save`` wrote before PyTorch 1.6, and still does on request.

Five pickles follow each other (magic number, protocol, system, objects, storage keys), then the numbers of every
storage. Only the usual writing of the magic number is recognised here; a file that writes it otherwise is read as
the pickles it consists of, and its numbers are then bytes that belong to none. Follows ``_legacy_load`` in
torch/serialization.py of PyTorch 2.13. The still older tar form has a reader of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.format import Format, Magic
from modelsign.scan.pickles import RULES, scan_torch_stream

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Inspection

__all__ = ["FORMAT"]

_MAGIC: Final = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
"""The first pickle, as PyTorch has always written it."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(_MAGIC)) == _MAGIC


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    return scan_torch_stream(reading)


FORMAT = Format(
    id="pytorch-legacy",
    title="PyTorch file, before 1.6",
    description="Five pickles and the numbers of every storage, as torch.save wrote them before PyTorch 1.6.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MAGIC),),
    extensions=(".pt", ".pth", ".bin"),
    rules=RULES,
    refines=("pickle",),
)
