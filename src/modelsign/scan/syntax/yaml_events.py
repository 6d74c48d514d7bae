"""Reads YAML into plain dictionaries, lists and scalars, and notes every tag; makes no object of any other kind.

PyYAML's reader, scanner and parser (pure Python) give events; its constructors, which make objects by tag, are not
used. An alias is the very object it stands for, so that a document that grows when it is written out does not grow
here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modelsign import limits

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BrokenYamlError", "Documents", "read_yaml"]

_TRUE: Final = re.compile(r"(?i:true|yes|on)\Z")
_NOTHING: Final = re.compile(r"(?i:null|~|false|no|off|[-+.\d][-+.\d_eE:xXoa-fA-F]*|)\Z")
_FAULTS: Final = (ValueError, IndexError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
"""What PyYAML raises besides its own errors, on escapes and directives that it does not check."""
_SHOWN: Final = 200


class BrokenYamlError(Exception):
    """The text is no YAML, or beyond what a scan spends on it."""

    def __init__(self, text: str, *, budget: bool = False) -> None:
        """Say what is wrong."""
        super().__init__(text)
        self.budget = budget


class Documents(NamedTuple):
    """What a stream of YAML holds: its documents, and each tag with the line where it stands and the text it tags."""

    values: list[object]
    tags: list[tuple[str, int, str]]


def read_yaml(text: str) -> Documents:
    """Return the documents of a stream.

    Raises:
        BrokenYamlError: it is no YAML, or too long, deep or rich.

    """
    builder = _Builder()
    for number, event in enumerate(_events(text)):
        if number > limits.YAML_EVENTS:
            raise BrokenYamlError(f"more than {limits.YAML_EVENTS} events", budget=True)
        builder.add(event)
    return Documents(builder.documents, builder.tags)


def _events(text: str) -> Iterator[Any]:
    """Yield the events of PyYAML's parser."""
    from yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - only models with YAML pay for it
    from yaml.parser import Parser  # noqa: PLC0415 - same
    from yaml.reader import Reader  # noqa: PLC0415 - same
    from yaml.scanner import Scanner  # noqa: PLC0415 - same

    class Events(Reader, Scanner, Parser):
        """Text to events, and no further."""

        def __init__(self, source: str) -> None:
            Reader.__init__(self, source)
            Scanner.__init__(self)
            Parser.__init__(self)

    try:
        events = Events(text)
        while events.check_event():
            yield events.get_event()  # type: ignore[no-untyped-call] # PyYAML's own
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 0
        raise BrokenYamlError(f"line {line}: {str(fault.problem)[:_SHOWN]}") from None
    except YAMLError:
        raise BrokenYamlError("a character that YAML forbids") from None
    except _FAULTS:
        raise BrokenYamlError("a directive or escape that is broken") from None


class _Builder:
    """Puts documents together from events, with a stack of what is open."""

    def __init__(self) -> None:
        self.documents: list[object] = []
        self.tags: list[tuple[str, int, str]] = []
        self._open: list[dict[str, object] | list[object]] = []
        self._keys: list[str | None] = []
        self._anchors: dict[str, object] = {}

    def add(self, event: Any) -> None:
        """Take one event."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._tag(event, event.value)
            self._put(_scalar(event), event)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._tag(event, "")
            if len(self._open) >= limits.JSON_DEPTH:
                raise BrokenYamlError(f"nested deeper than {limits.JSON_DEPTH} levels")
            node: dict[str, object] | list[object] = {} if kind == "MappingStartEvent" else []
            self._put(node, event)
            self._open.append(node)
            self._keys.append(None)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._open.pop()
            self._keys.pop()
        elif kind == "AliasEvent":
            if event.anchor not in self._anchors:
                raise BrokenYamlError(f"line {event.start_mark.line + 1}: an alias without an anchor")
            self._put(self._anchors[event.anchor], None)
        elif kind == "DocumentEndEvent":
            self._anchors.clear()

    def _tag(self, event: Any, value: str) -> None:
        if event.tag is not None:
            self.tags.append((event.tag, event.start_mark.line + 1, value[:_SHOWN]))

    def _put(self, value: object, event: Any) -> None:
        if event is not None and event.anchor is not None:
            self._anchors[event.anchor] = value
        if not self._open:
            self.documents.append(value)
            return
        parent = self._open[-1]
        if isinstance(parent, list):
            parent.append(value)
        elif self._keys[-1] is None:
            key = event.value if event is not None and isinstance(value, (str, bool, type(None))) else ""
            self._keys[-1] = key if isinstance(key, str) else ""
            if not isinstance(value, (str, bool, type(None))):
                parent.setdefault("", []).append(value)  # type: ignore[attr-defined] # a list, and only here
        else:
            self._fill(parent, self._keys[-1], value)
            self._keys[-1] = None

    def _fill(self, parent: dict[str, object], key: str, value: object) -> None:
        """Put a value under its key; what stands under a key twice is kept in both places."""
        if key == "" or key in parent:
            others = parent.setdefault("", [])
            if isinstance(others, list):
                others.append({key: value} if key else value)
        else:
            parent[key] = value


def _scalar(event: Any) -> object:
    """Return text, True, or None for whatever names nothing."""
    if event.style is None and event.tag is None:
        if _TRUE.match(event.value):
            return True
        if _NOTHING.match(event.value):
            return None
    return event.value
