"""Inputs that are cheap to write and dear to read carelessly: depth, number, length, repetition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def _fill(head: bytes, part: bytes, tail: bytes) -> Callable[[int], bytes]:
    def make(size: int) -> bytes:
        return head + part * max(1, (size - len(head) - len(tail)) // len(part)) + tail

    return make


def _nested_der(size: int) -> bytes:
    """Return sequences in sequences, as deep as so many bytes allow; every length is right."""
    data = b""
    while len(data) < size // 2:
        length = len(data)
        head = bytes([0x30, length]) if length < 0x80 else b"\x30\x84" + length.to_bytes(4)
        data = head + data
        if len(data) > 4000:  # deeper costs the square of the depth to write
            break
    return data


BOMBS: Mapping[str, Callable[[int], bytes]] = {
    "lists": _fill(b"", b"[", b""),
    "closed lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "objects": _fill(b"", b'{"a":', b"1"),
    "empty values": _fill(b"[", b"{},", b"1]"),
    "members": lambda size: json.dumps({f"k{number}": number for number in range(size // 14)}).encode(),
    "one member again": _fill(b"{", b'"a":1,', b'"a":1}'),
    "digits": _fill(b"", b"9", b""),
    "exponent": _fill(b"1e", b"9", b""),
    "escapes": _fill(b'"', b"\\u0041", b'"'),
    "blanks": _fill(b"", b" ", b"{}"),
    "lines": _fill(b"", b"\n", b""),
    "dashes": _fill(b"", b"- ", b""),
    "anchors": _fill(b"", b"&a [*a, *a]\n", b""),
    "stars": _fill(b"", b"*", b"x"),
    "questions": _fill(b"", b"(a?)", b"b"),
    "armour": _fill(b"", b"-----BEGIN CERTIFICATE-----\n", b""),
    "armours": _fill(b"", b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n", b""),
    "nested DER": _nested_der,
    "endless DER": _fill(b"", b"\x30\x80", b""),
    "long DER": _fill(b"\x30\x84\xff\xff\xff\xff", b"\0", b""),
    "elements": lambda size: b"\x30\x83" + (size // 2 * 2).to_bytes(3) + b"\x05\x00" * (size // 2),
    "integer": lambda size: b"\x30\x83" + (size + 5).to_bytes(3) + b"\x02\x83" + size.to_bytes(3) + b"\x7f" * size,
}


def inflated(seeds: Sequence[bytes], size: int) -> list[bytes]:
    """Return seeds of JSON with one list or text in them made long."""
    made = []
    for seed in seeds[:2]:
        try:
            value = json.loads(seed)
        except ValueError:
            continue
        for name, child in list(value.items()) if isinstance(value, dict) else []:
            if isinstance(child, list) and child:
                made.append(json.dumps({**value, name: child * max(1, size // len(json.dumps(child)))}).encode())
            elif isinstance(child, str):
                made.append(json.dumps({**value, name: "x" * size}).encode())
    return made
