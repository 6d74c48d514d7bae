"""The opcodes of pickle protocols 0 to 5, as numbers and as tables for the walk (PEP 307, 3154, 574)."""

from __future__ import annotations

from typing import Final

MARK: Final = 0x28
STOP: Final = 0x2E
POP: Final = 0x30
POP_MARK: Final = 0x31
DUP: Final = 0x32
FLOAT: Final = 0x46
INT: Final = 0x49
BININT: Final = 0x4A
BININT1: Final = 0x4B
LONG: Final = 0x4C
BININT2: Final = 0x4D
NONE: Final = 0x4E
PERSID: Final = 0x50
BINPERSID: Final = 0x51
REDUCE: Final = 0x52
STRING: Final = 0x53
BINSTRING: Final = 0x54
SHORT_BINSTRING: Final = 0x55
UNICODE: Final = 0x56
BINUNICODE: Final = 0x58
APPEND: Final = 0x61
BUILD: Final = 0x62
GLOBAL: Final = 0x63
DICT: Final = 0x64
EMPTY_DICT: Final = 0x7D
APPENDS: Final = 0x65
GET: Final = 0x67
BINGET: Final = 0x68
INST: Final = 0x69
LONG_BINGET: Final = 0x6A
LIST: Final = 0x6C
EMPTY_LIST: Final = 0x5D
OBJ: Final = 0x6F
PUT: Final = 0x70
BINPUT: Final = 0x71
LONG_BINPUT: Final = 0x72
SETITEM: Final = 0x73
TUPLE: Final = 0x74
EMPTY_TUPLE: Final = 0x29
SETITEMS: Final = 0x75
BINFLOAT: Final = 0x47
PROTO: Final = 0x80
NEWOBJ: Final = 0x81
EXT1: Final = 0x82
EXT2: Final = 0x83
EXT4: Final = 0x84
TUPLE1: Final = 0x85
TUPLE2: Final = 0x86
TUPLE3: Final = 0x87
NEWTRUE: Final = 0x88
NEWFALSE: Final = 0x89
LONG1: Final = 0x8A
LONG4: Final = 0x8B
SHORT_BINUNICODE: Final = 0x8C
BINUNICODE8: Final = 0x8D
BINBYTES8: Final = 0x8E
EMPTY_SET: Final = 0x8F
ADDITEMS: Final = 0x90
FROZENSET: Final = 0x91
NEWOBJ_EX: Final = 0x92
STACK_GLOBAL: Final = 0x93
MEMOIZE: Final = 0x94
FRAME: Final = 0x95
BYTEARRAY8: Final = 0x96
NEXT_BUFFER: Final = 0x97
READONLY_BUFFER: Final = 0x98
BINBYTES: Final = 0x42
SHORT_BINBYTES: Final = 0x43

HIGHEST_PROTOCOL: Final = 5

NAMES: Final[dict[int, str]] = {
    MARK: "MARK", STOP: "STOP", POP: "POP", POP_MARK: "POP_MARK", DUP: "DUP", FLOAT: "FLOAT", INT: "INT",
    BININT: "BININT", BININT1: "BININT1", LONG: "LONG", BININT2: "BININT2", NONE: "NONE", PERSID: "PERSID",
    BINPERSID: "BINPERSID", REDUCE: "REDUCE", STRING: "STRING", BINSTRING: "BINSTRING",
    SHORT_BINSTRING: "SHORT_BINSTRING", UNICODE: "UNICODE", BINUNICODE: "BINUNICODE", APPEND: "APPEND",
    BUILD: "BUILD", GLOBAL: "GLOBAL", DICT: "DICT", EMPTY_DICT: "EMPTY_DICT", APPENDS: "APPENDS", GET: "GET",
    BINGET: "BINGET", INST: "INST", LONG_BINGET: "LONG_BINGET", LIST: "LIST", EMPTY_LIST: "EMPTY_LIST", OBJ: "OBJ",
    PUT: "PUT", BINPUT: "BINPUT", LONG_BINPUT: "LONG_BINPUT", SETITEM: "SETITEM", TUPLE: "TUPLE",
    EMPTY_TUPLE: "EMPTY_TUPLE", SETITEMS: "SETITEMS", BINFLOAT: "BINFLOAT", PROTO: "PROTO", NEWOBJ: "NEWOBJ",
    EXT1: "EXT1", EXT2: "EXT2", EXT4: "EXT4", TUPLE1: "TUPLE1", TUPLE2: "TUPLE2", TUPLE3: "TUPLE3",
    NEWTRUE: "NEWTRUE", NEWFALSE: "NEWFALSE", LONG1: "LONG1", LONG4: "LONG4", SHORT_BINUNICODE: "SHORT_BINUNICODE",
    BINUNICODE8: "BINUNICODE8", BINBYTES8: "BINBYTES8", EMPTY_SET: "EMPTY_SET", ADDITEMS: "ADDITEMS",
    FROZENSET: "FROZENSET", NEWOBJ_EX: "NEWOBJ_EX", STACK_GLOBAL: "STACK_GLOBAL", MEMOIZE: "MEMOIZE", FRAME: "FRAME",
    BYTEARRAY8: "BYTEARRAY8", NEXT_BUFFER: "NEXT_BUFFER", READONLY_BUFFER: "READONLY_BUFFER", BINBYTES: "BINBYTES",
    SHORT_BINBYTES: "SHORT_BINBYTES",
}  # fmt: skip
"""The opcodes' names as in CPython's ``pickle`` module."""

COUNT_BYTES: Final[dict[int, int]] = {
    SHORT_BINUNICODE: 1,
    SHORT_BINBYTES: 1,
    SHORT_BINSTRING: 1,
    LONG1: 1,
    BINUNICODE: 4,
    BINBYTES: 4,
    BINSTRING: 4,
    LONG4: 4,
    BINUNICODE8: 8,
    BINBYTES8: 8,
    BYTEARRAY8: 8,
}
"""How many bytes hold the length of a counted literal; BINSTRING and LONG4 are signed."""

TEXT_LITERALS: Final = frozenset({INT, LONG, FLOAT, STRING, UNICODE})
"""Literals that end at a line feed."""

KINDS: Final[dict[int, str]] = {
    NONE: "none",
    NEWTRUE: "bool",
    NEWFALSE: "bool",
    BININT: "int",
    BININT1: "int",
    BININT2: "int",
    INT: "int",
    LONG: "int",
    LONG1: "int",
    LONG4: "int",
    FLOAT: "float",
    BINFLOAT: "float",
    STRING: "str",
    BINSTRING: "str",
    SHORT_BINSTRING: "str",
    UNICODE: "str",
    BINUNICODE: "str",
    SHORT_BINUNICODE: "str",
    BINUNICODE8: "str",
    BINBYTES: "bytes",
    SHORT_BINBYTES: "bytes",
    BINBYTES8: "bytes",
    BYTEARRAY8: "bytearray",
    EMPTY_LIST: "list",
    LIST: "list",
    EMPTY_DICT: "dict",
    DICT: "dict",
    EMPTY_SET: "set",
    FROZENSET: "frozenset",
}
"""The type of what an opcode pushes, for literals and containers."""

_FIXED: Final[dict[int, int]] = {
    NONE: 1,
    NEWTRUE: 1,
    NEWFALSE: 1,
    BININT1: 2,
    BININT2: 3,
    BININT: 5,
    BINFLOAT: 9,
}
FIXED: Final[tuple[int, ...]] = tuple(_FIXED.get(code, 0) for code in range(256))
"""Total length of a literal of fixed length, by opcode; 0 for everything else."""
