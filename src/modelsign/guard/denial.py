"""The refusals of the gate; each carries the verdict it rests on.

::

    ModelsignError
    └── NotLoaded            .result is the CheckResult
        ├── LoadDenied       DENY, exit 1 (also a Refused)
        └── LoadUndecided    UNDECIDED, exit 3 (also an Undecided)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.errors import ModelsignError, Refused, Undecided
from modelsign.verdict import RuleMode, RuleOutcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.verdict import CheckResult

__all__ = ["LoadDenied", "LoadUndecided", "NotLoaded", "denial"]

_SHOWN = 6


class NotLoaded(ModelsignError):
    """The policy did not say ALLOW, so nothing was loaded."""

    def __init__(self, code: str, message: str, result: CheckResult, details: Mapping[str, object]) -> None:
        """Take the reason's code, the message and the verdict."""
        super().__init__(code, message, details=details)
        self.result = result


class LoadDenied(NotLoaded, Refused):
    """The policy denies the model."""


class LoadUndecided(NotLoaded, Undecided):
    """The policy could not decide about the model; the gate treats that as a refusal."""


def denial(result: CheckResult) -> NotLoaded:
    """Return the exception for a verdict other than ALLOW; the message says what stood in the way.

    ``details["codes"]`` holds the reason codes behind the verdict, without repetition, in the order of the rules.
    """
    standing = [
        rule
        for rule in result.rules
        if rule.mode is RuleMode.ENFORCE and rule.result in (RuleOutcome.FAIL, RuleOutcome.INDETERMINATE)
    ]
    told = {rule.code for rule in standing}
    words = [f"{rule.id}: {rule.observed}" for rule in standing]
    words += [f"{reason.code}: {reason.message}" for reason in result.reasons if reason.code not in told]
    if len(words) > _SHOWN:
        words[_SHOWN:] = [f"and {len(words) - _SHOWN} more"]
    words = words or ["no rule of the policy allows it"]
    codes = [*(rule.code for rule in standing if rule.code), *(reason.code for reason in result.reasons)]
    details: dict[str, object] = {
        "verdict": result.verdict.value,
        "policy": result.policy.name,
        "codes": list(dict.fromkeys(codes)),
    }
    if result.verdict is Verdict.DENY:
        return LoadDenied("LOAD_DENIED", f"policy {result.policy.name} denies: {'; '.join(words)}", result, details)
    message = f"policy {result.policy.name} cannot decide: {'; '.join(words)}"
    return LoadUndecided("LOAD_UNDECIDED", message, result, details)
