"""Changes DER element by element, with the lengths above it made right again (X.690), or wrong on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

Node = list
"""``[tag, content]``, where content is bytes or a list of nodes."""
TAGS = (
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0A,
    0x0C,
    0x13,
    0x16,
    0x17,
    0x18,
    0x30,
    0x31,
    0x80,
    0xA0,
    0xA1,
    0xA3,
    0x1F,
    0xFF,
)
CONTENTS = (
    b"",
    b"\x00",
    b"\xff",
    b"\x00" * 40,
    b"\xff" * 40,
    b"\x80\x01",
    b"20260101000000Z",
    b"99991231235959Z",
    b"5001010000Z",
)


def changed(chance: random.Random, data: bytes) -> bytes | None:  # noqa: C901 - one way to change it after another
    """Return DER with one element changed; None where the data is not DER."""
    nodes = _parse(data, 0)
    if not nodes:
        return None
    holder, place = chance.choice(list(_places(nodes)))
    node = holder[place]
    match chance.randrange(8):
        case 0:
            holder.pop(place)
        case 1:
            holder.insert(place, [node[0], node[1]])
        case 2:
            node[0] = chance.choice(TAGS)
        case 3:
            node[1] = chance.choice(CONTENTS)
        case 4 if len(holder) > 1:
            other = chance.randrange(len(holder))
            holder[place], holder[other] = holder[other], holder[place]
        case 5:
            other, at = chance.choice(list(_places(nodes)))
            holder[place] = [other[at][0], _written(other[at][1])]
        case 6:
            for _ in range(chance.choice((1, 30, 200))):
                node = [0x30, [node]]
            holder[place] = node
        case _:
            content = bytearray(_written(node[1]))
            if content:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            node[1] = bytes(content)
    return _written(nodes)


def _parse(data: bytes, depth: int) -> list[Node]:
    nodes, place = [], 0
    while place < len(data):
        if place + 2 > len(data) or data[place] & 0x1F == 0x1F:
            return []
        tag, length, start = data[place], data[place + 1], place + 2
        if length >= 0x80:
            count = length - 0x80
            length, start = int.from_bytes(data[start : start + count]), start + count
            if not 1 <= count <= 4:
                return []
        if start + length > len(data):
            return []
        content = data[start : start + length]
        inner = content[1:] if tag == 0x03 and content[:1] == b"\0" else content
        children = _parse(inner, depth + 1) if depth < 40 and (tag & 0x20 or tag in (0x03, 0x04)) else []
        nodes.append([tag, children if children and inner is content else content])
        place = start + length
    return nodes


def _places(nodes: list[Node]):
    for place, node in enumerate(nodes):
        yield nodes, place
        if isinstance(node[1], list):
            yield from _places(node[1])


def _written(content: bytes | list[Node]) -> bytes:
    if isinstance(content, bytes):
        return content
    return b"".join(_element(tag, _written(inner)) for tag, inner in content)


def _element(tag: int, content: bytes) -> bytes:
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 + len(length)]) + length + content
