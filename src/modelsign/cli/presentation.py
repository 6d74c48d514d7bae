"""How a command shows its one document: format, place, colour, how much else is said.

Settles flags, environment and configuration into one value. Never decides anything about a model.
"""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

__all__ = ["ALL_FORMATS", "DATA_FORMATS", "Presentation", "emit", "guess", "wants_colour"]

DATA_FORMATS: Final = ("text", "json", "jsonl", "markdown", "github")
"""What every command can be asked for."""
ALL_FORMATS: Final = (*DATA_FORMATS, "sarif", "junit", "html")
"""The formats of commands whose answer is a list of findings."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """The settled answer to every presentation flag. ``output`` is None for stdout."""

    format: str = "text"
    output: str | None = None
    color: str = "auto"
    quiet: bool = False
    verbose: int = 0
    progress: bool = True
    force: bool = False


def guess(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    command: str = "",
    configured: Mapping[str, object] | None = None,
) -> Presentation:
    """Find the format and place that were meant, where the arguments could not be parsed.

    Flags are stronger than variables, the ``command``'s stronger than the general ones, and these than what is
    ``configured``.
    """
    prefixes = (f"MODELSIGN_{command.upper().replace(' ', '_').replace('-', '_')}", "MODELSIGN")
    found: dict[str, str] = {}
    for flag, otherwise in (("format", "text"), ("output", ""), ("color", "auto")):
        variables = [environ.get(f"{prefix}_{flag.upper()}") for prefix in prefixes]
        found[f"--{flag}"] = next(filter(None, variables), None) or str((configured or {}).get(flag, otherwise))
    words = list(arguments)
    for position, word in enumerate(words):
        if word == "--":
            break
        name, joined, value = word.partition("=")
        if name == "-o":
            name = "--output"
        if name in found:
            found[name] = value if joined else "".join(words[position + 1 : position + 2])
    return Presentation(
        format=found["--format"] if found["--format"] in ALL_FORMATS else "text",
        output=None if found["--output"] in ("", "-") else found["--output"],
        color=found["--color"],
        quiet=bool({"-q", "--quiet"}.intersection(words)),
        verbose=sum(word.count("v") for word in words if word in ("-v", "-vv", "-vvv")) + words.count("--verbose"),
        force="--force" in words,
    )


def wants_colour(choice: str, environ: Mapping[str, str], stream: TextIO | None) -> bool:
    """Say whether to colour: the flag first, then NO_COLOR, FORCE_COLOR, TERM=dumb, then the terminal."""
    if choice in ("always", "never"):
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and stream is not None and stream.isatty()


def emit(document: str, presentation: Presentation, *, to_stderr: bool = False) -> None:
    """Write the one document to stdout or to ``-o FILE``.

    A regular file is written whole or not at all; a device or pipe is written to as it stands.

    Raises:
        ModelsignError: ``OUTPUT_EXISTS`` or ``OUTPUT_UNWRITABLE``.
        BrokenPipeError: whoever read stdout has gone.

    """
    data = document.encode("utf-8", "backslashreplace")
    if presentation.output is None:
        _print(data, sys.stderr if to_stderr else sys.stdout)
        return
    from modelsign import files
    from modelsign.errors import error

    if _is_device(presentation.output):
        try:
            with open(presentation.output, "wb") as stream:  # noqa: PTH123 - never truncates a device
                stream.write(data)
        except OSError as fault:
            raise error("OUTPUT_UNWRITABLE", f"{presentation.output}: {fault.strerror}") from None
        return
    files.write_atomic(presentation.output, data, force=presentation.force)


def _is_device(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a name that may be no path at all
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _print(data: bytes, stream: TextIO | None) -> None:
    if stream is None:
        return
    from modelsign.errors import error

    try:
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as fault:  # ValueError: closed under us
        raise error("OUTPUT_UNWRITABLE", f"standard output: {fault}") from None
