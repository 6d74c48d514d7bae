"""Writes XGBoost's binary models: head, trees or weights, attributes. Numbers are those of version 1.7."""

from __future__ import annotations

import struct

NONE = -1
GONE = 0xFFFFFFFF
TREE = ((NONE, 1, 2, 3), (0, NONE, NONE, 0), (0, NONE, NONE, 0))
"""Parent, left child, right child and feature of three nodes."""


def text(value: bytes) -> bytes:
    """Return a text behind its length."""
    return struct.pack("<Q", len(value)) + value


def tree(  # noqa: PLR0913 - the parts of a tree, by name
    nodes=TREE, *, count: int | None = None, deleted: int = 0, roots: int = 1, features: int = 4, leaf: int = 0
):
    """Return one tree: its parameters, nodes and statistics."""
    head = struct.pack("<iiiiIi124x", roots, len(nodes) if count is None else count, deleted, 0, features, leaf)
    written = b"".join(struct.pack("<iiiIf", *node, 0.5) for node in nodes)
    return head + written + bytes(16 * len(nodes))


def trees(*made: bytes, groups: tuple[int, ...] | None = None, count: int | None = None, **numbers: int) -> bytes:
    """Return the trees of a booster behind their parameters, and before the group of each."""
    named = [len(made) if count is None else count, 1, numbers.get("features", 0), 0, 0]
    head = struct.pack("<iiiiqii128x", *named, numbers.get("of", 0), numbers.get("leaf", 0))
    return head + b"".join(made) + b"".join(struct.pack("<i", group) for group in groups or (0,) * len(made))


def weights(count: int, *, features: int = 0, groups: int = 0) -> bytes:
    """Return the weights of a linear booster behind its parameters."""
    return struct.pack("<Ii128xQ", features, groups, count) + bytes(4 * count)


def model(  # noqa: PLR0913 - the parts of a model, by name
    body: bytes | None = None,
    *,
    booster: bytes = b"gbtree",
    objective: bytes = b"reg:squarederror",
    features: int = 4,
    classes: int = 0,
    major: int = 1,
    attributes: tuple[tuple[bytes, bytes], ...] = (),
    metrics: int = 0,
    behind: bytes = b"",
) -> bytes:
    """Return a whole model; one tree by default."""
    head = struct.pack("<fIiiiIII104x", 0.5, features, classes, bool(attributes), metrics, major, 7, 0)
    pairs = struct.pack("<Q", len(attributes)) + b"".join(text(key) + text(value) for key, value in attributes)
    parts = [head, text(objective), text(booster), trees(tree()) if body is None else body]
    return b"".join(parts) + (pairs if attributes else b"") + behind


def snapshot(binary: bytes, config: bytes = b'{"learner": {}}', *, size: int | None = None) -> bytes:
    """Return what pickles of XGBoost 1.0 to 1.5 hold: a binary model, and a configuration behind it."""
    return b"CONFIG-offset:" + struct.pack("<q", len(binary) if size is None else size) + binary + config
