"""Constraints on a predicate: a closed set of operators over JSON pointers.

There is no expression language: each operator is total, takes time linear in the value it looks at, and is
explained in one line. A pointer that leads nowhere meets no operator but ``absent``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType, field

from modelsign import pattern
from modelsign.policy.pointer import MISSING, check_pointer, resolve
from modelsign.policy.rule import ParameterName, Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Parameters = Mapping[str, tuple[str, ...]]

__all__ = ["Constraint", "CountAtLeast", "ParameterValues", "expected", "holds", "same", "shown", "text_parameters"]

_SHOWN: Final = 100
Pointer = Annotated[str, Meta(max_length=1024)]
Texts = Annotated[tuple[str, ...], Meta(min_length=1, max_length=1000)]
Values = Annotated[tuple[Any, ...], Meta(min_length=1, max_length=1000)]
Pattern = Annotated[str, Meta(max_length=pattern.MOST_PATTERN)]


class ParameterValues(Strict, frozen=True, kw_only=True):
    """Stands for the values the caller gives to a parameter of type ``strings``."""

    parameter: ParameterName


class CountAtLeast(Strict, frozen=True, kw_only=True):
    """An array has at least ``count`` elements that meet all of ``where`` (any element, without it)."""

    count: Annotated[int, Meta(ge=1, le=1_000_000)]
    where: Annotated[tuple[Constraint, ...], Meta(max_length=100)] = ()


class Constraint(Strict, frozen=True, kw_only=True):
    """One operator on what ``path`` (RFC 6901) leads to; exactly one operator is given.

    ``equals``, ``in`` and ``contains_all`` compare JSON values: 1 and 1.0 are equal, 1 and true are not.
    ``glob`` and ``regex`` match a whole string. ``only_keys`` bounds the keys of an object, ``has_any`` asks for one
    of them. ``each``, ``any`` and ``count_at_least`` look at the elements of an array; the paths of their constraints
    start at the element. ``each`` holds of an empty array.
    """

    path: Pointer
    equals: Any = UNSET
    in_: Values | ParameterValues | UnsetType = field(default=UNSET, name="in")
    glob: Pattern | UnsetType = UNSET
    regex: Pattern | UnsetType = UNSET
    exists: bool | UnsetType = UNSET
    absent: bool | UnsetType = UNSET
    only_keys: Texts | UnsetType = UNSET
    has_any: Texts | UnsetType = UNSET
    min: int | float | UnsetType = UNSET
    max: int | float | UnsetType = UNSET
    contains_all: Values | ParameterValues | UnsetType = UNSET
    each: Annotated[tuple[Constraint, ...], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    any: Annotated[tuple[Constraint, ...], Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    count_at_least: CountAtLeast | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; msgspec reports the ValueError with its place."""
        check_pointer(self.path)
        given = [name for name in _OPERATORS if self.operand(name) is not UNSET]
        if len(given) != 1:
            message = f"a constraint has exactly one operator, this one has {', '.join(given) or 'none'}"
            raise ValueError(message)
        if self.exists is False or self.absent is False:
            message = f"{given[0]} can only be true; the opposite is {'absent' if self.absent is UNSET else 'exists'}"
            raise ValueError(message)
        if isinstance(self.glob, str):
            pattern.glob(self.glob)
        if isinstance(self.regex, str):
            pattern.regex(self.regex)

    def operand(self, operator: str) -> Any:
        """Return what an operator is given, or UNSET."""
        return getattr(self, "in_" if operator == "in" else operator)

    @property
    def operator(self) -> str:
        """The one operator given."""
        return next(name for name in _OPERATORS if self.operand(name) is not UNSET)


