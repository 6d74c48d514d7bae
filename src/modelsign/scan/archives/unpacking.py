"""What an archive does when it is unpacked: names that leave the folder, links, devices, permissions.

Readers of archives turn their members into entries; what is wrong with an entry is the same in all of them. Names are
judged by their text alone, and no link is ever followed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelsign.verdict import Finding

__all__ = [
    "ARCHIVE",
    "ARCHIVE_RULES",
    "DUPLICATE",
    "ODD",
    "RESERVED",
    "Doings",
    "Entry",
    "doings",
    "duplicates",
    "kind_of_mode",
    "reserved",
]

_ADVICE: Final = "Do not unpack or load the file; ask its author for an archive of plain files."


class Entry(NamedTuple):
    """A member: ``kind`` is file, folder, hard link, symbolic link, device or pipe; ``link`` is where a link points."""

    name: str
    kind: str
    link: str
    mode: int
    offset: int


class Doings(NamedTuple):
    """The rules that one kind of archive has for what its members do."""

    escapes: Rule
    link_escapes: Rule
    link: Rule
    special: Rule
    privileged: Rule


ARCHIVE: Final = Doings(
    Rule(
        "archive-path-escapes",
        "a member would be written outside of the folder it is unpacked to",
        Severity.CRITICAL,
        Outcome.UNSAFE,
        "The name is absolute, climbs with `..`, or passes through a link of the same archive. Tools that unpack such "
        "an archive write to any place the user may write to.",
        _ADVICE,
        ("CWE-22", "CVE-2018-20250", "CVE-2023-48299", "CVE-2025-8088"),
    ),
    Rule(
        "archive-link-escapes",
        "a link in the archive points outside of it",
        Severity.CRITICAL,
        Outcome.UNSAFE,
        "A link whose target is absolute or above the archive. Whoever reads the member reads another file of the "
        "machine, and whoever writes to it overwrites that file.",
        _ADVICE,
        ("CWE-61", "CVE-2025-11001", "CVE-2025-11002"),
    ),
    Rule(
        "archive-link",
        "a link stands in the archive",
        Severity.MEDIUM,
        Outcome.UNVERIFIED,
        "A link stays below the folder by its text. What it means depends on the tool that unpacks it, and on what "
        "lies there already; tools that know no links write its target as text.",
        "Ask for an archive without links.",
        ("CWE-61",),
    ),
    Rule(
        "archive-special-file",
        "the archive makes a device or a pipe",
        Severity.HIGH,
        Outcome.UNSAFE,
        "Devices give access to the machine's disks and memory, and pipes block whoever opens them. No model needs "
        "either.",
        _ADVICE,
    ),
    Rule(
        "archive-privileged-mode",
        "a file in the archive takes its owner's rights when it runs",
        Severity.MEDIUM,
        Outcome.UNVERIFIED,
        "The member's permissions have the set-user-ID or set-group-ID bit, which gives whoever runs the file the "
        "rights of its owner. Weights are never run.",
        "Ask for an archive with ordinary permissions.",
    ),
)
RESERVED: Final = Rule(
    "archive-name-reserved",
    "a member's name means something else on Windows",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "Windows takes the name for a device (`AUX`, `NUL`, `COM1`, …), drops the dot or space it ends in, or writes to a "
    "stream of another file. Unpacked there, the archive gives other files than the ones that were judged.",
    "Ask for an archive with plain names.",
    ("https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file",),
)
DUPLICATE: Final = Rule(
    "archive-duplicate-member",
    "two members have the same name",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Two members have names that are equal, or differ in letter case alone. The later one replaces the earlier when "
    "the archive is unpacked, while a reader that looks for a name may stop at the first.",
    _ADVICE,
)
ODD: Final = Rule(
    "archive-header-odd",
    "the archive's headers do not add up",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "A checksum is wrong, bytes follow the archive, or its end is missing. Tools refuse such an archive or look for "
    "members where others do not.",
    "Fetch the file again and compare its digest with the author's.",
)
ARCHIVE_RULES: Final = (*ARCHIVE, RESERVED)
_DRIVE: Final = re.compile(r"[A-Za-z]:", re.ASCII)
_DEVICE: Final = re.compile(
    r"(?i)(?:^|/)(?:con|prn|aux|nul|(?:com|lpt)[1-9\u00b9\u00b2\u00b3]|conin\$|conout\$) *(?:[.:][^/]*)?(?:/|$)"
)
_TRAILING: Final = re.compile(r"[^/. ][. ]+(?:/|$)")
_SET_ID: Final = 0o6000
_TYPE: Final = 0o170000
_KINDS: Final = {
    0o120000: "symbolic link", 0o060000: "device", 0o020000: "device", 0o010000: "pipe", 0o140000: "pipe",
    0o040000: "folder",
}  # fmt: skip
_HERE: Final = ""
"""The part that no path has: a path ends here."""


class _Tree(dict[str, "_Tree"]):
    """Paths by their parts."""


def kind_of_mode(mode: int) -> str:
    """Return the kind of entry that a file mode of Unix calls for."""
    return _KINDS.get(mode & _TYPE, "file")


def doings(entries: Sequence[Entry], rules: Doings = ARCHIVE, *, shown: str = "") -> Iterator[Finding]:
    """Yield what is wrong with the entries of one archive; ``shown`` is what findings leave out before a name."""
    links = _tree(_parts(entry.name) for entry in entries if entry.kind == "symbolic link")
    linked = bool(links) or any(entry.kind == "hard link" for entry in entries)
    plain = {_parts(entry.name) for entry in entries if entry.kind in {"file", "folder"}} if linked else set()

    def found(rule: Rule, words: str, entry: Entry) -> Finding:
        member = entry.name.removeprefix(shown).lstrip("/") or entry.name
        return rule.finding(f"{entry.name[:200]}: {words}", member=member, offset=entry.offset)

    for entry in entries:
        if _leaves(entry.name):
            yield found(rules.escapes, "it leaves the folder", entry)
        elif links and _passes(_parts(entry.name)[:-1], links):
            yield found(rules.escapes, "it passes through a link of the archive", entry)
        if entry.kind in {"device", "pipe"}:
            yield found(rules.special, f"it is a {entry.kind}", entry)
        elif entry.kind in {"hard link", "symbolic link"}:
            leads = _leads(entry, links, plain)
            rule = rules.link_escapes if leads == "out" else rules.link
            if leads or rules is ARCHIVE:
                yield found(rule, f"it is a {entry.kind} to {entry.link[:200]}", entry)
        elif entry.kind == "file" and entry.mode & _SET_ID:
            yield found(rules.privileged, f"its permissions are {entry.mode & 0o7777:o}", entry)


def reserved(names: Iterable[tuple[str, int]], *, streams: bool = True) -> Iterator[Finding]:
    """Yield the names, given with their offsets, that mean something else on Windows.

    ``streams`` counts a colon, which begins the name of a stream; archives made on Unix have it in times of day.
    """
    for name, offset in names:
        if _DEVICE.search(name) or _TRAILING.search(name) or (streams and ":" in name):
            yield RESERVED.finding(f"{name[:200]} is another name on Windows", member=name, offset=offset)


def duplicates(names: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    """Yield the names of files, given with their offsets, that stand there before, letter case aside."""
    seen: set[str] = set()
    for name, offset in names:
        folded = name.casefold()
        if folded in seen:
            yield DUPLICATE.finding(f"{name[:200]} stands twice in the archive", member=name, offset=offset)
        seen.add(folded)


def _leads(entry: Entry, links: _Tree, plain: set[tuple[str, ...]]) -> str:
    """Say where a link leads: ``out`` of the archive, to ``nothing`` plain, or (empty) to a member."""
    base = entry.name.rpartition("/")[0] + "/" if entry.kind == "symbolic link" and "/" in entry.name else ""
    absolute = entry.link.startswith("/") or "\\" in entry.link or _DRIVE.match(entry.link) is not None
    if absolute or _leaves(f"./{base}{entry.link}", climbs=True):
        return "out"
    target = _parts(base + entry.link)
    return "nothing" if target not in plain or _passes(target, links) else ""


def _leaves(name: str, *, climbs: bool = False) -> bool:
    """Whether a name is absolute or climbs; ``climbs`` allows ``..`` that stays below the start."""
    if name.startswith("/") or "\\" in name or _DRIVE.match(name):
        return True
    if ".." not in name:
        return False
    level = 0
    for part in name.split("/"):
        if part == "..":
            level -= 1
            if level < 0 or not climbs:
                return True
        elif part not in {"", "."}:
            level += 1
    return False


def _parts(name: str) -> tuple[str, ...]:
    """Return the folders and the name, with ``.`` left out and ``..`` followed by its text."""
    found: list[str] = []
    for part in name.split("/"):
        if part == "..":
            del found[-1:]
        elif part not in {"", "."}:
            found.append(part)
    return tuple(found)


def _tree(paths: Iterable[tuple[str, ...]]) -> _Tree:
    """Put paths into a tree of their parts, so that asking costs as much as the path asked for is long."""
    root = _Tree()
    for path in paths:
        node = root
        for part in path:
            node = node.setdefault(part, _Tree())
        node[_HERE] = _Tree()
    return root


def _passes(parts: tuple[str, ...], links: _Tree) -> bool:
    """Whether any beginning of a path is a link."""
    node: _Tree | None = links
    for part in parts:
        node = node.get(part) if node is not None else None
        if node is None:
            return False
        if _HERE in node:
            return True
    return False
