"""Changes to seeds: bytes, JSON values, DER elements, and whatever is base64 or JSON inside them.

Everything comes from one seeded generator, so that a run can be repeated.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

import pickleprograms

from hostile import archives, der

if TYPE_CHECKING:
    import random

MOST_BYTES = 64 * 1024
SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**400, -0.0, 0.5, 1e308, "", "0", "-1", "00", "9" * 19,
    "9" * 20, "9" * 5000, "\x00", "\x1b[2J", "\ud800", "\u202e", "é" * 3, "e\u0301", "../x", "/", ".", "a:0:1",
    "=", "====",
    "A", "AA==", "AB==",
    " AA==", "x" * 5000, "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2026-01-01T00:00:00.999999999999+23:59", "sha256", "1e5", [], {}, [[]], {"": ""}, [None],
)  # fmt: skip
CHUNKS = (
    b"", b"\x00", b"\xff", b"\n", b"\r\n", b'"', b"\\", b"\\u0000", b"{", b"}", b"[", b"]", b",", b":", b"\xc3",
    b"\xf0\x9f",     b"-----BEGIN ", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff",
)  # fmt: skip


def mutated(chance: random.Random, seeds: list[bytes], form: str) -> bytes:
    """Return a changed seed."""
    data = chance.choice(seeds) if seeds else b""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if chance.random() < 0.75:
            data = changed_inside(chance, data, form)
        else:
            data = changed_bytes(chance, data, chance.choice(seeds) if seeds else b"")
        data = data[:MOST_BYTES]
    return data


def changed_inside(chance: random.Random, data: bytes, form: str) -> bytes:
    """Change data by its own structure, or byte by byte where it has none."""
    if form == "json":
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return changed_bytes(chance, data, data)
        return _dumped(chance, _changed_value(chance, value))
    if form == "der":
        return der.changed(chance, data) or changed_bytes(chance, data, data)
    if form in {"tar", "zip"}:
        return archives.changed_tar(chance, data) if form == "tar" else archives.changed_zip(chance, data)
    if form == "pickle":
        return pickleprograms.changed(chance, data)
    return _changed_lines(chance, data)


def changed_bytes(chance: random.Random, data: bytes, other: bytes) -> bytes:  # noqa: PLR0911 - one way each
    """Change a few bytes, cut, repeat, or splice with another seed."""
    place, length = chance.randrange(len(data) + 1), chance.choice((1, 1, 2, 4, 16, 64))
    match chance.randrange(7):
        case 0 if data:
            place %= len(data)
            return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
        case 1 if data:
            place %= len(data)
            return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        case 2:
            return data[:place]
        case 3:
            return data[:place] + data[place + length :]
        case 4:
            return data[:place] + data[place : place + length] * chance.choice((2, 3, 50)) + data[place + length :]
        case 5:
            return data[:place] + other[chance.randrange(len(other) + 1) :]
        case _:
            return data[:place] + chance.choice(CHUNKS) * chance.choice((1, 1, 3, 100)) + data[place:]


def _changed_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    place = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            lines.pop(place)
        case 1:
            lines.insert(place, lines[chance.randrange(len(lines))])
        case 2:
            lines[place] = changed_bytes(chance, lines[place], data)
        case 3:
            lines[place] = b" " * chance.randrange(9) + lines[place]
        case _:
            lines[place] *= chance.choice((2, 30))
    return b"\n".join(lines)


def _dumped(chance: random.Random, value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, None, 1)))
    return text.encode("utf-8", "surrogatepass")


def _changed_value(chance: random.Random, value: Any) -> Any:
    """Return the value with one node changed."""
    places = list(_places(value))
    if not places:
        return chance.choice(SCALARS)
    holder, key = chance.choice(places)
    node = holder[key]
    match chance.randrange(8):
        case 0:
            holder[key] = chance.choice(SCALARS)
        case 1:
            del holder[key]
        case 2:
            other, at = chance.choice(places)
            holder[key] = other[at]
            return json.loads(json.dumps(value)) if not _circular(holder[key], holder) else None
        case 3 if isinstance(holder, list):
            holder.extend([node] * chance.choice((1, 40)))
        case 3:
            holder[chance.choice(("", "x", key.upper(), "rawBytes", "digest"))] = node
        case 4:
            for _ in range(chance.choice((1, 1, 70, 300))):
                node = [node] if chance.random() < 0.5 else {"x": node}
            holder[key] = node
        case _:
            holder[key] = _changed_leaf(chance, node)
    return value


def _circular(node: Any, holder: Any) -> bool:
    return node is holder or any(child is holder for child, _ in _places(node))


def _places(value: Any) -> Any:
    """Yield every (holder, key) below a value."""
    level = [value]
    while level:
        node = level.pop()
        entries = (
            list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
        )
        for key, child in entries:
            yield node, key
            level.append(child)


def _changed_leaf(chance: random.Random, node: Any) -> Any:
    if isinstance(node, bool) or not isinstance(node, (str, int)):
        return chance.choice(SCALARS)
    if isinstance(node, int):
        return node + chance.choice((-1, 1, 2**32, 2**64))
    try:
        inner = base64.b64decode(node, validate=True)
    except (binascii.Error, ValueError):
        inner = b""
    if len(inner) > 8 and chance.random() < 0.8:
        form = "json" if inner[:1] in b"{[" else "der" if inner[:1] == b"0" else "text"
        return base64.b64encode(changed_inside(chance, inner, form)).decode()
    return changed_bytes(chance, node.encode("utf-8", "surrogatepass"), b"").decode("utf-8", "replace")
