"""Durations in a policy: a whole number and a unit (``90d``)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

__all__ = ["PATTERN", "parse"]

PATTERN: Final = r"^[1-9][0-9]{0,5}[smhdw]$(?!\n)"
"""Seconds, minutes, hours, days or weeks. Months and years differ in length, so they are not units."""
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse(text: str) -> timedelta:
    """Return the duration a valid text stands for.

    Raises:
        ValueError: the text is not a duration.

    """
    if not re.match(PATTERN, text):
        message = f"{text!r} is not a duration such as 90d"
        raise ValueError(message)
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
