r"""Regular expressions and globs that match in time linear in the value, whatever the pattern.

The values come from attestations and certificates, so a backtracking matcher would let whoever signs one spend the
gate's time. A pattern is compiled to a nondeterministic automaton (Thompson 1968) that is walked
state set by state set. It always matches the whole value.

Regular expressions: literals, ``.`` (any but a newline), classes, ``\d \w \s`` and their negations
(ASCII), groups, ``|``, ``* + ?`` and ``{m}``, ``{m,}``, ``{m,n}``. No anchors, back-references, look-around,
lazy or possessive forms: they are errors. Globs: ``*`` (not across ``/``), ``**`` (across), ``?``; all else
stands for itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["MOST_PATTERN", "MOST_PATTERNS", "MOST_VALUE", "Pattern", "compiled", "glob", "regex"]

MOST_PATTERN: Final = 512
"""Characters in a pattern."""
MOST_PATTERNS: Final = 1000
"""Patterns in one policy."""
MOST_VALUE: Final = 4096
"""Characters in a value; a longer one never matches."""
_MOST_STATES: Final = 2000
_MOST_REPEAT: Final = 200
_MOST_COPIES: Final = 4000
"""Copies that repetitions make of their parts, empty ones and copies within copies counted."""
_MOST_DEPTH: Final = 20
_MOST_CACHED: Final = 2000
_LAST: Final = 0x10FFFF

_Ranges = tuple[tuple[int, int], ...]

_CLASSES: Final[dict[str, _Ranges]] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 13), (32, 32)),
}


def _complement(ranges: _Ranges) -> _Ranges:
    result: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            result.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        result.append((start, _LAST))
    return tuple(result)


_ANY: Final[_Ranges] = ((0, _LAST),)
_DOT: Final = _complement(((10, 10),))


@dataclass(frozen=True, slots=True)
class _State:
    """A state: takes one character in ``ranges`` to ``then``, or (no ranges) leads on freely."""

    ranges: _Ranges
    then: tuple[int, ...]


class _Program(list[_State]):
    """The states so far; counts the copies made, since copies of nothing add no state and still cost time."""

    copies = 0

    def repeat(self, count: int) -> None:
        """Count copies that are about to be made.

        Raises:
            ValueError: they are too many.

        """
        self.copies += count
        if self.copies > _MOST_COPIES:
            message = "the pattern is too large"
            raise ValueError(message)


_Fragment = Callable[[_Program, int], int]
"""Adds itself to the program in front of the given state and returns its own first state."""


def _one(ranges: _Ranges) -> _Fragment:
    return lambda program, then: _add(program, _State(ranges, (then,)))


def _sequence(parts: list[_Fragment]) -> _Fragment:
    return lambda program, then: functools.reduce(lambda after, part: part(program, after), reversed(parts), then)


def _choice(parts: list[_Fragment]) -> _Fragment:
    return lambda program, then: _add(program, _State((), tuple(part(program, then) for part in parts)))


def _repeat(part: _Fragment, least: int, most: int | None) -> _Fragment:
    def build(program: _Program, then: int) -> int:
        program.repeat(most or least)
        if most is None:
            loop = _add(program, _State((), (then,)))
            program[loop] = _State((), (part(program, loop), then))
            first = loop
        else:
            first = then
            for _ in range(most - least):
                first = _add(program, _State((), (part(program, first), then)))
        for _ in range(least):
            first = part(program, first)
        return first

    return build


def _add(program: _Program, state: _State) -> int:
    if len(program) >= _MOST_STATES:
        message = "the pattern is too large"
        raise ValueError(message)
    program.append(state)
    return len(program) - 1


class Pattern:
    """A compiled pattern. Immutable but for a bounded cache."""

    def __init__(self, build: _Fragment) -> None:
        """Compile a fragment; state 0 is the end."""
        program = _Program([_State((), ())])
        start = build(program, 0)
        self._program = tuple(program)
        self._start = self._closure((start,))
        self._cache: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, value: str) -> bool:
        """Tell whether the whole value matches; a value longer than :data:`MOST_VALUE` does not."""
        if len(value) > MOST_VALUE:
            return False
        states = self._start
        for character in value:
            key = (states, character)
            after = self._cache.get(key)
            if after is None:
                after = self._step(states, ord(character))
                if len(self._cache) >= _MOST_CACHED:
                    self._cache.clear()
                self._cache[key] = after
            if not after:
                return False
            states = after
        return 0 in states

    def _step(self, states: frozenset[int], point: int) -> frozenset[int]:
        targets = [
            state.then[0]
            for state in (self._program[number] for number in states)
            if any(low <= point <= high for low, high in state.ranges)
        ]
        return self._closure(tuple(targets))

    def _closure(self, starts: tuple[int, ...]) -> frozenset[int]:
        seen: set[int] = set()
        waiting = list(starts)
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                state = self._program[number]
                if not state.ranges:
                    waiting.extend(state.then)
        return frozenset(seen)


class _Parser:
    """A recursive-descent parser for the subset; every refusal is a ValueError."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def parse(self) -> _Fragment:
        result = self._alternatives()
        if self._at < len(self._text):
            raise self._wrong("an unmatched )")
        return result

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _take(self) -> str:
        character = self._peek()
        self._at += 1
        return character

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"{what} at character {min(self._at, len(self._text)) + 1} of the pattern {self._text!r}")

    def _alternatives(self) -> _Fragment:
        parts = [self._concatenation()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._concatenation())
        return parts[0] if len(parts) == 1 else _choice(parts)

    def _concatenation(self) -> _Fragment:
        parts: list[_Fragment] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._quantified())
        return _sequence(parts)

    def _quantified(self) -> _Fragment:
        part = self._atom()
        bounds = self._quantifier()
        if bounds is None:
            return part
        if self._peek() in ("*", "+", "?", "{"):
            raise self._wrong("a quantifier after a quantifier")
        return _repeat(part, *bounds)

    def _quantifier(self) -> tuple[int, int | None] | None:
        character = self._peek()
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if character in simple:
            self._at += 1
            return simple[character]
        if character != "{":
            return None
        found = re.compile(r"\{([0-9]{1,3})(,([0-9]{1,3})?)?\}").match(self._text, self._at)
        if found is None:
            raise self._wrong("a { that is not {m}, {m,} or {m,n}")
        least = int(found[1])
        most = least if found[2] is None else None if found[3] is None else int(found[3])
        if max(least, most or 0) > _MOST_REPEAT or (most is not None and most < least):
            raise self._wrong(f"a repetition out of range (0 to {_MOST_REPEAT})")
        self._at = found.end()
        return least, most

    def _atom(self) -> _Fragment:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return _one(self._class())
        if character == ".":
            return _one(_DOT)
        if character == "\\":
            return _one(self._escape())
        if character in "^$":
            self._at -= 1
            raise self._wrong("an anchor (a pattern always matches the whole value)")
        if character in "*+?{}]":
            self._at -= 1
            raise self._wrong(f"a bare {character} (write \\{character} for the character itself)")
        return _one(((ord(character), ord(character)),))

    def _group(self) -> _Fragment:
        if self._peek() == "?":
            if self._text[self._at : self._at + 2] != "?:":
                raise self._wrong("a group extension other than (?:")
            self._at += 2
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._wrong("groups nested too deeply")
        result = self._alternatives()
        if self._take() != ")":
            raise self._wrong("a group that is not closed")
        self._depth -= 1
        return result

    def _escape(self) -> _Ranges:
        character = self._take()
        if character.lower() in _CLASSES and character.isascii():
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _complement(ranges)
        if not character or character.isalnum() or ord(character) > 0x7E:  # noqa: PLR2004 - the last ASCII sign
            raise self._wrong("an escape this subset does not have")
        return ((ord(character), ord(character)),)

    def _class(self) -> _Ranges:
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        while self._peek() != "]":
            low = self._class_member()
            if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] == "]":
                ranges.extend(low)
                continue
            self._at += 1
            high = self._class_member()
            if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1] or not low[0][0] <= high[0][0] == high[0][1]:
                raise self._wrong("a range that is not from a lower to a higher character")
            ranges.append((low[0][0], high[0][0]))
        self._at += 1
        if not ranges:
            raise self._wrong("an empty class")
        return _complement(tuple(ranges)) if negated else tuple(ranges)

    def _class_member(self) -> _Ranges:
        character = self._take()
        if character == "":
            raise self._wrong("a class that is not closed")
        if character == "[":
            raise self._wrong("a bare [ in a class (write \\[)")
        return self._escape() if character == "\\" else ((ord(character), ord(character)),)


