"""JSON Pointer (RFC 6901): where in a predicate a constraint looks."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MISSING", "Missing", "check_pointer", "resolve"]

_POINTER: Final = re.compile(r"(/([^/~]|~[01])*)*\Z")
_INDEX: Final = re.compile(r"(0|[1-9][0-9]{0,8})\Z")


class Missing:
    """The type of :data:`MISSING`."""

    def __repr__(self) -> str:
        """Return a word for messages."""
        return "nothing"


MISSING: Final = Missing()
"""What a pointer that leads nowhere resolves to; different from null."""


def check_pointer(pointer: str) -> None:
    """Raise ValueError if this is not a JSON pointer."""
    if not _POINTER.match(pointer):
        message = f"{pointer!r} is not a JSON pointer (RFC 6901): it is empty or begins with /"
        raise ValueError(message)


def resolve(value: object, pointer: str) -> object:
    """Return what a valid pointer leads to, or :data:`MISSING`. Never raises."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name, MISSING)
        elif isinstance(value, list) and _INDEX.match(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value
