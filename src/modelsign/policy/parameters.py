"""The values a caller gives to a policy's parameters.

Every declared parameter without a default must be given, and nothing else: both are usage errors that name
the parameter. What enters the policy is what each value is, not where it lies (:mod:`modelsign.policy.anchors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from modelsign.errors import error
from modelsign.policy import document
from modelsign.policy.anchors import Anchors, make_trust, read_anchor
from modelsign.policy.identities import read_identity
from modelsign.policy.signers import SignerRule, claimants
from modelsign.verdict import PolicyInput, PolicyName

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from datetime import datetime

    from modelsign.policy.anchors import BoundTrust
    from modelsign.policy.document import Parameter, Policy
    from modelsign.policy.rule import ParameterType, PolicyRule, Use
    from modelsign.signing.keys import VerifyKey

    Value: TypeAlias = str | os.PathLike[str] | bytes | VerifyKey | Mapping[str, Any]

__all__ = ["BoundPolicy", "assignments", "bind", "bind_values"]


_EXAMPLES: Final[Mapping[ParameterType, str]] = {
    "keys": "FILE.pub",
    "identities": "identity=NAME,issuer=URL",
    "trust-root": "trusted_root.json",
    "certificate-roots": "FILE.pem",
    "certificate-status": "FILE.crl",
    "revocation-list": "FILE",
    "strings": "VALUE",
}
_STORES: Final[Mapping[ParameterType, str]] = {
    "keys": "keys",
    "trust-root": "trust_roots",
    "certificate-roots": "certificates",
    "certificate-status": "statuses",
    "revocation-list": "lists",
}


@dataclass(frozen=True, slots=True)
class BoundPolicy:
    """A policy with the values of its parameters: what is evaluated.

    ``values`` maps every parameter to what rules see of it, ``anchors`` holds what those values stand for.
    """

    policy: Policy
    values: Mapping[str, tuple[str, ...]]
    anchors: Anchors
    digest: str

    @property
    def name(self) -> PolicyName:
        """The name and digest that a verdict carries."""
        return PolicyName(self.policy.name, self.digest)

    @property
    def inputs(self) -> tuple[PolicyInput, ...]:
        """What anchors the policy's trust, by digest; a revocation list's version is not known before it is read."""
        return tuple(
            PolicyInput(name, declared.type, value)
            for name, declared in self.policy.parameters.items()
            if declared.type in _STORES and declared.type != "keys"
            for value in self.values[name]
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was passed over in the trust roots."""
        return tuple(
            f"trust root {root.digest[:12]}: {warning}"
            for root in self.anchors.trust_roots.values()
            for warning in root.warnings
        )

    @property
    def revocation_keys(self) -> list[VerifyKey]:
        """Return the keys that rules trust to sign revocation lists."""
        names = {use.name for use in self._revocation_uses() if use.type == "keys"}
        digests = {value for name in names for value in self.values[name]}
        return [key for digest, key in self.anchors.keys.items() if digest in digests]

    @property
    def revocation_lists(self) -> list[tuple[str, str, bytes | None]]:
        """Return the lists that rules ask for: the parameter, the digest, and the bytes, None for an absent one."""
        names = {use.name: None for use in self._revocation_uses() if use.type == "revocation-list"}
        return [(name, digest, self.anchors.lists.get(digest)) for name in names for digest in self.values[name]]

    def _revocation_uses(self) -> list[Use]:
        kinds = [(document.kind_of(rule), rule) for rule in self.policy.rules]
        return [use for kind, rule in kinds if kind.id == "revocation" for use in kind.parameters(rule)]

    def trusts_for(self, kind_id: str, now: datetime, *, any_hint: bool = False) -> list[BoundTrust]:
        """Return what rules of a kind trust at a time, each once.

        Raises:
            ModelsignError: a reason of a signing method, for roots that cannot be used.

        """
        found = {
            claimant.id: claimant
            for rule in self.policy.rules
            if isinstance(rule, SignerRule) and document.kind_of(rule).id == kind_id
            for claimant in claimants(rule, self.values)
        }
        return [make_trust(claimant, self.anchors, now, any_hint=any_hint) for claimant in found.values()]


