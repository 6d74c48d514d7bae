"""The scan report: what a scan with named rules said of exactly these bytes.

The digest of every file and its findings come from one read (``FileScan.sha256`` is computed by the reading that
was scanned). A scan is a function of names, bytes and the ruleset, so anybody can repeat it; what a supervisor cut
short (a timeout, a crash) is not, and cannot be attested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsign import timestamp
from modelsign.attest.predicate import Predicate, required, stated_time
from modelsign.errors import error
from modelsign.scan import rules
from modelsign.verdict import Outcome, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.verdict import FileScan, ScanResult

__all__ = ["PREDICATE", "SCANNER_ID", "SCAN_TYPE", "scan_report", "scanned_digests"]

SCAN_TYPE: Final = "https://modelsign.dev/attestation/model-scan/v1"
SCANNER_ID: Final = "https://modelsign.dev/scanner"
_NOT_OF_THE_BYTES: Final = frozenset(
    {rules.CHANGED.id, rules.UNREADABLE.id, *(rule.id for rule in rules.SUPERVISOR_RULES)}
)
_OUTCOMES: Final = frozenset(Outcome)


def scanned_digests(scan: ScanResult) -> dict[str, str]:
    """Return the digest of every file that was scanned, from the very reading that was scanned.

    Raises:
        ModelsignError: ``SCAN_NOT_ATTESTABLE`` where a file was not read whole.

    """
    for file in scan.files:
        if file.sha256 is None:
            raise error("SCAN_NOT_ATTESTABLE", f"{file.path} was not read whole, so nothing binds its findings to it")
        for finding in file.findings:
            if finding.rule in _NOT_OF_THE_BYTES:
                raise error("SCAN_NOT_ATTESTABLE", f"{file.path}: {finding.message}")
    return {file.path: file.sha256 for file in scan.files if file.sha256 is not None}


def scan_report(scan: ScanResult, *, version: str, scanned_on: datetime | None) -> dict[str, Any]:
    """Return the predicate; reproducible but for the time.

    Raises:
        ModelsignError: ``SCAN_NOT_ATTESTABLE`` where a file was not read whole, or a supervisor cut its scan short.

    """
    scanned_digests(scan)
    predicate: dict[str, Any] = {
        "scanner": {"id": SCANNER_ID, "version": version, "rulesetDigest": {"sha256": scan.ruleset_digest}},
        "outcome": scan.outcome.value,
        "files": [_file(file) for file in sorted(scan.files, key=lambda file: file.path)],
    }
    if scan.opinions:
        predicate["opinions"] = plain(scan.opinions)
    if scanned_on is not None:
        predicate["scannedOn"] = timestamp.write(scanned_on)
    return predicate


def _file(file: FileScan) -> dict[str, Any]:
    return {
        "name": file.path,
        "digest": {"sha256": file.sha256},
        "size": file.size,
        "format": file.format,
        "outcome": file.outcome.value,
        "loadable": file.loadable,
        "findings": plain(file.findings),
    }


def check(predicate: Mapping[str, Any]) -> None:
    """Raise ``PREDICATE_MALFORMED`` where a required field is missing."""
    required(predicate, "scanner/id", str)
    required(predicate, "scanner/rulesetDigest", dict)
    required(predicate, "files", list)
    if required(predicate, "outcome", str) not in _OUTCOMES:
        raise error("PREDICATE_MALFORMED", f"the outcome is one of {', '.join(Outcome)}")


def made_at(predicate: Mapping[str, Any]) -> datetime | None:
    """Return when the scan was made, as the report states it."""
    return stated_time(predicate.get("scannedOn"))


PREDICATE = Predicate(
    id="scan",
    type=SCAN_TYPE,
    title="Model scan",
    description="What a scan with the named ruleset said of every file of the model.",
    specification="https://modelsign.dev/attestation/model-scan/v1",
    check=check,
    made_at=made_at,
)
