"""Letters that every supported Python's tables of Unicode know, so that no answer depends on their version.

Python keeps the tables of Unicode 3.2 beside its newest ones, for internationalised names (PEP 3131, RFC 3454).
"""

from __future__ import annotations

from unicodedata import ucd_3_2_0

__all__ = ["is_old", "old_letter"]


def is_old(letter: str) -> bool:
    """Whether a letter was assigned in Unicode 3.2."""
    return ucd_3_2_0.category(letter) != "Cn"


def old_letter(name: str) -> str | None:
    """Return the letter of a name in Unicode 3.2, or None; the look-up itself knows newer names too."""
    try:
        letter = ucd_3_2_0.lookup(name)
    except KeyError:
        return None
    return letter if len(letter) == 1 and is_old(letter) else None
