"""What of the family is not called unsafe, argued one by one. Whatever else is not unsafe is a miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recall.family import Case

NAMES: dict[str, tuple[str, ...]] = {
    "No module holds this name: the import fails, and loading ends there. fickling refuses the module's name whole.": (
        "__builtin__.anything", "compile.anything", "eval.anything", "exec.anything",
    ),
    "Compares texts and nothing else. fickling refuses the module whole.": tuple(
        f"difflib.{name}"
        for name in (
            "Differ", "HtmlDiff", "IS_CHARACTER_JUNK", "IS_LINE_JUNK", "SequenceMatcher", "_calculate_ratio",
            "_check_types", "_format_range_context", "_format_range_unified", "_keep_original_ws", "_mdiff",
            "context_diff", "diff_bytes", "get_close_matches", "ndiff", "restore", "unified_diff",
        )
    ),
    "Takes part in logging and opens nothing: loggers, their levels and formats stand in models of every kind. "
    "fickling refuses the module whole; what of it opens files, connects or configures is unsafe.": tuple(
        f"logging.{name}"
        for name in (
            "BufferingFormatter", "Filter", "Filterer", "Formatter", "Handler", "LogRecord", "Logger", "LoggerAdapter",
            "Manager", "NullHandler", "PercentStyle", "PlaceHolder", "RootLogger", "StrFormatStyle", "StreamHandler",
            "StringTemplateStyle", "getLevelName", "getLogger",
        )
    ),
    "Counts, times or writes a line of text. fickling refuses joblib whole, its array wrappers too.": (
        "joblib.Logger", "joblib.PrintTime", "joblib.cpu_count", "joblib.effective_n_jobs", "joblib.hash",
    ),
    "Made here with a plain name, and kept: ordinary models hold such getters. What calls one is unsafe, and so is one "
    "that reaches for an attribute with underscores.": (
        "_operator.attrgetter", "_operator.itemgetter", "operator.attrgetter", "operator.itemgetter",
    ),
}  # fmt: skip
"""By reason: names that are unverified (or broken off) where they are called with a text, never clean."""

NOT_REACHED = (
    "Between the wrapper and the call stand joblib's numbers. PyTorch's unpickler takes them for opcodes and breaks "
    "off before the call; joblib opens no PyTorch file."
)
"""Why ``after_joblib_array`` is only incomplete inside of PyTorch's files."""
_OF_PYTORCH = ("PyTorch", "TorchServe", "NeMo")


def reason_for(case: Case, outcome: str) -> str | None:
    """Why a case may have an outcome that is not unsafe; None if nothing was argued."""
    if outcome == "clean":
        return None
    if not case.calls:
        return "only stored, handed on, or left to the loader"
    if case.route.__name__ == "after_joblib_array" and case.container.startswith(_OF_PYTORCH):
        return NOT_REACHED
    return next((reason for reason, names in NAMES.items() if case.gadget.path in names), None)
