"""What went into the few containers whose content matters: fields of dtypes, objects of arrays, reviewed states.

Containers are otherwise not kept. Keeping begins with the first dtype that has parts or objects, or the first instance
of a class whose state is reviewed by what is in it (``machine.states``); dicts are kept only while one of those waits
for its state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from modelsign.scan.machine.faults import Exhausted

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["Attributes", "Contents", "attributes_of"]

Attributes: TypeAlias = "dict[str, list[Value]]"

_KEPT: Final = 10_000_000
"""Items kept over a whole reading."""
_NOTHING: Final = -(1 << 62)


class Contents:
    """Contents of containers, by the value that stands for each."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._waiting: set[int] = set()
        self._since = 0
        self._dicts: dict[int, list[Value]] = {}
        self._frozen: dict[int, list[Value]] = {}
        self._lengths: dict[int, int] = {}
        self._kept = 0
        self._lists: dict[int, list[Value] | None] = {}
        self._lists_since = 0
        self._lists_wanted = 0

    def wait(self, made: int) -> None:
        """Keep what goes into dicts from here: what was made at this offset has yet to get its state."""
        if not self._waiting:
            self._since = made
        self._waiting.add(made)

    @property
    def is_waiting(self) -> bool:
        """Whether something has yet to get its state."""
        return bool(self._waiting)

    def arrived(self, made: int) -> None:
        """Let go of what nobody needs: what was made at this offset has its state."""
        self._waiting.discard(made)
        if not self._waiting:
            self._dicts.clear()

    def appended(self, target: int, count: int) -> None:
        """Note that so many items were put behind the others of a list in an array's state."""
        self._lengths[target] = self._lengths.get(target, 0) + count

    def lists_from(self, offset: int) -> None:
        """Keep what goes into lists from here: a function was named whose arguments are looked into."""
        if not self._lists_wanted:
            self._lists_since = offset
        self._lists_wanted += 1

    def lists_done(self) -> None:
        """Let go of what nobody needs: such a function was called."""
        self._lists_wanted = max(self._lists_wanted - 1, 0)
        if not self._lists_wanted:
            self._lists.clear()

    def extended(self, target: int, items: list[Value], offset: int) -> None:
        """Keep what was put behind the others of a list.

        Raises:
            Exhausted: too much was kept.

        """
        if self._lists_wanted:
            known = self._lists.setdefault(target, [])
            if known is not None:
                known.extend(items)
                self._keep(len(items) + 1, offset)

    def listed(self, target: int) -> list[Value] | None:
        """Return all that is in a list; None if it may hold other things than were seen."""
        if target >= 0 or ~target < self._lists_since or not self._lists_wanted:
            return None
        return self._lists.get(target, [])

    def _keep(self, count: int, offset: int) -> None:
        self._kept += count
        if self._kept > _KEPT:
            raise Exhausted("puts too much between a name and its use", offset)

    def set_items(self, target: int, items: list[Value], offset: int) -> bool:
        """Note what was set in a container; say whether it was a dict that a dtype holds and nobody may change.

        Raises:
            Exhausted: too much was kept.

        """
        if target in self._frozen:
            return bool(items)
        if self._lists_wanted and (target not in self._lists or self._lists[target] is not None):
            self._lists[target] = None
            self._keep(1, offset)
        if target in self._lengths:
            self._lengths[target] = _NOTHING  # setting a slice of a list can make it shorter
        if self._waiting:
            self._dicts.setdefault(target, []).extend(items)
            self._keep(len(items) + 1, offset)
        return False

    def held(self, target: int) -> list[Value] | None:
        """Return all that was set in a dict, keys and values by turns; None if it may hold more than was seen."""
        if target >= 0 or ~target < self._since or not self._waiting or target in self._frozen:
            return None
        return self._dicts.get(target, [])

    def freeze(self, target: int) -> list[Value] | None:
        """Return all that is in a dict which becomes a dtype's fields; None if it may hold more than was seen."""
        if target not in self._frozen:
            if ~target < self._since or not self._waiting:
                return None
            self._frozen[target] = self._dicts.pop(target, [])
        return self._frozen[target]

    def length(self, target: int) -> int:
        """Return how many items a list in an array's state has at least."""
        return self._lengths.get(target, 0)


def attributes_of(judge: Judge, state: Value) -> Attributes | None:
    """Return what a dict holds by its keys, each value that was ever set; None where a key is no literal text."""
    items = judge.contents.held(state) if judge.contents is not None and isinstance(state, int) else None
    if items is None:
        return None
    found: Attributes = {}
    for key, value in zip(items[::2], items[1::2], strict=False):
        name = judge.source.text(key) if isinstance(key, int) and key >= 0 else None
        if name is None:
            return None
        found.setdefault(name, []).append(value)
    return found
