"""What a tar archive does when it is unpacked: rules, and the findings about names, links, devices and permissions.

The directory of one reading is read once, however many readers ask.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from modelsign.artifact.containers.flaw import FlawKind
from modelsign.artifact.containers.tar import looks_like_tar, open_tar_member, read_tar
from modelsign.errors import ModelsignError
from modelsign.scan.archives.unpacking import RESERVED, Doings, Entry, doings, reserved
from modelsign.scan.format import Member
from modelsign.scan.rules import BROKEN, BUDGET, of_fault
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.containers.tar import TarArchive, TarMember
    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["TAR_RULES", "looks_like_tar", "plain_name", "tar_findings", "tar_member", "tar_of"]

_ADVICE: Final = "Do not unpack or load the file; ask its author for an archive of plain files."
_ESCAPES: Final = Rule(
    "tar-path-escapes",
    "a member would be written outside of the folder it is unpacked to",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The name is absolute, climbs with `..`, or passes through a link of the same archive. Loaders that unpack such "
    "an archive write to any place the user may write to.",
    _ADVICE,
    ("CVE-2007-4559", "CVE-2025-12060", "CVE-2025-23304", "CVE-2025-23360", "CVE-2024-34997"),
)
_LINK_ESCAPES: Final = Rule(
    "tar-link-escapes",
    "a link in the archive points outside of it",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "A symbolic or hard link whose target is absolute or above the archive. Whoever reads the member reads another "
    "file of the machine, and whoever writes to it overwrites that file.",
    _ADVICE,
    ("CVE-2025-12060", "CVE-2025-4517", "CVE-2025-4330"),
)
_LINK: Final = Rule(
    "tar-link",
    "a link in the archive leads to no plain member",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "A symbolic or hard link stays below the folder by its text, but points at nothing, or at another link, so that "
    "what it means depends on what lies there already.",
    "Ask for an archive without links.",
    ("CVE-2025-4517",),
)
_SPECIAL: Final = Rule(
    "tar-special-file",
    "the archive makes a device or a pipe",
    Severity.HIGH,
    Outcome.UNSAFE,
    "Devices give access to the machine's disks and memory, and pipes block whoever opens them. No model needs either.",
    _ADVICE,
)
_PRIVILEGED: Final = Rule(
    "tar-privileged-mode",
    "a file in the archive takes its owner's rights when it runs",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The member's permissions have the set-user-ID or set-group-ID bit, which gives whoever runs the file the rights "
    "of its owner. Weights are never run.",
    "Ask for an archive with ordinary permissions.",
)


def _reading_rule(name: str, title: str, description: str, *references: str) -> Rule:
    return Rule(name, title, Severity.HIGH, Outcome.INCOMPLETE, description, _ADVICE, references)


_DIFFER: Final = _reading_rule(
    "tar-header-contradicts",
    "readers of tar see different members",
    "A header is malformed, contradicts its pax header, or has data that some readers skip and others take for "
    "members. All members of all readings are judged.",
    "CVE-2025-62518",
)
_OUTSIDE: Final = _reading_rule(
    "tar-bytes-outside",
    "bytes in the archive belong to no member",
    "There are bytes that are no header between or behind the members, or members behind the archive's end, where "
    "some readers stop and others go on.",
)
_FLAWS: Final[Mapping[FlawKind, Rule]] = {
    FlawKind.HEADER: _DIFFER,
    FlawKind.OUTSIDE: _OUTSIDE,
    FlawKind.DIRECTORY: _reading_rule(
        "tar-cut-short",
        "the archive has no end",
        "A tar archive ends with blocks of zeros. Where they are missing, members may be missing as well.",
    ),
    FlawKind.DUPLICATE: _reading_rule(
        "tar-duplicate-member",
        "two members have the same name",
        "Two members have names that are equal, or differ in letter case alone. The later one replaces the earlier "
        "when the archive is unpacked, while a reader that looks for a name may stop at the first.",
    ),
    FlawKind.NAME: _reading_rule(
        "tar-name",
        "a member's name is read differently by different readers",
        "The name holds a NUL or a backslash, is no UTF-8, is longer than file systems allow, or goes on in a field "
        "that not every reader looks at.",
        "CVE-2025-4517",
    ),
    FlawKind.UNREADABLE: _reading_rule(
        "tar-sparse-member",
        "a member is stored with its holes left out",
        "The bytes in the archive are not the bytes of the file, which a reader puts together with zeros in between. "
        "They are judged as they lie there.",
    ),
}
_DOINGS: Final = Doings(_ESCAPES, _LINK_ESCAPES, _LINK, _SPECIAL, _PRIVILEGED)
TAR_RULES: Final = (*_DOINGS, RESERVED, *_FLAWS.values(), BROKEN, BUDGET)
_known: WeakKeyDictionary[Reading, TarArchive | ModelsignError] = WeakKeyDictionary()


def tar_of(reading: Reading) -> TarArchive | ModelsignError:
    """Return the archive in these bytes, or the error that reading it ended with."""
    archive = _known.get(reading)
    if archive is None:
        try:
            archive = read_tar(reading)
        except ModelsignError as fault:
            archive = fault
        _known[reading] = archive
    return archive


def plain_name(member: TarMember) -> str:
    """Return a member's name as a file below the folder it is unpacked to."""
    return member.name.removeprefix("./").lstrip("/") or member.name


def tar_member(reading: Reading, member: TarMember) -> Member:
    """Hand a member to the engine."""
    return Member(plain_name(member), functools.partial(open_tar_member, reading, member))


def tar_findings(archive: TarArchive | ModelsignError) -> tuple[Finding, ...]:
    """Return the findings about the archive itself, worst first."""
    if isinstance(archive, ModelsignError):
        return (of_fault(archive),)
    flaws = (_FLAWS[flaw.kind].finding(flaw.message, member=flaw.member, offset=flaw.offset) for flaw in archive.flaws)
    entries = [Entry(one.name, one.kind, one.link, one.mode, one.header) for one in archive.members]
    names = ((one.name, one.header) for one in archive.members)
    return (*doings(entries, _DOINGS, shown="./"), *reserved(names, streams=False), *flaws)
