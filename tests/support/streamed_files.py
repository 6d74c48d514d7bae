"""Builds MessagePack, UBJSON and LightGBM files by hand."""

from __future__ import annotations

import struct

LIGHTGBM = (
    b"tree\nversion=v4\nnum_class=1\nmax_feature_idx=1\nfeature_names=a b\ntree_sizes=120\n\n"
    b"Tree=0\nnum_leaves=2\nsplit_feature=0\nthreshold=0.5\nleaf_value=0.1 -0.2\nshrinkage=0.1\n\n\nend of trees\n\n"
    b"feature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\n[num_iterations: 1]\n\nend of parameters\n\n"
    b'pandas_categorical:[["x", "y"]]\n'
)


def packed(value: object) -> bytes:
    """A value in MessagePack; a pair of a number and bytes is an extension value."""
    if isinstance(value, dict):
        inside = b"".join(packed(key) + packed(item) for key, item in value.items())
        return (bytes([0x80 | len(value)]) if len(value) < 16 else b"\xdf" + struct.pack(">I", len(value))) + inside
    if isinstance(value, list):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(packed, value))
    if isinstance(value, tuple):
        return b"\xc9" + struct.pack(">Ib", len(value[1]), value[0]) + value[1]
    if isinstance(value, str | bytes):
        raw = value if isinstance(value, bytes) else value.encode()
        short = isinstance(value, str) and len(raw) < 32
        mark = b"\xc6" if isinstance(value, bytes) else b"\xdb"
        return (bytes([0xA0 | len(raw)]) if short else mark + struct.pack(">I", len(raw))) + raw
    return _packed_plain(value)


def _packed_plain(value: object) -> bytes:
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", True: b"\xc3", False: b"\xc2"}[value]
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    assert isinstance(value, int)
    return bytes([value]) if 0 <= value < 128 else b"\xd3" + struct.pack(">q", value)


def array(shape: list[int], dtype: str, data: bytes, kind: int = 1) -> tuple[int, bytes]:
    """An extension value by which Flax writes an array."""
    inside = b"\x93" + bytes([0x90 | len(shape)]) + b"".join(map(packed, shape)) + packed(dtype) + packed(data)
    return kind, inside


def ubjson(value: object) -> bytes:
    """A value in UBJSON as XGBoost writes it; bytes become a typed array of U."""
    if value is None or isinstance(value, bool):
        return {None: b"Z", True: b"T", False: b"F"}[value]
    if isinstance(value, int):
        return b"L" + struct.pack(">q", value)
    if isinstance(value, str):
        return b"S" + _size(value.encode())
    if isinstance(value, bytes):
        return b"[$U#L" + struct.pack(">q", len(value)) + value
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubjson, value))
    assert isinstance(value, dict)
    return b"{" + b"".join(_size(key.encode()) + ubjson(item) for key, item in value.items()) + b"}"


def _size(raw: bytes) -> bytes:
    return b"L" + struct.pack(">q", len(raw)) + raw


XGBOOST = ubjson(
    {"learner": {"trees": [{"weights": bytes(20), "id": 0}, {}], "name": "gbtree", "ok": True}, "version": [3, 3, 0]}
)
FLAX = packed(
    {"params": {"kernel": array([2, 3], "float32", bytes(24)), "bias": array([3], "bfloat16", bytes(6))}, "step": 7}
)
