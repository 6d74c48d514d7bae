"""What the readers of ZIP-based formats share: one look at the directory, its flaws, and its members.

The directory of one reading is read once, however many readers ask.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from modelsign.artifact.containers.zip import CENTRAL, LOCAL, open_member, read_archive
from modelsign.artifact.containers.zip import looks_like_zip as has_archive
from modelsign.artifact.containers.zip_end import END_BYTES, find_end
from modelsign.errors import ModelsignError
from modelsign.scan.archives.nesting import is_member
from modelsign.scan.archives.unpacking import Entry, doings, kind_of_mode, reserved
from modelsign.scan.format import Member
from modelsign.scan.rules import of_fault, of_flaw

if TYPE_CHECKING:
    from modelsign.artifact.containers.zip import ZipArchive, ZipMember
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["archive_of", "findings_of", "is_numpy_archive", "is_pytorch_archive", "looks_like_zip", "member_of"]

_PYTORCH_PICKLES = frozenset({"data.pkl", "constants.pkl", "bytecode.pkl"})
"""Records that PyTorch's readers unpickle (torch/serialization.py, torch/csrc/jit/serialization/import.cpp)."""
_ORDINARY = frozenset({"file", "folder"})
_SET_ID = 0o6000
_LINK_BYTES = 4096
_known: WeakKeyDictionary[Reading, ZipArchive | ModelsignError] = WeakKeyDictionary()
_looked_at: WeakKeyDictionary[Reading, bool] = WeakKeyDictionary()


def looks_like_zip(reading: Reading) -> bool:
    """Whether some reader would find a ZIP archive that is not just a member of another archive; looked up once."""
    found = _looked_at.get(reading)
    if found is None:
        found = _looked_at[reading] = _looks_like_zip(reading)
    return found


def _looks_like_zip(reading: Reading) -> bool:
    if not has_archive(reading):
        return False
    end = find_end(reading)
    if end is None or reading.read_at(0, len(LOCAL)) == LOCAL:
        return True
    bases = [base for start, base in end.starts() if reading.read_at(start, len(CENTRAL)) == CENTRAL]
    return not bases or not all(is_member(reading, base, end.position + END_BYTES) for base in bases)


def archive_of(reading: Reading) -> ZipArchive | ModelsignError:
    """Return the archive in these bytes, or the error that reading it ended with."""
    archive = _known.get(reading)
    if archive is None:
        try:
            archive = read_archive(reading)
        except ModelsignError as fault:
            archive = fault
        _known[reading] = archive
    return archive


def is_pytorch_archive(archive: ZipArchive) -> bool:
    """Whether PyTorch would open it: by a record it unpickles, whatever its letter case and folder."""
    return any(member.name.rsplit("/", 1)[-1].casefold() in _PYTORCH_PICKLES for member in archive.members)


def is_numpy_archive(archive: ZipArchive) -> bool:
    """Whether it holds NumPy arrays."""
    return any(member.name.casefold().endswith(".npy") for member in archive.members)


def findings_of(
    archive: ZipArchive | ModelsignError, reading: Reading, *, unpacked: bool = False
) -> tuple[Finding, ...]:
    """Return the findings about the archive itself, what its members do when they are unpacked first.

    ``unpacked`` says that loaders unpack such archives, so that names must be good on every system. Formats that are
    read in place have the keys of arrays for names, ``x:0.npy`` among them.
    """
    if isinstance(archive, ModelsignError):
        return (of_fault(archive),)
    entries = [_entry(reading, member) for member in archive.members if unpacked or _is_special(member)]
    if any(entry.kind == "symbolic link" for entry in entries):
        entries = [_entry(reading, member) for member in archive.members]
    names = ((member.name, member.header) for member in archive.members if unpacked)
    return (*doings(entries), *reserved(names), *(of_flaw(flaw) for flaw in archive.flaws))


def _is_special(member: ZipMember) -> bool:
    name = member.name
    return (
        name.startswith("/")
        or ".." in name
        or bool(member.mode & _SET_ID)
        or kind_of_mode(member.mode) not in _ORDINARY
    )


def _entry(reading: Reading, member: ZipMember) -> Entry:
    kind = "folder" if member.is_folder else kind_of_mode(member.mode)
    link = ""
    if kind == "symbolic link":
        with open_member(reading, member, _LINK_BYTES) as stream:
            link = stream.read_at(0, _LINK_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd")
    return Entry(member.name, kind, link, member.mode, member.header)


def member_of(reading: Reading, member: ZipMember, *, data: bool = False) -> Member:
    """Hand a member to the engine."""
    return Member(member.name, functools.partial(open_member, reading, member), data=data)
