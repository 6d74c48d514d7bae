"""R's serialisation: ``.rds`` and ``.RData`` files in their three encodings, once they are unpacked.

Vectors are numbers and texts; they are skipped. What R evaluates or looks up when a value is read or used is found:
promises, active bindings, closures and bytecode, calls and formulas, environments, namespaces that are loaded,
vectors that are mapped from files. Follows R 4.5 src/main/serialize.c, altrep.c, altclasses.c, versions 2 and 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.scan.format import Format, Inspection, Magic
from modelsign.scan.frameworks.rstream import RStream
from modelsign.scan.rules import BROKEN, BUDGET
from modelsign.scan.window import BrokenError, ExhaustedError
from modelsign.verdict import Outcome, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsign.artifact.reading import Reading
    from modelsign.verdict import Finding

__all__ = ["FORMAT"]

_INTERNALS: Final = "https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats"
PROMISE: Final = Rule(
    "rds-promise",
    "the R file runs code when its value is looked at",
    Severity.CRITICAL,
    Outcome.UNSAFE,
    "An unevaluated promise or an active binding holds an expression that R evaluates as soon as the value is used, "
    "without a call anybody could see. Saved models hold values.",
    "Do not load the file.",
    ("CVE-2024-27322", _INTERNALS),
)
MAPPED: Final = Rule(
    "rds-mapped-file",
    "a vector of the R file is mapped from another file",
    Severity.HIGH,
    Outcome.UNSAFE,
    "The vector is of a class that opens a file by its path when it is read, so that any file of the loading machine "
    "ends up in the model.",
    "Do not load the file.",
    ("https://github.com/wch/r-source/blob/trunk/src/main/altclasses.c",),
)
CODE: Final = Rule(
    "rds-code",
    "the R file holds functions, calls or environments",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "Closures, bytecode, calls, formulas and environments run nothing when they are read; printing, predicting or "
    "updating a model evaluates them. Most models that R saves have some.",
    "Read them in R with `readRDS` in a container, or store coefficients as plain vectors.",
    (_INTERNALS,),
)
LOADS: Final = Rule(
    "rds-namespace",
    "reading the R file loads a package",
    Severity.MEDIUM,
    Outcome.UNVERIFIED,
    "The file refers to a package's namespace, a class of vectors of a package, or an object outside of the file; R "
    "loads the package, and runs what it runs then, or asks a hook.",
    "Make sure that the package is the one you know.",
    (_INTERNALS,),
)
_STARTS: Final = (b"X\n\0\0\0\2", b"X\n\0\0\0\3", b"B\n\2\0\0\0", b"B\n\3\0\0\0", b"A\n2\n", b"A\n3\n")
_WORKSPACES: Final = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")
_BASE_CLASSES: Final = frozenset({
    "compact_intseq", "compact_realseq", "deferred_string", "wrap_complex", "wrap_integer", "wrap_list", "wrap_logical",
    "wrap_raw", "wrap_real", "wrap_string",
})  # fmt: skip
_ACTIVE: Final = 1 << 15
_WIDTHS: Final = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}
"""Bytes of one element of logical, integer, real, complex and raw vectors."""
_UNBOUND: Final = 252
_PROMISE: Final = 5
_CODE: Final = {
    3: "a closure", 4: "an environment", 6: "a call or formula", 7: "an internal function", 8: "an internal function",
    20: "an expression", 21: "bytecode",
}  # fmt: skip
_OWN_ATTRIBUTES: Final = frozenset({1, 4})
_PSEUDO: Final = 200
"""Types from here on stand for something else than objects, and have no attributes behind them."""
_PAIRS: Final = frozenset({2, 3, 5, 6, 17})
_BYTECODE_PAIRS: Final = frozenset({2, 6, 239, 240, 244})
_BYTECODE_ATTRIBUTES: Final = frozenset({239, 240})


class _Walk:
    """One walk over one value; ``tasks`` is what is still to be read, the next last."""

    def __init__(self, stream: RStream) -> None:
        self.stream = stream
        self.findings: dict[Finding, None] = {}
        self.names: dict[int, str] = {}
        self.references = 0
        self.captured: list[str] | None = None
        self.tasks: list[Callable[[], None]] = []

    def run(self) -> None:
        self.tasks.append(self.item)
        while self.tasks:
            if len(self.tasks) > limits.R_TASKS:
                raise ExhaustedError("the file holds more at once than a scan follows", self.stream.at)
            self.tasks.pop()()

    def note(self, rule: Rule, text: str) -> None:
        if len(self.findings) <= limits.SCAN_FINDINGS:
            self.findings[rule.finding(text)] = None

    def then(self, *tasks: Callable[[], None]) -> None:
        """Do these next, in this order."""
        self.tasks.extend(reversed(tasks))

    def refer(self, name: str = "") -> None:
        if name:
            self.names[self.references] = name
        self.references += 1

    def item(self) -> None:
        """Read one item (``ReadItem_Recursive``)."""
        flags = self.stream.integer()
        kind, has_attributes = flags & 0xFF, bool(flags & 0x200)
        if kind in _CODE:
            self.note(CODE, f"it holds {_CODE[kind]}")
        if kind in _PAIRS:
            self._pair(kind, flags, has_attributes=has_attributes)
            return
        if has_attributes and kind < _PSEUDO and kind not in _OWN_ATTRIBUTES:
            self.tasks.append(self.item)
        if kind in _WIDTHS:
            self.stream.skip_numbers(self.stream.count(), _WIDTHS[kind])
        elif kind in {16, 19, 20}:
            self._many(self.stream.count())
        elif kind in _READERS:
            _READERS[kind](self, flags)
        else:
            raise BrokenError(f"an item has the unknown type {kind}", self.stream.at)

    def _many(self, count: int) -> None:
        """Read so many items, without holding a task for each."""
        if count > 0:
            self.then(self.item, lambda: self._many(count - 1))

    def _pair(self, kind: int, flags: int, *, has_attributes: bool) -> None:
        if flags >> 12 & _ACTIVE:
            self.note(PROMISE, "an active binding")
        first = self._promise_value if kind == _PROMISE else self.item
        before = [self.item] * (has_attributes + bool(flags & 0x400))
        self.then(*before, first, self.item)

    def _promise_value(self) -> None:
        """A promise without a value yet is evaluated when it is used; one with a value keeps its expression."""
        if self.stream.peek_integer() & 0xFF == _UNBOUND:
            self.note(PROMISE, "a promise that is not evaluated yet")
        else:
            self.note(CODE, "it holds a promise with its value")
        self.item()

    def symbol(self, _: int) -> None:
        if self.stream.integer() & 0xFF != 9:  # noqa: PLR2004 - CHARSXP
            raise BrokenError("a symbol has no name", self.stream.at)
        name = self.stream.text()
        self.refer(name)
        if self.captured is not None:
            self.captured.append(name)

    def characters(self, _: int) -> None:
        self.stream.text()

    def reference(self, flags: int) -> None:
        index = (flags >> 8) or self.stream.integer()
        if not 0 < index <= self.references:
            raise BrokenError("an item refers to none before it", self.stream.at)
        if self.captured is not None:
            self.captured.append(self.names.get(index - 1, ""))

    def environment(self, _: int) -> None:
        self.stream.integer()
        self.refer()
        self.then(self.item, self.item, self.item, self.item)

    def function(self, _: int) -> None:
        self.stream.text()

    def pointer(self, _: int) -> None:
        self.note(CODE, "it holds a pointer")
        self.refer()
        self.then(self.item, self.item)

    def weak(self, _: int) -> None:
        self.refer()

    def outside(self, flags: int) -> None:
        """A namespace, a package or an object of a hook, by a vector of texts."""
        kind = flags & 0xFF
        self.stream.integer()
        words = []
        for _ in range(self.stream.count()):
            self.stream.integer()
            words.append(self.stream.text())
        self.refer()
        what = {249: "the namespace", 248: "the package"}.get(kind, "an object outside of the file,")
        if kind != 249 or words[:1] not in (["base"], ["stats"], ["utils"], ["methods"], ["graphics"], ["grDevices"]):  # noqa: PLR2004 - NAMESPACESXP
            self.note(LOADS, f"{what} {' '.join(words)[:100]}")

    def alternative(self, _: int) -> None:
        """A vector of a class of its own (ALTREP): class, state, attributes."""
        self.captured = []
        self.then(self.item, self._class, self.item, self.item)

    def _class(self) -> None:
        name, package = [*(self.captured or []), "", ""][:2]
        self.captured = None
        if package == "base" and name.startswith("mmap"):
            self.note(MAPPED, f"a vector of the class {name[:100]}")
        elif package != "base" or name not in _BASE_CLASSES:
            self.note(LOADS, f"a vector of the class {name[:100]} of {package[:100]}")

    def bytecode(self, _: int) -> None:
        self.stream.integer()
        self._code()

    def _code(self) -> None:
        self.then(self.item, self._constants)

    def _constants(self) -> None:
        self._constant(self.stream.count())

    def _constant(self, left: int) -> None:
        if left <= 0:
            return
        self.tasks.append(lambda: self._constant(left - 1))
        kind = self.stream.integer()
        if kind == 21:  # noqa: PLR2004 - BCODESXP
            self._code()
        elif kind in _BYTECODE_PAIRS or kind == 243:  # noqa: PLR2004 - BCREPREF
            self._language(kind)
        else:
            self.item()

    def _language(self, kind: int) -> None:
        """Read a call inside bytecode (``ReadBCLang``)."""
        if kind == 243:  # noqa: PLR2004 - BCREPREF
            self.stream.integer()
            return
        if kind not in _BYTECODE_PAIRS:
            self.tasks.append(self.item)
            return
        if kind == 244:  # noqa: PLR2004 - BCREPDEF
            self.stream.integer()
            kind = self.stream.integer()
        inner = lambda: self._language(self.stream.integer())  # noqa: E731 - twice the same task
        self.then(*[self.item] * (kind in _BYTECODE_ATTRIBUTES), self.item, inner, inner)


_READERS: Final[Mapping[int, Callable[[_Walk, int], None]]] = {
    1: _Walk.symbol,
    4: _Walk.environment,
    7: _Walk.function,
    8: _Walk.function,
    9: _Walk.characters,
    21: _Walk.bytecode,
    22: _Walk.pointer,
    23: _Walk.weak,
    238: _Walk.alternative,
    247: _Walk.outside,
    248: _Walk.outside,
    249: _Walk.outside,
    255: _Walk.reference,
    **dict.fromkeys((0, 25, 241, 242, 250, 251, 252, 253, 254), lambda _walk, _flags: None),
}
"""What follows the flags of each type that is no vector and no pair; S4 objects and constants have nothing."""


def _start(reading: Reading) -> int | None:
    """Return where the serialisation begins; None if there is none."""
    head = reading.read_at(0, 11)
    at = 5 if head.startswith(_WORKSPACES) else 0
    return at if head.startswith(_STARTS, at) else None


def _recognise(reading: Reading, name: str) -> bool:
    del name
    return _start(reading) is not None or reading.read_at(0, 5) in _WORKSPACES


def _scan(reading: Reading, name: str) -> Inspection:
    del name
    start = _start(reading)
    if start is None:
        return Inspection(readable=True, findings=(BROKEN.finding("the serialisation has no known head", offset=5),))
    stream = RStream(reading, start)
    walk = _Walk(stream)
    try:
        stream.head()
        walk.run()
        stream.end()
    except BrokenError as halt:
        rule = BUDGET if isinstance(halt, ExhaustedError) else BROKEN
        walk.findings[rule.finding(halt.message, offset=halt.offset)] = None
    return Inspection(readable=True, findings=tuple(walk.findings))


FORMAT = Format(
    id="rdata",
    title="R serialisation",
    description="Vectors and lists as R saves them, and the functions, calls and promises that may hang in them.",
    recognise=_recognise,
    scan=_scan,
    magic=tuple(Magic(0, start) for start in (*_STARTS, *_WORKSPACES)),
    extensions=(".rds", ".rda", ".rdata"),
    rules=(PROMISE, MAPPED, CODE, LOADS, BROKEN, BUDGET),
)
