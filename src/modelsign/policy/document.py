"""A trust policy as a document: what it may hold, and how it is read.

Anything unknown, contradictory or unreachable in a policy is an error when it is read, never when a model is
judged. The canonical form, and with it the policy's digest, does not depend on the spelling of the file.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import operator
import os
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from modelsign import files, limits, strictjson, timestamp
from modelsign.errors import error
from modelsign.pattern import MOST_PATTERNS
from modelsign.policy import strictyaml
from modelsign.policy.format_names import known_formats
from modelsign.policy.identities import Identity
from modelsign.policy.rule import END, ParameterName, ParameterType, PolicyRule, RuleId, Strict
from modelsign.policy.rules import _index

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SHIPPED",
    "Header",
    "LoadSettings",
    "Metadata",
    "Parameter",
    "Policy",
    "Waiver",
    "canonical",
    "digest",
    "load_policy",
    "read_policy",
    "rule_union",
    "shipped_policy",
]

SHIPPED: Final = ("baseline", "hybrid", "keyless", "strict")
"""The policies that come with modelsign and are named without a path."""

Timestamp = Annotated[str, Meta(pattern=timestamp.PATTERN)]
Text = Annotated[str, Meta(max_length=2000)]
HexDigest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}" + END)]
_PATTERNS: Final = ("glob", "regex", "identity_glob", "identity_regexp", "issuer_glob", "issuer_regexp")
_APART: Final = frozenset({"trust-root", "certificate-status", "revocation-list"})
"""Types of parameters whose values change while the policy stays: inputs of a verdict in their own right."""


class Metadata(Strict, frozen=True, kw_only=True):
    """Who the policy is. After ``expires`` it allows nothing."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}" + END)]
    version: Annotated[int, Meta(ge=1)] = 1
    description: Text = ""
    owner: Annotated[str, Meta(max_length=200)] = ""
    expires: Timestamp | None = None

    def __post_init__(self) -> None:
        """Refuse a time that is none."""
        if self.expires is not None:
            timestamp.read(self.expires)


class Parameter(Strict, frozen=True, kw_only=True):
    """What the caller must give. Only identities and strings can have a default: what anchors trust is the caller's."""

    type: ParameterType
    description: Text = ""
    default: Annotated[tuple[str | Identity, ...], Meta(min_length=1, max_length=1000)] | None = None

    def __post_init__(self) -> None:
        """Refuse default keys, roots and lists, and defaults of another type."""
        if self.default is None:
            return
        kind = {"identities": Identity, "strings": str}.get(self.type)
        if kind is None:
            message = f"a parameter of type {self.type} has no default: the caller names what is trusted"
            raise ValueError(message)
        if not all(isinstance(item, kind) for item in self.default):
            message = f"the default of a parameter of type {self.type} is a list of {self.type}"
            raise ValueError(message)

    @property
    def default_values(self) -> tuple[str, ...] | None:
        """The default as rules see it."""
        if self.default is None:
            return None
        return tuple(item.value if isinstance(item, Identity) else item for item in self.default)


class Waiver(Strict, frozen=True, kw_only=True):
    """A dated, approved exception from one rule, for models named by their tree digests."""

    id: RuleId
    rule: RuleId
    tree_digests: Annotated[tuple[HexDigest, ...], Meta(min_length=1, max_length=1000)]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]
    approved_by: Annotated[str, Meta(min_length=1, max_length=200)]
    approved_on: Timestamp
    expires: Timestamp

    def __post_init__(self) -> None:
        """Refuse an exception that ends before it begins."""
        if timestamp.read(self.expires) <= timestamp.read(self.approved_on):
            message = "a waiver expires after it is approved"
            raise ValueError(message)


class LoadSettings(Strict, frozen=True, kw_only=True):
    """What the gate in front of the loaders may do once the policy allows a model."""

    torch_weights_only: bool = True


