"""Keras: configurations that name code, files or addresses, and HDF5 files that lead elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hdf5_files
import keras_files
from keras_files import dense, function, sequential, thing

from attacks.attack import Attack

if TYPE_CHECKING:
    from collections.abc import Callable

    from attacks.attack import File

_LAMBDA = thing(
    "Lambda",
    {
        "function": {
            "class_name": "__lambda__",
            "config": {"code": keras_files.BYTECODE, "defaults": None, "closure": None},
        }
    },
)


def _archive(config: object) -> Callable[[], File]:
    return lambda: ("model.keras", keras_files.keras(config))


def _file(config: object) -> Callable[[], File]:
    return lambda: ("model.h5", keras_files.old(config))


ATTACKS: tuple[Attack, ...] = (
    Attack(
        "CVE-2021-37678",
        "a model as YAML makes objects of any class",
        lambda: ("model.yaml", b"!!python/object/apply:os.system ['true']\n"),
        "yaml-object",
    ),
    Attack("CVE-2024-3660", "a Lambda layer holds marshalled bytecode", _file(sequential(_LAMBDA)), "keras-lambda"),
    Attack(
        "protectai/modelscan#343",
        "a Lambda layer inside of another layer, where a scanner looks at the top alone",
        _archive(sequential(thing("TimeDistributed", {"layer": _LAMBDA}))),
        "keras-lambda",
        also=("protectai/modelscan#358",),
    ),
    Attack(
        "CVE-2025-1550",
        "a configuration names any function of any module",
        _archive(sequential(dense(activation=function("system", "os")))),
        "keras-function",
    ),
    Attack(
        "CVE-2025-8747",
        "the functions of Keras itself do: get_file downloads and unpacks",
        _archive(sequential(dense(activation=function("get_file", "keras.utils")))),
        "keras-function",
    ),
    Attack(
        "CVE-2025-9905",
        "an .h5 file ignores safe_mode",
        _file(sequential(_LAMBDA)),
        "keras-lambda",
    ),
    Attack(
        "CVE-2025-9906",
        "a configuration calls the switch that turns safe_mode off",
        _archive(sequential(dense(activation=function("enable_unsafe_deserialization", "keras.config")))),
        "keras-function",
    ),
    Attack(
        "CVE-2025-49655",
        "TorchModuleWrapper unpickles what stands in its configuration",
        _archive(sequential(thing("TorchModuleWrapper", {"module": "YQ=="}))),
        "keras-loading-layer",
    ),
    Attack(
        "CVE-2025-12058",
        "a vocabulary is a path or an address",
        _archive(sequential(thing("StringLookup", {"vocabulary": "/etc/passwd"}))),
        "keras-vocabulary-path",
    ),
    Attack(
        "CVE-2026-1462",
        "TFSMLayer loads a SavedModel from wherever the configuration says",
        _archive(sequential(thing("TFSMLayer", {"filepath": "/tmp/x"}))),
        "keras-loading-layer",
        also=("GHSA-4f3f-g24h-fr8m",),
    ),
    Attack(
        "CVE-2026-1669",
        "an HDF5 file reads its numbers from another file",
        lambda: ("model.weights.h5", hdf5_files.hdf5(hdf5_files.external("w", "/etc/passwd"))),
        "hdf5-external-file",
    ),
    Attack(
        "CVE-2026-12481",
        "safe_mode is null, and null counts as false",
        _archive(sequential(dense(safe_mode=None))),
        "keras-safe-mode",
    ),
)
