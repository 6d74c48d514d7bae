"""OCDBT stores: nodes, files, columns and values in great number, and what unpacks to far more."""

from __future__ import annotations

import ocdbtbytes as o

from bombs.bomb import Bomb, filled

LEAF = o.leaf(b"x")


def _zeros(size: int) -> bytes:
    """A frame of 128 KiB of zeros for every four bytes."""
    blocks = (128 * 1024 << 3 | 2).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\xa0" + bytes(4) + blocks * (size // 4) + (1 << 3 | 1).to_bytes(3, "little") + b"\0"


BOMBS: tuple[Bomb, ...] = tuple(
    Bomb("ocdbt", name, o.NAME, make)
    for name, make in {
        "nodes": filled(b"", LEAF),
        "magics": filled(LEAF, o.BTREE),
        "headers": filled(b"", o.BTREE + (18).to_bytes(8, "little") + bytes(6)),
        "frames": filled(b"", o.frame(b"12345")),
        "frames of zeros": filled(b"", _zeros(100)),
        "one frame of zeros": lambda size: o.frame(b"1") + _zeros(size),
        "values": lambda size: o.leaf(*[b"v"] * (size // 12)),
        "descriptions": lambda size: o.leaf(*[b"{}"] * (size // 12)),
        "places": lambda size: o.leaf(*[(0, 1)] * (size // 12)),
        "files": lambda size: o.manifest(table=o.files(*[f"{n:04}" for n in range(size // 8)])),
        "long files": lambda size: o.manifest(table=o.files("a" * min(size, 60_000))),
        "a long number": lambda size: o.node(o.BTREE, b"\x80" * size),
    }.items()
)
