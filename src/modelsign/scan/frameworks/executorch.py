"""What an ExecuTorch program says: operators, delegates, instructions and segments, judged as its tables are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.reading import Slice
from modelsign.scan.format import Member
from modelsign.scan.frameworks import operators
from modelsign.scan.rules import BROKEN
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from modelsign.artifact.reading import Reading
    from modelsign.scan.syntax.flatbuffer import Table
    from modelsign.verdict import Finding

__all__ = ["RULES", "Program"]

_REFERENCE: Final = ("https://docs.pytorch.org/executorch/stable/pte-file-format.html",)
OPERATOR: Final = Rule(
    "executorch-operator-unknown",
    "the program uses an operator that is not known",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The operator is none of those that ExecuTorch or PyTorch register. The application must bring native code for it, "
    "and what that code does is not in the file.",
    "Find out which library the operator needs and whether you trust it.",
    _REFERENCE,
)
DELEGATE: Final = Rule(
    "executorch-delegate",
    "a part of the program is handed to a backend",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The backend gets a blob that was compiled for it: a program for an accelerator, or a format of its own. There is "
    "no reader for it, so nothing is known about what it does.",
    "Ask for the model without this delegate, or for one lowered to XNNPACK.",
    _REFERENCE,
)
NATIVE: Final = Rule(
    "executorch-native-library",
    "the program carries a native library that a backend loads",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "The backend writes a library from the file to disk and opens it with the system's loader, which gives it the "
    "whole process.",
    "Do not load the program; export the model from its source yourself.",
    _REFERENCE,
)
INDEX: Final = Rule(
    "executorch-index",
    "an index, a size or a segment contradicts the rest of the program",
    Severity.HIGH,
    Outcome.INCOMPLETE,
    "An index leads behind its list, a segment lies behind the file's end, or a size is negative. ExecuTorch has read "
    "and written beyond its memory on such programs.",
    "Do not load the program; ask its author to export it again.",
    ("CVE-2025-54949", "CVE-2025-54950", "CVE-2025-54951", "CVE-2025-54952", "CVE-2025-30402", "CVE-2025-30405"),
)
RULES: Final = (OPERATOR, DELEGATE, NATIVE, INDEX, BROKEN)
_EXTENDED: Final = b"eh00"
_EXTENDED_AT: Final = 8
_SEGMENT: Final = 1
_TENSOR: Final = 5
_LISTS: Final = {10, 11}
_XNNPACK: Final = "XnnpackBackend"
_XNNPACK_MARKS: Final = (b"XH00", b"XN00", b"XN01")
_MOST_FINDINGS: Final = 100
_MOST_NUMBERS: Final = 1_000_000
_MOST_DIMENSIONS: Final = 1000
(_KERNEL, _DELEGATE, _MOVE, _JUMP, _FREE) = range(1, 6)


class Program:
    """Gathers findings and the segments that follow the tables."""

    def __init__(self, reading: Reading) -> None:
        """Take the file."""
        self._reading = reading
        self._found: dict[Finding, None] = {}
        self.members: list[Member] = []
        head = reading.read_at(0, 40)
        extended = head.startswith(_EXTENDED, _EXTENDED_AT)
        self._base = int.from_bytes(head[24:32], "little") if extended else 0
        self._segments: list[tuple[int, int]] = []
        self._inline: list[tuple[int, int]] = []
        self._constants = 0

    def findings(self) -> list[Finding]:
        """Return what was found so far."""
        return list(self._found)

    def read(self, root: Table) -> None:
        """Read the program.

        Raises:
            Damaged: an offset leads out of the file.

        """
        for number, segment in enumerate(root.tables(4)):
            start, size = self._base + segment.number(0, 8), segment.number(1, 8)
            if start + size > self._reading.size:
                self._note(
                    INDEX, f"segment {number} ends at {start + size}, the file at {self._reading.size}", segment.at
                )
            self._segments.append((start, size))
            self._keep(f"segment {number}", start, size)
        buffers = list(root.tables(2))
        for number, buffer in enumerate(buffers):
            place = buffer.vector(0, 1)
            self._keep(f"constant {number}", place.start, place.length)
        for number, data in enumerate(root.tables(3)):
            place = data.vector(0, 1)
            self._inline.append((place.start, place.length))
            self._keep(f"delegate data {number}", place.start, place.length)
        constants = root.table(5)
        offsets = constants.vector(1, 8).length if constants is not None else 0
        self._constants = max(len(buffers), offsets)
        if constants is not None and offsets and constants.number(0, 4) >= len(self._segments):
            self._note(INDEX, "the segment of constants does not exist", constants.at)
        for named in root.tables(7):
            if named.number(1, 4) >= len(self._segments):
                self._note(INDEX, f"the segment of {named.text(0, 100)!r} does not exist", named.at)
        for plan in root.tables(1):
            self._plan(plan)

    def _keep(self, name: str, start: int, size: int) -> None:
        """Hand bytes that are declared to be numbers to the engine."""
        if size:
            self.members.append(Member(name, lambda _: Stream(Slice(self._reading, start, size)), data=True))

    def _note(self, rule: Rule, message: str, offset: int) -> None:
        if len(self._found) < _MOST_FINDINGS or rule.outcome is Outcome.UNSAFE:
            self._found.setdefault(rule.finding(message, offset=offset))

    def _plan(self, plan: Table) -> None:
        values = list(plan.tables(2))
        for value in values:
            self._value(value, len(values))
        for number in (3, 4):
            self._within(plan, plan.numbers(number, 4, _MOST_NUMBERS), len(values), "a value")
        names = [self._operator(operator) for operator in plan.tables(6)]
        delegates = [self._delegate(delegate) for delegate in plan.tables(7)]
        for chain in plan.tables(5):
            instructions = list(chain.tables(2))
            for instruction in instructions:
                self._instruction(instruction, len(values), len(names), len(delegates), len(instructions))

    def _value(self, value: Table, count: int) -> None:
        kind = value.number(0, 1)
        inside = value.table(1)
        if inside is None:
            return
        if kind in _LISTS:
            self._within(inside, inside.numbers(0, 4, _MOST_NUMBERS), count, "a value", none=-1)
        if kind != _TENSOR:
            return
        sizes = inside.numbers(2, 4, _MOST_DIMENSIONS)
        if any(size < 0 for size in sizes):
            self._note(INDEX, f"a tensor has the shape {sizes[:10]}", inside.at)
        order = inside.numbers(3, 1, _MOST_DIMENSIONS, signed=False)
        if order and sorted(order) != list(range(len(sizes))):
            self._note(INDEX, f"a tensor of {len(sizes)} dimensions has them in the order {order[:10]}", inside.at)
        if inside.place(6) is None and inside.number(5, 4) >= max(1, self._constants):
            extra = inside.table(9)
            if extra is None or not extra.number(2, 1):
                self._note(INDEX, f"constant {inside.number(5, 4)} does not exist", inside.at)

    def _within(self, table: Table, indexes: list[int], count: int, what: str, *, none: int = 0) -> None:
        odd = next((index for index in indexes if not (0 <= index < count or index == none < 0)), None)
        if odd is not None:
            self._note(INDEX, f"{what} {odd} does not exist", table.at)

    def _operator(self, operator: Table) -> str:
        name = operator.text(0)
        domain, _, base = name.rpartition("::")
        known = ("", name) in operators.known("executorch") or (domain, base) in operators.known("torchscript")
        if not known or name.casefold() in operators.dangerous("torchscript"):
            self._note(OPERATOR, f"{name[:200]} is not known", operator.at)
        return name

    def _delegate(self, delegate: Table) -> str:
        name = delegate.text(0)
        data = delegate.table(1)
        danger = operators.dangerous("executorch").get(name.casefold())
        if danger is not None:
            self._note(NATIVE, f"{name} {danger.capability}", delegate.at)
        elif name != _XNNPACK or not self._is_xnnpack(data):
            self._note(DELEGATE, f"a blob for {name[:200]!r}", delegate.at)
        return name

    def _is_xnnpack(self, data: Table | None) -> bool:
        """Whether the blob is XNNPACK's graph, whose nodes are a closed list that only computes."""
        if data is None:
            return False
        index = data.number(1, 4)
        places = self._segments if data.number(0, 1) == _SEGMENT else self._inline
        if index >= len(places):
            self._note(INDEX, f"the delegate's data {index} does not exist", data.at)
            return False
        return self._reading.read_at(places[index][0] + 4, 4) in _XNNPACK_MARKS

    def _instruction(self, instruction: Table, values: int, names: int, delegates: int, count: int) -> None:
        kind, call = instruction.number(0, 1), instruction.table(1)
        if call is None:
            self._note(INDEX, "an instruction is missing", instruction.at)
            return
        first, second = call.number(0, 4, signed=True), 0
        if kind in {_KERNEL, _DELEGATE}:
            self._within(call, call.numbers(1, 4, _MOST_NUMBERS), values, "a value")
            self._within(call, [first], names if kind == _KERNEL else delegates, "an operator or delegate")
        elif kind in {_MOVE, _JUMP}:
            second = call.number(1, 4, signed=True)
            self._within(call, [first], values, "a value")
            self._within(call, [second], values if kind == _MOVE else count + 1, "a value or an instruction")
        elif kind == _FREE:
            self._within(call, [first], values, "a value")
        else:
            self._note(INDEX, f"an instruction of kind {kind}", instruction.at)
