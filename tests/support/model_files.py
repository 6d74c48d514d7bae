"""Builds the bytes of model files, good and bad, by hand. Payloads name `os.system("true")` and are never run."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import warnings
import zipfile
import zlib

import archive_files
import caffe_files
import exported_files
import ggmlbytes
import graph_files
import hdf5_files
import keras_files
import mindsporebytes
import ocdbtbytes
import older_files
import ordinary_files
import packed_files
import program_files
import r_files
import skops_files
import streamed_files
import vectorfiles
import xgboostbytes

EVIL = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
"""A pickle that would call os.system("true")."""
EVIL_TEXT = b"cos\nsystem\n(S'true'\ntR."
"""The same in protocol 0, without any mark."""
HARMLESS = b"\x80\x02}X\x01\x00\x00\x00aK\x01s."
"""The pickle of {"a": 1}."""
STATE = (
    b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x03tQK\x00K\x03\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs."
)
"""The pickle of a state dict with one tensor of three numbers in storage 0."""


def safetensors(header: object = None, data: bytes = b"", *, raw: bytes | None = None) -> bytes:
    """A safetensors file; by default one tensor of two numbers."""
    if header is None and raw is None:
        header = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"format": "pt"}}
        data = bytes(8)
    text = json.dumps(header).encode() if raw is None else raw
    return len(text).to_bytes(8, "little") + text + data


def npy(
    descr: object = "<f8",
    shape: object = (3,),
    data: bytes | None = None,
    *,
    version: int = 1,
    header: str | None = None,
) -> bytes:
    """A .npy file; by default three numbers."""
    text = header if header is not None else repr({"descr": descr, "fortran_order": False, "shape": shape})
    raw = text.encode("utf-8" if version == 3 else "latin-1") + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(raw))
    return b"\x93NUMPY" + bytes([version, 0]) + length + raw + (bytes(24) if data is None else data)


def archive(members: dict[str, bytes] | list[tuple[str, bytes]], *, method: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP archive as zipfile writes it; a list may hold a name twice."""
    buffer = io.BytesIO()
    pairs = members.items() if isinstance(members, dict) else members
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as target:
        warnings.simplefilter("ignore")
        for name, data in pairs:
            target.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def pytorch(pickle: bytes = STATE, *, extra: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    """A PyTorch archive with one storage of three numbers."""
    members = {
        "archive/data.pkl": pickle,
        "archive/data/0": bytes(12),
        "archive/version": b"3\n",
        "archive/byteorder": b"little",
    }
    return archive({**members, **(extra or {})}, method=method)


def pytorch_legacy(objects: bytes = STATE) -> bytes:
    """An older PyTorch file with the same state dict."""
    magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
    protocol = b"\x80\x02M\xe9\x03."
    system = b"\x80\x02}(X\x10\x00\x00\x00protocol_versionM\xe9\x03X\x0d\x00\x00\x00little_endian\x88u."
    keys = b"\x80\x02]X\x01\x00\x00\x000a."
    # the older persistent id has a sixth part, None
    objects = objects.replace(b"cpuK\x03tQ", b"cpuK\x03NtQ")
    return magic + protocol + system + objects + keys + (3).to_bytes(8, "little") + bytes(12)


GOOD: dict[str, dict[str, bytes]] = {
    "safetensors": {
        "model.safetensors": safetensors(),
        "empty.safetensors": safetensors({}),
        "scalar.bin": safetensors({"s": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}, bytes(8)),
        "none.safetensors": safetensors({"z": {"dtype": "F16", "shape": [0, 3], "data_offsets": [0, 0]}}),
    },
    "numpy": {
        "a.npy": npy(),
        "two.npy": npy() + npy("|u1", (2,), b"ab"),
        "old.npy": npy(header="{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }"),
        "fields.npy": npy([("x", "<f4"), ("", "|V4"), (("title", "y"), "<i2", (2, 2))], (2,), bytes(32)),
        "a.npz": archive({"a.npy": npy(), "b.npy": npy("<U2", (1,), bytes(8))}),
        "packed.npz": archive({"a.npy": npy("|u1", (100_000,), bytes(100_000))}, method=zipfile.ZIP_DEFLATED),
    },
    "zip": {"a.zip": archive({"README.md": b"hello", "a.npy.json": b"{}"})},
    "json": {"config.json": b'{"model_type": "bert"}', "vocab.json": b'{"lambda": 5, "cells": 6, "class_name": 7}'},
    "text": {"README.md": "# Grüße\n".encode(), "sub/vocab.txt": b"[PAD]\n##s\n"},
    "empty": {"anything.bin": b""},
    "compressed": {
        "config.json.gz": gzip.compress(b"{}"),
        "twice.gz": gzip.compress(gzip.compress(b"[1]")),
        "a.bz2": bz2.compress(b"[1]"),
        "a.xz": lzma.compress(b"[1]"),
        "a.z": zlib.compress(b"[1]"),
        "a.lzma": lzma.compress(b"[1]", format=lzma.FORMAT_ALONE),
        "state.joblib": zlib.compress(HARMLESS),
        "older.joblib": b"ZF0x12".ljust(21) + zlib.compress(HARMLESS),
    },
    "pytorch": {"model.pt": pytorch(), "packed.pt": pytorch(method=zipfile.ZIP_DEFLATED)},
    "pytorch-legacy": {"old.pt": pytorch_legacy()},
    "pickle": {"a.pkl": HARMLESS},
    **graph_files.GOOD,
    **caffe_files.GOOD,
    **exported_files.GOOD,
    **ordinary_files.GOOD,
    **archive_files.GOOD,
    **ggmlbytes.GOOD,
    **mindsporebytes.GOOD,
    **vectorfiles.GOOD,
    **ocdbtbytes.GOOD,
    **program_files.GOOD,
    **packed_files.GOOD,
    "hdf5": {
        "empty.h5": hdf5_files.hdf5(),
        "text.hdf5": hdf5_files.hdf5(hdf5_files.text("note", b"plain text."), hdf5_files.linked("s", 1, b"/x")),
        "behind.h5": hdf5_files.hdf5(user_block=512),
    },
    "msgpack": {"flax_model.msgpack": streamed_files.FLAX, "checkpoint_1": streamed_files.FLAX},
    "ubjson": {"model.ubj": streamed_files.XGBOOST},
    "lightgbm": {"model.txt": streamed_files.LIGHTGBM},
    "catboost": {"model.cbm": older_files.catboost()},
    "xgboost": {"xgb.model": xgboostbytes.model(), "booster.bin": xgboostbytes.snapshot(xgboostbytes.model())},
    "torch7": {
        "model.t7": older_files.torch7_model(),
        "tensor.bin": older_files.Torch7().tensor(),
        "text.t7": older_files.torch7_text(),
    },
    "rdata": {
        "model.rds": r_files.write(r_files.named(r_files.vector(r_files.reals(1), r_files.texts("x")), "a", "b")),
        "data.RData": r_files.write(r_files.pairs(("x", r_files.integers(1))), encoding="A", workspace=True),
    },
    "skops": {"model.skops": skops_files.skops(skops_files.estimator(c=skops_files.text(1)))},
    "keras": {
        "model.keras": keras_files.keras(keras_files.sequential(keras_files.dense())),
        "model.h5": keras_files.old(keras_files.sequential(keras_files.dense())),
        "architecture.json": json.dumps(keras_files.sequential(keras_files.dense())).encode(),
    },
}
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "safetensors": {
        "hole.safetensors": safetensors({"a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}, b"ab")
    },
    "numpy": {"object.npy": npy("|O", (1,), EVIL), "evil.npz": archive({"a.npy": npy("|O", (1,), EVIL)})},
    "zip": {"evil.zip": archive({"inner.dat": EVIL}), "twice.zip": archive([("a.json", b"{}"), ("A.json", b"{}")])},
    "json": {"config.json": b'{"auto_map": {"AutoModel": "modeling_x.X"}}', "broken.json": b"{"},
    "text": {"README.md": b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."},
    "empty": {"empty.py": b""},
    "compressed": {"evil.gz": gzip.compress(EVIL), "cut.gz": gzip.compress(EVIL + bytes(100_000))[:60]},
    "pytorch": {"evil.pt": pytorch(EVIL), "extra.pt": pytorch(extra={"archive/x.dat": EVIL})},
    "pytorch-legacy": {"evil.pt": pytorch_legacy(EVIL)},
    "pickle": {"evil.pkl": EVIL, "evil.dat": EVIL_TEXT},
    **graph_files.BAD,
    **caffe_files.BAD,
    **exported_files.BAD,
    **ordinary_files.BAD,
    **archive_files.BAD,
    **ggmlbytes.BAD,
    **mindsporebytes.BAD,
    **vectorfiles.BAD,
    **ocdbtbytes.BAD,
    **program_files.BAD,
    **packed_files.BAD,
    "hdf5": {
        "link.h5": hdf5_files.hdf5(hdf5_files.external("weights", "/etc/passwd")),
        "pickle.h5": hdf5_files.hdf5(hdf5_files.text("TITLE", EVIL_TEXT)),
    },
    "msgpack": {
        "evil.msgpack": streamed_files.packed({"x": {"nd": True, "kind": "O", "data": EVIL}}),
        "extension.msgpack": streamed_files.packed({"x": (42, b"abc")}),
    },
    "ubjson": {"cut.ubj": streamed_files.XGBOOST[:-3]},
    "lightgbm": {"line.txt": streamed_files.LIGHTGBM + b"import os"},
    "xgboost": {"part.model": b"binf" + xgboostbytes.model(booster=b"mine"), "cut.bin": xgboostbytes.model()[:-3]},
    "catboost": {"part.cbm": older_files.catboost({3: ["mine"]}, b"more")},
    "torch7": {"function.t7": older_files.torch7_function()},
    "rdata": {"promise.rds": r_files.write(r_files.promise(r_files.UNBOUND))},
    "skops": {"evil.skops": skops_files.skops(skops_files.node("FunctionNode", "os", "system"))},
    "keras": {
        "lambda.keras": keras_files.keras(keras_files.sequential(keras_files.thing("Lambda"))),
        "function.h5": keras_files.old(keras_files.sequential(keras_files.function("system", "os"))),
    },
}
"""Files that must not be clean, by the format whose reader finds it."""
