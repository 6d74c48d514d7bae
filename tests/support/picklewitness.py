"""What the pickle machine says a program does, in the words of ``unpickleoracle``: every event, not only findings.

The judge is the real one; it is only overheard.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from unittest import mock

from unpickleoracle import MOST_BITS, MOST_DEPTH, MOST_ITEMS, MOST_STREAMS, MOST_TEXT

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.machine import walk as walking
from modelsign.scan.machine.faults import Broken, Exhausted
from modelsign.scan.machine.frames import file_readings
from modelsign.scan.machine.judge import Judge
from modelsign.scan.machine.memo import Memo
from modelsign.scan.machine.source import Source
from modelsign.scan.machine.values import BUFFER, Global, Instance
from modelsign.scan.machine.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsign.artifact.reading import Reading
    from modelsign.scan.machine.values import Value

Event = list[Any]


class Account:
    """What was heard: the events, their offsets, why it ended (``end``, ``Broken``, ``Exhausted``), and where."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.events: list[Event] = []
        self.offsets: list[int] = []
        self.ending = "end"
        self.place = 0
        self.stops: list[int] = []
        self.buffers = False
        """Whether there may be out-of-band buffers, or what was made read-only."""


class Overheard(Judge):
    """A judge that tells of everything it is asked to judge."""

    def __init__(self, source: Source, account: Account) -> None:
        """Take the bytes, and where to tell."""
        super().__init__(source, raw_arrays=False)
        self.account = account
        self.inside = 0
        self.looked_up: set[int] = set()
        """Names that a call of ``getattr`` gave: an unpickler has an object there."""
        self.changed: set[int] = set()
        """Literals that had items put into them: a bytearray is another then."""

    def tell(self, event: Event, offset: int) -> None:
        events = self.account.events
        again = event[0] == "items" and events[-1:] == [event]
        known = event[0] == "extension" and event in events  # unpicklers remember what they found under a code
        if not (self.inside or again or known):
            events.append(event)
            self.account.offsets.append(offset)

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Within: what one judgement asks of another is no event of its own."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def shown(self, value: Value, depth: int = 0) -> list[Any]:
        """Return a value as the oracle shows it; ``?`` and a missing part stand for anything."""
        if isinstance(value, int):
            return ["c", self.source.kind(~value)] if value < 0 else self._literal(value)
        if isinstance(value, tuple):
            if depth >= MOST_DEPTH:
                return ["t", None, len(value)]
            return ["t", [self.shown(item, depth + 1) for item in value[:MOST_ITEMS]], len(value)]
        if isinstance(value, Global):
            return ["G" if id(value) in self.looked_up else "g", value.module, value.name]
        if value is BUFFER:
            return ["?"]
        return ["o"] if isinstance(value, Instance) else ["?"]

    def _literal(self, offset: int) -> list[Any]:  # noqa: PLR0911 - one sort after another
        kind = self.source.kind(offset)
        if kind == "none":
            return ["n"]
        if kind == "bool":
            return ["i", int(self.source.read(offset, 3) == b"I01" or self.source.read(offset, 1) == b"\x88")]
        if kind == "int":
            number = self.source.integer(offset)
            return ["i"] if number is None or number.bit_length() > MOST_BITS else ["i", number]
        if kind == "float":
            return ["f"]
        if kind == "str":
            text = self.source.text(offset)
            return ["s"] if text is None else ["s", text[:MOST_TEXT], len(text)]
        start, length = self.source.content(offset)
        if offset in self.changed:
            return ["a"]
        letter = "b" if kind == "bytes" else "a"
        return [letter, self.source.read(start, min(length, MOST_TEXT)).hex(), length]

    def imported(self, module: str, name: str, protocol: int, offset: int) -> Global:
        found = super().imported(module, name, protocol, offset)
        self.tell(["import", module, name, found.path], offset)
        return found

    def call(self, function: Value, arguments: Value, offset: int) -> Value:
        self.tell(["call", self.shown(function), self.shown(arguments)], offset)
        with self.apart():
            found = super().call(function, arguments, offset)
        if isinstance(found, Global):
            self.looked_up.add(id(found))
        return found

    def new(self, cls: Value, arguments: Value, keywords: Value | None, offset: int) -> Value:
        self.tell(["call", self.shown(cls), self.shown(arguments)], offset)
        with self.apart():
            return super().new(cls, arguments, keywords, offset)

    def instantiate(self, cls: Value, arguments: tuple[Value, ...], offset: int) -> Value:
        self.tell(["call", self.shown(cls), self.shown(arguments)], offset)
        with self.apart():
            return super().instantiate(cls, arguments, offset)

    def build(self, target: Value, state: Value, offset: int) -> Value:
        if not isinstance(target, (int, tuple)):
            self.tell(["state", self.shown(target), self.shown(state)], offset)
        with self.apart():
            return super().build(target, state, offset)

    def add_items(self, target: Value, items: list[Value], code: int, offset: int) -> None:
        if items and not isinstance(target, (int, tuple)):
            self.tell(["items", self.shown(target) if isinstance(target, Global) else ["o"]], offset)
        if items and isinstance(target, int) and target >= 0 and self.source.kind(target) == "bytearray":
            self.changed.add(target)
        with self.apart():
            super().add_items(target, items, code, offset)

    def persistent(self, identifier: Value | str, offset: int) -> Value:
        if isinstance(identifier, str):
            told: list[Any] = ["s", identifier[:MOST_TEXT], len(identifier)]
        else:
            told = self.shown(identifier)
        self.tell(["persistent", told], offset)
        return super().persistent(identifier, offset)

    def extension(self, code: int, offset: int) -> Value:
        self.tell(["extension", code], offset)
        return super().extension(code, offset)

    def out_of_band(self, offset: int) -> None:
        self.tell(["buffer"], offset)
        super().out_of_band(offset)


