"""Stores, vectors and tensors: parts, words, columns and values in great number, and what unpacks to far more."""

from __future__ import annotations

import ocdbtbytes as o
import older_files as t
import vectorfiles as v
from protobytes import message

from bombs.bomb import Bomb, filled

LEAF = o.leaf(b"x")


def _zeros(size: int) -> bytes:
    """A frame of 128 KiB of zeros for every four bytes."""
    blocks = (128 * 1024 << 3 | 2).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\xa0" + bytes(4) + blocks * (size // 4) + (1 << 3 | 1).to_bytes(3, "little") + b"\0"


def _graphs_in_graphs(size: int) -> bytes:
    inner = {2: [v.ort_node()], 3: (4, 9)}
    for _ in range(min(size // 150, 60)):
        inner = {2: [v.ort_node("If", f7=inner)], 3: (4, 9)}
    return v.ort(v.ort_node("If", f7=inner))


_STORES: tuple[Bomb, ...] = tuple(
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

BOMBS: tuple[Bomb, ...] = (
    *_STORES,
    Bomb("torch7", "numbers as text", "a.t7", lambda size: t.torch7_text(b"1 " * (size // 2), size // 2)),
    Bomb("torch7", "one word as text", "a.t7", lambda size: t.torch7_text(b"1" * size, 1)),
    Bomb("torch7", "blanks as text", "a.t7", lambda size: t.torch7_text(b" " * size + b"1", 1)),
    Bomb("torch7", "tables as text", "a.t7", lambda size: b"".join(b"3\n%d\n1\n0\n" % n for n in range(size // 12))),
    Bomb("word2vec", "words", "a.bin", lambda size: v.word2vec((b"a",) * (size // 6), 1)),
    Bomb("word2vec", "long words", "a.bin", lambda size: v.word2vec((b"\xff" * 4000,) * (size // 4000), 1)),
    Bomb("word2vec", "one word without an end", "a.bin", lambda size: b"%d 1\n" % (size // 9) + b"a" * size),
    Bomb("fasttext", "words", "a.bin", lambda size: v.fasttext((b"a",) * (size // 11))),
    Bomb("fasttext", "no words", "a.bin", lambda size: v.fasttext((), size=size // 12) + b"a" * size),
    Bomb("onnx-tensor", "dimensions", "a.pb", lambda size: message(*[(1, 1)] * (size // 2), (2, 1), (8, "w"))),
    Bomb("onnx-tensor", "texts", "a.pb", lambda size: message((1, 1), (2, 8), *[(6, "t")] * (size // 3))),
    Bomb(
        "onnx-tensor",
        "files",
        "a.pb",
        lambda size: message((1, 1), (2, 1), *[(13, message((1, "location"), (2, "x")))] * (size // 15)),
    ),
    Bomb("mnn", "operators", "a.mnn", lambda size: v.mnn(*[v.mnn_operator()] * (size // 60))),
    Bomb(
        "mnn", "unknown operators", "a.mnn", lambda size: v.mnn(*[v.mnn_operator(999 + n) for n in range(size // 60)])
    ),
    Bomb("mnn", "indices", "a.mnn", lambda size: v.mnn(v.mnn_operator(f0=[0] * (size // 4)))),
    Bomb("mnn", "wrong indices", "a.mnn", lambda size: v.mnn(v.mnn_operator(f0=list(range(9, size // 4))))),
    Bomb("mnn", "loops", "a.mnn", lambda size: v.mnn(*[v.LOOP] * (size // 150))),
    Bomb("ort", "nodes", "a.ort", lambda size: v.ort(*[v.ort_node()] * (size // 70))),
    Bomb("ort", "unknown nodes", "a.ort", lambda size: v.ort(*[v.ort_node(f"o{n}", "m") for n in range(size // 70)])),
    Bomb("ort", "tensors", "a.ort", lambda size: v.ort(tensors=[v.ort_tensor()] * (size // 70))),
    Bomb("ort", "graphs in graphs", "a.ort", _graphs_in_graphs),
    Bomb("ort", "edges", "a.ort", lambda size: v.ort(edges=[{0: (4, 0)}] * (size // 20))),
)
