"""The walk over one pickle, from its first opcode to STOP.

One loop, written for speed, handles the opcodes that make up large files; the rest are in ``operations``.
The bytes are seen through a window; literals are stepped over by their length and never copied.
"""

# ruff: noqa: PLR2004 - the loop spells opcodes as numbers: looking names up would cost a third of its speed
from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.machine import opcodes as op
from modelsign.scan.machine import rules
from modelsign.scan.machine.dtypes import Dtype
from modelsign.scan.machine.faults import Broken, Exhausted
from modelsign.scan.machine.memo import PLAIN, Memo
from modelsign.scan.machine.operations import OPERATIONS
from modelsign.scan.machine.source import MARGIN
from modelsign.scan.machine.values import Global

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["Walk"]

_WINDOW: Final = 1024 * 1024
_FIRST_WINDOW: Final = 64 * 1024
"""Bytes looked at behind a literal that was stepped over; of 1 GB of arrays the rest is never read."""
_COUNT: Final = Struct("<I")
_APPENDING: Final = frozenset({op.APPEND, op.APPENDS, op.LIST})
_NEVER: Final = 1 << 62
_REMEMBERED: Final = 10_000_000
"""Items kept, over a whole pickle, while joblib wrappers wait for their state."""


class Walk:
    """The machine's state while it walks one pickle."""

    def __init__(self, judge: Judge, *, start: int = 0, memo: Memo | None = None, raw_arrays: bool = True) -> None:
        """Take who judges what the pickle does (and has its bytes), and where it starts."""
        self.source = judge.source
        self.judge = judge
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.memo = Memo() if memo is None else memo
        self.protocol = 0
        self.raw_arrays = raw_arrays and judge.raw_arrays
        """Whether array bytes follow the BUILD of a joblib wrapper, as joblib reads them."""
        self.pending: dict[int, list[Value]] | None = None
        """While a joblib wrapper waits for its state: what went into each dict since, by its value."""
        self.pending_since = 0
        """The offset at which that wrapper was made."""
        self.start = start
        self.end = start
        """The offset behind STOP, once it was reached."""
        self.done = False
        self.frame_end = _NEVER
        self._base = start
        self._window = b""
        self._room = _FIRST_WINDOW // 4
        self._check = 0
        self._walked = 0
        self._remembered = 0
        self._tuples = limits.PICKLE_TUPLES

    def run(self) -> None:
        """Walk until STOP.

        Raises:
            Broken: the bytes end or make no sense; everything before was judged.
            Exhausted: a budget ran out.

        """
        position = self._refill(self.start)
        try:
            self._loop(position)
        except IndexError:
            raise Broken("takes more from the stack than there is", self._base) from None

    def _refill(self, absolute: int) -> int:
        """Move the window; return where in it the offset is."""
        source = self.source
        near = absolute <= self._base + len(self._window)
        self._room = min(4 * self._room, _WINDOW) if near else _FIRST_WINDOW
        position = source.look(absolute, self._room)
        self._base, self._window, self._length, self._at_end = source.base, source.window, source.held, source.at_end
        return position

    def _event(self, position: int) -> int:
        """Between two opcodes: watch the frame, the budgets and the end; move the window."""
        absolute = self._base + position
        size = self.source.size
        if absolute >= size:
            words = "ends without STOP" if absolute == size else "ends in the middle of an opcode"
            raise Broken(words, min(absolute, size))
        if absolute >= self.frame_end:
            if absolute > self.frame_end:
                self.judge.frame_crossed(self.frame_end)
            self.frame_end = _NEVER
        if (position > self._length - MARGIN and not self._at_end) or position >= self._length:
            self._walked += self._length
            self._watch_budgets(absolute)
            position = self._refill(absolute)
        near = self._length - MARGIN
        self._check = min(position + 1 if position >= near else near, max(self.frame_end - self._base, position + 1))
        return position

    def _watch_budgets(self, absolute: int) -> None:
        if self._walked > limits.PICKLE_WALKED_BYTES:
            raise Exhausted(f"has more than {limits.PICKLE_WALKED_BYTES} bytes of opcodes", absolute)
        if len(self.stack) > limits.PICKLE_STACK or len(self.marks) > limits.PICKLE_STACK:
            raise Exhausted(f"puts more than {limits.PICKLE_STACK} values on the stack", absolute)
        if len(self.memo) > limits.PICKLE_MEMO:
            raise Exhausted(f"keeps more than {limits.PICKLE_MEMO} values in the memo", absolute)
        if len(self.memo.sparse) > limits.PICKLE_MEMO_GAPS or self.memo.objects > limits.PICKLE_OBJECTS:
            raise Exhausted("keeps too many objects, or too many values behind gaps, in the memo", absolute)

    def _loop(self, position: int) -> None:  # noqa: C901, PLR0912, PLR0915 - one loop, inlined, because it is the speed
        stack, marks, memo, sparse, dense = self.stack, self.marks, self.memo, self.memo.sparse, self.memo.dense
        push, pop, mark, unmark, memoize = stack.append, stack.pop, marks.append, marks.pop, dense.append
        fixed, unpack, plain = op.FIXED, _COUNT.unpack_from, PLAIN
        window, base, check, judge = self._window, self._base, 0, self.judge
        tuples = self._tuples
        while True:
            if position >= check:
                if tuples < 0:
                    raise Exhausted(f"makes tuples of more than {limits.PICKLE_TUPLES} values", base + position)
                position = self._event(position)
                window, base, check = self._window, self._base, self._check
            code = window[position]
            length = fixed[code]
            if length:
                push(base + position)
                position += length
            elif code == 0x72 or code == 0x71:  # noqa: PLR1714 - LONG_BINPUT, BINPUT
                if code == 0x72:
                    (index,) = unpack(window, position + 1)
                    position += 5
                else:
                    index = window[position + 1]
                    position += 2
                value: Value = stack[-1]
                if index == len(dense) and not sparse:
                    memoize(value if type(value) is int else memo.code(value))
                else:
                    memo.put(index, value)
            elif code == 0x68 or code == 0x6A:  # noqa: PLR1714 - BINGET, LONG_BINGET
                if code == 0x68:
                    index = window[position + 1]
                    position += 2
                else:
                    (index,) = unpack(window, position + 1)
                    position += 5
                if index < len(dense) and dense[index] > plain:
                    push(dense[index])
                else:
                    self.recall(index, base + position)
            elif code == 0x8C or code == 0x55 or code == 0x43 or code == 0x8A:  # noqa: PLR1714 - twice as fast
                value = base + position
                position += 2 + window[position + 1]
                push(value)
                if position < check and window[position] == 0x94 and not sparse:
                    memoize(value)
                    position += 1
            elif code == 0x94:  # MEMOIZE
                value = stack[-1]
                if sparse:
                    memo.append(value)
                else:
                    memoize(value if type(value) is int else memo.code(value))
                position += 1
            elif code == 0x58:  # BINUNICODE
                value = base + position
                position += 5 + unpack(window, position + 1)[0]
                push(value)
                if position < check and window[position] == 0x72 and not sparse:
                    (index,) = unpack(window, position + 1)
                    if index == len(dense):
                        memoize(value)
                        position += 5
            elif code == 0x28:  # MARK
                mark(len(stack))
                position += 1
            elif code == 0x7D or code == 0x5D or code == 0x8F:  # noqa: PLR1714 - EMPTY_DICT, _LIST, _SET
                push(~(base + position))
                position += 1
            elif code == 0x86:  # TUPLE2
                value = pop()
                stack[-1] = (stack[-1], value)
                tuples -= 3
                position += 1
            elif code == 0x75 or code == 0x65:  # noqa: PLR1714 - SETITEMS, APPENDS
                height = unmark()
                if height < 1 or height > len(stack):
                    raise Broken("adds items to nothing", base + position)
                value = stack[height - 1]
                if type(value) is int and value < 0 and self.pending is None and judge.contents is None:
                    del stack[height:]
                else:
                    self.add_items(value, height, base + position)
                position += 1
            elif code == 0x74:  # TUPLE
                height = unmark()
                value = tuple(stack[height:])
                del stack[height:]
                push(value)
                tuples -= 1 + len(value)
                position += 1
            elif code == 0x85:  # TUPLE1
                stack[-1] = (stack[-1],)
                tuples -= 2
                position += 1
            elif code == 0x29:  # EMPTY_TUPLE
                push(())
                position += 1
            elif code == 0x87:  # TUPLE3
                value = tuple(stack[-3:])
                del stack[-3:]
                push(value)
                tuples -= 4
                position += 1
            elif code == 0x2E:  # STOP
                self.end = base + position + 1
                self.stop(base + position)
                return
            else:
                operation = OPERATIONS[code]
                if operation is None:
                    raise Broken(f"has the byte 0x{code:02x} where an opcode should stand", base + position)
                position = operation(self, base + position) - base
                check = self._check  # the operation may have opened a frame

    def stop(self, offset: int) -> None:
        """STOP: the pickle ends; what it returns is on top."""
        if not self.stack:
            raise Broken("stops with nothing on the stack", offset)
        self.close_frame(self.end)
        self.done = True

    @property
    def in_frame(self) -> bool:
        """Whether a frame has not ended yet: where the walk broke off, a reader that drops its rest may go on."""
        return self.frame_end != _NEVER

    def close_frame(self, absolute: int) -> None:
        """Close the frame where something other than opcodes follows; note one that does not end there."""
        if self.frame_end not in {_NEVER, absolute}:
            self.judge.frame_crossed(self.frame_end)
        self.frame_end = _NEVER

    def open_frame(self, offset: int, end: int) -> None:
        """FRAME: note a frame inside a frame, or one that is longer than the bytes."""
        if self.frame_end != _NEVER:
            self.judge.frame_crossed(offset)
        if end > self.source.size:
            self.judge.frame_crossed(offset)
            end = _NEVER
        self.frame_end = end
        self._check = 0

    def recall(self, index: int, offset: int) -> None:
        """GET in its slow form: push what the memo holds, and count names again."""
        value = self.memo.get(index)
        if value is None:
            raise Broken(f"asks for entry {index} of the memo, which is empty", offset)
        self.stack.append(value)
        if type(value) is Global:
            value.pushed += 1
            if value.takes_lists:
                self.judge.keep_lists(offset)

    def add_items(self, target: Value, height: int, offset: int) -> None:
        """APPENDS, SETITEMS and their like on something that is not plainly a container, or is watched."""
        items = self.stack[height:]
        del self.stack[height:]
        code = self.source.read(offset, 1)[0]
        if self.pending is not None and type(target) is int:
            self.remember(target, items, offset)
        if self.judge.contents is not None and type(target) is int:
            self.keep(target, items, code, height - 1, offset)
        self.judge.add_items(target, items, code, offset)

    def keep(self, target: int, items: list[Value], code: int, place: int, offset: int) -> None:
        """Keep what goes into a container where a dtype depends on it; ``place`` is the container's on the stack."""
        contents = self.judge.contents
        if contents is None:
            return
        if code in _APPENDING:
            if place > 1 and isinstance(self.stack[place - 2], Dtype):
                contents.appended(target, len(items))
            contents.extended(target, items, offset)
        elif contents.set_items(target, items, offset):
            self.judge.note(rules.CAPABILITIES["native-code"], "changes the fields of a dtype in use", offset)

    def remember(self, target: int, items: list[Value], offset: int) -> None:
        """Keep what goes into a dict while a joblib wrapper waits for its state."""
        if self.pending is not None:
            self.pending.setdefault(target, []).extend(items)
            self._remembered += len(items) + 1
            if self._remembered > _REMEMBERED:
                raise Exhausted("puts too much between a joblib array wrapper and its state", offset)
