"""Reasons about findings that somebody accepts."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "BASELINE_NOT_FOUND",
        ExitStatus.USAGE,
        "there is no such baseline",
        "Check the spelling of --baseline; `modelsign scan --write-baseline FILE` writes one.",
    ),
    Reason(
        "BASELINE_INVALID",
        ExitStatus.USAGE,
        "a baseline of accepted findings cannot be used",
        "Write it anew with `modelsign scan --write-baseline FILE`, or correct the entry that is named.",
        "A baseline is strict JSON: each entry names a rule, a path, a member or null, the SHA-256 of the file, when "
        "it expires and why. An entry that could be understood in two ways accepts nothing.",
    ),
)
