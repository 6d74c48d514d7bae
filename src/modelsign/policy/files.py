r"""Which files a rule concerns: patterns in the syntax of gitignore over the names relative to the model.

The last pattern that matches decides; ``!`` takes a file out again. No file is out of a rule's reach by accident:
without patterns a rule concerns every file, and what could only be a slip of the pen is an error: a list that begins
with ``!``, ``.`` and ``..``, braces, ``**`` beside other characters. A name is matched case by case.

Names are the model author's, so a backtracking matcher would let them spend the gate's time: each pattern becomes one
linear automaton over the whole name (``modelsign.pattern``). As in git, a pattern without ``/`` before its end is about
names at any depth, one that matches a folder is about all in it, and one that ends in ``/`` is about folders alone.
Classes (``[a-z]``, ``[!0-9]``) hold letters, digits and ``. _ + ~ -`` and blanks; ``\`` takes its meaning from a sign.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from modelsign import pattern as automaton

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_patterns", "concerned"]

_ANYTHING: Final = r"[\s\S]"
_ANY_FOLDERS: Final = rf"(?:{_ANYTHING}*/)?"
_BELOW: Final = rf"(?:/{_ANYTHING}*)?"
_CLASS: Final = re.compile(r"\[([!^]?)((?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9._+~ ])+-?)\]")


def check_patterns(patterns: tuple[str, ...]) -> None:
    """Raise ValueError if these cannot be used as patterns, or cannot be meant."""
    for text in patterns:
        _compiled(text.removeprefix("!"))
    if patterns and patterns[0].startswith("!"):
        message = f"the first pattern, {patterns[0]!r}, takes files out of nothing; begin with '*' or what it is about"
        raise ValueError(message)


def concerned(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Return the names that the patterns match, sorted; all of them where there are no patterns."""
    if not patterns:
        return sorted(names)
    last_first = [(not text.startswith("!"), _compiled(text.removeprefix("!"))) for text in reversed(patterns)]
    return sorted(name for name in names if next((takes for takes, one in last_first if one.matches(name)), False))


@functools.lru_cache(maxsize=1024)
def _compiled(text: str) -> automaton.Pattern:
    """Compile one pattern, without its ``!``.

    Raises:
        ValueError: it matches nothing, or something else than it seems to.

    """
    body = text.removeprefix("/")
    of_folders = body.endswith("/")
    parts = body.removesuffix("/").split("/")
    if text.startswith("#") or text != text.strip() or not text.isprintable():
        raise _wrong(text, "matches nothing: it begins with # or a blank, ends in a blank, or holds a control sign")
    if not all(parts) or not {".", ".."}.isdisjoint(parts):
        raise _wrong(text, "matches nothing: names are relative to the model and have no empty part, no . and no ..")
    anchored = text.startswith("/") or len(parts) > 1
    expression = "" if anchored else _ANY_FOLDERS
    for part in parts[:-1]:
        expression += _ANY_FOLDERS if part == "**" else f"{_component(text, part)}/"
    expression += f"{_ANYTHING}+" if parts[-1] == "**" else _component(text, parts[-1])
    return automaton.compiled(expression + (f"/{_ANYTHING}+" if of_folders else _BELOW))


def _component(text: str, part: str) -> str:
    """Return the expression for what stands between two slashes."""
    if "**" in part:
        raise _wrong(text, "has ** beside other characters")
    found, at = "", 0
    while at < len(part):
        character = part[at]
        at += 1
        if character in "*?":
            found += "[^/]*" if character == "*" else "[^/]"
        elif character == "[":
            one = _CLASS.match(part, at - 1)
            if one is None:
                raise _wrong(text, "has a class that is not of letters, digits and . _ + ~ - and blanks")
            members = re.sub(r"([._+~ ])", r"\\\1", one[2])
            found += f"[^{members}\\/]" if one[1] else f"[{members}]"
            at = one.end()
        elif character in "{}":
            raise _wrong(text, "has a brace, which is no alternative here; write one pattern for each")
        elif character == "\\":
            if at == len(part) or part[at].isalnum():
                raise _wrong(text, "has a backslash before what needs none")
            found += _literal(part[at])
            at += 1
        else:
            found += _literal(character)
    return found


def _literal(character: str) -> str:
    return character if character.isalnum() or not character.isascii() else f"\\{character}"


def _wrong(text: str, why: str) -> ValueError:
    return ValueError(f"the pattern {text!r} {why}")
