"""Exported PyTorch programs: nodes, sizes, guards and descriptions in great number, depth and length."""

from __future__ import annotations

import json

import exported_files as e

from bombs.bomb import Bomb, filled, nested


def _sizes(size: int) -> bytes:
    sizes = [{"as_expr": {"expr_str": f"Max(s{number}, 2)"}} for number in range(size // 40)]
    return json.dumps({"sizes": sizes}).encode()


def _unknown(size: int) -> bytes:
    return e.program(*[e.node(f"torch.ops.m.o{number}.default") for number in range(size // 200)])


def _deep_spec(size: int) -> bytes:
    text = "1"
    while len(text) < size // 2 and len(text) < 60_000:
        text = json.dumps({"context": "[" + json.dumps({"context": "[" + text + "]"}) + "]"})
    return json.dumps({"in_spec": text}).encode()


SHARD = e.saved()

BOMBS: tuple[Bomb, ...] = (
    Bomb("pytorch-distributed", "archives", "a.distcp", filled(b"", SHARD)),
    Bomb("pytorch-distributed", "end records", "a.distcp", filled(SHARD, SHARD[-22:], SHARD)),
    Bomb("pytorch-distributed", "beginnings", "a.distcp", filled(b"", b"PK\x03\x04", SHARD)),
    Bomb("pytorch-distributed", "archives in numbers", "a.distcp", lambda size: e.numbers(SHARD * (size // 400)) * 2),
    *(
        Bomb("pytorch-export", name, "model.pt2", lambda size, make=make: e.exported(make(size)))
        for name, make in {
            "nodes": lambda size: e.program(*[e.node()] * (size // 200)),
            "unknown nodes": _unknown,
            "sizes": _sizes,
            "one long size": lambda size: e.program(size="s0+" * (size // 3) + "1"),
            "deep size": lambda size: e.program(size="(" * (size // 2) + "1" + ")" * (size // 2)),
            "signs": lambda size: e.program(size="-" * min(size, 16_000) + "1"),
            "guards": lambda size: e.program(guards=("L['x'].size()[0] > 1",) * (size // 28)),
            "descriptions in descriptions": _deep_spec,
            "lists in lists": nested(b"[", b"1", b"]", b'{"in_spec": ', b"}"),
            "contexts": filled(b'{"a": [', b'{"context": "[1]"},', b"1]}"),
        }.items()
    ),
)