def assignments(given: Sequence[str]) -> dict[str, list[str]]:
    """Split ``name=value`` as the command line gives them; a name given several times has several values.

    Raises:
        ModelsignError: ``PARAMETER_INVALID``.

    """
    result: dict[str, list[str]] = {}
    for item in given:
        name, separator, value = item.partition("=")
        if not separator or not name or not value:
            raise error("PARAMETER_INVALID", f"{item!r} is not of the form name=value")
        result.setdefault(name, []).append(value)
    return result


def bind(policy: Policy, given: Mapping[str, Value | Sequence[Value]]) -> BoundPolicy:
    """Bind a policy's parameters.

    A key, a root or a list is a path, its bytes, or one already read; an identity is a mapping of its fields or, as on
    the command line, ``identity=…,issuer=…``.

    Raises:
        ModelsignError: ``PARAMETER_UNKNOWN``, ``PARAMETER_UNSET``, ``PARAMETER_INVALID``, ``ARGUMENT_INVALID``, and
            what reading a file raises.

    """
    if not isinstance(policy, document.Policy):
        raise error("ARGUMENT_INVALID", f"policy is one that was read (load_policy), not {type(policy).__name__}")
    stores: dict[str, dict[str, Any]] = {store: {} for store in _STORES.values()}
    values: dict[str, tuple[str, ...]] = {}
    for name, items in given.items():
        declared = policy.parameters.get(name)
        if declared is None:
            known = ", ".join(policy.parameters) or "none"
            raise error("PARAMETER_UNKNOWN", f"policy {policy.name} has no parameter {name}; it has {known}")
        values[name] = tuple(
            dict.fromkeys(value for item in _as_list(items) for value in _read(name, declared, item, stores))
        )
    return bind_values(policy, values, Anchors(**stores))


def _read(name: str, declared: Parameter, item: Value, stores: dict[str, dict[str, Any]]) -> list[str]:
    """Return what rules see of one value, and keep what it stands for."""
    if declared.type in _STORES:
        found = read_anchor(name, declared.type, item)
        stores[_STORES[declared.type]].update(found)
        return list(found)
    if declared.type == "identities" and isinstance(item, (str, Mapping)):
        return [read_identity(name, item).value]
    if declared.type == "strings" and isinstance(item, str):
        return [item]
    raise error("PARAMETER_INVALID", f"the parameter {name} takes {declared.type}, not {type(item).__name__}")


def bind_values(policy: Policy, values: Mapping[str, tuple[str, ...]], anchors: Anchors | None = None) -> BoundPolicy:
    """Bind parameters to what rules see of them directly, as the cases of ``policy test`` do.

    Raises:
        ModelsignError: ``PARAMETER_UNKNOWN``, ``PARAMETER_UNSET``, or ``PARAMETER_INVALID`` for an identity that
            nothing anchors.

    """
    bound: dict[str, tuple[str, ...]] = {}
    for name, declared in policy.parameters.items():
        chosen = values.get(name, declared.default_values)
        if not chosen:  # also where the policy has a default: to say "none of them" must not mean "whatever"
            what = declared.description or f"type {declared.type}"
            raise error(
                "PARAMETER_UNSET",
                f"policy {policy.name} needs the parameter {name} ({what})",
                advice=f"Pass --set {name}={_EXAMPLES[declared.type]}; repeat it for more.",
                details={"parameter": name},
            )
        bound[name] = tuple(chosen)
    unknown = sorted(set(values) - set(policy.parameters))
    if unknown:
        raise error("PARAMETER_UNKNOWN", f"policy {policy.name} has no parameter {unknown[0]}")
    for rule in policy.rules:
        _check_anchored(rule, bound)
    return BoundPolicy(policy, bound, anchors or Anchors(), document.digest(policy, bound))


def _check_anchored(rule: PolicyRule, bound: Mapping[str, tuple[str, ...]]) -> None:
    if not isinstance(rule, SignerRule):
        return
    anchored = {claimant.value for claimant in claimants(rule, bound)}
    for name in rule.identities or ():
        for value in bound[name]:
            if value not in anchored:
                raise error(
                    "PARAMETER_INVALID",
                    f"the parameter {name}: nothing in rule {rule.id} anchors {value[:300]}",
                    advice="An identity with an issuer needs a trust_root in the rule, one without certificate_roots.",
                )


def _as_list(items: Value | Sequence[Value]) -> list[Value]:
    if isinstance(items, (list, tuple)):
        return list(items)
    return [cast("Value", items)]
