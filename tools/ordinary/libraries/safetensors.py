"""safetensors: every type of NumPy and PyTorch that it writes, shared weights, empty and many tensors."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("safetensors", "torch")


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything."""
    for code in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]:
        tensors = {"a": np.ones((2, 3), code), "empty": np.ones((0, 2), code), "scalar": np.array(1, code)}
        if chosen(code):
            yield f"numpy-{np.dtype(code).name}.safetensors", safetensors.numpy.save(tensors, {"format": "np"})
    for name, kind in sorted(vars(torch).items()):
        if isinstance(kind, torch.dtype) and chosen(name):
            try:
                made = safetensors.torch.save({"w": torch.zeros(8).to(kind)}, {"format": "pt", "note": "ü"})
            except (KeyError, RuntimeError, TypeError, NotImplementedError, ValueError) as fault:
                yield f"torch-{name}.safetensors", f"{type(fault).__name__}: {fault}"
            else:
                yield f"torch-{name}.safetensors", made
    yield "none.safetensors", safetensors.torch.save({})
    yield "many.safetensors", safetensors.torch.save({f"l.{i}.weight": torch.ones(i + 1, 3) for i in range(200)})
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.safetensors"
        layer = torch.nn.Linear(3, 3)
        safetensors.torch.save_model(torch.nn.Sequential(layer, layer), str(path))
        yield "shared.safetensors", path.read_bytes()
