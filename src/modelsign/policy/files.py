"""Which files a rule concerns: gitignore patterns over the names relative to the model.

The last pattern that matches decides; ``!`` takes a file out again. No file is
out of a rule's reach by accident: without patterns a rule concerns every file.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_patterns", "concerned"]

_MOST_STARS = 8


@functools.lru_cache(maxsize=64)
def _spec(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(patterns)


def check_patterns(patterns: tuple[str, ...]) -> None:
    """Raise ValueError if these cannot be used as patterns."""
    for pattern in patterns:
        if pattern.count("*") > _MOST_STARS:
            message = f"the pattern {pattern!r} has more than {_MOST_STARS} stars"
            raise ValueError(message)
        if pattern.startswith("#") or not pattern.strip():
            message = f"the pattern {pattern!r} matches nothing"
            raise ValueError(message)
    _spec(patterns)


def concerned(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Return the names that the patterns match, sorted; all of them where there are no patterns."""
    if not patterns:
        return sorted(names)
    spec = _spec(patterns)
    return sorted(name for name in names if spec.match_file(name))
