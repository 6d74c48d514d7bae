"""Published ways around other scanners that work by the container, each rebuilt with an inert payload.

Sources: advisories of picklescan, modelscan and fickling, and CVE entries of the frameworks named.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib

import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

EVIL = model_files.EVIL


def patch(data, at, value):
    changed = bytearray(data)
    struct.pack_into("<H", changed, at, value)
    return bytes(changed)


def central(data):
    return data.index(b"PK\x01\x02")


def tar(name, data, *, mode="w"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as target:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        target.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


TORCH = model_files.pytorch(EVIL)
UNSAFE = {
    "old joblib": ("m.joblib", b"ZF0x5".ljust(21) + zlib.compress(EVIL)),
    "old joblib of Python 2": ("m.joblib", b"ZF0x5L".ljust(21) + b" " + zlib.compress(EVIL)),
    "CVE-2025-1889 payload under another extension": (
        "model.pt",
        model_files.pytorch(extra={"archive/config.p": EVIL}),
    ),
    "CVE-2025-1944 local name differs": ("model.pt", TORCH.replace(b"archive/data.pkl", b"archive/dat_.pkl", 1)),
    "CVE-2025-1945 flag 0x1": ("model.pt", patch(TORCH, 6, 0x1)),
    "CVE-2025-1945 flag 0x20": ("model.pt", patch(TORCH, 6, 0x20)),
    "CVE-2025-1945 flag 0x40 in the directory": ("model.pt", patch(TORCH, central(TORCH) + 8, 0x40)),
    "CVE-2025-10155 pickle named .bin": ("pytorch_model.bin", EVIL),
    "CVE-2025-10155 pickle named .pt": ("model.pt", EVIL),
    "CVE-2025-10156 wrong checksum": (
        "model.pt",
        TORCH.replace(struct.pack("<I", zlib.crc32(EVIL)), b"\xde\xad\xbe\xef"),
    ),
    "upper-case record": ("model.pt", model_files.archive({"archive/DATA.PKL": EVIL, "archive/version": b"3"})),
    "protocol 0 under another name": (
        "model.pt",
        model_files.pytorch(extra={"archive/notes": model_files.EVIL_TEXT}),
    ),
    "nullifAI: broken after the payload": ("model.pkl", EVIL[:-1] + b"\xff\xff"),
    "zip in zip": ("a.zip", model_files.archive({"b.zip": model_files.archive({"c.dat": EVIL})})),
    "pickle in front of an archive": ("model.pt", EVIL + model_files.pytorch()),
    "legacy stream, second pickle": ("model.pt", model_files.pytorch_legacy().replace(b"\x80\x02M\xe9\x03.", EVIL, 1)),
    "legacy stream, objects": ("model.pt", model_files.pytorch_legacy(EVIL)),
    "object array": ("a.npy", model_files.npy("|O", (1,), EVIL)),
    "object array in an archive": ("a.npz", model_files.archive({"x.npy": model_files.npy("|O", (1,), EVIL)})),
    "second array of a file": ("a.npy", model_files.npy() + model_files.npy("|O", (1,), EVIL)),
    "gzip": ("m.pkl.gz", gzip.compress(EVIL)),
    "zlib, as joblib": ("m.joblib", zlib.compress(EVIL)),
    "bz2, as joblib": ("m.joblib", bz2.compress(EVIL)),
    "xz, as joblib": ("m.joblib", lzma.compress(EVIL)),
    "lzma, as joblib": ("m.joblib", lzma.compress(EVIL, format=lzma.FORMAT_ALONE)),
    "gzip without end": ("m.joblib", gzip.compress(EVIL + base64.b64encode(bytes(range(256)) * 400))[:-500]),
    "no extension": ("model", EVIL),
    "upper-case extension": ("MODEL.PKL", EVIL),
    "inert extension": ("vocab.txt", EVIL),
}
NOT_CLEAN = {
    "7z": ("model.pt", b"7z\xbc\xaf\x27\x1c" + bytes(50)),
    "tar, as legacy PyTorch": ("model.pt", tar("pickle", EVIL)),
    "gzipped tar": ("model.tar.gz", tar("pickle", EVIL, mode="w:gz")),
    "encrypted in the directory": ("model.pt", patch(patch(TORCH, 6, 1), central(TORCH) + 8, 1)),
    "CVE-2025-1550 Keras archive": (
        "m.keras",
        model_files.archive(
            {
                "config.json": json.dumps({"module": "os", "class_name": "function", "config": "system"}).encode(),
                "metadata.json": b"{}",
            }
        ),
    ),
    "CVE-2024-3660 Keras JSON": ("model.json", b'{"class_name": "Lambda", "config": {}}'),
    "CVE-2025-9905 HDF5": ("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "CVE-2025-54412 skops": (
        "m.skops",
        model_files.archive({"schema.json": json.dumps({"__loader__": "FunctionNode"}).encode()}),
    ),
    "CVE-2024-34359 chat template": ("tokenizer_config.json", b'{"chat_template": "{{ x.__class__ }}"}'),
    "CVE-2024-34359 GGUF": ("m.gguf", b"GGUF\x03\0\0\0" + bytes(100)),
    "NeMo and Hydra": ("config.json", b'{"optim": {"_target_": "os.system"}}'),
    "remote code": ("config.json", b'{"auto_map": {"AutoModel": "modeling_x.X"}}'),
    "remote code itself": ("modeling_x.py", b"import os\nos.system('true')\n"),
    "remote code that is also JSON": ("modeling_x.py", b"{}"),
    "CVE-2025-32434 TorchScript": (
        "m.pt",
        model_files.pytorch(extra={"archive/code/__torch__/m.py": b"torch.save(x, 'authorized_keys')"}),
    ),
    "TorchServe": ("m.mar", model_files.archive({"MAR-INF/MANIFEST.json": b"{}", "handler.py": b"pass"})),
    "ONNX": ("m.onnx", b"\x08\x07\x12\x04test"),
    "TensorFlow": ("saved_model.pb", b"\x08\x01\x12\x04test"),
    "jsonpickle": ("m.json", b'{"py/reduce": [{"py/type": "os.system"}, ["true"]]}'),
    "notebook": ("n.ipynb", b'{"cells": []}'),
    "broken zstd": ("m.pkl.zst", b"\x28\xb5\x2f\xfd" + bytes(20)),
    "broken lz4": ("m.joblib", b"\x04\x22\x4d\x18" + bytes(20)),
    "R": ("m.rds", b"RDX3\n" + bytes(20)),
    "empty module": ("__init__.py", b""),
    "zip that is cut short": ("m.pt", TORCH[:-40]),
    "two archives in a row": ("m.zip", model_files.archive({"a.json": b"{}"}) + model_files.archive({"b.json": b"{}"})),
    "zipped Python": ("m.zip", model_files.archive({"setup.py": b"pass"}, method=zipfile.ZIP_DEFLATED)),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_the_payload_is_found(case):
    name, data = UNSAFE[case]
    result = scan_file(BytesReading(data), name)
    assert result.outcome == "unsafe"
    assert any(finding.rule.startswith("pickle-") for finding in result.findings)


@pytest.mark.parametrize("case", NOT_CLEAN)
def test_it_is_never_clean(case):
    name, data = NOT_CLEAN[case]
    result = scan_file(BytesReading(data), name)
    assert result.outcome != "clean"
    assert result.loadable
    assert result.findings
