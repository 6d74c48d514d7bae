"""Scans files and models: which readers must be asked, and what their answers come to.

Every reader that recognises the bytes is asked, all findings count, and the outcome is the worst of them. What
nobody recognises is ``unsupported`` and named; bytes that two readers accept as different things are a finding of
their own. Containers hand their members back and these are scanned in the same way. Digest and findings of a file
come from the same bytes (see ``artifact/reading.py``).

Never runs or imports what it reads, never looks at the clock, the network, the environment or installed packages.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import ModelsignError, error
from modelsign.scan import rules, sniff
from modelsign.scan.configuration.remote_code import REMOTE_RULES, linked
from modelsign.scan.format import Inspection
from modelsign.scan.formats import _index
from modelsign.scan.machine.rules import BROKEN as PICKLE_BROKEN
from modelsign.scan.machine.rules import BUDGET, CAPABILITIES, PERSISTENT_ID, TRAILING, UNKNOWN_GLOBAL
from modelsign.scan.ruleset import ruleset_digest
from modelsign.scan.secrets import secrets_in
from modelsign.scan.trust import trusting
from modelsign.scan.watching import enter
from modelsign.scan.work import Work, Worked
from modelsign.verdict import FileScan, Outcome, ScanResult, Severity, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from modelsign.artifact.model import Artifact
    from modelsign.artifact.reading import FileReading, Reading
    from modelsign.artifact.snapshot import Snapshot
    from modelsign.scan.format import Format, Member
    from modelsign.verdict import Finding, Rule

__all__ = ["formats", "is_inert", "known_rules", "ruleset_digest", "scan_artifact", "scan_file", "scan_result"]

_UNNAMED: Final = sniff.Mark("unknown", "no known format", adds=False)
_UNNAMED_TEXT: Final = sniff.Mark("text", "text of unknown use", adds=False)
_BADNESS: Final = {outcome: rank for rank, outcome in enumerate(Outcome)}
_ARCHIVE: Final = b"PK"
_IMPORT: Final = b"c"
_FIRST_LINE: Final = 4096
_FROM_THE_START: Final = ("pickle", "pytorch-legacy")
"""Formats whose loaders unpickle from the first byte on."""
_BUDGETS: Final = frozenset({BUDGET.id, rules.BUDGET.id})
"""A reading that ended for want of a budget: a loader would go on."""
_DANGERS: Final = frozenset(rule.id for rule in CAPABILITIES.values())
_IDENTIFIER: Final = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*")
"""A name Python could import: which letters outside ASCII may stand in one differs between its versions."""
_TEXT: Final = "text"
_NO_TEXT: Final = frozenset({"pickle", "compressed", "msgpack", "ubjson"})
"""Formats that a text may begin like by chance."""
_IMPORTS_ALONE: Final = frozenset({PICKLE_BROKEN.id, TRAILING.id, PERSISTENT_ID.id, UNKNOWN_GLOBAL.id})
_MOST_FINDINGS: Final = 20 * limits.SCAN_FINDINGS
"""Findings of one file that are held while it is scanned."""
_WEIGHTS: Final = {severity: rank for rank, severity in enumerate(Severity)}


@functools.cache
def formats() -> tuple[Format, ...]:
    """Return every reader, sorted by id."""
    return tuple(_index.load(member_id) for member_id in _index.IDS)


def scan_artifact(
    artifact: Artifact | Snapshot,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    trust_globals: frozenset[str] = frozenset(),
    scan: Callable[[FileReading, str], FileScan] | None = None,
) -> ScanResult:
    """Scan every file of a model; one result per file, whatever happens to be in it.

    What configurations name of the Python beside them is looked up among all files (``remote_code.py``).
    ``progress`` is called with a file's name, the bytes done so far and the bytes in all: before each file, and while
    its digest grows. ``trust_globals`` are names (``module.qualname``) the caller takes for safe, beyond those known to
    be. ``scan`` scans one file, where that is not to be done in this process.
    """
    scan = scan or functools.partial(scan_file, trust_globals=trust_globals)
    total = sum(entry.size for entry in artifact.files)
    done = 0
    scans = []
    for entry in artifact.files:
        if progress is not None:
            progress(entry.name, done, total)
        try:
            with artifact.open(entry.name) as reading:
                reading.progress = _within(progress, entry.name, done, total)
                scans.append(scan(reading, entry.name))
        except ModelsignError as fault:
            finding = rules.of_fault(fault)
            scans.append(FileScan(entry.name, None, entry.size, _UNNAMED.id, Outcome.INCOMPLETE, (finding,)))
        done += entry.size
    if progress is not None:
        progress("", total, total)
    return scan_result(linked(scans))


def _within(
    progress: Callable[[str, int, int], None] | None, name: str, before: int, total: int
) -> Callable[[int], None] | None:
    """Return what tells of the progress within one file; a file that grew is told of as if it had not."""
    if progress is None:
        return None
    return lambda read: progress(name, min(before + read, total), total)


def scan_result(scans: Iterable[FileScan]) -> ScanResult:
    """Join the scans of a model's files."""
    files = tuple(scans)
    fired = {finding.rule for file in files for finding in file.findings}
    rules_fired = tuple(rule for rule in known_rules() if rule.id in fired) if fired else ()
    return ScanResult(worst(file.outcome for file in files), ruleset_digest(), files, rules=rules_fired)


