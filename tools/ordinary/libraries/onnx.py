"""ONNX: the models of its own test data. The ``.pb`` files beside them are single tensors, inputs of tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import onnx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("onnx",)


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Yield every model."""
    root = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for path in sorted(root.rglob("*.onnx")):
        name = "-".join(path.relative_to(root).parts)
        if chosen(name):
            yield name, path.read_bytes()
