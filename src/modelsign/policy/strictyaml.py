"""Strict YAML: the part of YAML 1.2 (core schema) that two readers cannot understand differently.

Refused: duplicate keys, anchors, aliases, merge keys, tags, directives, several documents, keys
that are not strings, NaN and infinities, excess size and depth. ``yes``, ``no``, ``on``, ``off``
and dates are strings. A document that begins with ``{`` is read as JSON, strictly.

Never constructs anything but dict, list, str, int, float, bool and None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from modelsign import limits, strictjson
from modelsign.errors import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.errors import ModelsignError

__all__ = ["loads"]

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,40}\Z")
_OCTAL: Final = re.compile(r"0o[0-7]{1,40}\Z")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]{1,40}\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9]{1,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,3})?\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")


def loads(data: bytes, *, most_bytes: int, what: str = "document", code: str, depth: int = limits.JSON_DEPTH) -> object:
    """Parse one YAML 1.2 or JSON document from UTF-8 bytes.

    ``what`` names the document in messages, ``code`` is the reason given when it is refused.

    Raises:
        ModelsignError: with ``code``; the message says what is wrong, and where.

    """
    if len(data) > most_bytes:
        raise error(code, f"the {what} has {len(data)} bytes; the limit is {most_bytes}")
    if data.lstrip(b" \t\r\n").startswith(b"{"):
        return strictjson.loads(data, most_bytes=most_bytes, what=what, code=code, depth=depth)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise error(code, f"the {what} is not UTF-8 (byte {fault.start})") from None
    return _Reader(text, what, code, depth).document()


class _Reader:
    """Builds one value from PyYAML's events; PyYAML's own constructors are never used."""

    def __init__(self, text: str, what: str, code: str, depth: int) -> None:
        self._what = what
        self._code = code
        self._depth = depth
        self._events = self._parse(text)

    def _parse(self, text: str) -> Iterator[Any]:
        import yaml  # noqa: PLC0415 - only commands that read a policy pay for it

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from yaml.parse(text, Loader=loader)
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark
            where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
            raise error(self._code, f"the {self._what} is not valid YAML: {fault.problem}{where}") from None
        except yaml.YAMLError as fault:
            raise error(self._code, f"the {self._what} is not valid YAML: {fault}") from None

    def document(self) -> object:
        kind, event = self._next()
        kind, event = self._next()
        if kind != "DocumentStart":
            raise error(self._code, f"the {self._what} is empty")
        if event.version or event.tags:
            raise self._refuse(event, "directives are not allowed")
        value = self._value(*self._next(), 0)
        self._next()
        kind, event = self._next()
        if kind != "StreamEnd":
            raise self._refuse(event, "a second document follows")
        return value

    def _next(self) -> tuple[str, Any]:
        event = next(self._events)
        return type(event).__name__.removesuffix("Event"), event

    def _value(self, kind: str, event: Any, level: int) -> object:
        if kind == "Alias":
            raise self._refuse(event, "aliases are not allowed; write the value out")
        if event.anchor is not None:
            raise self._refuse(event, "anchors are not allowed")
        if event.tag is not None:
            raise self._refuse(event, f"tags are not allowed ({event.tag})")
        if level > self._depth:
            raise self._refuse(event, f"nested deeper than {self._depth} levels")
        if kind == "Scalar":
            return self._scalar(event)
        return self._sequence(level) if kind == "SequenceStart" else self._mapping(level)

    def _sequence(self, level: int) -> list[object]:
        items: list[object] = []
        while True:
            kind, event = self._next()
            if kind == "SequenceEnd":
                return items
            items.append(self._value(kind, event, level + 1))

    def _mapping(self, level: int) -> dict[str, object]:
        items: dict[str, object] = {}
        while True:
            kind, event = self._next()
            if kind == "MappingEnd":
                return items
            key = self._value(kind, event, level + 1)
            if not isinstance(key, str):
                raise self._refuse(event, "a key must be a string; put it in quotes")
            if key == "<<":
                raise self._refuse(event, "merge keys are not allowed; write the fields out")
            if key in items:
                raise self._refuse(event, f"the key {key!r} stands twice")
            items[key] = self._value(*self._next(), level + 1)

    def _scalar(self, event: Any) -> object:
        """Resolve a scalar by the core schema (YAML 1.2.2, section 10.3.2)."""
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _NULL:
            return None
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        if _NOT_FINITE.match(text):
            raise self._refuse(event, f"{text} is not a number a policy can use")
        return _number(text)

    def _refuse(self, event: Any, why: str) -> ModelsignError:
        mark = event.start_mark
        return error(self._code, f"the {self._what} is refused: {why} (line {mark.line + 1}, column {mark.column + 1})")


def _number(text: str) -> object:
    if _INTEGER.match(text):
        return int(text)
    if _OCTAL.match(text) or _HEXADECIMAL.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text
