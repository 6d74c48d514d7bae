"""Colour for text, applied only where the caller says so (ECMA-48 SGR)."""

from __future__ import annotations

from typing import Final

__all__ = ["Style"]

_CODES: Final = {"good": "32", "bad": "31", "doubt": "33", "quiet": "2", "strong": "1"}
_TONES: Final = {
    **dict.fromkeys(("ALLOW", "VERIFIED", "PASS", "clean"), "good"),
    **dict.fromkeys(("DENY", "REFUSED", "FAIL", "unsafe", "critical", "high"), "bad"),
    **dict.fromkeys(("UNDECIDED", "INDETERMINATE", "WAIVED", "PARTIAL", "medium"), "doubt"),
    **dict.fromkeys(("incomplete", "unsupported", "unverified"), "doubt"),
}


class Style:
    """Paints words, or leaves them as they are."""

    def __init__(self, *, colour: bool) -> None:
        """Say whether to paint at all."""
        self._colour = colour

    def paint(self, text: str, tone: str) -> str:
        """Paint in a tone: good, bad, doubt, quiet, strong."""
        return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if self._colour and tone in _CODES else text

    def verdict(self, word: str, *, width: int = 0) -> str:
        """Paint a verdict or outcome in the tone it has everywhere."""
        return self.paint(f"{word:<{width}}", _TONES.get(word, "strong"))
