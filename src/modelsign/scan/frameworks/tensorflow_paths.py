"""Follows the file names inside a TensorFlow graph back to the text they begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONSUMERS", "TRACED", "Node", "leading_text"]


class Node(NamedTuple):
    """A node that a file name may pass through."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    text: str | None
    """The constant text of a Const."""
    offset: int


CONSUMERS: Final[Mapping[str, int]] = {
    "SaveV2": 0, "RestoreV2": 0, "Save": 0, "SaveSlices": 0, "Restore": 0, "RestoreSlice": 0, "MergeV2Checkpoints": 1,
    "InitializeTableFromTextFile": 1, "InitializeTableFromTextFileV2": 1,
}  # fmt: skip
"""Operators that open the file one of their inputs names, and which (tensorflow core/ops/io_ops.cc, lookup_ops.cc)."""
TRACED: Final[Mapping[str, int]] = {
    "Const": 0, "Identity": 0, "StringJoin": 0, "ShardedFilename": 0, "ShardedFilespec": 0, "PlaceholderWithDefault": 0,
    "Reshape": 0, "Squeeze": 0, "ExpandDims": 0, "EnsureShape": 0, "StopGradient": 0, "PreventGradient": 0, "Select": 1,
    "SelectV2": 1, "Pack": 0, "StringStrip": 0, "AsString": 0,
}  # fmt: skip
"""Operators that a file name passes through, and by which input it begins."""
_STEPS: Final = 100


def leading_text(node: Node, number: int, nodes: Mapping[str, Node]) -> tuple[str, str]:
    """Return the constant text that an input begins with, and the node it comes from; empty where it has none."""
    text = source = ""
    waiting = [_input(node, number, nodes)]
    for _ in range(_STEPS):
        if not waiting:
            break
        one = waiting.pop()
        if one is None or one.operator in CONSUMERS:
            break
        if one.text is not None:
            text += one.text
            source = source or one.name
        elif one.operator == "StringJoin":
            waiting += [_input(one, place, nodes) for place in reversed(range(min(len(one.inputs), _STEPS)))]
        else:
            waiting.append(_input(one, TRACED[one.operator], nodes))
    return source, text


def _input(node: Node, number: int, nodes: Mapping[str, Node]) -> Node | None:
    if number >= len(node.inputs):
        return None
    return nodes.get(node.inputs[number].lstrip("^").partition(":")[0])
