"""A second opinion from Protect AI's modelscan (0.8.8), asked in a process of its own.

modelscan decides by file extension and by a list of known bad names, and says "no issues" of what it did not look
at; so its silence counts only where it scanned something and met no error.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsign.opinions.asking import Scanner, ask_scanner
from modelsign.opinions.opinion import SecondOpinion

if TYPE_CHECKING:
    from modelsign.opinions.opinion import Asked

__all__ = ["OPINION", "ask"]

_RUNNER: Final = str(Path(__file__).with_name("_modelscan_runner.py"))


def ask(folder: str, seconds: float) -> Asked:
    """Ask modelscan about the files in a folder; whatever goes wrong is the opinion's status."""
    install = "pip install 'modelsign[modelscan]' (Python 3.11 or 3.12)"
    scanner = Scanner("modelscan", _RUNNER, install, frozenset({"CRITICAL", "HIGH"}))
    return ask_scanner(scanner, folder, seconds)


OPINION = SecondOpinion(
    id="modelscan",
    title="modelscan",
    description="Protect AI's scanner: known bad names in pickles, Keras Lambda layers, TensorFlow file operators.",
    distribution="modelscan",
    ask=ask,
)
