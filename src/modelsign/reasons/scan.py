"""Reasons that come from the scanner and second opinions."""

from __future__ import annotations

from modelsign.reasons._reason import ExitStatus, Reason

REASONS: tuple[Reason, ...] = (
    Reason(
        "SCAN_UNSAFE",
        ExitStatus.NEGATIVE,
        "a file would do harm when loaded",
        "Do not load the model. The findings name the file, the place in it and the rule.",
    ),
    Reason(
        "SCAN_NOT_CLEAN",
        ExitStatus.UNDECIDED,
        "a file could not be shown to be harmless",
        "Read the findings; `--accept unverified,unsupported` takes such files, `incomplete` ones never.",
        "Only `clean` is clean. Files that use something not known to be safe are `unverified`, files without a reader "
        "are `unsupported`, damaged files and those beyond a budget are `incomplete`. None of them is a pass.",
    ),
    Reason(
        "SCAN_BUDGET",
        ExitStatus.UNDECIDED,
        "a file is beyond what a scan spends on it",
        "A model this large or deeply nested must be split, or stored in a plain format such as safetensors.",
        "Budgets count bytes, members, levels and operations, never seconds, so the answer is the same everywhere.",
    ),
    Reason(
        "SCAN_SPOOL_FAILED",
        ExitStatus.UNDECIDED,
        "unpacked bytes could not be kept",
        "Free some space in the folder for temporary files, then run again.",
    ),
    Reason(
        "ZIP_MALFORMED",
        ExitStatus.UNDECIDED,
        "a ZIP archive cannot be read",
        "Fetch the file again; it may be cut short.",
    ),
    Reason(
        "TAR_MALFORMED",
        ExitStatus.UNDECIDED,
        "a tar archive cannot be read to its end",
        "Fetch the file again; it may be cut short.",
    ),
    Reason(
        "SEVENZIP_MALFORMED",
        ExitStatus.UNDECIDED,
        "a 7z archive cannot be read",
        "Fetch the file again; it may be cut short.",
    ),
    Reason(
        "RAR_MALFORMED",
        ExitStatus.UNDECIDED,
        "a RAR archive cannot be read to its end",
        "Fetch the file again; it may be cut short.",
    ),
    Reason(
        "PACKED_STREAM_BROKEN",
        ExitStatus.UNDECIDED,
        "a compressed stream is damaged or cut short",
        "Fetch the file again; it may be cut short.",
    ),
    Reason(
        "PACKED_STREAM_TRAILING",
        ExitStatus.UNDECIDED,
        "other bytes follow a compressed stream",
        "Store each stream in a file of its own.",
    ),
    Reason(
        "RULESET_UNREADABLE",
        ExitStatus.UNDECIDED,
        "the scanner's own source cannot be read",
        "Install modelsign as ordinary files; a scan must be able to name the exact rules it used.",
    ),
    Reason(
        "OPINION_UNKNOWN",
        ExitStatus.USAGE,
        "there is no such second opinion",
        "Name one of those that `modelsign scan --help` lists.",
    ),
)