@functools.cache
def known_rules() -> tuple[Rule, ...]:
    """Return every rule a scan can report, sorted by id."""
    known = {rule.id: rule for entry in formats() for rule in entry.rules}
    known |= {rule.id: rule for rule in (*rules.ENGINE_RULES, *REMOTE_RULES)}
    return tuple(known[rule_id] for rule_id in sorted(known))


def scan_file(reading: Reading, name: str, *, trust_globals: frozenset[str] = frozenset()) -> FileScan:
    """Scan one file; ``name`` is relative to the model.

    The digest is taken last and compares everything that was read before, so that it belongs to the bytes judged.
    A reading without a digest of its own gives ``sha256`` None.
    """
    scan = _Scan(Work(reading.size), bytes_left=limits.SCAN_UNPACKED_BYTES + limits.SCAN_DEPTH * reading.size)
    enter("", path=name)
    try:
        with trusting(trust_globals):
            seen = scan.look(Worked(reading, scan.work), name, depth=0)
    except ModelsignError as fault:
        seen = _Seen(_UNNAMED.id, inert=False)
        scan.findings.append(rules.of_fault(fault))
    digest = None
    sha256 = getattr(reading, "sha256", None)
    if sha256 is not None:
        try:
            digest = sha256()
        except ModelsignError as fault:
            scan.findings.append(rules.of_fault(fault))
    findings = tuple(dict.fromkeys(scan.findings))
    outcome = worst(finding.outcome for finding in findings)
    return FileScan(
        path=name,
        sha256=digest,
        size=reading.size,
        format=seen.format,
        outcome=outcome,
        findings=_bounded(findings, scan.omitted),
        loadable=not (seen.inert and outcome is Outcome.CLEAN),
        globals=tuple(sorted(scan.globals)),
    )


