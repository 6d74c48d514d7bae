"""What everything returns: verdicts, outcomes, findings and evidence, as frozen values.

Nothing here reads a file, prints, or decides; each result knows its stable JSON body (``body()``) and the exit
status it calls for. Names are imported when they are used (PEP 562): verifying a signature need not build the
classes of a scan.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from modelsign.verdict.acceptance import Acceptance, AcceptanceStatus
    from modelsign.verdict.inspection import (
        BlobClaims,
        BundleClaims,
        CertificateClaims,
        LogEntryClaims,
        MaterialClaims,
        ModelClaims,
        SignatureClaims,
        StatementClaims,
        SubjectClaims,
        TimestampClaims,
    )
    from modelsign.verdict.jsonable import plain
    from modelsign.verdict.policy import (
        CheckResult,
        EvidenceItem,
        PolicyInput,
        PolicyName,
        RuleMode,
        RuleOutcome,
        RuleResult,
        Verdict,
    )
    from modelsign.verdict.report import Answer, Report
    from modelsign.verdict.scanning import (
        Comparison,
        Confidence,
        Confinement,
        FileScan,
        Finding,
        Opinion,
        Outcome,
        Rule,
        ScanResult,
        Severity,
        worst,
    )
    from modelsign.verdict.signature import FileLedger, LogProof, Signer, VerifyResult, VerifyVerdict, who
    from modelsign.verdict.tracing import Trace, TraceLine

__all__ = [
    "Acceptance",
    "AcceptanceStatus",
    "Answer",
    "BlobClaims",
    "BundleClaims",
    "CertificateClaims",
    "CheckResult",
    "Comparison",
    "Confidence",
    "Confinement",
    "EvidenceItem",
    "FileLedger",
    "FileScan",
    "Finding",
    "LogEntryClaims",
    "LogProof",
    "MaterialClaims",
    "ModelClaims",
    "Opinion",
    "Outcome",
    "PolicyInput",
    "PolicyName",
    "Report",
    "Rule",
    "RuleMode",
    "RuleOutcome",
    "RuleResult",
    "ScanResult",
    "Severity",
    "SignatureClaims",
    "Signer",
    "StatementClaims",
    "SubjectClaims",
    "TimestampClaims",
    "Trace",
    "TraceLine",
    "Verdict",
    "VerifyResult",
    "VerifyVerdict",
    "plain",
    "who",
    "worst",
]

_HOMES: Final = {
    "inspection": (
        "BlobClaims",
        "BundleClaims",
        "CertificateClaims",
        "LogEntryClaims",
        "MaterialClaims",
        "ModelClaims",
        "SignatureClaims",
        "StatementClaims",
        "SubjectClaims",
        "TimestampClaims",
    ),
    "jsonable": ("plain",),
    "policy": (
        "CheckResult",
        "EvidenceItem",
        "PolicyInput",
        "PolicyName",
        "RuleMode",
        "RuleOutcome",
        "RuleResult",
        "Verdict",
    ),
    "report": ("Answer", "Report"),
    "scanning": (
        "Comparison",
        "Confidence",
        "Confinement",
        "FileScan",
        "Finding",
        "Opinion",
        "Outcome",
        "Rule",
        "ScanResult",
        "Severity",
        "worst",
    ),
    "acceptance": ("Acceptance", "AcceptanceStatus"),
    "tracing": ("Trace", "TraceLine"),
    "signature": ("FileLedger", "LogProof", "Signer", "VerifyResult", "VerifyVerdict", "who"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"modelsign.verdict.{home}"), name)
    raise AttributeError(name)
