"""What one published attack is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import picklebytes as p

if TYPE_CHECKING:
    from collections.abc import Callable

File = tuple[str, bytes]
EVIL = p.reduce_stack("os", "system")


@dataclass(frozen=True)
class Attack:
    """An id, one sentence, the file, and what must come of it: the outcome, and a rule among those that fire.

    ``also`` are further ids of the same thing.
    """

    id: str
    what: str
    file: Callable[[], File] = field(repr=False)
    rule: str
    outcome: str = "unsafe"
    also: tuple[str, ...] = ()


def bare(data: bytes, name: str = "model.pkl") -> Callable[[], File]:
    """A file of these bytes."""
    return lambda: (name, data)


def calls(module: str, qualname: str, capability: str = "execute") -> tuple[Callable[[], File], str]:
    """A pickle that calls a name, and the rule by which that is unsafe."""
    return bare(p.reduce_stack(module, qualname)), f"pickle-{capability}"
