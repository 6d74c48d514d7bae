"""Builders shared by the tests of the guard."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from modelsign.guard.loader import Judged, LoadOptions
from modelsign.verdict import FileScan, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Judged]:
    """Return a maker of judged files: bytes, a name, and the names the scan is said to have accepted."""

    def make(data: bytes, name: str = "model.bin", *, accepted: tuple[str, ...] = (), **options: object) -> Judged:
        path = tmp_path / name
        path.write_bytes(data)
        return Judged(
            name=name,
            path=str(path),
            scan=FileScan(name, hashlib.sha256(data).hexdigest(), len(data), "pickle", Outcome.CLEAN, globals=accepted),
            descriptor=lambda: os.open(path, os.O_RDONLY | os.O_CLOEXEC),
            options=LoadOptions(**options),
        )

    return make


@pytest.fixture
def payload() -> bytes:
    """Return a pickle that would run a (harmless) command if anything ever unpickled it."""
    return b"cos\nsystem\n(S'true'\ntR."
