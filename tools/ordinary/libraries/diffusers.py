"""diffusers: pipelines with tiny models, models in both forms, and every scheduler's configuration.

Left out are whole models kept by torch.save, whose classes nobody has reviewed.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

for _operator in ("nms", "qnms"):
    with contextlib.suppress(RuntimeError, AttributeError):
        torch.library.define(f"torchvision::{_operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
diffusers = __import__("diffusers")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("diffusers", "torch")


def _models() -> dict[str, Any]:
    sizes: dict[str, Any] = {"block_out_channels": (8, 16), "norm_num_groups": 4, "layers_per_block": 1}
    plain = diffusers.UNet2DModel(
        sample_size=8, down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, **sizes
    )
    conditioned = diffusers.UNet2DConditionModel(
        sample_size=8, cross_attention_dim=16, attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **sizes,
    )  # fmt: skip
    encoder = diffusers.AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, latent_channels=4)
    return {"plain": plain, "conditioned": conditioned, "encoder": encoder}


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, Path | str]]:
    """Yield each folder."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        for name in filter(chosen, (one for one in dir(diffusers) if one.endswith("Scheduler"))):
            try:
                getattr(diffusers, name)().save_pretrained(scratch / name)
            except (TypeError, ValueError, ImportError) as fault:
                yield name, f"{type(fault).__name__}: {str(fault)[:100]}"
            else:
                yield name, scratch / name
        models = _models()
        for name, model in models.items():
            for safe in (True, False):
                place = scratch / f"{name}-{'safetensors' if safe else 'bin'}"
                model.save_pretrained(place, safe_serialization=safe)
                yield place.name, place
        averaged = diffusers.training_utils.EMAModel(models["plain"].parameters())
        torch.save(averaged.state_dict(), scratch / "ema.pt")
        yield "ema.pt", scratch / "ema.pt"
        diffusers.DDPMPipeline(models["plain"], diffusers.DDPMScheduler()).save_pretrained(scratch / "pipeline")
        yield "pipeline", scratch / "pipeline"