class Header(Strict, frozen=True, kw_only=True):
    """A policy document. ``rules`` are decoded by kind."""

    api_version: Literal["modelsign.dev/v1"] = msgspec.field(name="apiVersion")
    kind: Literal["ModelTrustPolicy"]
    metadata: Metadata
    parameters: Annotated[dict[ParameterName, Parameter], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    rules: Annotated[tuple[Any, ...], Meta(min_length=1, max_length=500)]
    waivers: Annotated[tuple[Waiver, ...], Meta(max_length=1000)] = ()
    load: LoadSettings = LoadSettings()


class Policy(Strict, frozen=True, kw_only=True):
    """A trust policy that was read and found coherent; made by :func:`read_policy`.

    ``header.rules`` is empty here: the decoded rules stand beside it.
    """

    header: Header
    rules: tuple[PolicyRule, ...]

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.header.metadata.name

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What the caller must give."""
        return self.header.parameters

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The exceptions."""
        return self.header.waivers

    @property
    def load(self) -> LoadSettings:
        """What the gate may do with an allowed model."""
        return self.header.load


@functools.cache
def rule_union() -> Any:
    """Return the union of the Structs of all rule kinds, for msgspec."""
    return functools.reduce(operator.or_, (_index.load(kind).rule for kind in _index.IDS))


def load_policy(named: str | os.PathLike[str]) -> Policy:
    """Read a policy that comes with modelsign, by its name, or a file, by its path.

    A name on the list :data:`SHIPPED` is always that policy, whatever lies in the working directory.

    Raises:
        ModelsignError: ``POLICY_NOT_FOUND``, ``POLICY_MALFORMED``, ``INPUT_TOO_LARGE`` or ``INPUT_UNREADABLE``.

    """
    if named in SHIPPED:
        return read_policy(shipped_policy(str(named)), what=f"policy {named}")
    if not os.path.lexists(named):
        shipped = ", ".join(SHIPPED)
        raise error("POLICY_NOT_FOUND", f"there is no policy at {os.fspath(named)!r}; shipped ones are {shipped}")
    return read_policy(files.read_bounded(named, limits.POLICY_BYTES, what="policy"), what=f"policy {os.fspath(named)}")


def shipped_policy(name: str) -> bytes:
    """Return the text of a policy that comes with modelsign; ``name`` is in :data:`SHIPPED`."""
    return (importlib.resources.files("modelsign") / "policies" / f"{name}.yaml").read_bytes()


def read_policy(data: bytes, *, what: str = "policy") -> Policy:
    """Read a policy from YAML or JSON, strictly.

    Raises:
        ModelsignError: ``POLICY_MALFORMED``, saying what is wrong and where.

    """
    value = strictyaml.loads(data, most_bytes=limits.POLICY_BYTES, what=what, code="POLICY_MALFORMED")
    if _patterns_in(value) > MOST_PATTERNS:
        raise error("POLICY_MALFORMED", f"the {what} is refused: it has more than {MOST_PATTERNS} globs and regexes")
    try:
        header = msgspec.convert(value, Header)
    except msgspec.ValidationError as fault:
        raise error("POLICY_MALFORMED", f"the {what} is refused: {fault}") from None
    try:
        rules = msgspec.convert(header.rules, tuple[rule_union(), ...])  # type: ignore[misc] # a union made at run time
    except msgspec.ValidationError as fault:
        words = str(fault).replace("`$[", "`$.rules[")
        raise error("POLICY_MALFORMED", f"the {what} is refused: {words}") from None
    policy = Policy(header=msgspec.structs.replace(header, rules=()), rules=rules)
    problem = _incoherence(policy)
    if problem:
        raise error("POLICY_MALFORMED", f"the {what} is refused: {problem}")
    return policy


def _patterns_in(value: object) -> int:
    """Count the patterns before one is compiled."""
    found, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found += sum(name in item for name in _PATTERNS) + len(_listed(item.get("files")))
            waiting += item.values()
        waiting += _listed(item)
    return found


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def kind_of(rule: PolicyRule) -> Any:
    """Return the descriptor of a rule's kind."""
    return _index.load(str(type(rule).__struct_config__.tag))


def _incoherence(policy: Policy) -> str | None:
    for what, ids in (
        ("rules", [rule.id for rule in policy.rules]),
        ("waivers", [waiver.id for waiver in policy.waivers]),
    ):
        twice = {name for name in ids if ids.count(name) > 1}
        if twice:
            return f"two {what} have the id {min(twice)}"
    for rule in policy.rules:
        kind = kind_of(rule)
        strange = sorted(set(kind.format_names(rule)) - known_formats())
        if strange:
            return f"rule {rule.id}: the scan knows no format of the name {strange[0]}"
        for use in kind.parameters(rule):
            declared = policy.parameters.get(use.name)
            if declared is None:
                return f"rule {rule.id} refers to the parameter {use.name}, which is not declared"
            if declared.type != use.type:
                return f"rule {rule.id} needs the parameter {use.name} to be of type {use.type}, it is {declared.type}"
    return next(filter(None, (_wrong_waiver(policy, waiver) for waiver in policy.waivers)), None)


def _wrong_waiver(policy: Policy, waiver: Waiver) -> str | None:
    rule = next((rule for rule in policy.rules if rule.id == waiver.rule), None)
    if rule is None:
        return f"waiver {waiver.id} is for the rule {waiver.rule}, which does not exist"
    kind = kind_of(rule)
    if not kind.waivable:
        does = "authenticates the bytes" if kind.authenticates_all_bytes else "takes trust away"
        return f"waiver {waiver.id} would waive {rule.id}, which {does}; that cannot be waived"
    return None


def canonical(policy: Policy) -> dict[str, Any]:
    """Return the policy as JSON types, with defaults left out: what its digest is made of."""
    document = msgspec.to_builtins(policy.header)
    document["rules"] = msgspec.to_builtins(policy.rules)
    return dict(document)


def digest(policy: Policy, parameters: Mapping[str, tuple[str, ...]]) -> str:
    """Return the SHA-256 of a policy's canonical form together with the values of its parameters.

    Keys and certificate roots enter as digests in canonical form, so neither paths nor encodings matter; values are a
    set. Sigstore's trust root documents and what says who was revoked are not in it: they are renewed while the policy
    stays, and a verdict names them beside the policy (DESIGN, security rule 8).
    """
    values = {
        name: sorted(set(items)) for name, items in parameters.items() if policy.parameters[name].type not in _APART
    }
    return hashlib.sha256(strictjson.canonical({"policy": canonical(policy), "parameters": values})).hexdigest()
