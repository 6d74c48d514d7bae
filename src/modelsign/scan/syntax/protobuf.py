"""Reads protobuf messages off the wire, by a schema that is data, without a protobuf library.

A message is walked field by field, in a loop with its own stack. Fields that nobody asked for are stepped over without
being read, tensors' numbers among them. A format hands in handlers: for a type of message, the names of the fields it
wants and a function that gets their values when the message ends; what the function returns is the value that the
parent's handler sees. Sub-messages are entered only where a handler can be met inside.

What a parser of the format would take as well is taken: non-minimal varints, packed and unpacked numbers, fields in any
order. What no writer does is a finding: a field that the schema does not know, a singular field given twice, groups.

Source: protobuf.dev/programming-guides/encoding, and ``google/protobuf/parse_context.h`` for the bounds.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modelsign import limits
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.syntax.wire import Malformed, Span, Wire
from modelsign.scan.tables import table
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.wire import Place
    from modelsign.verdict import Finding

__all__ = ["RULES", "Handler", "Values", "Walk"]

_REFERENCE: Final = ("https://protobuf.dev/programming-guides/encoding/",)
UNKNOWN: Final = Rule(
    "protobuf-unknown-field",
    "a message has a field that the format does not know",
    Severity.LOW,
    Outcome.UNVERIFIED,
    "A protobuf parser keeps or drops fields it does not know without a word. A newer version of the loader may give "
    "them a meaning, and other data can be hidden in them.",
    "Find out which version of the library wrote the file, or write it again with a version that is known.",
    _REFERENCE,
)
TWICE: Final = Rule(
    "protobuf-field-twice",
    "a field that occurs once in a message is given several times",
    Severity.MEDIUM,
    Outcome.INCOMPLETE,
    "Parsers take the last value of such a field, or join the parts of a message. No library writes that; it shows one "
    "value to a reader that stops early and another to the loader.",
    "Do not load the file; ask its author to write it again with the format's own library.",
    _REFERENCE,
)
RULES: Final = (UNKNOWN, TWICE, BROKEN, BUDGET)
_SHOWN: Final = 20
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_SCALARS: Final = {"varint": _VARINT, "fixed64": _FIXED64, "bytes": _LENGTH, "fixed32": _FIXED32}
_PACKABLE: Final = frozenset({_VARINT, _FIXED32, _FIXED64})


class _Field(NamedTuple):
    """One field as the walk needs it. ``enters`` names the message to go into, or is empty."""

    name: str
    wire: int
    repeated: bool
    wanted: bool
    enters: str


@dataclass(slots=True)
class Values:
    """The wanted values of one message, and where it lies.

    Numbers come as unsigned integers, text and bytes as their place, messages as what their handler returned.
    """

    start: int
    end: int
    fields: dict[str, list[Any]] = field(default_factory=dict)

    def all(self, name: str) -> list[Any]:
        """Return every value of a field, in the order of the file."""
        return self.fields.get(name, [])

    def last(self, name: str, default: Any = None) -> Any:
        """Return the value that a parser keeps of a singular field."""
        values = self.fields.get(name)
        return values[-1] if values else default

    def signed(self, name: str) -> list[int]:
        """Return the values of a field of type int32, int64 or enum."""
        return [value - (1 << 64) if value >> 63 else value for value in self.all(name)]


class Handler(NamedTuple):
    """What to do with one type of message: the fields it wants, and who gets them when the message ends."""

    wanted: frozenset[str]
    fold: Callable[[Values], object]


@dataclass(slots=True)
class _Frame:
    """A message that is being read."""

    message: str
    plan: Mapping[int, _Field]
    values: Values
    name: str
    """The field of the parent that it is the value of, or empty where the parent does not want it."""
    seen: set[int] = field(default_factory=set)


class Walk:
    """One pass over a message; afterwards ``findings`` says what was odd about the encoding."""

    def __init__(self, reading: Reading, schema: str, handlers: Mapping[str, Handler]) -> None:
        """Take the bytes, the name of the schema's table, and the handlers by full name of the message."""
        self.wire = Wire(reading)
        self._handlers = handlers
        self._plans = _plans(schema, tuple(sorted((name, one.wanted) for name, one in handlers.items())))
        self._at = 0
        self._left = limits.PROTOBUF_FIELDS
        self._faults: list[Finding] = []
        self._odd: dict[tuple[Rule, str, int], int] = {}

    def run(self, root: str, place: Span) -> None:
        """Walk the message of type ``root`` that fills ``place``."""
        stack = [self._frame(root, place, "")]
        self._at = place.start
        while stack:
            frame = stack[-1]
            if self._at >= frame.values.end:
                self._close(stack)
                continue
            try:
                inner = self._field(frame, len(stack))
            except Malformed as fault:
                self._note(BROKEN.finding(f"{_short(frame.message)}: {fault}", offset=self._at))
                self._at = frame.values.end
                continue
            if inner is not None:
                stack.append(inner)
            if self._left < 0:
                self._note(BUDGET.finding(f"more than {limits.PROTOBUF_FIELDS} fields", offset=self._at))
                while stack:
                    self._close(stack)

    def text(self, place: Span | None, most: int = 1000) -> str:
        """Return text; what is not UTF-8 is escaped, and what is longer than ``most`` bytes is cut and ends in …."""
        if place is None:
            return ""
        data = self.wire.bytes(place.start, min(place.end - place.start, most))
        text = data.decode("utf-8", "backslashreplace")
        return text if place.end - place.start <= most else text + "…"

    def findings(self) -> list[Finding]:
        """Return what was wrong with the encoding: damage, unknown fields, fields given twice."""
        odd = [
            rule.finding(f"field {number} of {_short(message)}", offset=offset)
            for (rule, message, number), offset in self._odd.items()
        ]
        return [*self._faults, *odd]

    def _frame(self, message: str, place: Span, name: str) -> _Frame:
        return _Frame(message, self._plans[message], Values(place.start, place.end), name)

    def _close(self, stack: list[_Frame]) -> None:
        """End a message: hand its values to its handler, and the handler's answer to the parent."""
        frame = stack.pop()
        self._at = frame.values.end
        handler = self._handlers.get(frame.message)
        if handler is None:
            return
        answer = handler.fold(frame.values)
        if answer is not None and stack and frame.name:
            self._keep(stack[-1], frame.name, answer)

    def _field(self, frame: _Frame, depth: int) -> _Frame | None:
        """Read one field; return the message to enter, if it is one."""
        began = self._at
        self._left -= 1
        place = self.wire.field(began, frame.values.end)
        self._at = place.end
        known = frame.plan.get(place.number)
        if known is None or not _fits(known, place.wire):
            self._mark(UNKNOWN, frame, place.number, began)
            return None
        if not known.repeated:
            if place.number in frame.seen:
                self._mark(TWICE, frame, place.number, began)
            frame.seen.add(place.number)
        if known.enters:
            if depth >= limits.PROTOBUF_DEPTH:
                self._note(BUDGET.finding(f"messages are nested more than {limits.PROTOBUF_DEPTH} deep", offset=began))
                return None
            self._at = place.start
            return self._frame(known.enters, Span(place.start, place.end), known.name if known.wanted else "")
        if known.wanted:
            self._take(frame, known, place)
        return None

    def _take(self, frame: _Frame, known: _Field, place: Place) -> None:
        if place.wire != _LENGTH:
            self._keep(frame, known.name, place.value)
        elif known.wire == _LENGTH:
            self._keep(frame, known.name, Span(place.start, place.end))
        else:
            for value in self.wire.packed(known.wire, place.start, place.end, limits.PROTOBUF_KEPT):
                self._keep(frame, known.name, value)

    def _keep(self, frame: _Frame, name: str, value: object) -> None:
        values = frame.values.fields.setdefault(name, [])
        if len(values) < limits.PROTOBUF_KEPT:
            values.append(value)
        else:
            self._note(BUDGET.finding(f"more than {limits.PROTOBUF_KEPT} values of {name} in one message"))

    def _mark(self, rule: Rule, frame: _Frame, number: int, offset: int) -> None:
        if len(self._odd) < _SHOWN:
            self._odd.setdefault((rule, frame.message, number), offset)

    def _note(self, finding: Finding) -> None:
        if len(self._faults) < _SHOWN and finding not in self._faults:
            self._faults.append(finding)


