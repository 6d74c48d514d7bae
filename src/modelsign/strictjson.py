"""Strict JSON: what two readers could understand differently is an error.

Duplicate keys, NaN and infinities (also as a number too large to hold), invalid UTF-8, half a surrogate pair, excess
depth and excess size are refused; integers stay exact (Python's are unbounded, and so long that they would cost time
are refused).
RFC 8259, section 4 leaves duplicate keys open; this project does not. A caller that only looks at what a document holds
can let NaN and infinities be numbers, which Python writes and reads.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final, NoReturn

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.errors import ModelsignError

__all__ = ["canonical", "loads"]


_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def _reject_constant(name: str) -> NoReturn:
    message = f"the value {name} is not JSON"
    raise ValueError(message)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        message = f"the number {text[:40]} is too large to be held"
        raise ValueError(message)
    return value


def _unique_keys(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                message = f"the key {key[:100]!r} stands twice in one object"
                raise ValueError(message)
            seen.add(key)
    return result


def _check_depth(value: object, most: int) -> None:
    """Bound the nesting, level by level; the parser itself is bounded by the interpreter."""
    level: list[object] = [value]
    for _ in range(most):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    message = f"it is nested deeper than {most} levels"
    raise ValueError(message)


def _check_text(value: object) -> None:
    """Refuse text that no UTF-8 can hold: the half of a surrogate pair, which only an escape can smuggle in."""
    level: list[object] = [value]
    while level:
        deeper: list[object] = []
        for node in level:
            if isinstance(node, str):
                node.encode("utf-8")
            elif isinstance(node, dict):
                deeper += node
                deeper += node.values()
            elif isinstance(node, list):
                deeper += node
        level = deeper


def _room(data: bytes) -> int:
    """Estimate from above the memory that a document takes while it is read, by its length and its marks."""
    text = 3 if data.isascii() else 9
    marks = ((b"{", 150), (b"[", 64), (b":", 110), (b'"', 32), (b",", 36))
    return text * len(data) + sum(room * data.count(mark) for mark, room in marks)


def loads(  # noqa: PLR0913 - each is one bound or one word
    data: bytes,
    *,
    most_bytes: int,
    what: str = "document",
    code: str = "JSON_MALFORMED",
    most_room: int | None = None,
    depth: int = limits.JSON_DEPTH,
    finite: bool = True,
    half_surrogates: bool = False,
) -> object:
    """Parse one JSON document from UTF-8 bytes (RFC 8259), strictly.

    ``what`` names the document in the message, ``code`` is the reason given when it is refused. Where not ``finite``,
    the words ``NaN``, ``Infinity`` and ``-Infinity`` are numbers too, and so are numbers too large to hold.
    ``most_room`` bounds the memory that the values may take, as estimated before any is made.
    ``half_surrogates`` admits escapes of half a pair, which names in pickles may hold.

    Raises:
        ModelsignError: with ``code``; the message says what is wrong.

    """
    if len(data) > most_bytes:
        raise error(code, f"the {what} has {len(data)} bytes; the limit is {most_bytes}")
    if most_room is not None and _room(data) > most_room:
        raise error(code, f"the {what} would take more than {most_room} bytes of memory")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_reject_constant if finite else float,
            parse_float=_finite if finite else float,
        )
        _check_depth(value, depth)
        if not half_surrogates and _SURROGATE.search(data):
            _check_text(value)
    except (ValueError, RecursionError) as fault:
        raise _refusal(code, what, fault, depth) from None
    return value


def _alike(fault: json.JSONDecodeError) -> tuple[str, json.JSONDecodeError]:
    """Return the words of Python 3.13 and later for a comma too many, on every Python, and where they point."""
    text, place = fault.doc, fault.pos
    before = text[:place].rstrip(" \t\n\r")
    if before.endswith(",") and text[place : place + 1] in {"}", "]"}:
        kind = "object" if text[place] == "}" else "array"
        return f"Illegal trailing comma before end of {kind}", json.JSONDecodeError("", text, len(before) - 1)
    return fault.msg.removesuffix(" at"), fault


def _refusal(code: str, what: str, fault: Exception, depth: int) -> ModelsignError:
    if isinstance(fault, UnicodeDecodeError):
        return error(code, f"the {what} is not UTF-8 (byte {fault.start})")
    if isinstance(fault, UnicodeEncodeError):
        return error(code, f"the {what} holds half of a surrogate pair, which is no text")
    if isinstance(fault, RecursionError):
        return error(code, f"the {what} is refused: it is nested deeper than {depth} levels")
    if isinstance(fault, json.JSONDecodeError):
        said, fault = _alike(fault)
        return error(code, f"the {what} is not valid JSON: {said} at line {fault.lineno}, column {fault.colno}")
    return error(code, f"the {what} is refused: {fault}")


def canonical(value: object) -> bytes:
    """Write a value as compact JSON with sorted keys, UTF-8, no trailing newline.

    The same value always gives the same bytes. Keys are sorted by code point.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