def is_inert(reading: Reading, name: str) -> bool:
    """Say whether no loader takes code from a file: every reader was asked, and it is a plain document."""
    return not scan_file(reading, name).loadable


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one reading turned out to be."""

    format: str
    inert: bool


@dataclass(slots=True)
class _Scan:
    """One file's scan: what is left of its budgets, and what was found so far."""

    work: Work
    findings: list[Finding] = field(default_factory=list)
    fired: set[tuple[str, Outcome]] = field(default_factory=set)
    omitted: int = 0
    globals: set[str] = field(default_factory=set)
    members_left: int = limits.SCAN_MEMBERS
    bytes_left: int = limits.SCAN_UNPACKED_BYTES
    """Bytes of members that may still be looked at, the same bytes as often as members share them."""

    def look(self, reading: Reading, name: str, *, depth: int, where: str = "", member: Member | None = None) -> _Seen:
        """Ask every reader that recognises these bytes; ``where`` is the path inside the file."""
        enter(where)
        begins = reading.read_at(0, len(_ARCHIVE))
        if begins.startswith(_IMPORT):
            begins = reading.read_at(0, _FIRST_LINE)
        answers = _without_wrecks(_marked(begins, self._ask(reading, name, member)))
        readable = [(wanted, answer) for wanted, answer in answers if answer.readable]
        for _, answer in answers:
            self._take(answer, where)
        seen = self._name(reading, name, where, readable, data=member is not None and member.data)
        for finding in secrets_in(reading):
            self.add(finding, where)
        for _, answer in readable:
            for inner in answer.members:
                self._enter(inner, where, depth)
        return seen

    def _ask(self, reading: Reading, name: str, member: Member | None) -> list[tuple[str, Inspection]]:
        """Ask the readers; one that another, more special reader has read for is left out."""
        answers: list[tuple[str, Inspection]] = []
        left_out: set[str] = set()
        if member is not None and member.reader is not None:
            answers.append((member.replaces, self._inspect(member.reader, reading, name)))
            left_out.add(member.replaces)
        for entry in sorted(formats(), key=lambda entry: not entry.refines):
            try:
                wanted = entry.id not in left_out and entry.recognise(reading, name)
            except ModelsignError as fault:  # what was found so far counts
                answers.append((entry.id, Inspection(readable=True, findings=(rules.of_fault(fault),))))
                break
            if not wanted:
                continue
            answer = self._inspect(entry.scan, reading, name, entry.dearness)
            answers.append((entry.id, answer))
            if answer.readable:
                left_out.update(entry.refines)
        return answers

    def _inspect(
        self, scan: Callable[[Reading, str], Inspection], reading: Reading, name: str, dearness: int = 1
    ) -> Inspection:
        """Ask one reader; one that gives up leaves the file incomplete."""
        self.work.dearness = dearness
        try:
            return scan(reading, name)
        except ModelsignError as fault:
            return Inspection(readable=True, findings=(rules.of_fault(fault),))
        finally:
            self.work.dearness = 1

    def _take(self, answer: Inspection, where: str) -> None:
        """Keep an answer's findings; of bytes that are not the reader's format, only what would do harm."""
        for finding in answer.findings:
            if answer.readable or finding.outcome is Outcome.UNSAFE:
                self.add(finding, where)
        if answer.readable and answer.globals:
            self.globals |= answer.globals
            if len(self.globals) > limits.PICKLE_GLOBALS:
                raise error("SCAN_BUDGET", f"its pickles import more than {limits.PICKLE_GLOBALS} names")

    def add(self, finding: Finding, where: str = "") -> None:
        """Keep a finding; of very many only the first of each rule, and their number."""
        fired = (finding.rule, finding.outcome)
        if len(self.findings) < _MOST_FINDINGS or fired not in self.fired:
            self.findings.append(_placed(finding, where))
            self.fired.add(fired)
        else:
            self.omitted += 1

    def _name(
        self, reading: Reading, name: str, where: str, readable: list[tuple[str, Inspection]], *, data: bool
    ) -> _Seen:
        """Name the format; add what follows from there being none, one without a reader, or several."""
        mark = sniff.by_content(reading)
        named = sniff.by_name(name)
        if data:
            return _Seen("data", inert=False)
        extra = [found for found in (mark, named) if found is not None and (found.adds or not readable)]
        if not readable and not extra:
            extra = [_UNNAMED_TEXT if sniff.is_text(reading) else _UNNAMED]
        for found in dict.fromkeys(extra):
            self.add(rules.UNSUPPORTED.finding(f"{found.title} cannot be judged yet"), where)
        active = [wanted for wanted, answer in readable if not answer.inert]
        alive = [wanted for wanted, answer in readable if not answer.inert and not _is_wreck(answer)]
        kinds = list(dict.fromkeys(alive + ([mark.id] if mark is not None and mark.adds and alive else [])))
        if len(kinds) > 1:
            self.add(rules.AMBIGUOUS.finding(f"readable as {' and '.join(kinds)}"), where)
        passive = [wanted for wanted, _ in readable]
        label = "+".join(kinds) or (active[0] if active else extra[0].id if extra else passive[0])
        return _Seen(label, inert=bool(passive) and not active and not extra)

    def _enter(self, member: Member, where: str, depth: int) -> None:
        path = f"{where}!{member.name}" if where else member.name
        self.members_left -= 1
        if depth >= limits.SCAN_DEPTH or self.members_left < 0 or self.bytes_left <= 0 or self.work.left <= 0:
            fault = error("SCAN_BUDGET", f"containers are nested too deeply or hold too much from {path} on")
            self.add(rules.of_fault(fault))
            return
        with member.open(min(self.bytes_left, self.work.unpackable)) as stream:
            self.work.unpacked(stream.unpacked)
            wanted = not member.data or sniff.is_loadable(stream.read_at(0, 8))
            self.bytes_left -= stream.size if wanted else stream.unpacked
            if stream.fault is not None:
                self.add(rules.of_fault(stream.fault, member=path))
            if wanted:
                counted = not stream.unpacked  # what lies in the file as it is was counted there
                self._judge(stream if counted else Worked(stream, self.work), member, path, depth)

    def _judge(self, reading: Reading, member: Member, path: str, depth: int) -> None:
        """Look at a member; of one that is declared to be numbers, keep only what would do harm."""
        before = len(self.findings)
        self.look(reading, member.name, depth=depth + 1, where=path, member=member)
        if member.data:
            fresh = self.findings[before:]
            self.findings[before:] = [finding for finding in fresh if finding.outcome is Outcome.UNSAFE]


