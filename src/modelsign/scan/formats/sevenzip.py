"""7z archives: names and links by what unpacking would do, and every member that can be unpacked as a file of its own.

Members that are encrypted or packed by PPMd, BCJ2 and other methods without a codec in every installation are
``unsupported``. nullifAI's models travelled so (ReversingLabs, February 2025). Never extracts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.sevenzip import MARK, read_sevenzip
from modelsign.errors import ModelsignError
from modelsign.scan.archives.unpacking import (
    ARCHIVE_RULES,
    DUPLICATE,
    ODD,
    Entry,
    doings,
    duplicates,
    kind_of_mode,
    reserved,
)
from modelsign.scan.format import Format, Inspection, Magic, Member
from modelsign.scan.rules import BROKEN, BUDGET, UNSUPPORTED, of_fault

if TYPE_CHECKING:
    from modelsign.artifact.containers.sevenzip import SevenZip, SevenZipMember
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_LINK_BYTES: Final = 4096
_LINK_BUDGET: Final = 64 * 1024 * 1024
"""Bytes unpacked to learn where a link points; of a larger stream it is not told."""


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(MARK)) == MARK


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    try:
        archive = read_sevenzip(reading)
    except ModelsignError as fault:
        return Inspection(readable=True, findings=(of_fault(fault),))
    entries = [_entry(archive, member) for member in archive.members]
    names = [(entry.name, 0) for entry in entries if entry.kind != "folder"]
    findings = [
        *doings(entries),
        *reserved((entry.name, 0) for entry in entries),
        *duplicates(names),
        *(ODD.finding(words) for words in archive.odd),
        *_unread(archive),
    ]
    members = tuple(
        Member(_plain(member.name), functools.partial(archive.folders[member.folder].open, member.offset, member.size))
        for member in archive.members
        if member.folder is not None and not archive.folders[member.folder].why_not
    )
    return Inspection(readable=True, findings=tuple(findings), members=members)


def _plain(name: str) -> str:
    return name.lstrip("/") or "member"


def _entry(archive: SevenZip, member: SevenZipMember) -> Entry:
    kind = "folder" if member.is_folder else kind_of_mode(member.mode)
    if member.is_reparse_point:
        kind = "symbolic link"
    link = ""
    if kind == "symbolic link" and member.folder is not None:
        folder = archive.folders[member.folder]
        if not folder.why_not and folder.size <= _LINK_BUDGET:
            with folder.open(member.offset, min(member.size, _LINK_BYTES), _LINK_BUDGET) as stream:
                link = stream.read_at(0, _LINK_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd")
    return Entry(member.name, kind, link, member.mode, 0)


def _unread(archive: SevenZip) -> list[Finding]:
    """Say what is not read, once for each reason."""
    if archive.encrypted_header:
        return [UNSUPPORTED.finding("the archive's header is encrypted, so that not even names can be read")]
    unread: dict[str, list[str]] = {}
    for member in archive.members:
        if member.folder is not None and archive.folders[member.folder].why_not:
            unread.setdefault(archive.folders[member.folder].why_not, []).append(member.name)
    return [
        UNSUPPORTED.finding(f"{len(names)} members, {names[0][:100]} first, are {why}", member=names[0])
        for why, names in unread.items()
    ]


FORMAT = Format(
    id="7z",
    title="7z archive",
    description="An archive whose members are listed, and scanned one by one where a codec can unpack them.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, MARK),),
    extensions=(".7z",),
    rules=(*ARCHIVE_RULES, DUPLICATE, ODD, UNSUPPORTED, BROKEN, BUDGET),
)
