"""The opcodes that are rare in large files: names, calls, state, text forms, frames.

Each operation takes the walk and the offset of its opcode, and returns the offset behind it.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

from modelsign import limits
from modelsign.scan import knowledge
from modelsign.scan.machine import opcodes as op
from modelsign.scan.machine.faults import Broken, Exhausted
from modelsign.scan.machine.source import is_literal
from modelsign.scan.machine.values import BUFFER, UNKNOWN, Global

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.scan.machine.walk import Walk

__all__ = ["OPERATIONS"]

Operation: TypeAlias = "Callable[[Walk, int], int]"
_DECIMAL: Final = re.compile(rb"([+-]?)([0-9]+(?:_[0-9]+)*)")
_SPACE: Final = b" \t\n\v\f\r"
_INDEX_DIGITS: Final = 40


def _line(walk: Walk, start: int) -> tuple[bytes, int]:
    """Return a whole line without its line feed, and the offset behind it: a cut line could mean something else."""
    end = walk.source.line_end(start)
    if end < 0:
        raise Broken("ends in the middle of a line", walk.source.size)
    if end - 1 - start > limits.PICKLE_LINE:
        raise Exhausted(f"has a line of more than {limits.PICKLE_LINE} bytes", start)
    return walk.source.read(start, end - 1 - start), end


def _last_line(walk: Walk, start: int) -> tuple[bytes, int]:
    """Return a line as ``pickle._Unpickler`` reads it: it drops the last byte, even where that is no line feed.

    The offset is behind the end of all bytes where the line does not end.
    """
    if walk.source.line_end(start) >= 0:
        return _line(walk, start)
    size = walk.source.size
    if size - start > limits.PICKLE_LINE:
        raise Exhausted(f"has a line of more than {limits.PICKLE_LINE} bytes", start)
    return walk.source.read(start, max(size - 1 - start, 0)), size + 1


def _whole_line(walk: Walk, end: int) -> int:
    """Refuse a line that does not end, once it was judged as the unpicklers that take it do."""
    if end > walk.source.size:
        raise Broken("ends in the middle of a line", walk.source.size)
    return end


def _counted(walk: Walk, offset: int) -> int:
    width = op.COUNT_BYTES[walk.source.read(offset, 1)[0]]
    length = walk.source.number(offset + 1, width)
    if length >= 1 << (8 * width - 1) and walk.source.read(offset, 1)[0] in {op.LONG4, op.BINSTRING}:
        raise Broken("has a literal of negative length", offset)
    walk.stack.append(offset)
    return offset + 1 + width + length


def _text_literal(walk: Walk, offset: int) -> int:
    code = walk.source.read(offset, 1)[0]
    walk.judge.may_hold_np |= code in {op.UNICODE, op.STRING}
    if code == op.UNICODE:  # whatever it holds, nothing depends on it
        end = walk.source.line_end(offset + 1)
        if end < 0:
            raise Broken("ends in the middle of a line", walk.source.size)
    else:
        line, end = _line(walk, offset + 1)
        if not is_literal(code, line):
            raise Broken("has a text literal that is none", offset)
    walk.stack.append(offset)
    return end


def _container(walk: Walk, offset: int) -> int:
    """LIST, DICT, FROZENSET: everything above the mark becomes a container."""
    height = _height(walk, offset)
    if walk.pending is not None:
        walk.remember(~offset, walk.stack[height:], offset)
    if walk.judge.contents is not None:
        code = walk.source.read(offset, 1)[0]
        walk.keep(~offset, walk.stack[height:], code, height, offset)
    del walk.stack[height:]
    walk.stack.append(~offset)
    return offset + 1


def _height(walk: Walk, offset: int) -> int:
    if not walk.marks:
        raise Broken("looks for a mark that is not there", offset)
    height = walk.marks.pop()
    if height > len(walk.stack):
        raise Broken("looks for a mark that is not there", offset)
    return height


def _append(walk: Walk, offset: int) -> int:
    target = walk.stack[-2]
    if type(target) is int and target < 0 and walk.pending is None and walk.judge.contents is None:
        walk.stack.pop()
    else:
        walk.add_items(target, len(walk.stack) - 1, offset)
    return offset + 1


def _setitem(walk: Walk, offset: int) -> int:
    target = walk.stack[-3]
    if type(target) is int and target < 0 and walk.pending is None and walk.judge.contents is None:
        del walk.stack[-2:]
    else:
        walk.add_items(target, len(walk.stack) - 2, offset)
    return offset + 1


def _additems(walk: Walk, offset: int) -> int:
    height = _height(walk, offset)
    if height < 1:
        raise Broken("adds items to nothing", offset)
    walk.add_items(walk.stack[height - 1], height, offset)
    return offset + 1


def _pop(walk: Walk, offset: int) -> int:
    if walk.marks and walk.marks[-1] == len(walk.stack):
        walk.marks.pop()
    else:
        walk.stack.pop()
    return offset + 1


def _pop_mark(walk: Walk, offset: int) -> int:
    del walk.stack[_height(walk, offset) :]
    return offset + 1


def _dup(walk: Walk, offset: int) -> int:
    value = walk.stack[-1]
    walk.stack.append(value)
    if isinstance(value, Global):
        value.pushed += 1
    return offset + 1


def _index(line: bytes, offset: int) -> int:
    """Read the decimal text of GET and PUT as PyLong_FromString with base 10 does, in every version of CPython.

    Newer ones refuse more than 4,300 digits, leading zeros among them; older ones do not, so zeros do not count here.
    """
    match = _DECIMAL.fullmatch(line.split(b"\0", 1)[0].strip(_SPACE))
    digits = match[2].replace(b"_", b"").lstrip(b"0") if match else b""
    if match is None:
        raise Broken("has a memo index that is no number", offset)
    if len(digits) > _INDEX_DIGITS:  # too long for C, while pure Python keeps it: any number that stands for no other
        return -1 if match[1] == b"-" else (1 << 256) + int.from_bytes(sha256(digits).digest())
    return int(match[1] + (digits or b"0"))


def _get(walk: Walk, offset: int) -> int:
    line, end = _line(walk, offset + 1)
    walk.recall(_index(line, offset), offset)
    return end


def _put(walk: Walk, offset: int) -> int:
    line, end = _line(walk, offset + 1)
    index = _index(line, offset)
    if index < 0:
        raise Broken("has a negative memo index", offset)
    walk.memo.put(index, walk.stack[-1])
    return end


def _name(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")


def _imported(walk: Walk, offset: int) -> tuple[Global, int]:
    """Import what the lines of GLOBAL or INST name.

    ``pickle._Unpickler`` is the most obliging: it imports the module before it finds that the name is missing or that
    INST has no mark, and takes a line that does not end. ``_pickle.c`` looks first; what it refuses is broken here too.
    """
    module, middle = _last_line(walk, offset + 1)
    name, end = _last_line(walk, middle)
    found = None
    if module and not ((not name or end > walk.source.size) and _is_text(walk, offset, _name(module), _name(name))):
        found = walk.judge.imported(_name(module), _name(name), walk.protocol, offset)
    if found is None or not name:
        _whole_line(walk, end)
        word = "a GLOBAL" if walk.source.read(offset, 1)[0] == op.GLOBAL else "an INST"
        raise Broken(f"has {word} without a name", offset)
    return found, end


def _is_text(walk: Walk, offset: int, module: str, name: str) -> bool:
    """Whether a name that only pure Python imports begins the file and is not dangerous, as in the text ``cpu``."""
    return offset <= 1 and not walk.stack and not walk.judge.names and knowledge.capability(module, name) is None


def _global(walk: Walk, offset: int) -> int:
    found, end = _imported(walk, offset)
    walk.stack.append(found)
    return _whole_line(walk, end)


def _stack_global(walk: Walk, offset: int) -> int:
    name, module = walk.stack.pop(), walk.stack.pop()
    texts = [walk.source.text(value) if type(value) is int and value >= 0 else None for value in (module, name)]
    if texts[0] is None or texts[1] is None:
        walk.stack.append(walk.judge.underivable_name(offset))
    else:
        walk.stack.append(walk.judge.imported(texts[0], texts[1], walk.protocol, offset))
    return offset + 1


def _extension(walk: Walk, offset: int) -> int:
    width = {op.EXT1: 1, op.EXT2: 2, op.EXT4: 4}[walk.source.read(offset, 1)[0]]
    code = walk.source.number(offset + 1, width)
    walk.stack.append(walk.judge.extension(code, offset))
    return offset + 1 + width


def _reduce(walk: Walk, offset: int) -> int:
    arguments, function = walk.stack.pop(), walk.stack.pop()
    walk.stack.append(walk.judge.call(function, arguments, offset))
    if walk.raw_arrays:
        _watch(walk, offset)
    return offset + 1


def _newobj(walk: Walk, offset: int) -> int:
    arguments, cls = walk.stack.pop(), walk.stack.pop()
    walk.stack.append(walk.judge.new(cls, arguments, None, offset))
    _watch(walk, offset)
    return offset + 1


def _newobj_ex(walk: Walk, offset: int) -> int:
    keywords, arguments, cls = walk.stack.pop(), walk.stack.pop(), walk.stack.pop()
    walk.stack.append(walk.judge.new(cls, arguments, keywords, offset))
    _watch(walk, offset)
    return offset + 1


def _obj(walk: Walk, offset: int) -> int:
    height = _height(walk, offset)
    if height >= len(walk.stack):
        raise Broken("builds an object of no class", offset)
    cls, arguments = walk.stack[height], tuple(walk.stack[height + 1 :])
    del walk.stack[height:]
    walk.stack.append(walk.judge.instantiate(cls, arguments, offset))
    _watch(walk, offset)
    return offset + 1


def _inst(walk: Walk, offset: int) -> int:
    cls, end = _imported(walk, offset)
    height = _height(walk, offset)
    arguments = tuple(walk.stack[height:])
    del walk.stack[height:]
    walk.stack.append(walk.judge.instantiate(cls, arguments, offset))
    _watch(walk, offset)
    return _whole_line(walk, end)


def _watch(walk: Walk, offset: int) -> None:
    """A joblib wrapper has been made: remember what goes into the dicts that follow, its state among them."""
    if walk.raw_arrays and walk.pending is None and walk.judge.is_array_wrapper(walk.stack[-1]):
        walk.pending = {}
        walk.pending_since = offset


def _build(walk: Walk, offset: int) -> int:
    state, target = walk.stack.pop(), walk.stack[-1]
    if walk.raw_arrays and walk.judge.is_array_wrapper(target):
        # A dict made before the wrapper could hold more than was seen to go into it.
        fresh = walk.pending is not None and type(state) is int and ~state > walk.pending_since
        content = walk.pending.get(state) if fresh and walk.pending is not None and type(state) is int else None
        walk.pending = None
        walk.close_frame(offset + 1)
        walk.stack[-1], end = walk.judge.raw_array(content or [], offset + 1)
        return end
    walk.stack[-1] = walk.judge.build(target, state, offset)
    return offset + 1


def _persid(walk: Walk, offset: int) -> int:
    line, end = _last_line(walk, offset + 1)
    walk.stack.append(walk.judge.persistent(_name(line), offset))
    return _whole_line(walk, end)


def _binpersid(walk: Walk, offset: int) -> int:
    walk.stack.append(walk.judge.persistent(walk.stack.pop(), offset))
    return offset + 1


def _buffer(walk: Walk, offset: int) -> int:
    if walk.source.read(offset, 1)[0] == op.NEXT_BUFFER:
        walk.judge.out_of_band(offset)
        walk.stack.append(BUFFER)
    elif walk.stack[-1] is not BUFFER:
        walk.stack[-1] = UNKNOWN
    return offset + 1


def _proto(walk: Walk, offset: int) -> int:
    protocol = walk.source.number(offset + 1, 1)
    if protocol > op.HIGHEST_PROTOCOL:
        raise Broken(f"says it is of protocol {protocol}, which does not exist", offset)
    walk.protocol = protocol
    return offset + 2


def _frame(walk: Walk, offset: int) -> int:
    walk.open_frame(offset, offset + 9 + walk.source.number(offset + 1, 8))
    return offset + 9


_TABLE: Final[dict[int, Operation]] = {
    **dict.fromkeys(op.COUNT_BYTES, _counted),
    **dict.fromkeys(op.TEXT_LITERALS, _text_literal),
    op.LIST: _container, op.DICT: _container, op.FROZENSET: _container,
    op.APPEND: _append, op.SETITEM: _setitem, op.ADDITEMS: _additems,
    op.POP: _pop, op.POP_MARK: _pop_mark, op.DUP: _dup, op.GET: _get, op.PUT: _put,
    op.GLOBAL: _global, op.STACK_GLOBAL: _stack_global,
    op.EXT1: _extension, op.EXT2: _extension, op.EXT4: _extension,
    op.REDUCE: _reduce, op.NEWOBJ: _newobj, op.NEWOBJ_EX: _newobj_ex, op.OBJ: _obj, op.INST: _inst,
    op.BUILD: _build, op.PERSID: _persid, op.BINPERSID: _binpersid,
    op.NEXT_BUFFER: _buffer, op.READONLY_BUFFER: _buffer, op.PROTO: _proto, op.FRAME: _frame,
}  # fmt: skip
OPERATIONS: Final[tuple[Operation | None, ...]] = tuple(_TABLE.get(code) for code in range(256))
