"""Writes Paddle programs and parameters, and MXNet graphs and parameters, by hand."""

from __future__ import annotations

import json
import struct

from protobytes import message


def program(operator: str = "relu") -> bytes:
    block = message((1, 0), (2, -1), (3, message((1, "x"))), (4, message((3, operator))))
    return message((1, block), (4, message((1, 0))))


def tensor(dims=(2,), kind: int = 5, data: bytes | None = None) -> bytes:
    described = message((1, kind), *((2, size) for size in dims))
    return bytes(16) + len(described).to_bytes(4, "little") + described + (bytes(8) if data is None else data)


def symbol(operator: str = "Activation", *, name: str = "act", **node) -> bytes:
    nodes = [{"op": "null", "name": "x", "inputs": []}, {"op": operator, "name": name, "inputs": [[0, 0, 0]], **node}]
    return json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]]}).encode()


def parameters(*, kind: int = 0, dims=(2,), storage: int = 0, mark: int = 0xF993FAC9, count: int = 1) -> bytes:
    array = struct.pack(f"<IiI{len(dims)}qiii", mark, storage, len(dims), *dims, 1, 0, kind) + bytes(8)
    return struct.pack("<QQQ", 0x112, 0, count) + array + struct.pack("<QQ", 1, 5) + b"arg:w"
