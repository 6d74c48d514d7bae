"""What a member of ``attest/predicates/`` is: one predicate type, and what is required of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modelsign import timestamp
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

__all__ = ["Predicate", "required", "stated_time"]


_KINDS: Final = {"str": "a string", "dict": "an object", "list": "an array"}


@dataclass(frozen=True, slots=True)
class Predicate:
    """One predicate type.

    ``check`` raises ``PREDICATE_MALFORMED`` where a field the specification requires is missing or of the wrong
    type; unknown fields are ignored. ``made_at`` gives the time the predicate states for itself, None where it
    states none.
    """

    id: str
    type: str
    title: str
    description: str
    specification: str
    check: Callable[[Mapping[str, Any]], None]
    made_at: Callable[[Mapping[str, Any]], datetime | None]


def required(predicate: Mapping[str, Any], pointer: str, kind: type) -> Any:
    """Return a required field, by a path of names with ``/`` between them.

    Raises:
        ModelsignError: ``PREDICATE_MALFORMED`` where it is missing or of another type.

    """
    value: Any = predicate
    for name in pointer.split("/"):
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, kind) or value == "":
        words = _KINDS[kind.__name__]
        raise error("PREDICATE_MALFORMED", f"the field {pointer} is required and is {words}")
    return value


def stated_time(value: object) -> datetime | None:
    """Return the time a field states; None where it is absent or not a time."""
    if not isinstance(value, str):
        return None
    try:
        return timestamp.read(value)
    except ValueError:
        return None
