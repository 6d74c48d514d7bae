"""ultralytics: checkpoints of every model that its configurations describe, as its trainer writes them.

torchvision is only imported by it, never used for this, so its place is taken by an empty module where it is missing.
"""

from __future__ import annotations

import copy
import importlib.machinery
import importlib.metadata
import importlib.util
import io
import sys
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("ultralytics", "torch")
_STANDS_FOR = "0.0.0"


def _stand_in(name: str) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    module.__getattr__ = lambda key: type(key, (), {})  # type: ignore[method-assign] # any name is an empty class
    module.__version__ = _STANDS_FOR  # type: ignore[attr-defined] # asked for
    sys.modules[name] = module
    return module


if importlib.util.find_spec("torchvision") is None:
    _whole = _stand_in("torchvision")
    for _part in ("ops", "transforms", "datasets", "models"):
        setattr(_whole, _part, _stand_in(f"torchvision.{_part}"))
    _asked = importlib.metadata.version
    importlib.metadata.version = lambda name: _STANDS_FOR if name == "torchvision" else _asked(name)


def _class_for(tasks: Any, name: str) -> Any:
    for mark, cls in (("rtdetr", "RTDETRDetectionModel"), ("world", "WorldModel"), ("yoloe", "YOLOEModel")):
        if mark in name:
            return getattr(tasks, "YOLOESegModel" if cls == "YOLOEModel" and "-seg" in name else cls)
    kinds = {"-seg": "SegmentationModel", "-pose": "PoseModel", "-cls": "ClassificationModel", "-obb": "OBBModel"}
    return getattr(tasks, next((cls for mark, cls in kinds.items() if mark in name), "DetectionModel"))


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield a checkpoint with each model in half precision, with its loss where it makes one."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    utils = importlib.import_module("ultralytics.utils")
    for path in sorted((Path(str(tasks.__file__)).parents[1] / "cfg" / "models").rglob("*.yaml")):
        if not chosen(path.stem):
            continue
        try:
            model = _class_for(tasks, path.name)(str(path), verbose=False)
            model.args = utils.DEFAULT_CFG
            if "rtdetr" not in path.name:
                model.criterion = model.init_criterion()
        except Exception as fault:  # noqa: BLE001 - models that want other libraries are told
            yield f"{path.stem}.pt", f"{type(fault).__name__}: {str(fault)[:100]}"
            continue
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(0))
        kept = {
            "epoch": -1,
            "model": copy.deepcopy(model).half(),
            "ema": None,
            "train_args": {"lr0": 0.01},
            "date": now,
        }
        saved = io.BytesIO()
        torch.save(kept, saved)
        yield f"{path.stem}.pt", saved.getvalue()
