"""Calls that are judged by a rule of their own, because what they do depends on their arguments.

Each rule takes the judge, the name called, its arguments and the offset; it returns what stands for the result.
The names that lead here are in the knowledge (``special``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from modelsign.scan import knowledge
from modelsign.scan.machine import rules
from modelsign.scan.machine.arguments import fits, fits_signature
from modelsign.scan.machine.arrays import bytes_of
from modelsign.scan.machine.arrow import ARROW
from modelsign.scan.machine.construction import PARTIAL, construction
from modelsign.scan.machine.dtypes import make_dtype
from modelsign.scan.machine.render import call_text
from modelsign.scan.machine.values import EMPTY_BYTES, UNKNOWN, Global, Instance, OfUnknownClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["SPECIAL"]

_Special: TypeAlias = "Callable[[Judge, Global, Value, int], Value]"
_METHOD: Final = "types.MethodType"
_PAGES: Final = 4096
_ROOM: Final = 4096
"""Bytes an array may take before its state."""
_LONGEST_NAME: Final = 1000
"""Characters of a name that is put together attribute by attribute."""
_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII | re.IGNORECASE)
_PLAIN_BASES: Final = {"builtins.object": "none"} | {
    f"builtins.{name}": "data" for name in ("dict", "float", "int", "list", "set", "str", "tuple", "bytes", "frozenset")
}


def _attribute(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``getattr(Class, 'name')``: an import of the dotted name, judged as such.

    Of an instance of a reviewed class, a bound method that its picklers are known to keep is fine and another plain
    name is not known to be safe. Of an instance of an unknown class, a plain name is what the class has by that name,
    so as much as an import of the dotted name. Anything else is attribute access.
    """
    if isinstance(arguments, tuple) and len(arguments) == 2:  # noqa: PLR2004 - object and name
        owner, literal = arguments
        name = judge.source.text(literal) if isinstance(literal, int) and literal >= 0 else None
        if isinstance(owner, Global) and name is not None:
            if owner.entry is not None and "enum" in owner.entry.tags and name.isupper() and name[0] != "_":
                return judge.instance(owner.entry.name, owner.entry)
            if len(owner.name) + len(name) < _LONGEST_NAME:
                found = judge.named(owner.module, f"{owner.name}.{name}", offset)
                found.pushed += 1
                owner.consumed += 1
                return found
        if isinstance(owner, OfUnknownClass) and name is not None and _PLAIN_NAME.fullmatch(name):
            module, _, cls = owner.cls.rpartition(".")
            if len(owner.cls) + len(name) < _LONGEST_NAME:
                found = judge.named(module, f"{cls}.{name}", offset)
                found.pushed += 1
                return found
        if isinstance(owner, Instance) and owner.entry is not None and name is not None:
            if f"attribute:{name}" in owner.entry.tags:
                return judge.instance(_METHOD, knowledge.allowed(_METHOD))
            if _PLAIN_NAME.fullmatch(name):
                text, call = judge.chain.add(function.path, arguments)
                judge.note(rules.UNREVIEWED_USE, f"calls {text}, which nobody reviewed", offset, call=call)
                return Instance("object", call=call)
    function.called = True
    text, call = judge.chain.add(function.path, arguments)
    judge.note(rules.CAPABILITIES["attribute-access"], f"calls {text}", offset, call=call)
    return Instance("object", call=call)


