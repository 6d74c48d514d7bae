"""Tells whether text is a Python expression that calls something. Parses at most; nothing is compiled or run."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final

from modelsign import limits
from modelsign.scan.python.grammar import is_too_deep, newer_than_known

__all__ = ["calls_something"]

_FORMATTED: Final = re.compile(r"(?i:[ft]r?|rf)['\"]")
"""Strings with fields, whose grammar differs between Pythons."""
_LONGEST: Final = 64 * 1024


def calls_something(text: str) -> bool:
    """Say whether a loader that evaluated ``text`` would call something.

    Text that is too long to tell counts so, and text that not every Python reads alike.
    """
    if "(" not in text:
        return False
    if len(text) > _LONGEST:
        return "__" in text
    if text.count("(") > limits.SOURCE_BRACKETS or (_FORMATTED.search(text) and newer_than_known(text)):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval", feature_version=(3, 11))
    except (SyntaxError, ValueError):
        return False
    except (RecursionError, MemoryError):
        return True
    return is_too_deep(tree) or any(isinstance(node, ast.Call) for node in ast.walk(tree))
