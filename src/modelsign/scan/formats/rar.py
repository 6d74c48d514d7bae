"""RAR archives: names, links and permissions by what unpacking would do, and members that are stored as they are.

Members packed by RAR's own method are ``unsupported``: its decoder is large, and the one that others wrap is not free.
Never extracts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from modelsign.artifact.containers.rar import RAR4, RAR5, open_rar_member, read_rar
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
    from modelsign.artifact.containers.rar import RarMember
    from modelsign.artifact.reading import Reading

__all__ = ["FORMAT"]


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return reading.read_at(0, len(RAR5)).startswith((RAR4, RAR5))


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    try:
        archive = read_rar(reading)
    except ModelsignError as fault:
        return Inspection(readable=True, findings=(of_fault(fault),))
    entries = [_entry(member) for member in archive.members]
    findings = [
        *doings(entries),
        *reserved((entry.name, entry.offset) for entry in entries),
        *duplicates((entry.name, entry.offset) for entry in entries if entry.kind != "folder"),
        *(ODD.finding(words) for words in archive.odd),
    ]
    if archive.encrypted_headers:
        findings.append(UNSUPPORTED.finding("the archive's headers are encrypted, so that not even names can be read"))
    unread: dict[str, list[str]] = {}
    for member in archive.members:
        if member.why_not and not member.is_folder and not member.link_kind:
            unread.setdefault(member.why_not, []).append(member.name)
    for why, names in unread.items():
        words = f"{len(names)} members, {names[0][:100]} first, are {why}"
        findings.append(UNSUPPORTED.finding(words, member=names[0]))
    members = tuple(
        Member(member.name.lstrip("/") or "member", functools.partial(open_rar_member, reading, member))
        for member in archive.members
        if member.place is not None and not member.is_folder
    )
    return Inspection(readable=True, findings=tuple(findings), members=members)


def _entry(member: RarMember) -> Entry:
    kind = "folder" if member.is_folder and not member.link_kind else member.link_kind or kind_of_mode(member.mode)
    return Entry(member.name, kind, member.link, member.mode, member.header)


FORMAT = Format(
    id="rar",
    title="RAR archive",
    description="An archive whose members are listed, and scanned one by one where they are stored as they are.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, RAR5), Magic(0, RAR4)),
    extensions=(".rar",),
    rules=(*ARCHIVE_RULES, DUPLICATE, ODD, UNSUPPORTED, BROKEN, BUDGET),
)
