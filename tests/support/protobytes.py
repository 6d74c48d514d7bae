"""Writes protobuf messages by hand: fields as pairs of a number and a value, in any order, wrong ones too."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    """Any number; negative ones as protobuf writes them, in ten bytes."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def key(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def field(number: int, value: float | str | bytes | list[int]) -> bytes:
    """One field: an integer as a varint, a float in 32 bits, a list packed, the rest by length."""
    if isinstance(value, int):
        return key(number, 0) + varint(value)
    if isinstance(value, float):
        return key(number, 5) + struct.pack("<f", value)
    if isinstance(value, list):
        value = b"".join(map(varint, value))
    data = value.encode() if isinstance(value, str) else value
    return key(number, 2) + varint(len(data)) + data


def message(*fields: tuple[int, int | float | str | bytes | list[int]]) -> bytes:
    return b"".join(field(number, value) for number, value in fields)
