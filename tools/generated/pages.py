"""Being built."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def files(root: Path) -> dict[Path, str]:
    """Nothing yet."""
    del root
    return {}
