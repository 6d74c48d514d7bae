"""A second opinion from picklescan (1.0.5), asked in a process of its own.

picklescan lists the names that pickles import and knows some of them as dangerous. It says "no issues" of files that
are no pickles; so its silence counts only for files whose extension it reads, or in which it saw a name.
Names it does not know (its "suspicious") are what ordinary models hold; they are no finding here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsign.opinions.asking import Scanner, ask_scanner
from modelsign.opinions.opinion import SecondOpinion

if TYPE_CHECKING:
    from modelsign.opinions.opinion import Asked

__all__ = ["OPINION", "ask"]

_RUNNER: Final = str(Path(__file__).with_name("_picklescan_runner.py"))


def ask(folder: str, seconds: float) -> Asked:
    """Ask picklescan about the files in a folder; whatever goes wrong is the opinion's status."""
    scanner = Scanner("picklescan", _RUNNER, "pip install 'modelsign[picklescan]'", frozenset({"dangerous"}))
    return ask_scanner(scanner, folder, seconds)


OPINION = SecondOpinion(
    id="picklescan",
    title="picklescan",
    description="The scanner of Hugging Face's hub: known bad names in pickles, also in ZIP archives and NumPy files.",
    distribution="picklescan",
    ask=ask,
)
