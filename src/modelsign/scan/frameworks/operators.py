"""Operators of computation graphs: which are known to compute and nothing else, and what the dangerous ones can do.

The tables are data (``knowledge/operators``): allow-lists generated from the registries of the libraries, and the
operators that reach outside the graph, each with what it can do. What is in neither is not known.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from modelsign.scan.tables import table

__all__ = ["Danger", "dangerous", "known"]


class Danger(NamedTuple):
    """What an operator can do beyond computing. ``certain`` is False where it depends on how it is used."""

    capability: str
    certain: bool


@functools.cache
def known(library: str) -> frozenset[tuple[str, str]]:
    """Return the operators of a library that only compute, as pairs of domain and name."""
    groups = table(f"operators/{library}")["groups"]
    return frozenset((group["domain"], name) for group in groups for name in group["names"])


@functools.cache
def dangerous(library: str) -> dict[str, Danger]:
    """Return the operators of a library, by name in lower case, that run code or reach files and networks."""
    rows = table("operators/dangerous")[library]
    return {
        name.casefold(): Danger(row["capability"], row["outcome"] == "unsafe") for row in rows for name in row["names"]
    }
