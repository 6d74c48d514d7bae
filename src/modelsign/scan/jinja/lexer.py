"""Splits a Jinja template into tokens, as ``jinja2/lexer.py`` 3.1 does with its default delimiters.

What stands between the tags is output and not looked at. Linear in the template, in time and in what is kept.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from modelsign.scan.syntax.letters import old_letter

__all__ = ["MalformedTemplateError", "Token", "tokens", "unescaped"]

_OPEN: Final = re.compile(r"\{[%{#]")
_RAW: Final = re.compile(r"\{%[-+]?\s*raw\s*-?%\}")
_END_RAW: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_INSIDE: Final = re.compile(
    r"""(?P<space>\s+)
    | (?P<float>(?<!\.)\d+(?:_\d+)*(?:(?:\.\d+(?:_\d+)*)?[eE][+-]?\d+(?:_\d+)*|\.\d+(?:_\d+)*))
    | (?P<integer>0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*)
    | (?P<name>\w+)
    | (?P<string>'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<op>\*\*|//|==|!=|>=|<=|[-+/*%~\[\](){}<>=.:|,;])""",
    re.VERBOSE | re.DOTALL,
)
_ENDS: Final = {"{%": re.compile(r"[-+]?%\}"), "{{": re.compile(r"-?\}\}")}
_ESCAPE: Final = re.compile(
    r"\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|N\{([^}]{1,100})\}|([\\'\"abfnrtv\n])|([xuUN]))"
)
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\n": ""}
_OCTAL: Final = 8
_HEXADECIMAL: Final = 16
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSING: Final = frozenset(_PAIRS.values())


class MalformedTemplateError(Exception):
    """The template breaks the grammar, at a line."""

    def __init__(self, text: str, line: int) -> None:
        """Say what is wrong and where."""
        super().__init__(f"line {line}: {text}")


class Token(NamedTuple):
    """``kind`` is ``begin`` or ``end`` of a tag, ``name``, ``string``, ``integer``, ``float``, ``op`` or ``eof``."""

    kind: str
    text: str
    line: int


def tokens(text: str) -> tuple[list[Token], MalformedTemplateError | None]:
    """Return the tokens of all tags, and ``eof`` at the end; or those before a fault, and the fault.

    A fault is a tag, comment, text or bracket that is not closed, or a character without meaning. Jinja reads every
    end of a line as a line feed before anything else, so that a backslash before it joins the lines of a text.
    """
    read: list[Token] = []
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        _read(text, read)
    except MalformedTemplateError as fault:
        return read, fault
    return read, None


def _read(text: str, read: list[Token]) -> None:
    at, line, counted = 0, 1, 0
    while found := _OPEN.search(text, at):
        at = found.start()
        line += text.count("\n", counted, at)
        counted = at
        mark = found.group()
        raw = _RAW.match(text, at)
        if mark == "{#":
            at = _behind(text.find("#}", at + 2), 2, "a comment is not closed", line)
        elif raw:
            end = _END_RAW.search(text, raw.end())
            at = _behind(end.end() if end else -1, 0, "a raw block is not closed", line)
        else:
            read.append(Token("begin", mark, line))
            at = _tag(text, at + 2, mark, line, read)
    read.append(Token("eof", "", line + text.count("\n", counted)))


def _behind(place: int, length: int, fault: str, line: int) -> int:
    if place < 0:
        raise MalformedTemplateError(fault, line)
    return place + length


def _tag(text: str, at: int, mark: str, line: int, read: list[Token]) -> int:  # noqa: C901 - one loop, without calls
    """Read the tokens of one tag; returns the place behind it."""
    if text[at : at + 1] in {"-", "+"} and not (mark == "{{" and text[at] == "+"):
        at += 1
    closing: list[str] = []
    inside, ends, add = _INSIDE.match, _ENDS[mark].match, read.append
    while True:
        if not closing and (end := ends(text, at)):
            add(Token("end", mark, line))
            return end.end()
        found = inside(text, at)
        if found is None:
            raise MalformedTemplateError("a tag is not closed, or holds a character without meaning", line)
        kind, word, at = found.lastgroup or "", found[0], found.end()
        if kind == "space":
            line += word.count("\n")
            continue
        if kind == "op":
            if word in _PAIRS:
                closing.append(_PAIRS[word])
            elif word in _CLOSING and (not closing or closing.pop() != word):
                raise MalformedTemplateError(f"{word} closes nothing", line)
        add(Token(kind, word, line))
        if kind == "string":
            line += word.count("\n")
        if text[at : at + 1] == " ":  # by far the most common; others are matched
            at += 1


def unescaped(token: Token) -> str:
    """Return what a text in quotation marks stands for, with Python's escapes; unknown ones stand for themselves.

    Raises:
        MalformedTemplateError: an escape is cut short or names no character.

    """
    if "\\" not in token.text:
        return token.text[1:-1]

    def one(found: re.Match[str]) -> str:
        octal, two, four, eight, name, letter, _ = found.groups()
        try:
            if octal:
                return chr(int(octal, _OCTAL))
            if two or four or eight:
                return chr(int(two or four or eight, _HEXADECIMAL))
            if name and (known := old_letter(name)):
                return known
        except (ValueError, OverflowError):
            letter = None
        if letter is None:
            raise MalformedTemplateError("a text holds a broken escape", token.line)
        return _LETTERS.get(letter, letter)

    return _ESCAPE.sub(one, token.text[1:-1])
