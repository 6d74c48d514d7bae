"""PyTorch archives: what ``torch.save`` and ``torch.jit.save`` write since PyTorch 1.6.

A ZIP archive with one folder: ``data.pkl`` holds the objects, ``data/<key>`` the numbers. PyTorch's reader looks
records up without regard to letter case and unpickles more than ``data.pkl``, so every member whose name ends in
``pkl`` is read as a pickle with PyTorch's persistent ids, whatever its bytes look like, and every other member by
its content. TorchScript (``code/``) is a program and has no reader yet. Follows torch/serialization.py and
caffe2/serialize/inline_container.cc of PyTorch 2.13.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign.errors import ModelsignError
from modelsign.scan import sniff
from modelsign.scan.archives import archive_of, findings_of, is_pytorch_archive, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.pickles import RULES, scan_pickle
from modelsign.scan.rules import ZIP_RULES
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.containers.zip import ZipArchive, ZipMember
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member

__all__ = ["FORMAT"]

_NUMBERS: Final = re.compile(r"(data|constants|tensors)/\d+", re.ASCII)
"""Records that hold a storage's raw numbers."""
_NOTES: Final = frozenset(
    {
        "version",
        "byteorder",
        ".format_version",
        ".storage_alignment",
        ".data/serialization_id",
        ".data/version",
    }
)
"""Records of a few characters that say how the archive was written."""

_BYTECODE: Final = "bytecode.pkl"

TORCHSCRIPT: Final = Rule(
    "torchscript-code",
    "the archive holds a TorchScript program",
    Severity.MEDIUM,
    Outcome.UNSUPPORTED,
    "Members below `code/` are source that `torch.jit.load` compiles and runs, and `bytecode.pkl` is a program for "
    "PyTorch's interpreter on mobile devices. Both can call operators that read and write files and load libraries, "
    "and there is no reader for them yet.",
    "Ask for the weights as safetensors, or accept `unsupported` knowingly.",
    ("CVE-2025-32434", "CVE-2024-48063"),
)


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError) or not is_pytorch_archive(archive):
        return Inspection(readable=False)
    findings = list(findings_of(archive))
    programs = [member.name for member in archive.members if _is_program(_inside(member.name))]
    if programs:
        findings.append(TORCHSCRIPT.finding(f"{len(programs)} members hold its code", member=programs[0]))
    members = tuple(_members(reading, archive))
    return Inspection(readable=True, findings=tuple(findings), members=members)


def _members(reading: Reading, archive: ZipArchive) -> Iterator[Member]:
    """Hand the members on, without folders, source, and numbers that lie there whole and look like nothing else."""
    for member in archive.members:
        inside = _inside(member.name)
        if member.name.casefold().endswith("pkl"):
            yield replace(member_of(reading, member), reader=_scan_record, replaces="pickle")
        elif not member.is_folder and not (inside.startswith("code/") and member.name.endswith(".py")):
            data = inside in _NOTES or _NUMBERS.fullmatch(inside) is not None
            if not data or not _is_only_numbers(reading, member):
                yield member_of(reading, member, data=data)


def _is_only_numbers(reading: Reading, member: ZipMember) -> bool:
    """Whether a member declared to be data is stored whole and does not begin like a file of its own."""
    start = member.data
    if start is None or member.method or member.size != member.packed_size or start + member.size > reading.size:
        return False
    return not reading.read_at(start, min(8, member.size)).startswith(sniff.LOADABLE)


def _is_program(inside: str) -> bool:
    """Whether a record is source below ``code/``, or what PyTorch's interpreter for mobile devices runs."""
    return inside.startswith("code/") or inside.rsplit("/", 1)[-1] == _BYTECODE


def _inside(name: str) -> str:
    """Return a member's name below the archive's one folder, without regard to letter case."""
    return name.partition("/")[2].casefold()


def _scan_record(reading: Reading, name: str) -> Inspection:
    del name
    return scan_pickle(reading, persistent="torch")


FORMAT = Format(
    id="pytorch",
    title="PyTorch archive",
    description="What torch.save and torch.jit.save write since PyTorch 1.6: a ZIP archive of pickles and numbers.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, b"PK\x03\x04"),),
    extensions=(".pt", ".pth", ".ckpt", ".bin"),
    rules=(*ZIP_RULES, TORCHSCRIPT, *RULES),
)
