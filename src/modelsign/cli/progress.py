"""A line on a terminal that says how far a command is: bytes, share, rate and the time that is left.

It looks at the steady clock for that and for not drawing more often than a person can see. What it shows is no result.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from modelsign.report.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

__all__ = ["Progress", "amount", "duration"]

_NAME: Final = 40
_PAUSE: Final = 0.1
_SETTLED: Final = 0.5
"""Seconds after which a rate means something."""
_STEP: Final = 1000
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_MINUTE: Final = 60
_HOUR: Final = 3600
_CLEAR: Final = "\r\033[K"


class Progress:
    """Draws one line over and over; called with what is done, the bytes done and the bytes in all (0: not known)."""

    def __init__(self, screen: TextIO, clock: Callable[[], float] = monotonic) -> None:
        """Take the terminal, and a clock in seconds."""
        self._screen = screen
        self._clock = clock
        self._began = clock()
        self._drawn: float | None = None
        self._ended = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Draw, unless it was drawn just now; at the end the line is wiped."""
        now = self._clock()
        ended = 0 < total <= done
        if ended and self._ended:
            return
        self._ended = ended
        if not ended and self._drawn is not None and now - self._drawn < _PAUSE:
            return
        self._drawn = now
        line = f"{escape_line(what)[:_NAME]} {self._words(done, total, now - self._began)}"
        self._screen.write(f"{_CLEAR}{line}{_CLEAR if ended else chr(13)}")
        self._screen.flush()

    @staticmethod
    def _words(done: int, total: int, seconds: float) -> str:
        if total <= 0:
            return amount(done)
        words = f"{amount(done)} of {amount(total)} {100 * done // total:3d} %"
        if seconds < _SETTLED or not done:
            return words
        rate = done / seconds
        return f"{words} {amount(int(rate))}/s {duration((total - done) / rate)} left"


def amount(count: int) -> str:
    """Write a number of bytes in three digits or so."""
    value, unit = float(count), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value, unit = value / _STEP, unit + 1
    return f"{value:.0f} B" if not unit else f"{value:.3g} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Write a time that is left in one or two units."""
    whole = int(seconds + 0.5)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
