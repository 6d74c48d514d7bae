"""What a member of ``policy/rules/`` is: one kind of rule, its fields, and how it judges.

The fields of a rule are a msgspec Struct; the descriptor :class:`RuleKind` is the file's last
statement, named ``RULE_KIND``. A rule looks at :class:`~modelsign.policy.facts.Facts` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from modelsign.verdict import RuleMode, RuleOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from modelsign.policy.facts import Facts

__all__ = [
    "END",
    "INERT",
    "Context",
    "FilePatterns",
    "FormatNames",
    "Judgement",
    "ParameterName",
    "ParameterType",
    "PolicyRule",
    "RuleId",
    "RuleKind",
    "Strict",
    "Use",
]

END: Final = r"$(?!\n)"
"""The end of a text in a pattern of the schema: Python's ``$`` alone also stands before a last newline."""
RuleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}" + END)]
ParameterName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}" + END)]
FilePattern = Annotated[str, Meta(min_length=1, max_length=256)]
FilePatterns = Annotated[tuple[FilePattern, ...], Meta(min_length=1, max_length=100)]
"""Patterns in the syntax of gitignore; a file is concerned if the last that matches has no ``!``."""
FormatName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}" + END)]
FormatNames = Annotated[tuple[FormatName, ...], Meta(min_length=1, max_length=200)]
ParameterType = Literal[
    "keys", "identities", "trust-root", "certificate-roots", "certificate-status", "revocation-list", "strings"
]
"""What a caller can give. The values a rule sees: of keys the digests of canonical keys, of identities their canonical
JSON, of certificate roots the SHA-256 of the DER certificate, of trust root documents, revocation lists and what says
whether certificates stand (CRLs, OCSP responses) that of the file, and strings themselves."""
INERT: Final = "inert"
"""Stands for every file that no loader takes code from, whatever its format."""


class Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of everything in a policy document: an unknown field is an error."""


class PolicyRule(Strict, tag_field="kind", frozen=True, kw_only=True):
    """The fields every rule has.

    ``advice`` says what to do when the rule is not met; without it the reason's own advice is shown.
    """

    id: RuleId
    title: Annotated[str, Meta(max_length=200)] = ""
    mode: RuleMode = RuleMode.ENFORCE
    advice: Annotated[str, Meta(max_length=1000)] = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may look at: the facts, the bound parameters, and the time of the judgement.

    ``parameters`` maps a parameter's name to its values (see :data:`ParameterType`).
    """

    facts: Facts
    parameters: Mapping[str, tuple[str, ...]]
    now: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says. ``code`` is a reason code, None exactly when the result is PASS."""

    result: RuleOutcome
    observed: str
    evidence: tuple[str, ...] = ()
    code: str | None = None


class Use(NamedTuple):
    """A parameter that a rule refers to, and the type it must have."""

    type: ParameterType
    name: str


def _none(rule: PolicyRule) -> tuple[str, ...]:  # noqa: ARG001 - a kind that names no formats
    return ()


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One kind of rule.

    ``judge`` is pure and total. ``authenticates_all_bytes`` is True where a PASS means that somebody trusted
    vouches for every byte of the model; a policy without an enforced one never allows. ``waivable`` is False for rules
    that no exception may be made from. ``parameters`` are those that a rule refers to, ``format_names`` the formats;
    ``doubts`` lists what ``policy lint`` warns of.
    """

    id: str
    title: str
    description: str
    rule: type[PolicyRule]
    judge: Callable[[Any, Context], Judgement]
    expected: Callable[[Any, Mapping[str, tuple[str, ...]]], str]
    authenticates_all_bytes: bool
    parameters: Callable[[Any], tuple[Use, ...]]
    doubts: Callable[[Any], tuple[str, ...]]
    format_names: Callable[[Any], tuple[str, ...]] = _none
    waivable: bool = True
