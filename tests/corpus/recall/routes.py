"""How a pickle reaches a name and calls it, beyond the plain ways in ``picklebytes``. Nothing here is ever loaded.

Each route takes a module and a name and returns a pickle. Those in ``CALLS`` call the name with the one argument
``'true'``; those in ``CARRIES`` only import it, hand it on, or leave it to the loader what is meant.
"""

from __future__ import annotations

import codecs
import struct
from typing import TYPE_CHECKING

import picklebytes as p

from recall.nested import NESTED
from recall.parts import CALL, ONE, argument, called, whole
from recall.surroundings import SURROUNDED

if TYPE_CHECKING:
    from collections.abc import Callable

# --- strings that become the name ---------------------------------------------------------------


def concatenated(module: str, qualname: str) -> bytes:
    """The module's name is the sum of two strings."""
    first = called("operator", "add", p.short(module[:1]), p.short(module[1:]))
    return whole(first + p.short(qualname) + b"\x93" + CALL)


def joined(module: str, qualname: str) -> bytes:
    """The name is joined from letters by a method of a string."""
    inside = b"]" + b"(" + b"".join(map(p.short, qualname)) + b"e"
    return whole(p.short(module) + called("builtins", "str.join", p.short(""), inside) + b"\x93" + CALL)


def decoded(module: str, qualname: str) -> bytes:
    """The name is the result of a decoder."""
    secret = codecs.encode(qualname, "rot13")
    return whole(p.short(module) + called("_codecs", "decode", p.short(secret), p.short("rot13")) + b"\x93" + CALL)


def encoded(module: str, qualname: str) -> bytes:
    """The name is the result of the reviewed encoder, which makes bytes."""
    inside = called("_codecs", "encode", p.short(qualname), p.short("latin1"))
    return whole(p.short(module) + called("builtins", "str", inside, p.short("ascii")) + b"\x93" + CALL)


def converted(module: str, qualname: str) -> bytes:
    """The name went through ``str``."""
    return whole(called("builtins", "str", p.short(module)) + p.short(qualname) + b"\x93" + CALL)


def of_byte_strings(module: str, qualname: str) -> bytes:
    """BINSTRING and SHORT_BINSTRING, the strings of Python 2."""
    long = b"T" + struct.pack("<I", len(module.encode())) + module.encode()
    return whole(long + b"U" + bytes([len(qualname.encode())]) + qualname.encode() + b"\x93" + CALL)


def of_escapes(module: str, qualname: str) -> bytes:
    r"""STRING with every letter as ``\x..``, UNICODE with every letter as ``\u....``."""
    first = "".join(f"\\x{ord(letter):02x}" for letter in module)
    second = "".join(f"\\u{ord(letter):04x}" for letter in qualname)
    return whole(f"S'{first}'\nV{second}\n".encode() + b"\x93" + CALL)


# --- the memo -----------------------------------------------------------------------------------


def from_text_memo(module: str, qualname: str) -> bytes:
    """PUT and GET with blanks and zeros before the number, at indexes far apart."""
    names = f"V{module}\np0000012345\n0V{qualname}\np7\n0Vmath\np1\n0".encode()
    return p.PROTO4 + names + b"g" + b" " * 50 + b"+0012345\ng07\n\x93" + CALL + b"."


def overwritten_memo(module: str, qualname: str) -> bytes:
    """What the memo holds is replaced before it is fetched."""
    return whole(p.short("math") + b"q\x000" + p.short(module) + b"q\x00" + p.short(qualname) + b"\x93" + CALL)


def far_memo(module: str, qualname: str) -> bytes:
    """LONG_BINPUT at the highest index, the name of a harmless one beside it."""
    return whole(
        p.short(module) + b"r\xff\xff\xff\x7f0" + p.short("collections") + b"\x940"
        b"j\xff\xff\xff\x7f" + p.short(qualname) + b"\x93" + CALL
    )  # fmt: skip


def name_in_memo(module: str, qualname: str) -> bytes:
    """The imported name itself is put away, popped, and fetched for the call."""
    return whole(p.stack_name(module, qualname) + b"\x940N0h\x00" + CALL)


