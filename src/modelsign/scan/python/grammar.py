"""Tells whether Python source is written in what every supported Python reads alike: the grammar of 3.11.

``ast.parse`` is asked for 3.11's grammar, but the interpreter's tokeniser is its own: since 3.12 a formatted string may
hold its own quotes, since 3.14 there are template strings, newer tables of Unicode know more letters, and how deeply
source may nest differs. Whatever of that could make a difference is refused here, on every interpreter alike, before
the parser is asked. Strings are told apart by the rules of 3.11.

Sources: Lexical analysis in the references of Python 3.11 and 3.14, PEP 701, PEP 750.
"""

from __future__ import annotations

import ast
import re
from typing import Final, NamedTuple

from modelsign import limits
from modelsign.scan.syntax.letters import is_old, old_letter

__all__ = ["is_too_deep", "newer_than_known"]

_DEEP: Final = "brackets are nested too deeply"
_TOKEN: Final = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?(?P<quote>'''|\"\"\"|'|\")"
    r"|(?P<name>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)"
    r"|(?P<number>[0-9](?:[eE][+-][0-9]|[0-9A-Za-z_.])*)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])"
    r"|[^#A-Za-z_\x80-\U0010ffff0-9'\"(\[{)\]}]+"
)
_BODY: Final = {
    "'": re.compile(r"(?:[^\\'\n]++|\\.)*+'", re.DOTALL),
    '"': re.compile(r'(?:[^\\"\n]++|\\.)*+"', re.DOTALL),
    "'''": re.compile(r"(?:[^\\']++|\\.|'(?!''))*+'''", re.DOTALL),
    '"""': re.compile(r'(?:[^\\"]++|\\.|"(?!""))*+"""', re.DOTALL),
}
_LETTER: Final = re.compile(r"\\(?:N\{([^}]*)\}|.)", re.DOTALL)
_PREFIXES: Final = frozenset({"", "r", "u", "b", "br", "rb", "f", "fr", "rf"})
_KEYWORDS: Final = frozenset(
    {"and", "assert", "await", "del", "elif", "else", "for", "from", "if", "in", "is", "lambda", "not", "or", "raise"}
    | {"return", "while", "with", "yield", "case", "match"}
)
"""Words that may touch the string behind them without being part of it."""
_LONGEST_NUMBER: Final = 4000
"""Digits; the interpreter's own bound, 4300, can be moved by its environment."""
_NESTED: Final = 2
"""Levels of fields in the format of a field, in 3.11."""


def is_too_deep(tree: ast.AST) -> bool:
    """Whether a tree has more levels than every Python's parser is sure to make."""
    level: list[ast.AST] = [tree]
    for _ in range(limits.SOURCE_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True


class _Newer(Exception):
    """The source may be read differently; says why."""


class _String(NamedTuple):
    """A string: what stands before its quote, its text, and the offset behind it."""

    prefix: str
    body: str
    end: int


def newer_than_known(source: str) -> str:
    """Say what in the source not every supported Python reads alike; empty where there is nothing."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        return "it holds NUL"
    try:
        _tokens(text)
    except _Newer as fault:
        return str(fault)
    return ""


def _tokens(text: str) -> None:
    at = depth = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:  # pragma: no cover - every character begins a token
            raise _Newer("a character that begins nothing")
        at = found.end()
        if found["quote"]:
            at = _text(_string(text, found["word"] or "", found["quote"], at))
        elif found["name"]:
            _name(found["name"])
        elif found["number"] and len(found["number"]) > _LONGEST_NUMBER:
            raise _Newer("a number is too long")
        elif found["open"]:
            depth += 1
            if depth > limits.SOURCE_BRACKETS:
                raise _Newer(_DEEP)
        elif found["close"]:
            depth = max(depth - 1, 0)


def _text(one: _String) -> int:
    """Check what stands in a string; return the offset behind it."""
    if not {"r", "b"} & set(one.prefix):
        _letters(one.body)
    if "f" in one.prefix:
        _fields(one.body, 0, raw="r" in one.prefix)
    return one.end


def _string(text: str, word: str, quote: str, at: int) -> _String:
    prefix = "" if word in _KEYWORDS else word.lower()
    if prefix not in _PREFIXES:
        raise _Newer(f"a string begins with {word[:20]}")
    found = _BODY[quote].match(text, at)
    if found is None:
        raise _Newer("a string does not end")
    return _String(prefix, found[0][: -len(quote)], found.end())


def _letters(body: str) -> None:
    """Refuse names of letters, as escapes, that not every Python's tables know."""
    for found in _LETTER.finditer(body):
        if found[1] is not None and old_letter(found[1]) is None:
            raise _Newer("a text names a letter that is new in Unicode")


def _name(name: str) -> None:
    """Refuse a name with letters that came to Unicode after version 3.2, which every Python's tables know."""
    if not name.isascii() and not all(map(is_old, name)):
        raise _Newer("a name has letters that are new in Unicode")


def _fields(body: str, level: int, *, raw: bool) -> None:
    """Check the fields of a formatted string, or of the format of a field, to the letter of 3.11."""
    at = 0
    while at < len(body):
        letter = body[at]
        if level and letter in "\\\n":
            raise _Newer("the format of a field holds a backslash or a line end")
        if letter == "\\" and not raw:
            named = body.startswith("\\N{", at)
            end = body.find("}", at) if named else at + (1 if body[at + 1 : at + 2] in "{}" else 2) - 1
            if end < 0:
                raise _Newer("a name of a character does not end")
            at = end + 1
        elif letter in "{}" and body[at + 1 : at + 2] == letter and not level:
            at += 2
        elif letter == "{":
            at = _field(body, at + 1, level)
        elif letter == "}":
            raise _Newer("a field ends that did not begin")
        else:
            at += 1


def _field(body: str, at: int, level: int) -> int:
    """Check one field from behind its bracket; return the offset behind it."""
    if level >= _NESTED:
        raise _Newer("fields are nested too deeply")
    depth = 0
    while at < len(body):
        letter = body[at]
        if letter in "\\#":
            raise _Newer("a field holds a backslash or a comment")
        if letter in "'\"":
            at = _inner_string(body, at)
            continue
        if letter == "}" and not depth:
            return at + 1
        depth += (letter in "([{") - (letter in ")]}")
        if not 0 <= depth <= limits.SOURCE_BRACKETS:
            raise _Newer("brackets in a field do not match, or are nested too deeply")
        if letter == ":" and not depth:
            end = _format_end(body, at + 1)
            _fields(body[at + 1 : end], level + 1, raw=True)
            return end + 1
        at += 1
    raise _Newer("a field does not end")


def _format_end(body: str, at: int) -> int:
    """Return where the format of a field ends: at the bracket that closes the field."""
    depth = 0
    for place in range(at, len(body)):
        if body[place] == "{":
            depth += 1
        elif body[place] == "}":
            if not depth:
                return place
            depth -= 1
    raise _Newer("a field does not end")


def _inner_string(body: str, at: int) -> int:
    """Check a string within a field; return the offset behind it."""
    quote = body[at] * 3 if body.startswith(body[at] * 3, at) else body[at]
    start = at
    while start and (body[start - 1].isalnum() or body[start - 1] == "_"):
        start -= 1
    one = _string(body, body[start:at], quote, at + len(quote))
    if "\\" in one.body:
        raise _Newer("a field holds a backslash or a comment")
    if "f" in one.prefix:
        _fields(one.body, 0, raw=True)
    return one.end
