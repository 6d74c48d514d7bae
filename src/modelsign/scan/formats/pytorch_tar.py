"""The oldest PyTorch files: the tar archive that ``torch.save`` wrote before 0.1.10, and that is still loaded.

The members ``storages``, ``tensors`` and ``pickle`` are read as ``legacy_load`` in torch/serialization.py of PyTorch
2.13 reads them: pickles with the numbers of storages and the shapes of tensors in between. ``torch.load`` asks for this
form before any other but ZIP, and until 2.6 it did so under ``weights_only`` as well (CVE-2025-32434).
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign.errors import ModelsignError
from modelsign.scan.archives.tars import TAR_RULES, looks_like_tar, plain_name, tar_findings, tar_member, tar_of
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.pickles import RULES, scan_torch_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.containers.tar import TarArchive
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member

__all__ = ["FORMAT"]

_RECORDS: Final = frozenset({"storages", "tensors", "pickle"})


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_tar(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = tar_of(reading)
    if isinstance(archive, ModelsignError) or not {plain_name(member) for member in archive.members} >= _RECORDS:
        return Inspection(readable=False)
    return Inspection(readable=True, findings=tar_findings(archive), members=tuple(_members(reading, archive)))


def _members(reading: Reading, archive: TarArchive) -> Iterator[Member]:
    for member in archive.members:
        name = plain_name(member)
        if member.kind != "file":
            continue
        if name in _RECORDS:
            yield replace(tar_member(reading, member), reader=functools.partial(_record, name), replaces="pickle")
        else:
            yield tar_member(reading, member)


def _record(record: str, reading: Reading, name: str) -> Inspection:
    del name
    return scan_torch_record(reading, record)


FORMAT = Format(
    id="pytorch-tar",
    title="PyTorch file, before 0.1.10",
    description="The tar archive of pickles and numbers that torch.save wrote first, and that is still loaded.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(257, b"ustar"),),
    extensions=(".pt", ".pth", ".tar"),
    rules=(*TAR_RULES, *RULES),
    refines=("tar",),
)
