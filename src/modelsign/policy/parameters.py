"""The values a caller gives to a policy's parameters.

Every declared parameter without a default must be given, and nothing else: both are usage errors that name
the parameter. Keys are public keys in PEM; what enters the policy is the digest of the canonical key.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from modelsign import files, limits
from modelsign.errors import ModelsignError, error
from modelsign.policy import document
from modelsign.verdict import PolicyName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsign.policy.document import Policy
    from modelsign.policy.rule import PolicyRule
    from modelsign.signing.keys import VerifyKey

    Value: TypeAlias = str | os.PathLike[str] | bytes | VerifyKey

__all__ = ["BoundPolicy", "assignments", "bind", "bind_values"]


@dataclass(frozen=True, slots=True)
class BoundPolicy:
    """A policy with the values of its parameters: what is evaluated.

    ``values`` maps every parameter to key digests or strings, ``keys`` every key digest to its key.
    """

    policy: Policy
    values: Mapping[str, tuple[str, ...]]
    keys: Mapping[str, VerifyKey]
    digest: str

    @property
    def name(self) -> PolicyName:
        """The name and digest that a verdict carries."""
        return PolicyName(self.policy.name, self.digest)

    def keys_for(self, kind_ids: frozenset[str], predicate_type: str | None = None) -> dict[str, VerifyKey]:
        """Return the keys that rules of some kinds trust, for one predicate type where one is given."""
        names = {
            name
            for rule in self.policy.rules
            if _concerns(rule, kind_ids, predicate_type)
            for name in document.kind_of(rule).key_parameters(rule)
        }
        digests = {value for name in names for value in self.values[name]}
        return {value: key for value, key in self.keys.items() if value in digests}


def _concerns(rule: PolicyRule, kind_ids: frozenset[str], predicate_type: str | None) -> bool:
    if document.kind_of(rule).id not in kind_ids:
        return False
    return predicate_type is None or getattr(rule, "predicate_type", None) == predicate_type


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
    """Bind a policy's parameters; a key is a path of a PEM file, its bytes, or a key already read.

    Raises:
        ModelsignError: ``PARAMETER_UNKNOWN``, ``PARAMETER_UNSET``, ``PARAMETER_INVALID``, ``ARGUMENT_INVALID``, and
            what reading a key raises.

    """
    if not isinstance(policy, document.Policy):
        raise error("ARGUMENT_INVALID", f"policy is one that was read (load_policy), not {type(policy).__name__}")
    keys: dict[str, VerifyKey] = {}
    values: dict[str, tuple[str, ...]] = {}
    for name, items in given.items():
        declared = policy.parameters.get(name)
        if declared is None:
            known = ", ".join(policy.parameters) or "none"
            raise error("PARAMETER_UNKNOWN", f"policy {policy.name} has no parameter {name}; it has {known}")
        listed = _as_list(items)
        if declared.type == "keys":
            read = [_key(name, item) for item in listed]
            keys.update({key.digest: key for key in read})
            values[name] = tuple(dict.fromkeys(key.digest for key in read))
        else:
            values[name] = tuple(dict.fromkeys(_text(name, item) for item in listed))
    return bind_values(policy, values, keys)


def bind_values(
    policy: Policy, values: Mapping[str, tuple[str, ...]], keys: Mapping[str, VerifyKey] | None = None
) -> BoundPolicy:
    """Bind parameters to key digests and strings directly, as the cases of ``policy test`` do.

    Raises:
        ModelsignError: ``PARAMETER_UNKNOWN`` or ``PARAMETER_UNSET``.

    """
    bound: dict[str, tuple[str, ...]] = {}
    for name, declared in policy.parameters.items():
        chosen = values.get(name, declared.default)
        if not chosen:  # also where the policy has a default: to say "none of them" must not mean "whatever"
            what = declared.description or f"type {declared.type}"
            raise error(
                "PARAMETER_UNSET",
                f"policy {policy.name} needs the parameter {name} ({what})",
                advice=f"Pass --set {name}={'FILE.pub' if declared.type == 'keys' else 'VALUE'}; repeat it for more.",
                details={"parameter": name},
            )
        bound[name] = tuple(chosen)
    unknown = sorted(set(values) - set(policy.parameters))
    if unknown:
        raise error("PARAMETER_UNKNOWN", f"policy {policy.name} has no parameter {unknown[0]}")
    return BoundPolicy(policy, bound, dict(keys or {}), document.digest(policy, bound))


def _as_list(items: Value | Sequence[Value]) -> list[Value]:
    if isinstance(items, (list, tuple)):
        return list(items)
    return [cast("Value", items)]


def _text(name: str, item: Value) -> str:
    if isinstance(item, str):
        return item
    raise error("PARAMETER_INVALID", f"the parameter {name} takes strings, not {type(item).__name__}")


def _key(name: str, item: object) -> VerifyKey:
    from modelsign.signing import keys  # noqa: PLC0415 - cryptography only where a key is used

    if isinstance(item, (str, os.PathLike)):
        item = files.read_bounded(item, limits.KEY_BYTES, what=f"key for parameter {name}")
    if isinstance(item, keys.VerifyKey):
        return item
    if not isinstance(item, bytes):
        message = f"the parameter {name} takes public keys: paths, PEM bytes or keys, not {type(item).__name__}"
        raise error("PARAMETER_INVALID", message)
    try:
        return keys.load_public_key(item)
    except ModelsignError as fault:
        raise error("PARAMETER_INVALID", f"the parameter {name}: {fault.message}", advice=fault.advice) from None
