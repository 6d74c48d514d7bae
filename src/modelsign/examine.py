"""The scan and the second opinions on it, joined into one result.

Opinions are asked about the very bytes that were judged: where any is wanted and the model is not a private copy
already, one is made first, scanned, and shown to the other scanners as a folder of links. An opinion adds findings
to the files it speaks of and never lowers an outcome (DESIGN, "Second opinions"): what it calls critical or high
makes a file ``unsafe``, anything else ``unverified``. No opinion (absent, failed, nothing scanned) changes nothing
and is recorded. Scanners that are asked for a comparison alone add no findings: what they say is shown and recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsign.artifact.model import Artifact
from modelsign.artifact.snapshot import take_snapshot
from modelsign.confined.scanning import scan_artifact
from modelsign.errors import error
from modelsign.opinions import _index
from modelsign.opinions.opinion import RULES
from modelsign.verdict import Comparison, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelsign.artifact.snapshot import Snapshot
    from modelsign.opinions.opinion import Asked
    from modelsign.verdict import FileScan, Finding, ScanResult

__all__ = ["OPINION_SECONDS", "compare", "examine", "opinion_ids"]

OPINION_SECONDS: Final = 600.0
"""The wall-clock limit of each second opinion; beyond it there is none."""


def opinion_ids() -> tuple[str, ...]:
    """Return the ids of the scanners that can be asked."""
    return _index.IDS


def examine(  # noqa: PLR0913 - what is scanned, who else is asked, and how
    artifact: Artifact | Snapshot,
    *,
    opinions: Sequence[str] = (),
    compared: Sequence[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
    trust_globals: frozenset[str] = frozenset(),
    seconds: float = OPINION_SECONDS,
    sandbox: bool = True,
) -> ScanResult:
    """Scan a model and ask the named other scanners about the same bytes.

    What those under ``opinions`` find counts; those that are under ``compared`` alone are only recorded.
    ``sandbox=False`` scans in this process; other scanners have one of their own in any case.

    Raises:
        ModelsignError: ``OPINION_UNKNOWN``; or what making a private copy raises (``SNAPSHOT_FAILED``, …).

    """
    asked = {**dict.fromkeys(compared, False), **dict.fromkeys(opinions, True)}
    for wanted in asked:
        if wanted not in _index.IDS:
            known = ", ".join(_index.IDS)
            raise error("OPINION_UNKNOWN", f"{wanted} is no second opinion; there are: {known}")
    if asked and isinstance(artifact, Artifact):
        with take_snapshot(artifact) as copy:
            result = scan_artifact(copy, progress=progress, trust_globals=trust_globals, sandbox=sandbox)
            return _ask(result, copy, asked, seconds)
    result = scan_artifact(artifact, progress=progress, trust_globals=trust_globals, sandbox=sandbox)
    return result if isinstance(artifact, Artifact) else _ask(result, artifact, asked, seconds)


def _ask(result: ScanResult, copy: Snapshot, asked: Mapping[str, bool], seconds: float) -> ScanResult:
    folder = copy.link_farm() if asked else ""
    for wanted in sorted(asked):
        said = _index.load(wanted).ask(folder, seconds)
        result = _add(result, said) if asked[wanted] else replace(result, opinions=(*result.opinions, said.opinion))
    return result


def _add(result: ScanResult, asked: Asked) -> ScanResult:
    """Add an opinion; its findings go to the files they are about, or to all of them where that cannot be told."""
    paths = {file.path for file in result.files}
    files = []
    for file in result.files:
        fresh = [finding for path, finding in asked.findings if path == file.path or path not in paths]
        files.append(_with(file, fresh) if fresh else file)
    outcome = worst([result.outcome, *(file.outcome for file in files)])
    fired = {finding.rule for _, finding in asked.findings}
    rules = (*result.rules, *(rule for rule in RULES if rule.id in fired and rule not in result.rules))
    opinions = (*result.opinions, asked.opinion)
    return replace(result, outcome=outcome, files=tuple(files), opinions=opinions, rules=rules)


def _with(file: FileScan, fresh: Sequence[Finding]) -> FileScan:
    outcome = worst([file.outcome, *(finding.outcome for finding in fresh)])
    return replace(file, outcome=outcome, findings=(*file.findings, *fresh), loadable=True)


def compare(result: ScanResult) -> ScanResult:
    """Add who says what of each file: the scan without the opinions, and each scanner that was asked."""
    foreign = {rule.id for rule in RULES}
    rows = []
    for file in result.files:
        own = worst(finding.outcome for finding in file.findings if finding.rule not in foreign)
        said = {opinion.engine: opinion.files.get(file.path, "not looked at") for opinion in result.opinions}
        rows.append(Comparison(file.path, own, said))
    return replace(result, comparison=tuple(rows))
