"""Exported PyTorch programs (``.pt2``): a ZIP archive of a graph in JSON, numbers, and a few pickles.

Archives of PyTorch 2.1 to 2.7 hold ``serialized_exported_program.json`` with three archives of ``torch.save``; later
ones have one folder with ``models/<name>.json`` and, by a list of what they are, the numbers in ``data/weights`` and
``data/constants``. What that list calls a pickle is one, whatever it looks like; so are objects of Python
(``opaque_obj_…``). ``data/aotinductor`` holds native code, or C++ and the flags it is compiled with, and is loaded at
once. Names are looked up without regard to letter case.

Source: torch/export/pt2_archive and torch/export/__init__.py of PyTorch 2.13; torch/_inductor/package of 2.5 and 2.6.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.containers.zip import open_member
from modelsign.errors import ModelsignError
from modelsign.scan.archives.zips import archive_of, findings_of, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.exported import EXPORT_RULES, parsed, scan_program
from modelsign.scan.pickles import RULES, scan_pickle
from modelsign.scan.rules import ZIP_RULES, of_fault
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.containers.zip import ZipArchive, ZipMember
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

NATIVE: Final = Rule(
    "export-native-code",
    "the archive brings native code",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "Everything below `data/aotinductor` belongs to a program that was compiled: a library that loading opens, or C++ "
    "with the flags of a compiler that loading runs. Nothing can be said about what the code does.",
    "Ask for the exported program without the compiled one, and compile it yourself.",
    ("https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html",),
)
_OLD_PROGRAM: Final = "serialized_exported_program.json"
_MARKS: Final = frozenset({"archive_format", _OLD_PROGRAM})
_MODELS, _COMPILED, _EXTRA, _OLD_EXTRA = "models/", "data/aotinductor/", "extra/", "extra_files/"
_NOTES: Final = frozenset(
    {"archive_format", "archive_version", "byteorder", "version", ".data/version", ".data/serialization_id",
     ".storage_alignment", ".format_version"}
)  # fmt: skip
_CONFIG: Final = re.compile(r"(data/(?:weights|constants))/.*_(?:weights|constants)_config\.json", re.DOTALL)
_PAYLOAD: Final = re.compile(r"data/(?:weights/weight|constants/tensor)_\d+", re.ASCII)
_OBJECT: Final = re.compile(r"data/constants/opaque_obj_.*", re.DOTALL)


def _has_root(archive: ZipArchive) -> bool:
    """Whether all members lie in one folder, whatever its name: PyTorch's reader takes it from the first of them."""
    folders = {member.name.partition("/")[0].casefold() for member in archive.members}
    return len(folders) == 1 and all("/" in member.name for member in archive.members)


def _insides(name: str, *, rooted: bool) -> tuple[str, ...]:
    """Return what a member is called below the archive's one folder.

    Archives before 2.8 have none. Where there is not one folder for all, what a member is called below its own counts
    as well as its whole name.
    """
    folded = name.casefold()
    below = folded.partition("/")[2]
    if rooted:
        return (below,)
    return (below, folded) if below else (folded,)


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError):
        return Inspection(readable=False)
    rooted = _has_root(archive)
    inside = {name: member for member in archive.members for name in _insides(member.name, rooted=rooted)}
    compiled = next((member for name, member in inside.items() if name.startswith(_COMPILED)), None)
    if not _MARKS & inside.keys() and compiled is None:
        return Inspection(readable=False)
    findings = list(findings_of(archive, reading))
    if compiled is not None:
        findings.append(NATIVE.finding("a program compiled by AOTInductor", member=compiled.name))
    pickled, broken = _pickled(reading, archive, rooted=rooted)
    return Inspection(
        readable=True,
        findings=(*findings, *broken),
        members=tuple(_members(reading, archive, pickled, rooted=rooted)),
    )


def _pickled(reading: Reading, archive: ZipArchive, *, rooted: bool) -> tuple[frozenset[str], tuple[Finding, ...]]:
    """Return which payloads the archive's lists say are pickles, by their names in lower case."""
    names: set[str] = set()
    findings: list[Finding] = []
    for member in archive.members:
        insides = _insides(member.name, rooted=rooted)
        folder = next((match[1] for name in insides if (match := _CONFIG.fullmatch(name))), None)
        if folder is None:
            continue
        with open_member(reading, member, limits.SCAN_JSON_BYTES) as stream:
            if stream.fault is not None:
                findings.append(of_fault(stream.fault, member=member.name))
                continue
            document, broken = parsed(stream)
        findings += [replace(one, member=member.name) for one in broken]
        config = document.get("config") if isinstance(document, dict) else None
        for entry in config.values() if isinstance(config, dict) else ():
            if isinstance(entry, dict) and entry.get("use_pickle"):
                names.add(f"{folder}/{entry.get('path_name')}".casefold())
    return frozenset(names), tuple(findings)


def _members(reading: Reading, archive: ZipArchive, pickled: frozenset[str], *, rooted: bool) -> Iterator[Member]:
    for member in archive.members:
        if not member.is_folder:
            yield _member(reading, member, _insides(member.name, rooted=rooted), pickled)


def _member(reading: Reading, member: ZipMember, names: tuple[str, ...], pickled: frozenset[str]) -> Member:
    """Hand on a member: programs and objects with their reader, what is plain by its place as numbers."""
    if any(name == _OLD_PROGRAM or name.startswith(_MODELS) for name in names):
        return replace(member_of(reading, member), reader=scan_program, replaces="json")
    if any(_OBJECT.fullmatch(name) for name in names):
        return replace(member_of(reading, member), reader=_scan_object, replaces="pickle")
    plain = all(name in _NOTES or name.startswith(_EXTRA) or _PAYLOAD.fullmatch(name) for name in names)
    plain |= names[-1].startswith(_OLD_EXTRA) and not names[0].startswith(("data/", _MODELS))
    return member_of(reading, member, data=plain and pickled.isdisjoint(names))


def _scan_object(reading: Reading, name: str) -> Inspection:
    del name
    return scan_pickle(reading)


FORMAT = Format(
    id="pytorch-export",
    title="PyTorch exported program",
    description="What torch.export.save writes: a graph of operators in JSON, numbers, and pickles beside them.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, b"PK\x03\x04"),),
    extensions=(".pt2",),
    rules=tuple(dict.fromkeys((NATIVE, *EXPORT_RULES, *ZIP_RULES, *RULES))),
    refines=("zip",),
)
