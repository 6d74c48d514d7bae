"""PyTorch archives: what ``torch.save`` and ``torch.jit.save`` write since PyTorch 1.6.

A ZIP archive with one folder: ``data.pkl`` holds the objects, ``data/<key>`` the numbers. PyTorch's reader looks
records up without regard to letter case and unpickles more than ``data.pkl``, so every member whose name ends in
``pkl`` is read as a pickle with PyTorch's persistent ids, whatever its bytes look like, and every other member by
its content. TorchScript below ``code/``, and the program for mobile devices in ``bytecode.pkl``, are judged by the
operators they name, and names under ``__torch__`` in the pickles are classes of that code. Follows
torch/serialization.py and caffe2/serialize/inline_container.cc of PyTorch 2.13.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.artifact.containers.zip import open_member
from modelsign.errors import ModelsignError
from modelsign.scan import sniff
from modelsign.scan.archives.zips import archive_of, findings_of, is_pytorch_archive, looks_like_zip, member_of
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.torchscript import TORCHSCRIPT_RULES, Program, bytecode_findings, torch_classes
from modelsign.scan.pickles import RULES, scan_pickle
from modelsign.scan.rules import ZIP_RULES, of_fault
from modelsign.scan.trust import trusted_names, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.containers.zip import ZipArchive, ZipMember
    from modelsign.artifact.reading import Reading
    from modelsign.scan.format import Member
    from modelsign.verdict import Finding

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

_WITHOUT_NUMBERS: Final = frozenset({"traced_inputs"})
"""Records beside a pickle that PyTorch writes empty, and never reads."""
_CODE: Final = "code/"
_BYTECODE: Final = "bytecode.pkl"


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return looks_like_zip(reading)


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    archive = archive_of(reading)
    if isinstance(archive, ModelsignError) or not is_pytorch_archive(archive):
        return Inspection(readable=False)
    findings = list(findings_of(archive, reading))
    program = Program()
    for member in archive.members:
        if _is_source(member):
            findings += _read_source(reading, member, program)
    findings += program.findings()
    own = frozenset(program.own | torch_classes()) if program.own else frozenset[str]()
    members = tuple(_members(reading, archive, own))
    return Inspection(readable=True, findings=tuple(findings), members=members)


def _read_source(reading: Reading, member: ZipMember, program: Program) -> Iterator[Finding]:
    """Take one member's source into the program; a member that is not all there is a finding."""
    if program.characters > limits.TORCHSCRIPT_BYTES:
        return
    with open_member(reading, member, limits.TORCHSCRIPT_BYTES + 1) as stream:
        if stream.fault is not None:
            yield of_fault(stream.fault, member=member.name)
        module = member.name.partition("/")[2][len(_CODE) :].rpartition(".")[0].replace("/", ".")
        program.take(stream.read_at(0, limits.TORCHSCRIPT_BYTES + 1), member.name, module)


def _members(reading: Reading, archive: ZipArchive, own: frozenset[str]) -> Iterator[Member]:
    """Hand the members on, without folders, source, and numbers that lie there whole and look like nothing else."""
    sizes: dict[str, dict[str, int]] = {}
    for member in archive.members:
        folder, _, key = _inside(member.name).rpartition("/")
        sizes.setdefault(folder, {})[key] = member.size
    for member in archive.members:
        inside = _inside(member.name)
        if member.name.casefold().endswith("pkl"):
            bytecode = inside.rsplit("/", 1)[-1] == _BYTECODE
            folder = inside.removesuffix("pkl").removesuffix(".")
            records = {} if folder in _WITHOUT_NUMBERS else sizes.get(folder, {})
            reader = functools.partial(_scan_record, own, bytecode, records)
            yield replace(member_of(reading, member), reader=reader, replaces="pickle")
        elif not member.is_folder and not _is_source(member):
            data = inside in _NOTES or _NUMBERS.fullmatch(inside) is not None
            if not data or not _is_only_numbers(reading, member):
                yield member_of(reading, member, data=data)


def _is_only_numbers(reading: Reading, member: ZipMember) -> bool:
    """Whether a member declared to be data is stored whole and does not begin like a file of its own."""
    start = member.data
    if start is None or member.method or member.size != member.packed_size or start + member.size > reading.size:
        return False
    return not sniff.is_loadable(reading.read_at(start, min(8, member.size)))


def _is_source(member: ZipMember) -> bool:
    """Whether a member is TorchScript source."""
    inside = _inside(member.name)
    return inside.startswith(_CODE) and inside.endswith(".py")


def _inside(name: str) -> str:
    """Return a member's name below the archive's one folder, without regard to letter case."""
    return name.partition("/")[2].casefold()


def _scan_record(
    own: frozenset[str],
    bytecode: bool,  # noqa: FBT001 - bound by position
    records: dict[str, int],
    reading: Reading,
    name: str,
) -> Inspection:
    del name
    with trusting(trusted_names.get() | own):
        seen = scan_pickle(reading, persistent="torch", records=records)
    return replace(seen, findings=(*seen.findings, *bytecode_findings(reading))) if bytecode else seen


FORMAT = Format(
    id="pytorch",
    title="PyTorch archive",
    description="What torch.save and torch.jit.save write since PyTorch 1.6: a ZIP archive of pickles and numbers.",
    recognise=_recognise,
    scan=_scan,
    magic=(Magic(0, b"PK\x03\x04"),),
    extensions=(".pt", ".pth", ".ckpt", ".bin"),
    rules=(*ZIP_RULES, *TORCHSCRIPT_RULES, *RULES),
)
