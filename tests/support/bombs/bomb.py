"""What a bomb is: a file that is cheap to write and dear to read carelessly, of any size."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Bomb", "filled", "nested", "numbered", "u32", "u64"]


class Bomb(NamedTuple):
    """``make`` returns about so many bytes; ``file`` is the name under which they are scanned."""

    family: str
    id: str
    file: str
    make: Callable[[int], bytes]


def filled(head: bytes, part: bytes, tail: bytes = b"") -> Callable[[int], bytes]:
    """Return what repeats one part."""
    return lambda size: head + part * max(1, (size - len(head) - len(tail)) // len(part)) + tail


def numbered(head: bytes, part: bytes, tail: bytes = b"") -> Callable[[int], bytes]:
    """Return what repeats one part with the running number at every ``%d``, which may have a width."""
    holes = part.count(b"%0")

    def make(size: int) -> bytes:
        room = max(1, (size - len(head) - len(tail)) // len(part % ((0,) * holes)))
        return head + b"".join(part % ((number,) * holes) for number in range(room)) + tail

    return make


def nested(opens: bytes, inside: bytes, closes: bytes, head: bytes = b"", tail: bytes = b"") -> Callable[[int], bytes]:
    """Return what opens levels, and closes all of them again."""

    def make(size: int) -> bytes:
        depth = max(1, (size - len(head) - len(tail) - len(inside)) // (len(opens) + len(closes)))
        return head + opens * depth + inside + closes * depth + tail

    return make


def u32(value: int) -> bytes:
    """A number in four bytes, the low one first."""
    return struct.pack("<I", value)


def u64(value: int) -> bytes:
    """A number in eight bytes, the low one first."""
    return struct.pack("<Q", value)
