"""The names of formats that a rule can mean: what the scan of this version calls files.

A name nobody knows is refused when the policy is read. As a denial it would deny nothing, and as an allowance it would
show only once a model is denied.
"""

from __future__ import annotations

import functools
from typing import Final

from modelsign.policy.rule import INERT
from modelsign.scan.formats import _index
from modelsign.scan.tables import table

__all__ = ["known_formats"]

_UNNAMED: Final = ("unknown", "text", "pe", "hdf5")
"""What the scan calls a file by its first bytes alone."""


@functools.cache
def known_formats() -> frozenset[str]:
    """Return every name a file's format can have, and ``inert``."""
    marks = table("marks")
    return frozenset({INERT, *_UNNAMED, *_index.IDS, *(row["id"] for row in (*marks["content"], *marks["names"]))})
