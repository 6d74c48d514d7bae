"""Writes MindSpore checkpoints and NCNN networks by hand."""

from __future__ import annotations

from protobytes import message


def tensor(name: str = "w", dims: tuple[int, ...] = (2, 2), kind: str = "Float32", data: bytes | None = None) -> bytes:
    content = bytes(16) if data is None else data
    return message((1, name), (2, message(*((1, size) for size in dims), (2, kind), (3, content))))


def checkpoint(*values: bytes) -> bytes:
    return message(*((1, value) for value in values or (tensor(), tensor("b", (4,)))))


NETWORK = b"""7767517
3 3
Input            data             0 1 data 0=3 1=8 2=8
Convolution      conv             1 1 data conv 0=4 1=3 -23330=2,1,2
Softmax          prob             1 1 conv prob 0=0
"""
GOOD: dict[str, dict[str, bytes]] = {
    "mindspore": {
        "model.ckpt": checkpoint(),
        "cut.ckpt": checkpoint(tensor(data=bytes(10)), tensor(data=bytes(6))),
        "scalar.ckpt": checkpoint(tensor("epoch", (), "Int64", bytes(8))),
    },
    "ncnn": {"model.param": NETWORK},
}
"""Files that must be clean, by the format they must be read as."""

BAD: dict[str, dict[str, bytes]] = {
    "mindspore": {"short.ckpt": checkpoint(tensor(data=bytes(15)))},
    "ncnn": {"custom.param": NETWORK.replace(b"Softmax ", b"MySoftmax ")},
}
"""Files that must not be clean, by the format whose reader finds it."""