def _marked(begins: bytes, answers: list[tuple[str, Inspection]]) -> list[tuple[str, Inspection]]:
    """Leave out the pickle that every ZIP archive begins like: the opcode that asks the loader for an object.

    An ordinary unpickler stops there. What a reading of the archive's bytes finds behind it turns up by chance, weights
    and the archive's own pickles read on among it, unless it is a name known to be dangerous. A tar archive whose first
    member is called ``config.json`` begins like the import of a module whose name holds NULs, which no import finds;
    every unpickler stops there.
    """
    first = begins.partition(b"\n")[0]
    stopped = _FROM_THE_START if first.startswith(_IMPORT) and b"\0" in first else ()
    answers = [
        (wanted, answer)
        for wanted, answer in answers
        if not (_names_nothing(answer) or (wanted in stopped and answer.globals and not _names_danger(answer)))
    ]
    if not begins.startswith(_ARCHIVE):
        return answers
    return [pair for pair in answers if _names_danger(pair[1]) or not _asks_at_once(pair[1])]


def _names_danger(answer: Inspection) -> bool:
    return any(finding.rule in _DANGERS for finding in answer.findings)


def _names_nothing(answer: Inspection) -> bool:
    return (
        bool(answer.globals)
        and not _names_danger(answer)
        and all("\0" in name.rpartition(".")[0] for name in answer.globals)
    )


def _asks_at_once(answer: Inspection) -> bool:
    return any(finding.rule == PERSISTENT_ID.id and finding.offset == 0 for finding in answer.findings)


def _is_wreck(answer: Inspection) -> bool:
    """Whether a reading broke off before it could do anything: such bytes only begin like the format.

    Text that begins with ``c`` or ``i`` names something in two lines, to a pickle; no module is called like that.
    """
    if any(finding.outcome is Outcome.UNSAFE or finding.rule in _BUDGETS for finding in answer.findings):
        return False
    told = [finding for finding in answer.findings if finding.rule != UNKNOWN_GLOBAL.id]
    broken = all(finding.outcome is Outcome.INCOMPLETE for finding in told)
    return bool(told) and broken and not any(map(_importable, answer.globals)) and not answer.members


def _importable(name: str) -> bool:
    return all(_IDENTIFIER.fullmatch(part) for part in name.split("."))


def _without_wrecks(answers: list[tuple[str, Inspection]]) -> list[tuple[str, Inspection]]:
    """Leave wrecks out where another reader understands the bytes to their end.

    A safetensors header of 640 bytes begins like a pickle of protocol 2; no loader gets anywhere with that pickle. Text
    is understood by whoever only asks for lines, so it takes away what by its nature is no text, and no other: of text
    all the way through, a pickle is a wreck too where all it does is to import names that nobody knows, and to break
    (docs/decisions/text-that-begins-like-a-pickle.md).
    """
    if any(wanted == _TEXT and answer.readable and not answer.findings for wanted, answer in answers):
        answers = [
            (wanted, answer)
            for wanted, answer in answers
            if wanted not in _NO_TEXT or not (_is_wreck(answer) or _only_imports(answer))
        ]
    sound = [pair for pair in answers if not _is_wreck(pair[1])]
    understood = any(wanted != _TEXT and answer.readable and not _has_incomplete(answer) for wanted, answer in sound)
    return sound if understood else answers


def _only_imports(answer: Inspection) -> bool:
    """Whether a reading as a pickle breaks, or goes on as no pickle, and calls nothing until then.

    A pickle that comes to its end having imported a name is none of these: whoever loads it is handed that name.
    """
    told = {finding.rule for finding in answer.findings}
    ends = PICKLE_BROKEN.id in told or (TRAILING.id in told and not answer.globals)
    return (
        ends
        and told <= _IMPORTS_ALONE
        and not answer.members
        and all(finding.rule != UNKNOWN_GLOBAL.id or _is_import(finding) for finding in answer.findings)
    )


def _is_import(finding: Finding) -> bool:
    return finding.name is not None and not finding.calls


def _has_incomplete(answer: Inspection) -> bool:
    return any(finding.outcome is Outcome.INCOMPLETE for finding in answer.findings)


def _placed(finding: Finding, where: str) -> Finding:
    """Put the path inside the file before a finding's own member."""
    if not where:
        return finding
    member = f"{where}!{finding.member}" if finding.member else where
    return replace(finding, member=member)


def _bounded(findings: tuple[Finding, ...], omitted: int) -> tuple[Finding, ...]:
    """Keep the worst findings, in the order they were made; ``omitted`` more were not kept at all."""
    if len(findings) <= limits.SCAN_FINDINGS and not omitted:
        return findings
    ranked = sorted(
        range(len(findings)), key=lambda at: (-_BADNESS[findings[at].outcome], -_WEIGHTS[findings[at].severity], at)
    )
    kept = sorted(ranked[: limits.SCAN_FINDINGS])
    left = len(findings) - len(kept) + omitted
    return (*(findings[at] for at in kept), rules.OMITTED.finding(f"{left} more findings are not listed"))