def _import(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``_ufunc_reconstruct('numpy.core.umath', 'log1p')``: an import of that name, judged as such."""
    if isinstance(arguments, tuple) and fits_signature(judge.source, ("str", "str"), arguments):
        module, name = (judge.source.text(value) if isinstance(value, int) else None for value in arguments)
        if module and name:
            found = judge.named(module, name, offset)
            found.pushed += 1
            return found
    return judge.unreviewed(function, arguments, offset)


def _reconstructor(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``copyreg._reconstructor(cls, base, state)``: ``base.__new__(cls, state)`` and ``base.__init__(obj, state)``."""
    if isinstance(arguments, tuple) and len(arguments) == 3:  # noqa: PLR2004 - its signature
        cls, base, state = arguments
        if isinstance(cls, Global) and isinstance(base, Global) and base.path in _PLAIN_BASES:
            if cls.entry is None:
                return Instance(cls.path)  # the unknown class has its own finding
            cls.consumed += 1
            if () in cls.entry.new and fits(judge.source, _PLAIN_BASES[base.path], state):
                return judge.made(cls.entry, offset)
    return judge.unreviewed(function, arguments, offset)


def _cython(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``__pyx_unpickle_Base(cls, checksum, None)``: ``Base.__new__(cls)``, which refuses all but subclasses."""
    if isinstance(arguments, tuple) and len(arguments) == 3:  # noqa: PLR2004 - its signature
        cls, checksum, state = arguments
        if isinstance(cls, Global) and fits(judge.source, "int", checksum) and fits(judge.source, "none", state):
            if cls.entry is None:
                return OfUnknownClass(cls.path)  # the unknown class has its own finding
            cls.consumed += 1
            if () in cls.entry.new:
                return judge.made(cls.entry, offset)
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
    """``functools.partial(f, …)``: as good as ``f`` stored; a name nobody knows has its own finding."""
    if isinstance(arguments, tuple) and arguments:
        made = construction(judge, function, arguments, offset)
        if made is not None:
            return made
        inner = arguments[0]
        if isinstance(inner, Global) and (not inner.capability if inner.entry is None else inner.entry.reference):
            function.called = True  # one that may be kept, and called by somebody (machine.formulas)
            return Instance(PARTIAL, function.entry)
    return judge.unreviewed(function, arguments, offset)


def _is_reviewed_form(judge: Judge, function: Global, arguments: Value) -> bool:
    forms = function.entry.call if function.entry is not None else ()
    return isinstance(arguments, tuple) and any(fits_signature(judge.source, form, arguments) for form in forms)


def _is_short(judge: Judge, value: Value) -> bool:
    """Whether a number is of a few words, or a text or bytes of a few pages."""
    if not isinstance(value, int) or value < 0:
        return False
    kind = judge.source.kind(value)
    if kind == "int":
        return judge.source.integer(value) is not None
    if kind == "str":
        return judge.source.text(value, _PAGES) is not None
    return judge.source.data(value, _PAGES) is not None


def _short(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """A call in its reviewed forms whose cost grows faster than its arguments: they must be short."""
    formed = _is_reviewed_form(judge, function, arguments)
    if formed and isinstance(arguments, tuple) and all(_is_short(judge, value) for value in arguments):
        return judge.result(function, arguments)
    return judge.unreviewed(function, arguments, offset)


def _pattern(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``re._compile('[a-z]+', 32)``: compiled, never matched; of a long one, it is told that compiling may take long.

    Either way it is a pattern, whose methods are known (``attribute:…``).
    """
    if not _is_reviewed_form(judge, function, arguments):
        return judge.unreviewed(function, arguments, offset)
    if not isinstance(arguments, tuple) or not all(_is_short(judge, value) for value in arguments):
        judge.unreviewed(function, arguments, offset)
    return Instance(function.path, function.entry)


def _fraction(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``Fraction('1/3')``: an exponent in the text would be written out as digits."""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else UNKNOWN
    text = judge.source.text(first, _PAGES) if isinstance(first, int) and first >= 0 else None
    if text is not None and "e" in text.casefold():
        return judge.unreviewed(function, arguments, offset)
    return _short(judge, function, arguments, offset)


def _new_array(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``_reconstruct(ndarray, (0,), b'b')``: an array to be filled by its state, so it needs no room yet."""
    if isinstance(arguments, tuple) and _is_reviewed_form(judge, function, arguments):
        shape = next((value for value in arguments if isinstance(value, tuple)), ())
        sizes = [judge.source.integer(value) for value in shape if isinstance(value, int) and value >= 0]
        if all(size is not None and 0 <= size <= _ROOM for size in sizes) and len(sizes) <= 1:
            return judge.result(function, arguments)
    return judge.unreviewed(function, arguments, offset)


def _dill_array(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``dill._dill._create_array(f, args, state, None)``: ``f(*args)``, then its state, as REDUCE and BUILD do it.

    A fourth argument that is not None would be put into the array's own attributes.
    """
    if isinstance(arguments, tuple) and arguments[3:] and fits(judge.source, "none", arguments[3]):
        arguments = (*arguments[:3], *arguments[4:])
    if not isinstance(arguments, tuple) or len(arguments) != 3:  # noqa: PLR2004 - function, arguments, state
        return judge.unreviewed(function, arguments, offset)
    return judge.build(judge.call(arguments[0], arguments[1], offset), arguments[2], offset)


def _getter(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``itemgetter(1)``, ``attrgetter('x')``: known for what they get, but not who will use them; never called here."""
    if isinstance(arguments, tuple) and _is_reviewed_form(judge, function, arguments):
        names = [judge.source.text(value) if isinstance(value, int) else None for value in arguments]
        if function.name == "itemgetter" or all(name is not None and _PLAIN_NAME.fullmatch(name) for name in names):
            text = call_text(judge.source, function.path, arguments)
            judge.note(rules.UNREVIEWED_USE, f"keeps {text}, which reaches into objects when it is used", offset)
            return judge.result(function, arguments)
    return judge.unreviewed(function, arguments, offset)


def _encode(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``_codecs.encode(text, 'latin1')``: the bytes of protocols 0 to 2; remembers where the text stands."""
    if isinstance(arguments, tuple) and fits_signature(judge.source, _LATIN1, arguments):
        return Instance("builtins.bytes", knowledge.allowed("builtins.bytes"), f"{arguments[0]}")
    return judge.unreviewed(function, arguments, offset)


_LATIN1: Final = ("str", "=latin1|=latin-1|=latin_1|=iso-8859-1")


def _bytes(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``bytearray(b'…')``, ``bytearray('…', 'latin-1')``: remembers where the content stands."""
    if not isinstance(arguments, tuple) or not _is_reviewed_form(judge, function, arguments):
        return judge.unreviewed(function, arguments, offset)
    first = arguments[0] if arguments else UNKNOWN
    if not arguments:
        return Instance(function.path, function.entry, EMPTY_BYTES)
    detail = first.detail if isinstance(first, Instance) else ""
    if isinstance(first, int) and first >= 0:
        detail = f"{first}"
    return Instance(function.path, function.entry, detail) if detail else judge.result(function, arguments)


def _torch_bytes(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``torch.storage._load_from_bytes(b)``: a PyTorch stream inside; it is scanned."""
    inner = (
        bytes_of(judge, arguments[0], changeable=False)
        if isinstance(arguments, tuple) and len(arguments) == 1
        else None
    )
    if inner is not None and judge.nested is not None and judge.nested(judge, "torch", inner):
        return Instance(_STORAGE, knowledge.allowed(_STORAGE))
    function.called = True
    text = call_text(judge.source, function.path, arguments)
    judge.note(rules.NESTED_UNREAD, f"calls {text} on bytes that could not be scanned", offset)
    return Instance("object")


_STORAGE: Final = "torch.storage.TypedStorage"


def _tensor_with_attributes(judge: Judge, function: Global, arguments: Value, offset: int) -> Value:
    """``torch._tensor._rebuild_from_type_v2(f, cls, args, state)``: ``f(*args)``, then an attribute for each of state.

    So does ``torch._utils._rebuild_parameter_with_state(tensor, bool, hooks, state)``, which makes a parameter.
    Attributes might hide methods of the tensor, as those of an optimizer might hide its own.
    """
    if not isinstance(arguments, tuple) or len(arguments) != 4:  # noqa: PLR2004 - the signature of both
        return judge.unreviewed(function, arguments, offset)
    first, second, third, state = arguments
    if function.name == "_rebuild_parameter_with_state":
        made, known = _PARAMETER, fits_signature(judge.source, _PARAMETER_PARTS, arguments[:3])
    else:
        tensor = judge.call(first, third, offset)
        known = fits(judge.source, _TENSOR, tensor) and fits(judge.source, _TENSOR_CLASS, second)
        made = second.entry.name if isinstance(second, Global) and second.entry is not None else _PARAMETER
        if isinstance(second, Global):
            second.consumed += 1
    if not known or not fits(judge.source, "dict|none", state):
        text, call = judge.chain.add(function.path, arguments)
        message = f"calls {text}, which is not known to be safe with these arguments"
        judge.note(rules.UNREVIEWED_USE, message, offset, call=call)
        return Instance("object", call=call)
    judge.calls_own_methods(made)
    return judge.instance(made, knowledge.allowed(made))


_PARAMETER: Final = "torch.nn.parameter.Parameter"
_PARAMETER_PARTS: Final = ("is#torch-tensor", "bool", "is:collections.OrderedDict|dict|none")
_TENSOR: Final = "is#torch-tensor"
_TENSOR_CLASS: Final = "class#torch-tensor"

SPECIAL: Final[dict[str, _Special]] = {
    **ARROW,
    "attribute": _attribute,
    "import": _import,
    "reconstructor": _reconstructor,
    "cython": _cython,
    "newobj": _newobj,
    "newobj_ex": _newobj_ex,
    "dtype": _dtype,
    "partial": _partial,
    "encode": _encode,
    "bytes": _bytes,
    "torch-bytes": _torch_bytes,
    "tensor-with-attributes": _tensor_with_attributes,
    "pattern": _pattern,
    "short": _short,
    "fraction": _fraction,
    "new-array": _new_array,
    "dill-array": _dill_array,
    "getter": _getter,
}
