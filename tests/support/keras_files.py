"""Builds Keras models by hand: configurations, archives and older HDF5 files. Bytecode in them is no bytecode."""

from __future__ import annotations

import io
import json
import zipfile

import hdf5_files

BYTECODE = "4wEAAAAAAAAAAAAAAAEAAAB0cnVl\n"
"""Base64 where marshalled bytecode would stand."""


def thing(name: str, config: object = None, module: str | None = "keras.layers", **more: object) -> dict[str, object]:
    """A serialised object."""
    given = {} if config is None else config
    return {"module": module, "class_name": name, "config": given, "registered_name": None} | more


def function(name: object, module: str = "builtins") -> dict[str, object]:
    """A serialised function."""
    return thing("function", name, module, registered_name="function")


def sequential(*layers: object, **more: object) -> dict[str, object]:
    """The configuration of a model of these layers."""
    first = thing("InputLayer", {"batch_shape": [None, 4], "dtype": "float32", "name": "input"})
    return thing("Sequential", {"name": "model", "layers": [first, *layers]}, "keras") | more


def dense(**config: object) -> dict[str, object]:
    """A dense layer as Keras 3 writes it."""
    policy = thing("DTypePolicy", {"name": "float32"}, "keras")
    start = thing("GlorotUniform", {"seed": None}, "keras.initializers")
    return thing("Dense", {"units": 3, "activation": "relu", "dtype": policy, "kernel_initializer": start} | config)


def keras(config: object, members: dict[str, bytes] | None = None) -> bytes:
    """A .keras archive."""
    buffer = io.BytesIO()
    files = {
        "metadata.json": b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}',
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": hdf5_files.hdf5(),
    } | (members or {})
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            target.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def old(config: object, training: object = None) -> bytes:
    """An older .h5 file with the configuration in attributes."""
    texts = [hdf5_files.text("model_config", json.dumps(config).encode())]
    if training is not None:
        texts.append(hdf5_files.text("training_config", json.dumps(training).encode()))
    return hdf5_files.hdf5(*texts)
