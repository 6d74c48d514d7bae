"""The files that carry a pickle: each takes one and returns a file's name and bytes. Nothing here is ever loaded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

import archive_files
import keras_files
import model_files
import packed_files
import picklebytes as p

if TYPE_CHECKING:
    from collections.abc import Callable

File = tuple[str, bytes]


def _marked(data: bytes, at: int, flag: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<H", changed, at, flag)
    return bytes(changed)


def _wrapped(data: bytes) -> bytes:
    """A pickle as joblib wraps one behind an array of numbers of its own."""
    return model_files.npy("|O", (1,), data)


CONTAINERS: dict[str, Callable[[bytes], File]] = {
    "bare": lambda data: ("model.pkl", data),
    "bare without an extension": lambda data: ("model", data),
    "bare named as weights": lambda data: ("pytorch_model.bin", data),
    "bare named as text": lambda data: ("README.md", data),
    "bare named as tensors": lambda data: ("model.safetensors", data),
    "gzip": lambda data: ("model.pkl.gz", gzip.compress(data, 1, mtime=0)),
    "gzip in gzip": lambda data: ("model.gz", gzip.compress(gzip.compress(data, 1, mtime=0), 1, mtime=0)),
    "gzip in two members": lambda data: (
        "model.joblib",
        gzip.compress(data[:7], 1, mtime=0) + gzip.compress(data[7:], 1, mtime=0),
    ),
    "gzip, cut short": lambda data: ("model.joblib", gzip.compress(data + bytes(range(256)) * 8, 0, mtime=0)[:-200]),
    "zlib, as joblib": lambda data: ("model.joblib", zlib.compress(data, 1)),
    "zlib without compression": lambda data: ("model.joblib", zlib.compress(data, 0)),
    "bz2, as joblib": lambda data: ("model.joblib", bz2.compress(data, 1)),
    "xz, as joblib": lambda data: ("model.joblib", lzma.compress(data, preset=0)),
    "lzma, as joblib": lambda data: ("model.joblib", lzma.compress(data, format=lzma.FORMAT_ALONE, preset=0)),
    "old joblib": lambda data: ("model.joblib", b"ZF" + f"{len(data):#x}".ljust(19).encode() + zlib.compress(data, 1)),
    "PyTorch": lambda data: ("model.pt", model_files.pytorch(data)),
    "PyTorch, compressed": lambda data: ("model.bin", model_files.pytorch(data, method=zipfile.ZIP_DEFLATED)),
    "PyTorch, another member": lambda data: ("model.pt", model_files.pytorch(extra={"archive/notes.md": data})),
    "PyTorch, constants": lambda data: ("model.pt", model_files.pytorch(extra={"archive/constants.pkl": data})),
    "PyTorch, upper case": lambda data: (
        "model.pt",
        model_files.archive({"archive/DATA.PKL": data, "archive/version": b"3\n"}),
    ),
    "PyTorch, twice": lambda data: (
        "model.pt",
        model_files.archive(
            [("archive/data.pkl", model_files.STATE), ("archive/data.pkl", data), ("archive/version", b"3\n")]
        ),
    ),
    "PyTorch, local name differs": lambda data: (
        "model.pt",
        model_files.pytorch(data).replace(b"archive/data.pkl", b"archive/dat_.pkl", 1),
    ),
    "PyTorch, wrong checksum": lambda data: (
        "model.pt",
        model_files.pytorch(data).replace(struct.pack("<I", zlib.crc32(data)), b"\xde\xad\xbe\xef"),
    ),
    "PyTorch, flagged as encrypted": lambda data: ("model.pt", _marked(model_files.pytorch(data), 6, 1)),
    "PyTorch, legacy stream": lambda data: ("model.pt", model_files.pytorch_legacy(data)),
    "PyTorch, legacy stream, second pickle": lambda data: (
        "model.pt",
        model_files.pytorch_legacy().replace(b"\x80\x02M\xe9\x03.", data, 1),
    ),
    "PyTorch, oldest tar": lambda data: ("model.pt", packed_files.pytorch_tar(data)),
    "PyTorch, oldest tar, storages": lambda data: ("model.pt", packed_files.pytorch_tar(storages=data)),
    "NumPy": lambda data: ("array.npy", model_files.npy("|O", (1,), data)),
    "NumPy, a field": lambda data: ("array.npy", model_files.npy([("a", "<f8"), ("b", "|O")], (1,), data)),
    "NumPy, second array": lambda data: ("array.npy", model_files.npy() + _wrapped(data)),
    "NumPy archive": lambda data: ("arrays.npz", model_files.archive({"x.npy": _wrapped(data)})),
    "NumPy archive, compressed": lambda data: (
        "arrays.npz",
        model_files.archive({"x.npy": _wrapped(data)}, method=zipfile.ZIP_DEFLATED),
    ),
    "ZIP": lambda data: ("a.zip", model_files.archive({"notes.txt": data})),
    "ZIP, bzip2": lambda data: ("a.zip", model_files.archive({"x": data}, method=zipfile.ZIP_BZIP2)),
    "ZIP in ZIP": lambda data: ("a.zip", model_files.archive({"b.zip": model_files.archive({"c.dat": data})})),
    "ZIP behind a pickle": lambda data: ("model.pt", data + model_files.pytorch()),
    "7z": lambda data: ("model.pt", archive_files.sevenzip(archive_files.Entry("model.pkl", data))),
    "RAR": lambda data: ("model.bin", archive_files.rar5(archive_files.Entry("model", data))),
    "tar": lambda data: ("a.tar", packed_files.tar(("model.dat", data))),
    "tar.gz": lambda data: ("a.tar.gz", gzip.compress(packed_files.tar(("model.dat", data)), 1, mtime=0)),
    "tar in ZIP": lambda data: ("a.zip", model_files.archive({"a.tar": packed_files.tar(("x", data))})),
    "NeMo": lambda data: (
        "model.nemo",
        packed_files.tar(("model_config.yaml", b"a: 1\n"), ("model_weights.ckpt", model_files.pytorch(data))),
    ),
    "Keras, an asset": lambda data: (
        "model.keras",
        keras_files.keras(keras_files.sequential(keras_files.dense()), {"assets/x.pkl": data}),
    ),
    "TorchServe": lambda data: ("model.mar", packed_files.served(extra={"model.pt": model_files.pytorch(data)})),
    "PyTorch in gzip in tar": lambda data: (
        "a.tar",
        packed_files.tar(("x.gz", gzip.compress(model_files.pytorch(data), 1, mtime=0))),
    ),
    "joblib in tar of Python's own": lambda data: ("a.tar", _tar_of_python(zlib.compress(data, 1))),
    "behind another pickle": lambda data: ("model.pkl", p.PROTO4 + b"}." + data),
}
"""By name; several of them break the outer format on purpose, as published bypasses do."""


def _tar_of_python(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as target:
        entry = tarfile.TarInfo("model.joblib")
        entry.size = len(data)
        target.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
