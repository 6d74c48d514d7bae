"""Tells whether text is a Python expression that calls something. Parses at most; nothing is compiled or run."""

from __future__ import annotations

import ast
import warnings
from typing import Final

__all__ = ["calls_something"]

_LONGEST: Final = 64 * 1024


def calls_something(text: str) -> bool:
    """Say whether a loader that evaluated ``text`` would call something; text that is too long to tell counts so."""
    if "(" not in text:
        return False
    if len(text) > _LONGEST:
        return "__" in text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return False
    except (RecursionError, MemoryError):
        return True
    return any(isinstance(node, ast.Call) for node in ast.walk(tree))