def popped_by_mark(module: str, qualname: str) -> bytes:
    """Everything is thrown away behind a mark, but for the memo."""
    return whole(b"(" + p.stack_name(module, qualname) + b"\x94K\x01K\x021h\x00" + CALL)


def memo_of_the_last_pickle(module: str, qualname: str) -> bytes:
    """The strings stand in the first pickle, the import in the second: a reader that keeps its memo."""
    first = p.PROTO4 + p.short(module) + b"q\x05" + p.short(qualname) + b"q\x06\x86."
    return first + p.PROTO4 + b"h\x05h\x06\x93" + CALL + b"."


def arguments_from_memo(module: str, qualname: str) -> bytes:
    """Both the name and the arguments come from the memo, in the other order."""
    return whole(ONE + b"\x940" + p.stack_name(module, qualname) + b"\x940h\x01h\x00R")


# --- opcodes that call ----------------------------------------------------------------------------


def inst_of_no_arguments(module: str, qualname: str) -> bytes:
    """INST without arguments."""
    return f"(i{module}\n{qualname}\n.".encode()


def newobj_by_copyreg(module: str, qualname: str) -> bytes:
    """``copyreg.__newobj__``: NEWOBJ as a function."""
    return whole(called("copyreg", "__newobj__", p.stack_name(module, qualname), p.short("true")))


def newobj_ex_by_copyreg(module: str, qualname: str) -> bytes:
    """``copyreg.__newobj_ex__``: NEWOBJ_EX as a function."""
    return whole(called("copyreg", "__newobj_ex__", p.stack_name(module, qualname), ONE, b"}"))


def with_keywords(module: str, qualname: str) -> bytes:
    """NEWOBJ_EX with keywords, made by a class that takes them."""
    return whole(p.stack_name(module, qualname) + ONE + b"}" + p.short("k") + p.short("v") + b"s\x92")


def call_twice(module: str, qualname: str) -> bytes:
    """The result of the call is called."""
    return whole(p.stack_name(module, qualname) + CALL + CALL)


def as_key(module: str, qualname: str) -> bytes:
    """The call stands where the key of a dictionary is made."""
    return whole(b"}" + p.stack_name(module, qualname) + CALL + b"K\x01s")


def as_item(module: str, qualname: str) -> bytes:
    """The call stands between the items of a list."""
    return whole(b"](K\x01" + p.stack_name(module, qualname) + CALL + b"K\x02e")


def as_argument(module: str, qualname: str) -> bytes:
    """The call makes an argument of something harmless."""
    return whole(called("collections", "OrderedDict", p.stack_name(module, qualname) + CALL))


def as_state(module: str, qualname: str) -> bytes:
    """The call makes the state of something harmless."""
    return whole(p.stack_name("collections", "OrderedDict") + b")R" + p.stack_name(module, qualname) + CALL + b"b")


def as_identifier(module: str, qualname: str) -> bytes:
    """The call makes a persistent id."""
    return whole(p.stack_name(module, qualname) + CALL + b"Q")


def by_append(module: str, qualname: str) -> bytes:
    """An object whose ``append`` is the name, given by its state; APPEND calls it."""
    return whole(
        p.stack_name("types", "SimpleNamespace") + b")R}" + p.short("append") + p.stack_name(module, qualname)
        + b"sb" + p.short("true") + b"a"
    )  # fmt: skip


def by_extend(module: str, qualname: str) -> bytes:
    """The same with ``extend`` and APPENDS."""
    return whole(
        p.stack_name("types", "SimpleNamespace") + b")R}" + p.short("extend") + p.stack_name(module, qualname)
        + b"sb(" + p.short("true") + b"e"
    )  # fmt: skip


def by_add(module: str, qualname: str) -> bytes:
    """The same with ``add`` and ADDITEMS."""
    return whole(
        p.stack_name("types", "SimpleNamespace") + b")R}" + p.short("add") + p.stack_name(module, qualname)
        + b"sb(" + p.short("true") + b"\x90"
    )  # fmt: skip


def by_setstate(module: str, qualname: str) -> bytes:
    """The first state puts the name there as ``__setstate__``; the second is handed to it."""
    first = b"}" + p.short("__setstate__") + p.stack_name(module, qualname) + b"s"
    return whole(p.stack_name("collections", "OrderedDict") + b")R" + first + b"b" + p.short("true") + b"b")