TIGHT = {"PICKLE_STACK": 12, "PICKLE_MEMO": 3, "PICKLE_GLOBALS": 3, "PICKLE_LINE": 40, "PICKLE_WALKED_BYTES": 400}
"""Budgets so small that programs reach them."""


@contextlib.contextmanager
def looking(window: int | None, *, tight: bool = False) -> Iterator[None]:
    """Within: the machine looks at so many bytes at a time, and may have tight budgets."""
    with contextlib.ExitStack() as changed:
        if window:
            changed.enter_context(mock.patch.object(walking, "_WINDOW", window))
        for name, value in TIGHT.items() if tight else ():
            changed.enter_context(mock.patch.object(limits, name, value))
        yield


def account_of(reading: Reading, *, shared_memo: bool = False) -> Account:
    """Walk every pickle in the bytes."""
    account = Account()
    account.buffers = not {0x97, 0x98}.isdisjoint(reading.read_at(0, reading.size))
    judge = Overheard(Source(reading), account)
    memo = Memo() if shared_memo else None
    position = 0
    try:
        for _ in range(MOST_STREAMS):
            walk = Walk(judge, start=position, memo=memo)
            walk.run()
            position = account.place = walk.end
            account.stops.append(position)
            judge.tell(["stop", judge.shown(walk.stack[-1]), position], position - 1)
            if position >= reading.size:
                break
    except (Broken, Exhausted) as halt:
        account.ending, account.place = type(halt).__name__, halt.offset
    return account


def as_files(data: bytes) -> tuple[list[Account], bool]:
    """Walk the bytes in the orders in which file readers of older CPythons take them, with either memo.

    The second value says that there are more orders than the machine follows.
    """
    orders, more = file_readings(Source(BytesReading(data)), 0)
    found = [account_of(order, shared_memo=shared) for order in orders for shared in (False, True)]
    for account in found:
        for event in account.events:
            if event[0] == "stop":
                event[2] = None  # an offset among the bytes it was given
    return found, more
