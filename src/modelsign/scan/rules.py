"""Rules that more than one reader uses: what the engine, containers and streams can show about any file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.flaw import FlawKind
from modelsign.scan.archives.unpacking import ARCHIVE_RULES
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.artifact.containers.flaw import Flaw
    from modelsign.errors import ModelsignError
    from modelsign.verdict import Finding

__all__ = ["ENGINE_RULES", "SUPERVISOR_RULES", "ZIP_RULES", "of_fault", "of_flaw"]

AMBIGUOUS: Final = Rule(
    "ambiguous-format",
    "the file can be read as several formats",
    Severity.HIGH,
    Outcome.UNSAFE,
    "Two readers of different formats both accept these bytes, so what is loaded depends on who loads it. Ordinary "
    "files are never like that; such a file is made on purpose, to show one face to a scanner and another to a loader.",
    "Do not load the file. Ask its author for it in one format.",
)
UNSUPPORTED: Final = Rule(
    "unsupported-format",
    "there is no reader for this format yet",
    Severity.LOW,
    Outcome.UNSUPPORTED,
    "The file is not in a format that modelsign can judge, so nothing is known about what it does when loaded. "
    "The format is named where its first bytes or its name give it away.",
    "Convert the model to a supported format such as safetensors, or accept `unsupported` knowingly.",
)
BROKEN: Final = Rule(
    "broken-format",
    "the file is damaged or cut short",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The file begins like its format and then departs from it. What a loader makes of it cannot be told; what was "
    "read before the damage is judged all the same.",
    "Fetch the file again and compare its digest with the author's.",
)
BUDGET: Final = Rule(
    "budget-exceeded",
    "the file is beyond what a scan spends on it",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "A scan counts bytes, members, levels and operations, and stops at a limit, so that any input ends in bounded "
    "time and memory. What lies beyond was not looked at.",
    "Split the model, or store it in a plain format such as safetensors.",
)
CHANGED: Final = Rule(
    "file-changed",
    "the file was written to while it was read",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "Bytes that were read before differ from the same bytes read again. No finding about such a file means anything.",
    "Let whatever writes to the model finish, then run again.",
)
UNREADABLE: Final = Rule(
    "file-unreadable",
    "the file cannot be read",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "The operating system refused the file or its bytes, so that nothing is known about it.",
    "Check the permissions of the file and the health of the disk.",
)
OMITTED: Final = Rule(
    "findings-omitted",
    "more findings than are listed",
    Severity.INFO,
    Outcome.CLEAN,
    "The list of findings of one file is bounded. The worst are kept, and the outcome is that of all of them.",
    "Read the findings that are listed first.",
)
SECRET: Final = Rule(
    "secret-in-model",
    "a key or token was left in the model",
    Severity.MEDIUM,
    Outcome.CLEAN,
    "The text has the form that an issuer gives to its private keys or access tokens. Whoever gets the model gets them "
    "too. Loading the file does nothing dangerous, so the outcome stays what it is; the secret itself is not shown.",
    "Revoke the key or token at its issuer; removing it from the file does not take it back.",
    ("CWE-798",),
)
CRASHED: Final = Rule(
    "supervisor-crash",
    "the process that scanned the file broke down",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "The scan runs in a confined process of its own. While it read this file that process ended, was ended by the "
    "system, or answered something else than was agreed, so nothing is known about the file. The scan of the other "
    "files went on in a new process. Ordinary files do not do this.",
    "Do not load the file. Run again on a machine with more memory; if that does not help, report the file.",
)
OVERRAN: Final = Rule(
    "supervisor-timeout",
    "the scan of the file was stopped from outside",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "A scan counts operations and stops by itself. This one went on until the last fence around its process, which is "
    "generous: processor time, or a wait of hours. Nothing is known about the file.",
    "Do not load the file, and report it: its scan should have stopped by itself.",
)
SUPERVISOR_RULES: Final = (CRASHED, OVERRAN)
"""What is not a function of the bytes, and so can never be attested."""
ENGINE_RULES: Final = (AMBIGUOUS, UNSUPPORTED, BROKEN, BUDGET, CHANGED, UNREADABLE, OMITTED, SECRET, *SUPERVISOR_RULES)

_FAULTS: Final[Mapping[str, Rule]] = {
    "FILE_CHANGED_WHILE_READ": CHANGED,
    "FILE_UNREADABLE": UNREADABLE,
    "SCAN_BUDGET": BUDGET,
    "SCAN_SPOOL_FAILED": UNREADABLE,
}


def of_fault(fault: ModelsignError, *, member: str | None = None) -> Finding:
    """Turn an error that ended a reading into a finding; a reading that ended early is ``incomplete``."""
    return _FAULTS.get(fault.code, BROKEN).finding(fault.message, member=member)


def _zip_rule(name: str, title: str, description: str, *references: str) -> Rule:
    advice = "Do not load the file; ask its author to write it again with an ordinary tool."
    return Rule(name, title, Severity.HIGH, Outcome.INCOMPLETE, description, advice, references)


_FLAWS: Final[Mapping[FlawKind, Rule]] = {
    FlawKind.OUTSIDE: _zip_rule(
        "zip-bytes-outside",
        "bytes in the archive belong to no member",
        "There are bytes before, between or behind the members. A reader that looks for members elsewhere than the "
        "directory says would find other content than the one that was judged.",
    ),
    FlawKind.DIRECTORY: _zip_rule(
        "zip-directory-contradicts",
        "the archive's end records contradict each other",
        "Count, size or place of the directory are given differently in different places, so that readers see "
        "different members.",
    ),
    FlawKind.HEADER: _zip_rule(
        "zip-header-contradicts",
        "a local header contradicts the directory",
        "Name, flags, method, sizes or checksum of a member differ between its local header and the directory. "
        "`zipfile` refuses some of these archives while PyTorch loads them.",
        "CVE-2025-1944",
        "CVE-2025-1945",
    ),
    FlawKind.DUPLICATE: _zip_rule(
        "zip-duplicate-member",
        "two members have the same name",
        "Two members have names that are equal, or differ in letter case alone. Readers disagree on which one they "
        "open; PyTorch takes the last and ignores case.",
    ),
    FlawKind.OVERLAP: _zip_rule(
        "zip-members-overlap",
        "members share bytes",
        "Members of an ordinary archive lie one behind the other. Overlap hides content, or unpacks to far more than "
        "the file's size.",
    ),
    FlawKind.NAME: _zip_rule(
        "zip-name",
        "a member's name is not a plain relative name",
        "The name leaves the archive, holds a backslash or NUL, or is not marked as UTF-8, so that readers take it "
        "for different names.",
    ),
    FlawKind.UNREADABLE: _zip_rule(
        "zip-member-unreadable",
        "a member is encrypted or packed in an unusual way",
        "The member's bytes cannot be judged, because it is encrypted or packed by a method that loaders of models "
        "do not read.",
        "CVE-2025-1945",
    ),
}
ZIP_RULES: Final = (*ARCHIVE_RULES, *_FLAWS.values(), BROKEN, BUDGET)


def of_flaw(flaw: Flaw) -> Finding:
    """Turn a flaw of a container into a finding."""
    return _FLAWS[flaw.kind].finding(flaw.message, member=flaw.member, offset=flaw.offset)
