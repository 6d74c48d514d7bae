"""The verification summary (SLSA VSA v1): the verdict of a check, signed, for those who cannot repeat it.

Specification: https://slsa.dev/spec/v1.2/verification_summary. The SLSA levels are not evaluated; what this project
verified stands under its own names, as the specification asks. A rule that was waived leaves its level out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsign import timestamp
from modelsign.attest.predicate import Predicate, required, stated_time
from modelsign.errors import error
from modelsign.verdict import Outcome, RuleOutcome, Verdict, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.verdict import CheckResult

__all__ = ["EXTENSION", "PREDICATE", "VSA_TYPE", "verification_summary"]

VSA_TYPE: Final = "https://slsa.dev/verification_summary/v1"
EXTENSION: Final = "https://modelsign.dev/vsa/v1"
"""The field with what SLSA has no field for: the verdict rule by rule, and the roots and lists it rests on."""


def verification_summary(  # noqa: PLR0913 - the fields of the specification
    result: CheckResult, *, verifier_id: str, version: str, resource_uri: str, policy_uri: str, verified_on: datetime
) -> dict[str, Any]:
    """Return the predicate for the result of a check; UNDECIDED is FAILED, as in every gate."""
    passed = result.verdict is Verdict.ALLOW
    return {
        "verifier": {"id": verifier_id, "version": {"modelsign": version}},
        "timeVerified": timestamp.write(verified_on),
        "resourceUri": resource_uri,
        "policy": {"uri": policy_uri, "digest": {"sha256": result.policy.digest}},
        "inputAttestations": [{"uri": item.source, "digest": {"sha256": item.digest}} for item in result.evidence],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": _levels(result) if passed else ["FAILED"],
        "slsaVersion": "1.2",
        EXTENSION: {
            "verdict": result.verdict.value,
            "rules": [{"id": rule.id, "mode": rule.mode.value, "result": rule.result.value} for rule in result.rules],
            "rulesetDigest": {"sha256": result.scan.ruleset_digest} if result.scan else None,
            "inputs": plain(result.inputs),
        },
    }


def _levels(result: CheckResult) -> list[str]:
    levels = ["SLSA_BUILD_LEVEL_UNEVALUATED"]
    if not any(rule.result is RuleOutcome.WAIVED for rule in result.rules):
        levels.append("MODELSIGN_PASSED")
    if result.scan is not None and result.scan.outcome is Outcome.CLEAN:
        levels.append("MODELSIGN_SCAN_CLEAN")
    return levels


def check(predicate: Mapping[str, Any]) -> None:
    """Raise ``PREDICATE_MALFORMED`` where a required field is missing."""
    required(predicate, "verifier/id", str)
    required(predicate, "resourceUri", str)
    required(predicate, "policy", dict)
    required(predicate, "verifiedLevels", list)
    if required(predicate, "verificationResult", str) not in ("PASSED", "FAILED"):
        raise error("PREDICATE_MALFORMED", "verificationResult is PASSED or FAILED")


def made_at(predicate: Mapping[str, Any]) -> datetime | None:
    """Return when the verdict was reached, as the summary states it."""
    return stated_time(predicate.get("timeVerified"))


PREDICATE = Predicate(
    id="vsa",
    type=VSA_TYPE,
    title="Verification summary",
    description="The verdict a verifier reached on the model by a policy, with what it rested on.",
    specification="https://slsa.dev/spec/v1.2/verification_summary",
    check=check,
    made_at=made_at,
)
