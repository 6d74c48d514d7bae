"""Torch7 files (``.t7``) in binary and as text: Lua values, tensors, and objects of Lua classes.

Numbers are skipped. A function is bytecode of LuaJIT, which ``loadstring`` takes unchecked: whoever calls it, or looks
a field up where a metatable has it, runs it. Classes of torch, nn and their relatives are tables of fields; any other
may read itself in its own way. Follows torch7/File.lua, generic/Tensor.c and generic/Storage.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection
from modelsign.scan.frameworks.torch7 import BinarySource, TextSource
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import BrokenError, ExhaustedError
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_SOURCE: Final = "https://github.com/torch/torch7/blob/master/File.lua"
FUNCTION: Final = Rule(
    "torch7-function",
    "the Torch7 file holds a function as bytecode",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "Loading makes a function of LuaJIT's bytecode without any check. Bytecode made by hand reaches memory it should "
    "not, and the function runs as soon as anything calls it.",
    "Do not load the file. Ask for the weights as safetensors.",
    (_SOURCE, "CWE-502"),
)
CLASS: Final = Rule(
    "torch7-class",
    "the Torch7 file holds an object of a class that is not known",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The class's own code reads its fields, and is looked up by its name among the packages that are loaded.",
    "Review the package that the class belongs to.",
    (_SOURCE,),
)
_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN = range(6)
_FUNCTIONS: Final = frozenset({6, 7, 8})
_WIDTHS: Final = {
    "Byte": 1, "Char": 1, "Short": 2, "Half": 2, "Int": 4, "Float": 4, "Long": 8, "Double": 8, "Cuda": 4,
    "CudaByte": 1, "CudaChar": 1, "CudaShort": 2, "CudaHalf": 2, "CudaInt": 4, "CudaLong": 8, "CudaDouble": 8,
}  # fmt: skip
_PACKAGES: Final = ("nn.", "cudnn.", "cunn.", "nngraph.", "graph.", "inn.", "fbnn.", "stn.")
_TEXT_MARK: Final = b"4\n1\n3\nV "
"""An object, its number, and the version of its class, as text."""
_DIMENSIONS: Final = 64
_CLASS_NAME: Final = 1000


class _Walk:
    """One walk over one value; ``tasks`` is what is still to be read, the next last."""

    def __init__(self, reading: Reading) -> None:
        self.window = TextSource(reading) if _is_text(reading) else BinarySource(reading)
        self.findings: dict[Finding, None] = {}
        self.seen: set[int] = set()
        self.tasks: list[Callable[[], None]] = [self.value]

    def run(self) -> None:
        while self.tasks:
            if len(self.tasks) > limits.R_TASKS:
                raise ExhaustedError("the file is nested too deeply", self.window.at)
            self.tasks.pop()()

    def _length(self, width: int = 4) -> int:
        length = self.window.integer(width)
        if length < 0:
            raise BrokenError("a length is negative", self.window.at)
        return length

    def _text(self) -> str:
        length = self._length()
        if length > _CLASS_NAME:
            raise BrokenError("the name of a class is too long", self.window.at)
        return self.window.raw(length).decode("utf-8", "replace")

    def value(self) -> None:
        """Read one value (``File:readObject``)."""
        start = self.window.at
        kind = self.window.integer()
        if kind == _NUMBER:
            self.window.double()
        elif kind == _BOOLEAN:
            self.window.integer()
        elif kind == _STRING:
            self.window.leave(self._length())
        elif kind in _FUNCTIONS or kind in {_TABLE, _TORCH}:
            self._object(kind, start)
        elif kind != _NIL:
            raise BrokenError(f"a value has the unknown type {kind}", start)

    def _object(self, kind: int, start: int) -> None:
        """Read what may be referred to again by its number."""
        number = self.window.integer()
        if number in self.seen:
            return
        if len(self.seen) >= limits.R_TASKS:
            raise ExhaustedError("the file has more objects than a scan follows", start)
        self.seen.add(number)
        if kind in _FUNCTIONS:
            self.findings[FUNCTION.finding("bytecode of a function", offset=start)] = None
            self.window.leave(self._length())
            self.tasks.append(self.value)
        elif kind == _TABLE:
            self._many(2 * self._length())
        else:
            self._instance()

    def _many(self, count: int) -> None:
        """Read so many values, without holding a task for each."""
        if count > 0:
            self.tasks += [lambda: self._many(count - 1), self.value]

    def _instance(self) -> None:
        name = self._text()
        if name.startswith("V "):
            name = self._text()
        base = name.removeprefix("torch.")
        if base != name and base.removesuffix("Tensor") in _WIDTHS and base.endswith("Tensor"):
            dimensions = self._dimensions()
            self.window.numbers("Long", dimensions, 8)
            self.window.numbers("Long", dimensions, 8)
            self.window.integer(8)
            self.tasks.append(self.value)
        elif base != name and base.removesuffix("Storage") in _WIDTHS and base.endswith("Storage"):
            kind = base.removesuffix("Storage")
            self.window.numbers(kind, self._length(8), _WIDTHS[kind])
        elif name in {"tds.Vec", "tds.Hash"}:
            count = self._length()
            self._many(1 + count * (1 + (name == "tds.Hash")))
        else:
            if not name.startswith(_PACKAGES):
                self.findings[CLASS.finding(f"an object of the class {name[:100]!r}")] = None
            self.tasks.append(self.value)

    def _dimensions(self) -> int:
        dimensions = self._length()
        if dimensions > _DIMENSIONS:
            raise BrokenError("a tensor has too many dimensions", self.window.at)
        return dimensions


def _is_text(reading: Reading) -> bool:
    """Whether the first number is written as text; in binary its second byte is zero."""
    return reading.read_at(0, 2)[1:] == b"\n"


def _recognise(reading: Reading, name: str) -> bool:
    if name.casefold().endswith(".t7"):
        return reading.size > 0
    head = reading.read_at(0, 8)
    if reading.read_at(0, len(_TEXT_MARK)) == _TEXT_MARK:
        return True
    return head[1:] == b"\0\0\0\1\0\0\0" and head[0] in {_TABLE, _TORCH, *_FUNCTIONS}


def _scan(reading: Reading, name: str) -> Inspection:
    """Read one value; a loader reads no further, so what follows changes nothing about it."""
    walk = _Walk(reading)
    marked = reading.read_at(12, 2) == b"V " or reading.read_at(0, len(_TEXT_MARK)) == _TEXT_MARK
    sure = name.casefold().endswith(".t7") or marked
    try:
        walk.run()
    except BrokenError as halt:
        rule = BUDGET if isinstance(halt, ExhaustedError) else BROKEN
        found = tuple(one for one in walk.findings if sure or one.outcome is not Outcome.UNSAFE)
        broken = rule.finding(halt.message, offset=halt.offset)
        return Inspection(readable=sure or rule is BUDGET, findings=(*found, broken))
    left, found = walk.window.left, tuple(walk.findings)
    if left:
        found = (*found, BROKEN.finding("bytes follow the value", offset=walk.window.at))
    return Inspection(readable=sure or not left or bool(walk.findings), findings=found)


FORMAT = Format(
    id="torch7",
    title="Torch7",
    description="Lua tables, tensors and objects of Lua classes, in binary or as text; functions in it are bytecode.",
    recognise=_recognise,
    scan=_scan,
    extensions=(".t7",),
    rules=(FUNCTION, CLASS, BROKEN, BUDGET),
)