def same(one: object, other: object) -> bool:
    """Compare two JSON values; numbers by value, booleans only with booleans."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def holds(constraint: Constraint, document: object, parameters: Parameters) -> bool:
    """Tell whether a document meets a constraint. Pure and total."""
    value = resolve(document, constraint.path)
    operator = constraint.operator
    if value is MISSING:
        return operator == "absent"
    return _OPERATORS[operator](constraint.operand(operator), value, parameters)


def _listed(operand: tuple[Any, ...] | ParameterValues, parameters: Parameters) -> tuple[Any, ...]:
    return parameters[operand.parameter] if isinstance(operand, ParameterValues) else operand


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _contains_all(operand: tuple[Any, ...] | ParameterValues, value: Any, parameters: Parameters) -> bool:
    if not isinstance(value, list):
        return False
    texts = {item for item in value if isinstance(item, str)}
    return all(
        wanted in texts if isinstance(wanted, str) else any(same(wanted, item) for item in value)
        for wanted in _listed(operand, parameters)
    )


def _all_hold(constraints: tuple[Constraint, ...], value: object, parameters: Parameters) -> bool:
    return all(holds(constraint, value, parameters) for constraint in constraints)


_OPERATORS: Final[dict[str, Callable[[Any, Any, Parameters], bool]]] = {
    "equals": lambda operand, value, _: same(operand, value),
    "in": lambda operand, value, parameters: any(same(item, value) for item in _listed(operand, parameters)),
    "glob": lambda operand, value, _: isinstance(value, str) and pattern.glob(operand).matches(value),
    "regex": lambda operand, value, _: isinstance(value, str) and pattern.regex(operand).matches(value),
    "exists": lambda _operand, _value, _: True,
    "absent": lambda _operand, _value, _: False,
    "only_keys": lambda operand, value, _: isinstance(value, dict) and value.keys() <= set(operand),
    "has_any": lambda operand, value, _: isinstance(value, dict) and not value.keys().isdisjoint(operand),
    "min": lambda operand, value, _: _number(value) and value >= operand,
    "max": lambda operand, value, _: _number(value) and value <= operand,
    "contains_all": _contains_all,
    "each": lambda operand, value, parameters: (
        isinstance(value, list) and all(_all_hold(operand, item, parameters) for item in value)
    ),
    "any": lambda operand, value, parameters: (
        isinstance(value, list) and any(_all_hold(operand, item, parameters) for item in value)
    ),
    "count_at_least": lambda operand, value, parameters: (
        isinstance(value, list) and sum(_all_hold(operand.where, item, parameters) for item in value) >= operand.count
    ),
}


def expected(constraint: Constraint, parameters: Parameters) -> str:
    """Say in one line what a constraint asks for."""
    operator = constraint.operator
    operand = constraint.operand(operator)
    place = constraint.path or "the predicate"
    if operator in ("exists", "absent"):
        return f"{place} is {'present' if operator == 'exists' else 'absent'}"
    if operator in ("each", "any"):
        return f"{operator} of {place}: {_joined(operand, parameters)}"
    if operator == "count_at_least":
        which = f" with {_joined(operand.where, parameters)}" if operand.where else ""
        return f"{place} has at least {operand.count} elements{which}"
    if operator in ("in", "contains_all", "only_keys", "has_any"):
        listed = parameters.get(operand.parameter, f"${operand.parameter}") if _refers(operand) else operand
        verb = {
            "in": "is one of",
            "contains_all": "contains all of",
            "only_keys": "has no keys but",
            "has_any": "has one of the keys",
        }[operator]
        return f"{place} {verb} {listed if isinstance(listed, str) else ', '.join(map(shown, listed))}"
    verbs = {"equals": "is", "glob": "matches the glob", "regex": "matches", "min": "is at least", "max": "is at most"}
    return f"{place} {verbs[operator]} {shown(operand)}"


def _refers(operand: object) -> bool:
    return isinstance(operand, ParameterValues)


def _joined(constraints: tuple[Constraint, ...], parameters: Parameters) -> str:
    return " and ".join(expected(constraint, parameters) for constraint in constraints)


def shown(value: object) -> str:
    """Show a JSON value in a few words, however large it is."""
    if value is MISSING:
        return "absent"
    if isinstance(value, dict):
        keys = sorted(value)
        more = ", …" if len(keys) > 8 else ""  # noqa: PLR2004 - enough to recognise an object
        return f"an object with the keys {', '.join(key[:_SHOWN] for key in keys[:8]) or '(none)'}{more}"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, str) and len(value) > _SHOWN:
        value = value[:_SHOWN] + "…"
    return json.dumps(value, ensure_ascii=False)


def text_parameters(constraints: tuple[Constraint, ...]) -> Iterator[str]:
    """Yield the names of the parameters that constraints refer to, at any depth."""
    for constraint in constraints:
        operand = constraint.operand(constraint.operator)
        if isinstance(operand, ParameterValues):
            yield operand.parameter
        elif isinstance(operand, CountAtLeast):
            yield from text_parameters(operand.where)
        elif constraint.operator in ("each", "any"):
            yield from text_parameters(operand)