# --- functions that call what they are handed -------------------------------------------------------


def by_map(module: str, qualname: str) -> bytes:
    """``list(map(f, ['true']))``."""
    return whole(called("builtins", "list", called("builtins", "map", p.stack_name(module, qualname), ONE)))


def by_reduce(module: str, qualname: str) -> bytes:
    """``functools.reduce(f, …)``."""
    return whole(called("functools", "reduce", p.stack_name(module, qualname), ONE, p.short("x")))


def by_partial(module: str, qualname: str) -> bytes:
    """``functools.partial(f, 'true')()``."""
    return whole(called("functools", "partial", p.stack_name(module, qualname), p.short("true")) + b")R")


def by_partial_state(module: str, qualname: str) -> bytes:
    """A partial of something harmless, given the name by its state, and called."""
    state = argument(p.stack_name(module, qualname), ONE, b"}", b"N")
    return whole(called("functools", "partial", p.stack_name("builtins", "int")) + state + b"b)R")


def by_defaultdict(module: str, qualname: str) -> bytes:
    """The factory of a defaultdict, which is then asked for a key."""
    made = called("collections", "defaultdict", p.stack_name(module, qualname))
    return whole(called("operator", "getitem", made, p.short("x")))


def by_iterator(module: str, qualname: str) -> bytes:
    """``next(iter(f, None))``."""
    made = called("builtins", "iter", p.stack_name(module, qualname), b"N")
    return whole(called("builtins", "next", made))


def by_sorting(module: str, qualname: str) -> bytes:
    """``max(('true',), key=f)``, through a partial."""
    made = called("functools", "partial", p.stack_name("builtins", "max"))
    state = argument(
        p.stack_name("builtins", "max"), b")", b"}" + p.short("key") + p.stack_name(module, qualname) + b"s", b"N"
    )
    return whole(made + state + b"b" + ONE + b"\x85R")


def by_operator_call(module: str, qualname: str) -> bytes:
    """``operator.call(f, 'true')``."""
    return whole(called("operator", "call", p.stack_name(module, qualname), p.short("true")))


def by_getattr(module: str, qualname: str) -> bytes:
    """``getattr`` of the module, which is itself an attribute of another."""
    parent, _, last = module.rpartition(".")
    owner = p.stack_name(parent, last) if parent else p.stack_name("posixpath", module)
    return whole(called("builtins", "getattr", owner, p.short(qualname)) + CALL)


def by_getattr_of_import(module: str, qualname: str) -> bytes:
    """``getattr(__import__(m), n)('true')``."""
    inside = called("builtins", "__import__", p.short(module))
    return whole(called("builtins", "getattr", inside, p.short(qualname)) + CALL)


def by_attrgetter(module: str, qualname: str) -> bytes:
    """``attrgetter(n)(import_module(m))('true')``."""
    inside = called("importlib", "import_module", p.short(module))
    return whole(called("operator", "attrgetter", p.short(qualname)) + b"(" + inside + b"tR" + CALL)


def by_methodcaller(module: str, qualname: str) -> bytes:
    """``methodcaller(n, 'true')(import_module(m))``."""
    inside = called("importlib", "import_module", p.short(module))
    return whole(called("_operator", "methodcaller", p.short(qualname), p.short("true")) + b"(" + inside + b"tR")


def by_itemgetter(module: str, qualname: str) -> bytes:
    """``itemgetter(n)(vars(import_module(m)))('true')``."""
    inside = called("builtins", "vars", called("importlib", "import_module", p.short(module)))
    return whole(called("operator", "itemgetter", p.short(qualname)) + b"(" + inside + b"tR" + CALL)


def by_resolve_name(module: str, qualname: str) -> bytes:
    """``pkgutil.resolve_name('m:n')('true')``."""
    return whole(called("pkgutil", "resolve_name", p.short(f"{module}:{qualname}")) + CALL)


def by_modules(module: str, qualname: str) -> bytes:
    """``sys.modules[m]`` through a dotted name, then getattr."""
    inside = called("sys", "modules.get", p.short(module))
    return whole(called("builtins", "getattr", inside, p.short(qualname)) + CALL)


