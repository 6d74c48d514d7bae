"""Hostile files of every format, made on the fly: what is cheap to write and dear to read carelessly."""

from __future__ import annotations

from bombs import containers, documents, exported, graphs, pickles, stores, streams
from bombs.bomb import Bomb

__all__ = ["BOMBS", "Bomb"]

BOMBS: tuple[Bomb, ...] = (
    *pickles.BOMBS,
    *containers.BOMBS,
    *documents.BOMBS,
    *graphs.BOMBS,
    *streams.BOMBS,
    *exported.BOMBS,
    *stores.BOMBS,
)
