"""Which files of a model a verification was asked to look at, where it was not all of them.

What was not looked at is listed, and the model as a whole is not verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from modelsign.verdict import FileLedger

__all__ = ["Selection", "not_looked_at"]


class Selection:
    """Files chosen by patterns: ``*`` and ``?`` stay within a folder, ``**`` does not."""

    __slots__ = ("_compiled", "patterns")

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compile the patterns.

        Raises:
            ModelsignError: ``USAGE`` for no pattern at all, or one that is too long.

        """
        from modelsign.pattern import glob  # noqa: PLC0415 - most verifications look at everything

        self.patterns = tuple(dict.fromkeys(patterns))
        if not self.patterns:
            raise error("USAGE", "no pattern says which files to verify")
        try:
            self._compiled = tuple(glob(pattern) for pattern in self.patterns)
        except ValueError as fault:
            raise error("USAGE", str(fault)) from None

    def chooses(self, name: str) -> bool:
        """Tell whether a file was asked for."""
        return any(pattern.matches(name) for pattern in self._compiled)

    def check(self, names: Collection[str]) -> None:
        """Refuse a pattern that matches none of the names: it is a slip of the pen, and would check less than asked.

        Raises:
            ModelsignError: ``ONLY_MATCHES_NOTHING``.

        """
        for pattern, compiled in zip(self.patterns, self._compiled, strict=True):
            if not any(compiled.matches(name) for name in names):
                raise error("ONLY_MATCHES_NOTHING", f"no signed file and no file of the model matches {pattern}")


def not_looked_at(ledger: FileLedger) -> str:
    """Say that a part is not the whole, for every form of report."""
    count = len(ledger.unchecked)
    files = "1 file was" if count == 1 else f"{count} files were"
    return f"the model as a whole is not verified: only the files that were asked for; {files} not looked at"