@functools.lru_cache(maxsize=MOST_PATTERNS)
def regex(text: str) -> Pattern:
    """Compile a regular expression of the subset.

    Raises:
        ValueError: the pattern is too long or uses something the subset does not have.

    """
    _bound(text)
    return compiled(text)


def compiled(text: str) -> Pattern:
    """Compile a regular expression that this project wrote, whose length is bounded by what it was made of.

    Raises:
        ValueError: as :func:`regex`.

    """
    return Pattern(_Parser(text).parse())


@functools.lru_cache(maxsize=MOST_PATTERNS)
def glob(text: str, separators: str = "/") -> Pattern:
    """Compile a glob: ``*`` and ``?`` do not match the separators, ``**`` does.

    Raises:
        ValueError: the pattern is too long.

    """
    _bound(text)
    within = _complement(tuple((ord(sign), ord(sign)) for sign in separators))
    parts: list[_Fragment] = []
    for piece in re.findall(r"\*\*+|[\s\S]", text):
        if piece.startswith("**"):
            parts.append(_repeat(_one(_ANY), 0, None))
        elif piece == "*":
            parts.append(_repeat(_one(within), 0, None))
        else:
            parts.append(_one(within if piece == "?" else ((ord(piece), ord(piece)),)))
    return Pattern(_sequence(parts))


def _bound(text: str) -> None:
    if len(text) > MOST_PATTERN:
        message = f"the pattern has {len(text)} characters; the limit is {MOST_PATTERN}"
        raise ValueError(message)
