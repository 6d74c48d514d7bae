"""What a reason is, and the exit statuses a command can end with."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class ExitStatus(IntEnum):
    """The exit statuses of every command; scripts may rely on them."""

    OK = 0
    """Done; the verdict is positive."""
    NEGATIVE = 1
    """The verdict is negative: unsigned, changed, unsafe, denied."""
    USAGE = 2
    """The command was called wrongly, or names no such model or no trust source."""
    UNDECIDED = 3
    """No verdict could be reached; treat it as a refusal."""
    NOTHING = 4
    """There was nothing to check."""
    INTERRUPTED = 130
    """The user pressed Ctrl-C."""


class Reason(NamedTuple):
    """Why something was refused.

    ``code`` is stable and upper case, ``advice`` is one line that says what to do next,
    and ``explanation`` is the paragraph ``modelsign explain`` shows.
    """

    code: str
    exit_status: ExitStatus
    title: str
    advice: str
    explanation: str = ""
