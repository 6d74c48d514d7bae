"""Which identities are meant: exactly one, or those that a pattern matches.

Patterns always match the whole identity, in time linear in it (:mod:`modelsign.pattern`): an unanchored expression for
``https://github.com/org/`` would accept everybody who may choose where those words stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from modelsign import pattern
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.pattern import Pattern

__all__ = ["Matcher", "exactly", "glob", "regexp"]

_SHOWN: Final = 200
_SEPARATORS: Final = "/?#@:\\"


class Matcher(NamedTuple):
    """An identity that is asked for; ``text`` as the caller wrote it."""

    kind: Literal["exact", "glob", "regexp"]
    text: str
    compiled: Pattern | None = None

    @property
    def exact(self) -> bool:
        """Whether only one identity can match."""
        return self.compiled is None

    def matches(self, identity: str) -> bool:
        """Say whether this identity is meant."""
        return identity == self.text if self.compiled is None else self.compiled.matches(identity)

    def __str__(self) -> str:
        """Name it in a message."""
        text = self.text[:_SHOWN]
        return text if self.exact else f"{self.kind} {text}"


def exactly(text: str) -> Matcher:
    """Mean exactly one identity.

    Raises:
        ModelsignError: ``IDENTITY_PATTERN_INVALID`` for an empty one.

    """
    if not text:
        raise error("IDENTITY_PATTERN_INVALID", "an identity cannot be empty")
    return Matcher("exact", text)


def glob(text: str) -> Matcher:
    """Mean every identity that fits: ``**`` is anything, ``*`` anything but a separator, ``?`` one sign that is none.

    The separators are those of URIs and mail addresses together (slashes, ``?``, ``#``, ``@``, ``:``): what a star
    stands for is never another path, host, reference or domain.

    Raises:
        ModelsignError: ``IDENTITY_PATTERN_INVALID``.

    """
    try:
        return Matcher("glob", text, pattern.glob(text, _SEPARATORS))
    except ValueError as fault:
        raise error("IDENTITY_PATTERN_INVALID", f"the glob {text[:_SHOWN]!r}: {fault}") from None


def regexp(text: str) -> Matcher:
    """Mean every identity that a regular expression matches as a whole; ``^`` before and ``$`` behind add nothing.

    Raises:
        ModelsignError: ``IDENTITY_PATTERN_INVALID``.

    """
    bare = text.removeprefix("^")
    if bare.endswith("$") and (len(bare) - len(bare[:-1].rstrip("\\"))) % 2:
        bare = bare[:-1]
    try:
        return Matcher("regexp", text, pattern.regex(bare))
    except ValueError as fault:
        raise error("IDENTITY_PATTERN_INVALID", f"the expression {text[:_SHOWN]!r}: {fault}") from None
