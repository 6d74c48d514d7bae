"""TensorFlow: small models as SavedModel, checkpoint, Keras' forms and TensorFlow Lite, as its own writers do."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("tensorflow",)


def _models() -> dict[str, Any]:
    keras = tf.keras
    return {
        "dense": keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)]),
        "images": keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Conv2D(2, 3),
                keras.layers.BatchNormalization(),
                keras.layers.Flatten(),
            ]
        ),
        "sequences": keras.Sequential([keras.Input((3, 4)), keras.layers.LSTM(4), keras.layers.Dense(1)]),
        "words": keras.Sequential([keras.Input((3,)), keras.layers.Embedding(8, 4), keras.layers.GlobalMaxPool1D()]),
    }


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | Path | str]]:
    """Yield each model in each form."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, model in _models().items():
            if not chosen(name):
                continue
            model.compile("adam", "mse")
            model.fit(np.ones((2, *model.input_shape[1:])), np.ones((2, model.output_shape[-1])), verbose=0)
            tf.saved_model.save(model, f"{scratch}/{name}-saved")
            yield f"{name}-saved", Path(scratch) / f"{name}-saved"
            folder = Path(scratch) / f"{name}-checkpoint"
            tf.train.Checkpoint(model=model).save(str(folder / "ckpt"))
            yield f"{name}-checkpoint", folder
            for suffix in ("keras", "h5"):
                model.save(f"{scratch}/{name}.{suffix}")
                yield f"{name}.{suffix}", (Path(scratch) / f"{name}.{suffix}").read_bytes()
            for form, optimizations in (("plain", []), ("small", [tf.lite.Optimize.DEFAULT])):
                converter = tf.lite.TFLiteConverter.from_keras_model(model)
                converter.optimizations = optimizations
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
                try:
                    yield f"{name}-{form}.tflite", converter.convert()
                except Exception as fault:  # noqa: BLE001 - what the converter cannot write is told
                    yield f"{name}-{form}.tflite", f"{type(fault).__name__}: {str(fault)[:100]}"
