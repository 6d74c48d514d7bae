"""Keras: a model of every layer, as ``.keras``, ``.h5``, weights and JSON; of every optimizer, loss and initializer.

Left out are Lambda, which holds a function, and layers that wrap another framework's models.
"""

from __future__ import annotations

import inspect
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODULES = ("keras",)
_ARGUMENTS: list[dict[str, Any]] = [
    {}, {"units": 3}, {"filters": 2, "kernel_size": 2}, {"pool_size": 2}, {"rate": 0.1}, {"stddev": 0.1},
    {"target_shape": (-1,)}, {"dims": (2, 1)}, {"n": 2}, {"input_dim": 8, "output_dim": 3}, {"kernel_size": 2},
    {"height": 3, "width": 3}, {"num_heads": 1, "key_dim": 2}, {"max_tokens": 10}, {"num_tokens": 5}, {"num_bins": 3},
    {"axes": -1}, {"factor": 0.1}, {"scale": 2.0}, {"padding": 1}, {"cropping": 1}, {"size": 2}, {"groups": 1},
    {"bin_boundaries": [0.0, 1.0]}, {"output_dim": 4}, {"mask_value": 0.0}, {"factor": (0.1, 0.2)},
    {"height_factor": 0.1}, {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1},
]  # fmt: skip
_SHAPES = [(4,), (4, 4), (8, 8, 3), (4, 4, 4, 3), (3, 8, 8, 3)]
_LEFT_OUT = frozenset(
    {
        "Lambda",
        "Layer",
        "Wrapper",
        "InputLayer",
        "InputSpec",
        "TFSMLayer",
        "TorchModuleWrapper",
        "JaxLayer",
        "FlaxLayer",
    }
)
_WRITERS = ("keras", "h5", "weights.h5", "json")
_PARTS = {
    "regularizers": "kernel_regularizer",
    "constraints": "kernel_constraint",
    "initializers": "kernel_initializer",
    "activations": "activation",
}
_NOT_PARTS = frozenset(
    {"Regularizer", "Constraint", "Initializer", "Optimizer", "Loss", "Metric", "serialize", "deserialize", "get"}
)


def _wrapped() -> dict[str, Callable[[], Any]]:
    layers = keras.layers
    return {
        "Bidirectional": lambda: layers.Bidirectional(layers.LSTM(2)),
        "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(2)),
        "RNN": lambda: layers.RNN([layers.LSTMCell(2), layers.GRUCell(2)]),
        "StringLookup": lambda: layers.StringLookup(vocabulary=["a", "b"]),
        "IntegerLookup": lambda: layers.IntegerLookup(vocabulary=[1, 2]),
        "TextVectorization": lambda: layers.TextVectorization(vocabulary=["a", "b"]),
        "Normalization": lambda: layers.Normalization(mean=0.0, variance=1.0),
        "SpectralNormalization": lambda: layers.SpectralNormalization(layers.Dense(3)),
    }


def _with_layer(name: str, cls: Any) -> Any:
    """Return a model of one layer; in words why there is none."""
    makers = [_wrapped()[name]] if name in _wrapped() else [lambda kw=kw: cls(**kw) for kw in _ARGUMENTS]
    why = ""
    for make in makers:
        for shape in _SHAPES:
            for inputs in (1, 2):
                try:
                    entries = [keras.Input(shape) for _ in range(inputs)]
                    return keras.Model(entries, make()(entries if inputs > 1 else entries[0]))
                except Exception as fault:  # noqa: BLE001 - layers refuse shapes with whatever they like; it is told
                    why = f"{type(fault).__name__}: {str(fault)[:100]}"
    return why


def _saved(name: str, model: Any, scratch: Path) -> Iterator[tuple[str, bytes | str]]:
    """Yield a model in every form."""
    if isinstance(model, str):
        yield f"{name}.keras", model
        return
    for suffix in _WRITERS:
        path = scratch / f"{name}.{suffix}"
        try:
            if suffix == "json":
                path.write_text(model.to_json(), encoding="utf-8")
            elif suffix == "weights.h5":
                model.save_weights(str(path))
            else:
                model.save(str(path))
            yield path.name, path.read_bytes()
        except Exception as fault:  # noqa: BLE001 - what a backend cannot write is told
            yield path.name, f"{type(fault).__name__}: {str(fault)[:100]}"


def _compiled(kind: str, made: Any) -> Any:
    words: dict[str, Any] = {"optimizer": "sgd", "loss": "mse"}
    if kind == "metrics":
        words["metrics"] = [made]
    elif kind in {"optimizers", "losses"}:
        words["optimizer" if kind == "optimizers" else "loss"] = made
    inner = {_PARTS[kind]: made} if kind in _PARTS else {}
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, **inner)])
    model.compile(**words)
    return model


def _parts(chosen: Callable[[str], bool]) -> Iterator[tuple[str, Any]]:
    """Yield a model with each optimizer, loss, metric, regularizer, constraint, initializer and activation."""
    for kind in ("optimizers", "losses", "metrics", *_PARTS):
        for name, one in sorted(vars(getattr(keras, kind)).items()):
            if name[0] == "_" or name in _NOT_PARTS or inspect.ismodule(one) or not chosen(f"{kind}-{name}"):
                continue
            try:
                yield f"{kind}-{name}", _compiled(kind, one() if inspect.isclass(one) else one)
            except Exception as fault:  # noqa: BLE001 - those that want arguments are told
                yield f"{kind}-{name}", f"{type(fault).__name__}: {str(fault)[:100]}"


def _whole() -> Iterator[tuple[str, Any]]:
    layers = keras.layers
    entry = keras.Input((8, 8, 3))
    inner = layers.Conv2D(4, 3, padding="same", activation="relu")(entry)
    joined = layers.Add()([inner, layers.BatchNormalization()(inner)])
    residual = keras.Model(entry, layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(joined)))
    residual.compile("adam", "categorical_crossentropy", ["accuracy"])
    yield "residual", residual
    yield "operations", keras.Model(entry, keras.ops.mean(keras.ops.relu(entry * 2 + 1), axis=-1))
    yield "slices", keras.Model(entry, entry[:, 1:3, ..., 0])
    yield "mixed", keras.Sequential([keras.Input((4,)), layers.Dense(2, dtype="mixed_float16")])
    yield "mobile", keras.applications.MobileNetV2(weights=None, classes=3, alpha=0.35)


def files(chosen: Callable[[str], bool]) -> Iterator[tuple[str, bytes | str]]:
    """Yield everything."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, cls in sorted(vars(keras.layers).items()):
            if inspect.isclass(cls) and name not in _LEFT_OUT and chosen(f"layer-{name}"):
                yield from _saved(f"layer-{name}", _with_layer(name, cls), Path(scratch))
        for name, model in _parts(chosen):
            yield from _saved(name, model, Path(scratch))
        for name, model in _whole():
            if chosen(f"model-{name}"):
                yield from _saved(f"model-{name}", model, Path(scratch))
