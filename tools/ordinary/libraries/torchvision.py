"""torchvision: every model saved whole, as state and scripted; its transforms.

Its native operators are not needed for this, and where they are missing their schemas are enough to import it.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import re
from typing import TYPE_CHECKING, Any

import torch
from hollow import hollow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

for _operator in ("nms", "qnms"):
    with contextlib.suppress(RuntimeError, AttributeError):
        torch.library.define(f"torchvision::{_operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
torchvision = __import__("torchvision")

MODULES = ("torchvision", "torch")
_LARGE = re.compile(r"regnet_[xy]_(?!400mf)|vit_[lh]")
"""Of these one is made that is smaller and the same in kind."""


def _saved(value: Any) -> bytes | str:
    file = io.BytesIO()
    try:
        torch.save(value, file)
    except (RuntimeError, TypeError, AttributeError, pickle.PicklingError) as fault:
        return f"{type(fault).__name__}: {str(fault)[:100]}"
    return file.getvalue()


def _transforms() -> dict[str, Any]:
    kinds = torchvision.transforms
    return {
        "classification": kinds.Compose([
            kinds.Resize(8), kinds.CenterCrop(4), kinds.ToTensor(), kinds.Normalize([0.5] * 3, [0.5] * 3),
        ]),
        "training": kinds.Compose([
            kinds.RandomResizedCrop(4), kinds.RandomHorizontalFlip(), kinds.ColorJitter(0.1), kinds.RandomErasing(),
            kinds.RandomApply([kinds.GaussianBlur(3)]), kinds.AutoAugment(), kinds.RandomAffine(3),
        ]),
    }  # fmt: skip


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything."""
    listed = getattr(torchvision.models, "list_models", None)
    names = listed() if listed else [name for name, one in vars(torchvision.models).items() if callable(one)]
    for name in filter(chosen, (name for name in names if not _LARGE.match(name))):
        find = getattr(torchvision.models, "get_model", None)

        def make(name: str = name, find: Any = find) -> Any:
            more = {} if name.startswith("quantized") else {"weights": None}
            if any(part in name for part in ("rcnn", "retinanet", "fcos", "ssd", "fcn", "deeplab", "lraspp")):
                more["weights_backbone"] = None
            return find(name, **more) if find else getattr(torchvision.models, name)()

        try:
            model = hollow(make)
        except Exception as fault:  # noqa: BLE001 - models that look into their weights as they are made are told
            yield f"{name}.pt", f"{type(fault).__name__}: {str(fault)[:100]}"
            continue
        yield f"{name}.pt", _saved(model)
        yield f"{name}.state.pth", _saved(model.state_dict())
    for name, made in _transforms().items():
        if chosen(name):
            yield f"transforms-{name}.pt", _saved(made)
            yield f"transforms-{name}.pkl", pickle.dumps(made)
