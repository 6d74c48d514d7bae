"""ZIP archives that are neither PyTorch's nor NumPy's: every member is scanned as a file of its own.

An archive is clean only if each member is and nothing about the archive itself is odd. Formats that are ZIP
archives with a meaning of their own (TorchServe, …) are unsupported as a whole. Never extracts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.errors import ModelsignError
from modelsign.scan.archives.zips import (
    archive_of,
    findings_of,
    is_numpy_archive,
    is_pytorch_archive,
    looks_like_zip,
    member_of,
)
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.rules import UNSUPPORTED, ZIP_RULES

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]

_KINDS: Final = ((frozenset({"meta-inf/manifest.mf"}), "a Java archive"),)
"""Archives whose loader follows what certain members say; each with the members that give it away."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError):
        return Inspection(readable=True, findings=findings_of(archive, reading, unpacked=True))
    if is_pytorch_archive(archive) or is_numpy_archive(archive):
        return Inspection(readable=False)
    names = {member.name.casefold() for member in archive.members}
    names |= {name.partition("/")[2] for name in names}
    findings = [
        UNSUPPORTED.finding(f"the archive looks like {title}, which cannot be judged yet")
        for marks, title in _KINDS
        if marks <= names
    ]
    members = tuple(member_of(reading, member) for member in archive.members if not member.is_folder)
    return Inspection(
        readable=True, findings=(*findings_of(archive, reading, unpacked=True), *findings), members=members
    )


FORMAT = Format(
    id="zip",
    title="ZIP archive",
    description="An archive whose members are scanned one by one, as files of their own.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, b"PK\x03\x04"),),
    extensions=(".zip",),
    rules=(*ZIP_RULES, UNSUPPORTED),
)
