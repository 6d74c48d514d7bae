"""CatBoost models (``.cbm``): a FlatBuffer of trees, and tables for categorical features behind it.

Nothing in such a file is run or looked up. Checked is that every table, vector and text that a loader follows lies in
the file, that the trees' splits are as many as their sizes say, and that the parts behind are those that are named.
Follows catboost/libs/model/flatbuffers/model.fbs, model.cpp and static_ctr_provider.cpp 1.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.reading import Slice
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.rules import BROKEN
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.flatbuffer import Table
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

PART: Final = Rule(
    "catboost-part",
    "the CatBoost model has parts of an unknown kind",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "Behind the trees stands something by a name that is not known, or more than the names account for. The loader "
    "hands it to whatever reader is registered for the name.",
    "Write the model again with a current CatBoost.",
    ("https://github.com/catboost/catboost/tree/master/catboost/libs/model/flatbuffers",),
)
_MARK: Final = b"CBM1"
_HEAD: Final = 8
_STEPS: Final = 5_000_000
_MOST_PARTS: Final = 100
_VERSION: Final = "FlabuffersModel_v1"
_TABLES: Final = "static_provider_v1"
_PARTS: Final = frozenset({_TABLES, "text_processing_collection_v1"})
_TREES, _INFO, _PART_IDS = 1, 2, 3
_SPLITS, _SIZES = 1, 2
_WIDTHS: Final = {_SPLITS: 4, _SIZES: 4, 3: 4, 8: 8, 9: 8, 10: 4, 11: 4}
"""Bytes of one element of each vector of numbers in the table of trees, by the number of its field."""
_FEATURES: Final = (4, 5, 6, 7, 12, 13)


def _recognise(reading: Reading, name: str) -> bool:
    return reading.read_at(0, len(_MARK)) == _MARK or (reading.size > 0 and name.casefold().endswith(".cbm"))


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if reading.read_at(0, len(_MARK)) != _MARK:
        return Inspection(readable=True, findings=(BROKEN.finding("the mark CBM1 is missing", offset=0),))
    size = int.from_bytes(reading.read_at(4, 4), "little")
    if _HEAD + size > reading.size:
        return Inspection(readable=True, findings=(BROKEN.finding("the trees are cut short", offset=reading.size),))
    try:
        core = FlatBuffer(Slice(reading, _HEAD, size), _STEPS).root()
        if core.text(0) != _VERSION:
            return Inspection(readable=True, findings=(PART.finding(f"the format is {core.text(0)[:100]!r}"),))
        _check_trees(core.table(_TREES))
        for pair in core.tables(_INFO):
            pair.text(0)
            pair.text(1)
        found = _check_parts(reading, _HEAD + size, core)
    except Damaged as fault:
        return Inspection(readable=True, findings=(BROKEN.finding(str(fault)),))
    return Inspection(readable=True, findings=found)


def _check_trees(trees: Table | None) -> None:
    if trees is None:
        raise Damaged("there are no trees")
    lengths = {field: trees.vector(field, width).length for field, width in _WIDTHS.items()}
    sizes = trees.numbers(_SIZES, 4, _STEPS)
    if any(size < 0 for size in sizes) or sum(sizes) != lengths[_SPLITS]:
        raise Damaged("the trees have other sizes than there are splits")
    for field in _FEATURES:
        for _ in trees.tables(field):
            pass


def _part_names(core: Table) -> list[str]:
    """Return the names of the parts behind the trees: a vector of texts."""
    buffer, found = core.buffer, core.vector(_PART_IDS, 4)
    if found.length > _MOST_PARTS:
        raise Damaged(f"{found.length} parts")
    names = []
    for place in range(found.start, found.start + 4 * found.length, 4):
        text = buffer.vector(place + buffer.number(place, 4), 1)
        names.append(buffer.bytes(text.start, min(text.length, 100)).decode("utf-8", "replace"))
    return names


def _check_parts(reading: Reading, place: int, core: Table) -> tuple[Finding, ...]:
    """Compare what stands behind the trees with the names of the parts."""
    names = _part_names(core)
    unknown = sorted(set(names) - _PARTS)
    if unknown:
        return (PART.finding(f"a part by the name {unknown[0]!r}", offset=place),)
    if names and names != [_TABLES]:
        return ()
    if names:
        place = _behind_tables(reading, place)
    return () if place == reading.size else (PART.finding("bytes follow the last part", offset=place),)


def _behind_tables(reading: Reading, place: int) -> int:
    """Return the offset behind the tables for categorical features: a count, then each with its size before it."""
    count = int.from_bytes(reading.read_at(place, 4), "little")
    place += 4
    for _ in range(count):
        size = int.from_bytes(reading.read_at(place, 4), "little")
        if place + 4 + size > reading.size or not size:
            raise Damaged("a table for categorical features is cut short")
        FlatBuffer(Slice(reading, place + 4, size), _STEPS).root()
        place += 4 + size
    return place


FORMAT = Format(
    id="catboost",
    title="CatBoost model",
    description="Trees in a FlatBuffer, and tables for categorical features behind them.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, _MARK),),
    extensions=(".cbm",),
    rules=(PART, BROKEN),
)