def by_builtins_of_a_function(module: str, qualname: str) -> bytes:
    """``numpy.__builtins__`` holds ``eval``: modules leak their builtins."""
    inside = called("operator", "getitem", p.stack_name("numpy", "__builtins__"), p.short("__import__"))
    module_of = inside + argument(p.short(module)) + b"R"
    return whole(called("builtins", "getattr", module_of, p.short(qualname)) + CALL)


def by_extension(module: str, qualname: str) -> bytes:
    """``copyreg.add_extension(m, n, 1)``, then EXT1."""
    return whole(called("copyreg", "add_extension", p.short(module), p.short(qualname), b"K\x01") + b"0\x82\x01" + CALL)


def by_method_wrapper(module: str, qualname: str) -> bytes:
    """``f.__call__``: the name behind a dotted one."""
    return whole(p.stack_name(module, f"{qualname}.__call__") + CALL)


def by_another_module(module: str, qualname: str) -> bytes:
    """The module as an attribute of one that nobody suspects."""
    return whole(p.stack_name("collections", f"abc.{module}.{qualname}") + CALL)


# --- routes that do not call by themselves ------------------------------------------------------------


def extension_code(module: str, qualname: str) -> bytes:
    """EXT1, EXT2 and EXT4: the loading process knows what is meant."""
    del module, qualname
    return whole(b"\x82\x07" + CALL + b"0\x83\x07\x01" + CALL + b"0\x84\x07\x01\x01\x00" + CALL)


def persistent(module: str, qualname: str) -> bytes:
    """PERSID: the name is the id; the loader decides."""
    return f"P{module}.{qualname}\n".encode() + CALL + b"."


def binary_persistent(module: str, qualname: str) -> bytes:
    """BINPERSID: the name in a tuple is the id."""
    return whole(p.short(module) + p.short(qualname) + b"\x86Q" + CALL)


def item_of_name(module: str, qualname: str) -> bytes:
    """SETITEM on the name itself."""
    return whole(p.stack_name(module, qualname) + p.short("k") + p.short("v") + b"s")


def appended_to_name(module: str, qualname: str) -> bytes:
    """APPENDS on the name itself."""
    return whole(p.stack_name(module, qualname) + b"(K\x01e")


def kept_as_class(module: str, qualname: str) -> bytes:
    """``copyreg._reconstructor`` makes an object of it."""
    return (
        p.PROTO2
        + p.name("copy_reg", "_reconstructor")
        + argument(p.name(module, qualname), p.name("__builtin__", "object"), b"N")
        + b"R."
    )


def look_alike(module: str, qualname: str) -> bytes:
    """Letters that look like others: no import finds it, and nobody has reviewed it."""
    return whole(p.stack_name(module.replace("o", "\u043e").replace("e", "\u0435"), f"{qualname}\u200b") + CALL)


_CARRIES = (p.build, p.slot_state, p.stored, p.factory, p.partial, p.reconstructed)

CALLS: tuple[Callable[[str, str], bytes], ...] = (
    *(route for route in p.ROUTES if route not in _CARRIES),
    concatenated, joined, decoded, encoded, converted, of_byte_strings, of_escapes, from_text_memo, overwritten_memo,
    far_memo, name_in_memo, popped_by_mark, memo_of_the_last_pickle, arguments_from_memo, inst_of_no_arguments,
    newobj_by_copyreg, newobj_ex_by_copyreg, with_keywords, call_twice, as_key, as_item, as_argument, as_state,
    as_identifier, by_append, by_extend, by_add, by_setstate, by_map, by_reduce, by_partial, by_partial_state,
    by_defaultdict, by_iterator, by_sorting, by_operator_call, by_getattr, by_getattr_of_import, by_attrgetter,
    by_methodcaller, by_itemgetter, by_resolve_name, by_modules, by_builtins_of_a_function, by_extension,
    by_method_wrapper, by_another_module, *NESTED, *SURROUNDED,
)  # fmt: skip
"""Routes by which the name is called."""

CARRIES: tuple[Callable[[str, str], bytes], ...] = (
    *_CARRIES, extension_code, persistent,
    binary_persistent, item_of_name, appended_to_name, kept_as_class, look_alike,
)  # fmt: skip
"""Routes by which the name is imported, kept or left to the loader."""

ROUTES = CALLS + CARRIES
