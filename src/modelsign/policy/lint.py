"""What is doubtful about a policy that reads well: what it lets through that its author may not mean.

Reading a policy refuses what cannot work; lint warns of what works and is weak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsign import timestamp
from modelsign.policy.document import kind_of
from modelsign.policy.identities import Identity
from modelsign.verdict import RuleMode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from modelsign.policy.document import Policy

__all__ = ["Doubt", "lint"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One finding. ``fatal`` marks a policy that can never allow, or that is out of force."""

    where: str
    message: str
    fatal: bool = False


def lint(policy: Policy, *, now: datetime) -> tuple[Doubt, ...]:
    """Return what is doubtful, the fatal first."""
    found = [*_fatal(policy, now), *_coverage(policy), *_parameters(policy), *_waivers(policy, now)]
    for rule in policy.rules:
        found += [Doubt(f"rule {rule.id}", words) for words in kind_of(rule).doubts(rule)]
    return tuple(sorted(found, key=lambda doubt: not doubt.fatal))


def _fatal(policy: Policy, now: datetime) -> Iterator[Doubt]:
    if not any(kind_of(rule).authenticates_all_bytes and rule.mode is RuleMode.ENFORCE for rule in policy.rules):
        yield Doubt("rules", "no enforced rule authenticates the bytes, so the policy never allows", fatal=True)
    expires = policy.header.metadata.expires
    if expires is not None and timestamp.read(expires) <= now:
        yield Doubt("metadata.expires", f"the policy expired at {expires}, so it never allows", fatal=True)


def _coverage(policy: Policy) -> Iterator[Doubt]:
    scans = [rule for rule in policy.rules if kind_of(rule).id == "scan" and rule.mode is RuleMode.ENFORCE]
    if not scans:
        yield Doubt("rules", "no enforced rule looks at the local scan, so signed but unsafe models are allowed")
    elif all(getattr(rule, "files", None) for rule in scans):
        yield Doubt("rules", "every scan rule is limited to some files; a renamed file escapes them")


def _parameters(policy: Policy) -> Iterator[Doubt]:
    used = {use.name for rule in policy.rules for use in kind_of(rule).parameters(rule)}
    for name in policy.parameters:
        if name not in used:
            yield Doubt(f"parameters.{name}", "no rule uses it, yet every caller must give it")
    for name, declared in policy.parameters.items():
        for item in declared.default or ():
            if isinstance(item, Identity) and item.has_issuer and item.claims is None and _means_everybody(item):
                yield Doubt(f"parameters.{name}", f"{item.value[:200]} means everybody whom the issuer confirms")


def _means_everybody(identity: Identity) -> bool:
    """Tell whether names that have nothing in common are all meant."""
    return all(map(identity.name_matcher.matches, ("https://zq.example/a/b@refs/c", "mailto@0.example", "_")))


def _waivers(policy: Policy, now: datetime) -> Iterator[Doubt]:
    for waiver in policy.waivers:
        if timestamp.read(waiver.expires) <= now:
            yield Doubt(f"waiver {waiver.id}", f"it expired at {waiver.expires} and waives nothing")
