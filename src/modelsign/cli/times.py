"""Times and durations as options of commands take them; ``now`` is always handed in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from datetime import datetime, timedelta

__all__ = ["duration", "moment", "until"]

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def moment(option: str, text: str) -> datetime:
    """Read a time that an option was given.

    Raises:
        click.BadParameter: it is neither RFC 3339 nor a date, which stands for its first second in UTC.

    """
    from modelsign import timestamp

    try:
        return timestamp.read(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint=option) from None


def duration(option: str, text: str) -> timedelta:
    """Read a duration that an option was given.

    Raises:
        click.BadParameter: it is not a whole number with a unit.

    """
    from modelsign.policy.duration import parse

    try:
        return parse(text)
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint=option) from None


def until(option: str, text: str, now: datetime) -> datetime:
    """Read when something ends: a time, a date, or a duration from now.

    Raises:
        click.BadParameter: it is none of these, or lies in the past.

    """
    try:
        end = now + duration(option, text) if text[-1:] in "smhdw" else moment(option, text)
    except OverflowError:
        raise click.BadParameter(f"{text!r} is further away than time is counted", param_hint=option) from None
    if end <= now:
        raise click.BadParameter(f"{text!r} lies in the past", param_hint=option)
    return end
