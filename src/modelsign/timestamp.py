"""Points in time as statements write them: RFC 3339, in UTC, with ``Z``.

Never asks a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

__all__ = ["PATTERN", "read", "write"]

PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$(?!\n)"
)
"""RFC 3339, section 5.6, with an upper-case T and Z and without leap seconds."""
_SHAPE: Final = re.compile(PATTERN)
_FRACTION: Final = re.compile(r"\.([0-9]{1,9})")


def read(text: str) -> datetime:
    """Return the time a text stands for, in UTC, cut to microseconds.

    Raises:
        ValueError: the text is not an RFC 3339 date-time.

    """
    if not _SHAPE.match(text):
        message = f"{text[:100]!r} is not a time such as 2026-11-23T12:00:00Z"
        raise ValueError(message)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(lambda found: f".{found[1]:0<6.6}", text))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        message = f"{text!r} is not a time: {fault}"
        raise ValueError(message) from None


def write(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC, to the second.

    Raises:
        ValueError: the time does not say which zone it is in.

    """
    if moment.tzinfo is None:
        message = "a time without a zone cannot be written"
        raise ValueError(message)
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"
