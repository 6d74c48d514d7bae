"""The calls of a pickle in the order they are made, and for one of them the chain that led to it.

A call's result that goes into another call is named there (``v2``), so that the chain reads like the program that the
pickle is. Only calls that have a finding are kept, and only so many: a chain explains, it decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.render import call_text, value_text
from modelsign.scan.machine.values import Instance, Unknown

if TYPE_CHECKING:
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["Chain"]

_CALLS: Final = 1000
_LINES: Final = 20
_DEPTH: Final = 3
_ITEMS: Final = 6


class Chain:
    """The calls recorded so far."""

    def __init__(self, source: Source) -> None:
        """Take the bytes that values are read from."""
        self.source = source
        self.texts: list[str] = []
        """The calls as messages show them, without names for what others computed."""
        self._lines: list[str] = []
        self._needs: list[tuple[int, ...]] = []

    def add(self, function: Value | str, arguments: Value) -> tuple[str, int]:
        """Record a call; return its text, and its number (from 1), or 0 where no more are kept."""
        name = function if isinstance(function, str) else value_text(self.source, function)
        text = call_text(self.source, name, arguments)
        if len(self.texts) >= _CALLS:
            return text, 0
        needs: set[int] = set()
        _made_by(() if isinstance(function, str) else function, needs, 0)
        _made_by(arguments, needs, 0)
        named = name if isinstance(function, str) else value_text(self.source, function, named=True)
        self.texts.append(text)
        self._lines.append(call_text(self.source, named, arguments, named=True))
        self._needs.append(tuple(sorted(needs)))
        return text, len(self.texts)

    def upto(self, number: int) -> tuple[str, ...]:
        """Return the calls whose results a call is made of, in their order, and it as the last; none for number 0."""
        if not number:
            return ()
        wanted, ahead = {number}, [number]
        while ahead and len(wanted) < _LINES:
            for need in self._needs[ahead.pop() - 1]:
                if need not in wanted and len(wanted) < _LINES:
                    wanted.add(need)
                    ahead.append(need)
        lines = [f"v{one} = {self._lines[one - 1]}" for one in sorted(wanted) if one != number]
        return (*lines, self._lines[number - 1])


def _made_by(value: Value, found: set[int], depth: int) -> None:
    """Collect the numbers of the calls that made a value, as deep as it is shown."""
    if isinstance(value, (Instance, Unknown)) and value.call:
        found.add(value.call)
    elif isinstance(value, tuple) and depth <= _DEPTH:
        for item in value[:_ITEMS]:
            _made_by(item, found, depth + 1)
