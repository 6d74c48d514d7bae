"""Reasons that come from the confined process a scan runs in."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "SANDBOX_UNAVAILABLE",
        ExitStatus.UNDECIDED,
        "no confined process could be started",
        "The scan runs in this process instead and says so; `modelsign doctor` shows the interpreter in use.",
    ),
    Reason(
        "SANDBOX_ENDED",
        ExitStatus.UNDECIDED,
        "the confined process ended before it answered",
        "Do not load the file; a file that crashes its scanner may crash a loader too.",
    ),
    Reason(
        "SANDBOX_SILENT",
        ExitStatus.UNDECIDED,
        "the confined process went beyond its last fence",
        "Do not load the file, and report it: a scan counts operations and should have stopped by itself.",
    ),
    Reason(
        "SANDBOX_ANSWER",
        ExitStatus.UNDECIDED,
        "the confined process answered something else than was agreed",
        "Do not load the file; what it holds may have taken over the process that read it.",
    ),
)
