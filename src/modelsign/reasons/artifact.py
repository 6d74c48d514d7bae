"""Reasons that come from the walk over a model's files, their names and their bytes."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "FILE_CHANGED_WHILE_READ",
        ExitStatus.UNDECIDED,
        "a file was written to while it was read",
        "Let whatever writes to the model finish, then run again.",
    ),
    Reason(
        "FILE_UNREADABLE",
        ExitStatus.UNDECIDED,
        "a file of the model cannot be read",
        "Check the permissions of the file and the health of the disk.",
    ),
)
