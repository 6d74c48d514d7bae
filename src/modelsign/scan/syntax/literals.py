"""Python literals, read by hand: the header of a ``.npy`` file is one.

Total and bounded: text in, values out, no evaluation. Knows what NumPy writes and what its readers of old files
accept: dictionaries, tuples, lists, strings, integers (``1571L`` of Python 2 too), True, False and None.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LiteralError", "parse_literal"]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>-?\d+)[lL]?|(?P<string>[uUbB]?(?:'[^'\\\n]*'|\"[^\"\\\n]*\"))|(?P<word>[A-Za-z]+)"
    r"|(?P<mark>[{}()\[\],:]))",
    re.ASCII,
)
_WORDS: Final = {"True": True, "False": False, "None": None}
_DEPTH: Final = 32
_DIGITS: Final = 20
_CLOSE: Final = {"(": ")", "[": "]"}


class LiteralError(ValueError):
    """The text is no such literal."""


def parse_literal(text: str) -> object:
    """Return the value of one literal, which may be surrounded by white space.

    Raises:
        LiteralError: the text is anything else.

    """
    parser = _Parser(text)
    value = parser.value(0)
    if text[parser.position :].strip(" \t\r\n\x0c"):
        raise LiteralError("other text follows the literal")
    return value


class _Parser:
    """One pass over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.position = 0

    def _peek(self) -> str:
        match = _TOKEN.match(self._text, self.position)
        return match["mark"] or "" if match else ""

    def _take(self) -> re.Match[str]:
        match = _TOKEN.match(self._text, self.position)
        if match is None:
            raise LiteralError(f"no literal at character {self.position}")
        self.position = match.end()
        return match

    def _expect(self, mark: str) -> None:
        if self._take()["mark"] != mark:
            raise LiteralError(f"{mark!r} expected before character {self.position}")

    def value(self, depth: int) -> object:
        if depth > _DEPTH:
            raise LiteralError("nested too deeply")
        match = self._take()
        if match["number"]:
            if len(match["number"]) > _DIGITS:
                raise LiteralError("a number of too many digits")
            return int(match["number"])
        if match["string"]:
            return match["string"].lstrip("uUbB")[1:-1]
        if match["word"] in _WORDS:
            return _WORDS[match["word"]]
        if match["mark"] == "{":
            return self._mapping(depth)
        if match["mark"] in _CLOSE:
            return self._sequence(match["mark"], depth)
        raise LiteralError(f"unexpected {match[0].strip()!r}")

    def _sequence(self, opening: str, depth: int) -> object:
        closing = _CLOSE[opening]
        items: list[object] = []
        comma = False
        while self._peek() != closing:
            items.append(self.value(depth + 1))
            comma = self._peek() == ","
            if not comma:
                break
            self._expect(",")
        self._expect(closing)
        if opening == "[":
            return items
        return items[0] if len(items) == 1 and not comma else tuple(items)

    def _mapping(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while self._peek() != "}":
            key = self.value(depth + 1)
            if not isinstance(key, str) or key in found:
                raise LiteralError("a key that is no text, or stands twice")
            self._expect(":")
            found[key] = self.value(depth + 1)
            if self._peek() != ",":
                break
            self._expect(",")
        self._expect("}")
        return found
