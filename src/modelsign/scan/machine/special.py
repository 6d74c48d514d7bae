"""Calls that are judged by a rule of their own, because what they do depends on their arguments.

Each rule takes the judge, the name called, its arguments and the offset; it returns what stands for the result.
The names that lead here are in the knowledge (``special``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from modelsign.artifact.reading import BytesReading, Slice
from modelsign.scan import knowledge
from modelsign.scan.machine import rules
from modelsign.scan.machine.arguments import fits, fits_signature
from modelsign.scan.machine.dtypes import make_dtype
from modelsign.scan.machine.render import call_text
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.reading import Reading
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["SPECIAL"]

_Special: TypeAlias = "Callable[[Judge, Global, Value, int], Value]"
_PLAIN_BASES: Final = {"builtins.object": "none"} | {
    f"builtins.{name}": "data" for name in ("dict", "float", "int", "list", "set", "str", "tuple", "bytes", "frozenset")
}


def _attribute(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``getattr(Class, 'name')``: an import of the dotted name, judged as such; of anything else, attribute access."""
    if isinstance(arguments, tuple) and len(arguments) == 2:  # noqa: PLR2004 - object and name
        owner, literal = arguments
        name = judge.source.text(literal) if isinstance(literal, int) and literal >= 0 else None
        if isinstance(owner, Global) and name is not None:
            found = judge.named(owner.module, f"{owner.name}.{name}", offset)
            found.pushed += 1
            return found
    function.called = True
    text = call_text(judge.source, function.path, arguments)
    judge.calls.append(text)
    judge.note(rules.CAPABILITIES["attribute-access"], f"calls {text}", offset)
    return Instance("object")


def _reconstructor(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``copyreg._reconstructor(cls, base, state)``: ``base.__new__(cls, state)`` and ``base.__init__(obj, state)``."""
    if isinstance(arguments, tuple) and len(arguments) == 3:  # noqa: PLR2004 - its signature
        cls, base, state = arguments
        if isinstance(cls, Global) and isinstance(base, Global) and base.path in _PLAIN_BASES:
            if cls.entry is None:
                return Instance(cls.path)  # the unknown class has its own finding
            cls.consumed += 1
            if () in cls.entry.new and fits(judge.source, _PLAIN_BASES[base.path], state):
                return Instance(cls.entry.name, cls.entry)
    return judge.unreviewed(function, arguments, offset)


def _newobj(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``copyreg.__newobj__(cls, *args)``: what NEWOBJ does."""
    if isinstance(arguments, tuple) and arguments and isinstance(arguments[0], Global):
        return judge.new(arguments[0], arguments[1:], None, offset)
    return judge.unreviewed(function, arguments, offset)


def _newobj_ex(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``copyreg.__newobj_ex__(cls, args, kwargs)``: what NEWOBJ_EX does."""
    if isinstance(arguments, tuple) and len(arguments) == 3 and isinstance(arguments[0], Global):  # noqa: PLR2004 - cls, args, kwargs
        return judge.new(arguments[0], arguments[1], arguments[2], offset)
    return judge.unreviewed(function, arguments, offset)


def _dtype(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``numpy.dtype('f8', False, True)``; its state is reviewed against what it is made from."""
    if isinstance(arguments, tuple) and arguments and fits_signature(judge.source, _DTYPE, arguments):
        return make_dtype(judge, arguments[0], function.entry, offset)
    return judge.unreviewed(function, arguments, offset)


_DTYPE: Final = ("str|class#numpy-scalar", "?bool|int", "?bool|int")


def _partial(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``functools.partial(f, …)``: as good as ``f`` stored, where ``f`` may be stored."""
    if isinstance(arguments, tuple) and arguments:
        inner = arguments[0]
        if isinstance(inner, Global) and inner.entry is not None and inner.entry.reference:
            return Instance("functools.partial", function.entry)
    return judge.unreviewed(function, arguments, offset)


def _encode(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``_codecs.encode(text, 'latin1')``: the bytes of protocols 0 to 2; remembers where the text stands."""
    if isinstance(arguments, tuple) and fits_signature(judge.source, _LATIN1, arguments):
        return Instance("builtins.bytes", knowledge.allowed("builtins.bytes"), f"{arguments[0]}")
    return judge.unreviewed(function, arguments, offset)


_LATIN1: Final = ("str", "=latin1|=latin-1|=latin_1|=iso-8859-1")
_ENCODED: Final = 64 * 1024 * 1024


def _bytes_of(judge: Judge, value: Value) -> Reading | None:
    """Return the bytes that a literal, or an encoded text, stands for; None if they are not in the file as such."""
    source = judge.source
    if isinstance(value, int) and value >= 0 and source.kind(value) in {"bytes", "bytearray"}:
        start, length = source.content(value)
        return Slice(source.reading, start, length)
    if isinstance(value, Instance) and value.cls == "builtins.bytes" and value.detail:
        text = source.text(int(value.detail), _ENCODED)
        try:
            return None if text is None else BytesReading(text.encode("latin-1"))
        except UnicodeEncodeError:
            return None
    return None


def _torch_bytes(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``torch.storage._load_from_bytes(b)``: a PyTorch stream inside; it is scanned."""
    inner = _bytes_of(judge, arguments[0]) if isinstance(arguments, tuple) and len(arguments) == 1 else None
    if inner is not None and judge.nested is not None and judge.nested(judge, "torch", inner):
        return Instance(_STORAGE, knowledge.allowed(_STORAGE))
    function.called = True
    text = call_text(judge.source, function.path, arguments)
    judge.note(rules.NESTED_UNREAD, f"calls {text} on bytes that could not be scanned", offset)
    return Instance("object")


_STORAGE: Final = "torch.storage.TypedStorage"

SPECIAL: Final[dict[str, _Special]] = {
    "attribute": _attribute,
    "reconstructor": _reconstructor,
    "newobj": _newobj,
    "newobj_ex": _newobj_ex,
    "dtype": _dtype,
    "partial": _partial,
    "encode": _encode,
    "torch-bytes": _torch_bytes,
}
