"""Pickles that other readers take for something else, by the opcode or the form."""

from __future__ import annotations

import picklebytes as p

from attacks.attack import EVIL, Attack, bare
from recall import routes, surroundings

_OS = ("os", "system")


def _route(identifier: str, what: str, data: bytes, rule: str = "pickle-execute", outcome: str = "unsafe") -> Attack:
    return Attack(identifier, what, bare(data), rule, outcome)


ATTACKS: tuple[Attack, ...] = (
    _route("INST", "the oldest opcode that calls", p.inst(*_OS)),
    _route("OBJ", "a class and its arguments behind a mark", p.obj(*_OS)),
    _route("NEWOBJ", "a name as a class", p.newobj(*_OS)),
    _route("NEWOBJ_EX", "a name as a class, with keywords", p.newobj_ex(*_OS)),
    _route(
        "EXT1/2/4",
        "a number stands for a name that the loading process knows",
        routes.extension_code(*_OS),
        "pickle-extension-code",
    ),
    _route(
        "copyreg.add_extension", "the pickle registers the number itself", routes.by_extension(*_OS), "pickle-import"
    ),
    _route(
        "PERSID", "the loader is asked for an object by a text", b"Pos.system\n.", "pickle-persistent-id", "unverified"
    ),
    _route(
        "BINPERSID",
        "the loader is asked for an object by a value",
        p.PROTO4 + p.short("os") + b"Q.",
        "pickle-persistent-id",
        "unverified",
    ),
    _route("NEXT_BUFFER", "data from outside of the file", b"\x80\x05\x97\x98.", "pickle-out-of-band", "unverified"),
    _route(
        "BUILD on a module",
        "the state is set on an imported name itself",
        p.build("os", "path"),
        "pickle-state-on-name",
    ),
    _route(
        "BUILD twice",
        "the first state puts a function there for the second",
        routes.by_setstate(*_OS),
        "pickle-state-again",
    ),
    _route("APPEND on an object", "the object's append is a function of the pickle's choice", routes.by_append(*_OS)),
    _route("ADDITEMS on an object", "the object's add is a function of the pickle's choice", routes.by_add(*_OS)),
    _route("STACK_GLOBAL on results", "the name comes out of a call", routes.decoded(*_OS), "pickle-underivable"),
    _route("dotted names", "a module as an attribute of another", p.dotted(*_OS)),
    _route(
        "Python 2 names",
        "commands, __builtin__ and their like are mapped by protocols below 3",
        p.reduce_global("commands", "getoutput"),
    ),
    _route(
        "memo kept between pickles",
        "one unpickler that loads twice keeps its memo",
        routes.memo_of_the_last_pickle(*_OS),
    ),
    _route("many pickles", "the payload is the two hundred and first", surroundings.many_streams(*_OS)),
    _route("bytes behind STOP", "a second pickle, and bytes that are none", EVIL + b"\xff\xff"),
    _route("leading values", "thousands of values come first and are thrown away", surroundings.after_junk(*_OS)),
    _route(
        "I0x10, I010, L0b1L", "numbers that CPython reads and pickletools refuses", surroundings.after_text_junk(*_OS)
    ),
    _route("a frame in a frame", "C reads it, Python does not", surroundings.frame_in_frame(*_OS)),
    _route("a frame beyond the file", "Python reads it, C does not", surroundings.frame_too_long(*_OS)),
    _route(
        "joblib's numbers", "the payload stands behind an array between opcodes", surroundings.after_joblib_array(*_OS)
    ),
    _route("(S as zlib", "a pickle of protocol 0 that begins like a zlib stream", b"(S'true'\nios\nsystem\n."),
    _route(
        "non-ASCII look-alikes",
        "letters of another alphabet",
        routes.look_alike("posix", "system"),
        "pickle-unknown-global",
        "unverified",
    ),
)