def _fits(known: _Field, wire: int) -> bool:
    return wire == known.wire or (wire == _LENGTH and known.repeated and known.wire in _PACKABLE)


def _short(message: str) -> str:
    return message.rsplit(".", 1)[-1]


@functools.cache
def _plans(schema: str, wanted: tuple[tuple[str, frozenset[str]], ...]) -> Mapping[str, Mapping[int, _Field]]:
    """Compile a schema's table for some handlers: which fields to keep, and which messages to enter."""
    messages: dict[str, dict[str, list[str]]] = table(f"schemas/{schema}")["messages"]
    keep = dict(wanted)
    entered = _reaching(messages, frozenset(keep))
    plans: dict[str, dict[int, _Field]] = {}
    for message, fields in messages.items():
        plan = plans.setdefault(message, {})
        for number, (name, spelled) in fields.items():
            kind = spelled.removesuffix("*")
            plan[int(number)] = _Field(
                name,
                _SCALARS.get(kind, _LENGTH),
                spelled.endswith("*"),
                name in keep.get(message, ()),
                kind if kind in entered else "",
            )
    return plans


def _reaching(messages: Mapping[str, Mapping[str, list[str]]], goals: frozenset[str]) -> set[str]:
    """Return the messages in which one of ``goals`` can stand, at any depth, the goals included."""
    holders: dict[str, set[str]] = {}
    for message, fields in messages.items():
        for _, spelled in fields.values():
            holders.setdefault(spelled.removesuffix("*"), set()).add(message)
    reaching: set[str] = set()
    waiting = list(goals)
    while waiting:
        message = waiting.pop()
        if message not in reaching:
            reaching.add(message)
            waiting += holders.get(message, ())
    return reaching
