"""PyTorch Lightning: checkpoints with hyperparameters and states of callbacks, and the folders of its loggers."""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytorch_lightning as lightning
import torch
from pytorch_lightning import callbacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("pytorch_lightning", "torch")


class _Model(lightning.LightningModule):
    def __init__(self, lr: float = 0.1, settings: Any = None, sizes: Any = (1, 2)) -> None:  # noqa: ARG002 - they are kept by the next call
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(2, 2)

    def training_step(self, batch: Any, _: int) -> Any:
        loss = self.layer(batch[0]).sum()
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("val", self.layer(batch[0]).sum())

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters())
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "monitor": "loss"}}


def _kinds(scratch: Path) -> dict[str, tuple[Any, list[Any]]]:
    return {
        "plain": (None, []),
        "namespace": (argparse.Namespace(a=1, b=[1, 2]), []),
        "dicts": ({"x": {"y": [1, None]}}, []),
        "averaged": (None, [callbacks.StochasticWeightAveraging(1e-2)]),
        "monitored": (
            None,
            [
                callbacks.EarlyStopping("val"),
                callbacks.ModelCheckpoint(dirpath=str(scratch / "monitored"), monitor="val", save_last=True),
                callbacks.LearningRateMonitor(),
                callbacks.Timer(),
            ],
        ),
    }


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, Path | str]]:
    """Yield each checkpoint, and what the loggers wrote."""
    logging.disable(logging.WARNING)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(8, 2)), batch_size=2)
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        for name, (settings, used) in _kinds(scratch).items():
            if not chosen(name):
                continue
            trainer = lightning.Trainer(
                max_epochs=3, accelerator="cpu", default_root_dir=str(scratch / f"root-{name}"), callbacks=used,
                enable_progress_bar=False, enable_model_summary=False,
            )  # fmt: skip
            trainer.fit(_Model(settings=settings), data, data)
            for weights in (False, True):
                path = scratch / f"{name}-{'weights' if weights else 'whole'}.ckpt"
                trainer.save_checkpoint(str(path), weights_only=weights)
                yield path.name, path
            yield f"root-{name}", scratch / f"root-{name}"
        if (scratch / "monitored").exists():
            yield "monitored", scratch / "monitored"
