"""timm: a model of each family saved whole and as state, and its checkpoints."""

from __future__ import annotations

import collections
import contextlib
import io
import pickle
from typing import TYPE_CHECKING, Any

import torch
from hollow import hollow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

for _operator in ("nms", "qnms"):
    with contextlib.suppress(RuntimeError, AttributeError):
        torch.library.define(f"torchvision::{_operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
timm = __import__("timm")

MODULES = ("timm", "torch")
_OF_A_FAMILY = 3
"""Models tried of each family."""


def _saved(value: Any) -> bytes | str:
    file = io.BytesIO()
    try:
        torch.save(value, file)
    except (RuntimeError, TypeError, AttributeError, pickle.PicklingError) as fault:
        return f"{type(fault).__name__}: {str(fault)[:100]}"
    return file.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything."""
    families = collections.defaultdict(list)
    for name in timm.list_models():
        families[timm.models.model_entrypoint(name).__module__].append(name)
    for name in filter(chosen, (name for names in families.values() for name in names[:_OF_A_FAMILY])):
        try:
            model = hollow(lambda name=name: timm.create_model(name))
        except Exception as fault:  # noqa: BLE001 - models that look into their weights as they are made are told
            yield f"{name}.pt", f"{type(fault).__name__}: {str(fault)[:100]}"
            continue
        yield f"{name}.pt", _saved(model)
        kept = {"epoch": 3, "arch": name, "state_dict": model.state_dict(), "version": 2, "metric": 81.5}
        yield f"{name}.pth.tar", _saved(kept)
