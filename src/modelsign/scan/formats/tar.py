"""Tar archives: every member is scanned as a file of its own; names, links, devices and permissions are judged.

Compressed archives come through the reader of compressed streams. NeMo's ``.nemo`` files are tar archives whose
configuration and checkpoint are members like any others. Never extracts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.errors import ModelsignError
from modelsign.scan.archives.tars import TAR_RULES, looks_like_tar, tar_findings, tar_member, tar_of
from modelsign.scan.format import Format, Inspection, Magic

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_MAGIC: Final = b"ustar"


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_tar(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    if not looks_like_tar(reading):
        return Inspection(readable=False)
    archive = tar_of(reading)
    findings = tar_findings(archive)
    if isinstance(archive, ModelsignError):
        return Inspection(readable=True, findings=findings)
    members = tuple(tar_member(reading, member) for member in archive.members if member.kind == "file")
    return Inspection(readable=True, findings=findings, members=members)


FORMAT = Format(
    id="tar",
    title="Tar archive",
    description="An archive whose members are scanned one by one, as files of their own; .nemo files among them.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(257, _MAGIC),),
    extensions=(".tar", ".nemo"),
    rules=TAR_RULES,
)
