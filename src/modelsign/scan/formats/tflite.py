"""TensorFlow Lite (LiteRT) models: a FlatBuffer of operators, tensors and buffers.

Built-in operators only compute. Custom operators need native code from somewhere else; of the selected TensorFlow
operators ("Flex") the name is judged like in a TensorFlow graph, and so is the node they carry. Every offset that is
followed lies in the file, and the sizes of tensors agree with their buffers. Files that the task library appends as
a ZIP archive are members.

Source: ``tensorflow/lite/schema/schema.fbs`` version 3; ``tensorflow/lite/delegates/flex`` for Flex operators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.flaw import FlawKind
from modelsign.errors import ModelsignError
from modelsign.scan.archives.zips import archive_of, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.tflite import RULES, Model
from modelsign.scan.rules import BROKEN, ZIP_RULES, of_fault, of_flaw
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_MARK: Final = b"TFL3"
_MARK_AT: Final = 4
_STEPS: Final = 20_000_000


def _recognise(reading: Reading, name: str) -> bool:
    return _marked(reading) or (reading.size > 0 and name.casefold().endswith(".tflite"))


def _marked(reading: Reading) -> bool:
    return reading.read_at(_MARK_AT, len(_MARK)) == _MARK


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if not _marked(reading):
        return Inspection(readable=True, findings=(BROKEN.finding("the mark TFL3 is missing", offset=_MARK_AT),))
    model = Model(reading)
    damage: tuple[Finding, ...] = ()
    try:
        model.read(FlatBuffer(reading, _STEPS).root())
    except Damaged as fault:
        damage = (BROKEN.finding(str(fault)),)
    appended, members = _appended(reading)
    return Inspection(readable=True, findings=(*damage, *model.findings(), *appended), members=members)


def _appended(reading: Reading) -> tuple[tuple[Finding, ...], tuple[Member, ...]]:
    """Return what is odd about an archive behind the model, and its members; the prefix is as it should be."""
    if not looks_like_zip(reading):
        return (), ()
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError):
        return (of_fault(archive),), ()
    flaws = [flaw for flaw in archive.flaws if not (flaw.kind is FlawKind.OUTSIDE and not flaw.offset)]
    members = tuple(member_of(reading, member) for member in archive.members if not member.is_folder)
    return tuple(map(of_flaw, flaws)), members


FORMAT = Format(
    id="tflite",
    title="TensorFlow Lite",
    description="A FlatBuffer of built-in operators, with the files that are appended to it.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(_MARK_AT, _MARK),),
    extensions=(".tflite",),
    rules=tuple(dict.fromkeys((*RULES, *ZIP_RULES))),
    refines=("zip",),
)
