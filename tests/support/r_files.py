"""Builds R's serialisation by hand, in its three encodings: a value is a list of integers, texts and numbers."""

from __future__ import annotations

import struct

NIL = [254]
GLOBAL = [253]
UNBOUND = [252]
ATTRIBUTES, TAG = 0x200, 0x400
ACTIVE = 1 << 27


def text(value: str) -> list[object]:
    """A text (CHARSXP)."""
    return [9 | 1 << 18, value.encode()]


def symbol(name: str) -> list[object]:
    """A symbol."""
    return [1, *text(name)]


def integers(*values: int) -> list[object]:
    """A vector of integers."""
    return [13, len(values), *values]


def reals(*values: float) -> list[object]:
    """A vector of numbers."""
    return [14, len(values), *map(float, values)]


def texts(*values: str) -> list[object]:
    """A vector of texts."""
    return [16, len(values), *(part for value in values for part in text(value))]


def vector(*values: list[object]) -> list[object]:
    """A list."""
    return [19, len(values), *(part for value in values for part in value)]


def pairs(*values: tuple[str, list[object]], flags: int = 0, kind: int = 2) -> list[object]:
    """A pairlist with names."""
    inside: list[object] = []
    for name, value in values:
        inside += [kind | TAG | flags, *symbol(name), *value]
    return inside + NIL


def named(value: list[object], *names: str) -> list[object]:
    """A vector with the attribute ``names``."""
    return [value[0] | ATTRIBUTES | 0x100, *value[1:], *pairs(("names", texts(*names)))]  # type: ignore[operator]


def promise(value: list[object], expression: list[object] | None = None) -> list[object]:
    """A promise, evaluated or not."""
    return [5, *value, *(expression or [6, *symbol("system"), 2, *texts("true"), *NIL])]


def alternative(name: str, package: str, state: list[object]) -> list[object]:
    """A vector of a class of its own."""
    return [238, 2, *symbol(name), 2, *symbol(package), 2, *integers(13), *NIL, *state, *NIL]


def write(value: list[object], *, encoding: str = "X", version: int = 2, workspace: bool = False) -> bytes:
    """A file."""
    head: list[object] = [version, 0x40500, 0x20300]
    if version == 3:
        head += [b"UTF-8"]
    start = b"RD%b%d\n" % (encoding.encode(), version) if workspace else b""
    return start + encoding.encode() + b"\n" + b"".join(_part(part, encoding) for part in head + value)


def _part(part: object, encoding: str) -> bytes:
    order = "<" if encoding == "B" else ">"
    if isinstance(part, bytes):
        if encoding == "A":
            return b"%d\n%b\n" % (len(part), part.replace(b"\\", b"\\\\").replace(b" ", b"\\040"))
        return struct.pack(f"{order}i", len(part)) + part
    if isinstance(part, float):
        return b"%f\n" % part if encoding == "A" else struct.pack(f"{order}d", part)
    assert isinstance(part, int)
    return b"%d\n" % part if encoding == "A" else struct.pack(f"{order}i", part)
