"""Whole statements about one model: subjects from its digests, and one predicate.

Reproducible: the same model, claims and times give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.artifact.manifest import tree_digest
from modelsign.attest.predicates.provenance import PROVENANCE_TYPE, provenance
from modelsign.attest.predicates.scan_report import SCAN_TYPE, scan_report, scanned_digests
from modelsign.attest.predicates.vsa import VSA_TYPE, verification_summary
from modelsign.attest.statement import model_subjects, write_statement
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.attest.predicates.provenance import Build
    from modelsign.verdict import CheckResult, ScanResult

__all__ = ["provenance_statement", "scan_statement", "summary_statement"]


def provenance_statement(name: str, digests: Mapping[str, str], build: Build) -> bytes:
    """Return the SLSA provenance of a model; ``digests`` maps its file names to SHA-256 hex.

    Raises:
        ModelsignError: ``PREDICATE_MALFORMED``.

    """
    subjects = model_subjects(name, tree_digest(digests), digests)
    return write_statement(subjects, PROVENANCE_TYPE, provenance(build))


def scan_statement(name: str, scan: ScanResult, *, version: str, scanned_on: datetime | None) -> bytes:
    """Return the report of a scan; digests and findings come from the same reading.

    Raises:
        ModelsignError: ``SCAN_NOT_ATTESTABLE``.

    """
    digests = scanned_digests(scan)
    subjects = model_subjects(name, tree_digest(digests), digests)
    return write_statement(subjects, SCAN_TYPE, scan_report(scan, version=version, scanned_on=scanned_on))


def summary_statement(  # noqa: PLR0913 - the fields of the specification
    name: str,
    result: CheckResult,
    *,
    verifier_id: str,
    version: str,
    resource_uri: str,
    policy_uri: str,
    verified_on: datetime,
) -> bytes:
    """Return the verification summary of a check.

    Raises:
        ModelsignError: ``SCAN_NOT_ATTESTABLE`` where not all bytes were read, so that nothing names the model.

    """
    if result.scan is None or result.tree_digest is None:
        raise error("SCAN_NOT_ATTESTABLE", "not all bytes of the model were read, so nothing names it")
    digests = {file.path: file.sha256 for file in result.scan.files if file.sha256 is not None}
    predicate = verification_summary(
        result,
        verifier_id=verifier_id,
        version=version,
        resource_uri=resource_uri,
        policy_uri=policy_uri,
        verified_on=verified_on,
    )
    return write_statement(model_subjects(name, result.tree_digest, digests), VSA_TYPE, predicate)
