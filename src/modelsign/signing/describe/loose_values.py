"""Takes what can be taken out of JSON that nobody vouches for and that may have any shape.

Everything here is total: a value of another type is None or empty, and texts and lists are cut. Nothing that decides
may use it; the strict readers are elsewhere.
"""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_SHOWN", "child", "children", "decoded", "moment_of", "number", "text"]

MOST_SHOWN: Final = 100
"""Items of a list that are shown."""
_MOST_TEXT: Final = 2000
"""Characters of a text that are shown."""
_MOST_DIGITS: Final = 19


def child(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return an object's member that is an object; an empty one where it is not."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def children(value: Mapping[str, object], name: str) -> tuple[list[Mapping[str, object]], int]:
    """Return the first objects of a list, and how many more it has."""
    found = value.get(name)
    entries: list[Mapping[str, object]] = (
        [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    )
    return entries[:MOST_SHOWN], max(0, len(entries) - MOST_SHOWN)


def text(value: object) -> str | None:
    """Return a text, cut; None for anything else."""
    if not isinstance(value, str):
        return None
    return value if len(value) <= _MOST_TEXT else f"{value[:_MOST_TEXT]}…"


def number(value: object) -> int | None:
    """Return a whole number, which proto3's JSON form writes as digits in a text; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_MOST_DIGITS:
        return value
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    return None


def decoded(value: object) -> bytes | None:
    """Return the bytes of base64 text, also without its padding or in the alphabet of URLs; None for anything else."""
    if not isinstance(value, str) or not value.isascii():
        return None
    plain = value.translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except binascii.Error:
        return None


def moment_of(seconds: int | None) -> str | None:
    """Write seconds since 1970 as ISO 8601; None where there are none or they are no date."""
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None
