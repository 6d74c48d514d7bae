"""Reads INI files: sections of keys and values, as Python's ``configparser`` and Darknet read them; makes plain text.

A section may stand several times (Darknet's networks are lists of sections); readers of the one kind that forbid this
refuse such a file anyway.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["BrokenIniError", "Section", "read_ini"]

_SECTION: Final = re.compile(r"\[([^\]]+)\]\Z")
_COMMENTS: Final = ("#", ";")
_DELIMITER: Final = re.compile(r"[=:]")


class BrokenIniError(Exception):
    """The text is no INI file."""


class Section(NamedTuple):
    """One section: its name, the line it begins on, and its keys with their values, as often as they stand there."""

    name: str
    line: int
    items: list[tuple[str, str, int]]
    """Key, value, line."""


def read_ini(text: str) -> list[Section]:
    """Return the sections in order; a value may go on in lines that are indented deeper than its key.

    Raises:
        BrokenIniError: a line stands before the first section, or is neither a section nor a key and its value.

    """
    sections: list[Section] = []
    value: list[str] | None = None
    indent = 0
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        content = line.strip()
        if not content or content.startswith(_COMMENTS):
            continue
        depth = len(line) - len(line.lstrip())
        if value is not None and depth > indent:
            value.append(content)
            continue
        if value is not None:
            _end(sections[-1], value)
        value, indent = None, depth
        if (head := _SECTION.match(content)) is not None:
            sections.append(Section(head[1], number, []))
            continue
        if content.startswith("[") and "]" in content:
            raise BrokenIniError(f"line {number}: more than a section's name, which readers take for different things")
        cut = _DELIMITER.search(content)
        if not sections or cut is None or not content[: cut.start()].strip():
            raise BrokenIniError(f"line {number}: neither a section nor a key with a value")
        key, value = content[: cut.start()].rstrip(), [content[cut.end() :].strip()]
        sections[-1].items.append((key, "", number))
    if value is not None:
        _end(sections[-1], value)
    return sections


def _end(section: Section, value: list[str]) -> None:
    key, _, line = section.items[-1]
    section.items[-1] = (key, "\n".join(value), line)
