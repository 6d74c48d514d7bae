"""A second opinion from Trail of Bits' fickling (0.1.12), asked in a process of its own.

fickling decompiles pickles and calls any import from outside the standard library "likely unsafe"; so only what it
calls malicious is an alarm here, anything less a doubt. Its silence counts only where it could read a pickle.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsign.opinions.asking import Scanner, ask_scanner
from modelsign.opinions.opinion import SecondOpinion

if TYPE_CHECKING:
    from modelsign.opinions.opinion import Asked

__all__ = ["OPINION", "ask"]

_RUNNER: Final = str(Path(__file__).with_name("_fickling_runner.py"))
_ALARMS: Final = frozenset({"LIKELY_OVERTLY_MALICIOUS", "OVERTLY_MALICIOUS"})


def ask(folder: str, seconds: float) -> Asked:
    """Ask fickling about the files in a folder; whatever goes wrong is the opinion's status."""
    scanner = Scanner("fickling", _RUNNER, "pip install 'modelsign[fickling]'", _ALARMS)
    return ask_scanner(scanner, folder, seconds)


OPINION = SecondOpinion(
    id="fickling",
    title="fickling",
    description="Trail of Bits' decompiler of pickles: imports, calls and evaluations that it holds for unsafe.",
    distribution="fickling",
    ask=ask,
)
