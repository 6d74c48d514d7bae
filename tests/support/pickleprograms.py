"""Makes pickle programs: every opcode of protocols 0 to 5, mostly with the stack it needs, sometimes with anything.

Seeded: ``program(random.Random(seed))`` is the same everywhere, whatever the version of Python.
"""

from __future__ import annotations

import argparse
import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import pathlib
import pickle
import random
import struct
import types
import uuid
from functools import cache

from picklespellings import (
    ALLOWED,
    COUNTS,
    EXTENSIONS,
    FLOATS,
    INDICES,
    INTEGERS,
    OLD,
    OTHERS,
    PERSISTENT,
    SOUND_INTEGERS,
    SOUND_WORDS,
    STRINGS,
    UNICODES,
    WORDS,
)

EVERY_OPCODE = bytes(b"(.01229FIJKLMNPQRSTUVXabc}degijlo]prstuG)hqBC" + bytes(range(0x80, 0x99))).replace(b"9", b"")


class Program:
    """A program while it is made: its opcodes, and what stands on the stack in outline."""

    def __init__(self, chance: random.Random) -> None:
        """Begin with nothing."""
        self.chance = chance
        self.opcodes: list[bytes] = []
        self.stack: list[str] = []
        self.memo: dict[int, str] = {}
        self.wild = chance.choice((0, 0, 0, 0.02, 0.1, 0.4))
        """How often something is written that unpicklers refuse, or read in an odd way."""

    def odd(self) -> bool:
        """Say whether to be odd now."""
        return self.chance.random() < self.wild

    def put(self, data: bytes, kind: str = "", *, pop: int = 0) -> None:
        """Add an opcode that takes so many values and leaves one of a kind."""
        self.opcodes.append(data)
        if pop:
            del self.stack[-pop:]
        if kind:
            self.stack.append(kind)

    # --- values --------------------------------------------------------------------------

    def counted(self, codes: dict[int, bytes], data: bytes, kind: str) -> None:
        """Add a literal with a count of 1, 4 or 8 bytes."""
        fitting = [width for width in codes if width > 1 or len(data) < 256]
        width = self.chance.choice(fitting or [1])
        data = data if width > 1 else data[:255]
        self.put(codes[width] + len(data).to_bytes(width, "little") + data, kind)

    def text(self, text: str | None = None) -> None:
        """Add a string in one of its spellings."""
        way = self.chance.randrange(8)
        if text is None and self.odd():
            lines, code = (STRINGS, b"S") if way % 2 else (UNICODES, b"V")
            self.put(code + self.chance.choice(lines) + b"\n", "str")
            return
        text = self.chance.choice(WORDS if self.odd() else SOUND_WORDS) if text is None else text
        data = text.encode("utf-8", "surrogatepass")
        if way < 5:
            self.counted({1: b"\x8c", 4: b"X", 8: b"\x8d"}, data, "str")
        elif way == 5:
            self.put(
                b"V" + text.replace("\\", "\\u005c").replace("\n", "\\u000a").encode("raw-unicode-escape") + b"\n",
                "str",
            )
        elif way == 6:
            escaped = "".join(f"\\x{byte:02x}" if self.chance.random() < 0.4 else chr(byte) for byte in data)
            plain = escaped.encode("latin-1").replace(b"\n", b"\\n") if "\\" not in text else b"x"
            self.put(b"S'" + plain.replace(b"'", b"\\'") + b"'\n", "str")
        else:
            self.counted({1: b"U", 4: b"T"}, data, "str")

    def number(self) -> None:
        """Add a number in one of its spellings."""
        chance = self.chance
        lines = INTEGERS if self.odd() else SOUND_INTEGERS
        match chance.randrange(9):
            case 0:
                self.put(b"I" + chance.choice(lines) + b"\n", "int")
            case 1:
                self.put(b"L" + chance.choice(lines[2:]) + chance.choice((b"L", b"L", b"")) + b"\n", "int")
            case 2:
                self.put(b"F" + chance.choice(FLOATS if self.odd() else FLOATS[:8]) + b"\n", "float")
            case 3:
                self.put(b"G" + struct.pack(">d", chance.choice((0.0, 1.5, -1e300, float("inf")))), "float")
            case 4:
                self.put(b"M" + chance.randbytes(2), "int")
            case 5:
                self.put(b"J" + chance.randbytes(4), "int")
            case 6:
                self.counted({1: b"\x8a", 4: b"\x8b"}, chance.randbytes(chance.choice((0, 1, 2, 8, 9, 40))), "int")
            case _:
                self.put(b"K" + bytes([chance.randrange(4)]), "int")

    def plain(self) -> None:
        """Add one plain value."""
        chance = self.chance
        match chance.randrange(12):
            case 0 | 1 | 2:
                self.text()
            case 3 | 4 | 5:
                self.number()
            case 6:
                data = chance.choice((b"", b"abc", b"\x80\x02N.", bytes(260)))
                self.counted({1: b"C", 4: b"B", 8: b"\x8e"}, data, "bytes")
            case 7:
                data = chance.choice((b"", b"abc", b"cos\nsystem\n."))
                self.put(b"\x96" + struct.pack("<Q", len(data)) + data, "bytearray")
            case 8:
                self.put(*chance.choice(((b"N", "none"), (b"\x88", "bool"), (b"\x89", "bool"))))
            case _:
                self.put(*chance.choice(((b"]", "list"), (b"}", "dict"), (b"\x8f", "set"), (b")", "tuple"))))

    def value(self) -> None:
        """Add a value: a plain one, a tuple, a name, an object, or one from the memo."""
        match self.chance.randrange(10):
            case 0:
                self.name()
            case 1 if self.memo:
                self.get()
            case 2:
                self.arguments()
            case 3 if len(self.stack) < 20:
                self.object()
            case _:
                self.plain()

    def arguments(self) -> None:
        """Add a tuple of some values."""
        count = self.chance.choice((0, 0, 1, 1, 2, 2, 3, 4, 7))
        marked = count > 3 or self.chance.random() < 0.4
        if marked:
            self.put(b"(", "mark")
        for _ in range(count):
            self.value()
        if marked:
            self.put(b"t", "tuple", pop=count + 1)
        else:
            self.put((b")", b"\x85", b"\x86", b"\x87")[count], "tuple", pop=count)

    def named(self) -> tuple[str, str]:
        """Return a name, if need be one that can be imported."""
        return self.chance.choice(self.chance.choice((ALLOWED, ALLOWED, OLD, OTHERS if self.odd() else OTHERS[:6])))

    def name(self) -> None:
        """Add a name by GLOBAL, by STACK_GLOBAL, by an extension code."""
        chance = self.chance
        module, name = self.named()
        match chance.randrange(8):
            case 0:
                code = chance.choice(EXTENSIONS if self.odd() else (1, 2, 5, 255, 256, 65535, 70000, 0x7FFFFFFF))
                width = chance.choice([width for width in (1, 2, 4) if code < 1 << (8 * width)])
                self.put({1: b"\x82", 2: b"\x83", 4: b"\x84"}[width] + code.to_bytes(width, "little"), "name")
            case 1 | 2 | 3:
                both = f"{module}\n{name}\n".encode("utf-8", "surrogatepass")
                self.put(b"c" + (both if both.count(b"\n") == 2 else b"os\nx\n"), "name")
            case _:
                self.text(module)
                self.memoize()
                self.text(name)
                self.memoize()
                self.put(b"\x93", "name", pop=2)

    def object(self) -> None:  # noqa: C901, PLR0912 - one way to make an object after another
        """Add the result of a call."""
        chance = self.chance
        match chance.randrange(7):
            case 0:
                module, name = self.named()
                count = chance.randrange(3)
                self.put(b"(", "mark")
                for _ in range(count):
                    self.value()
                line = f"{module}\n{name}\n".encode("utf-8", "surrogatepass")
                self.put(b"i" + line, "object", pop=count + 1)
            case 1:
                count = chance.randrange(3)
                self.put(b"(", "mark")
                self.name()
                for _ in range(count):
                    self.value()
                self.put(b"o", "object", pop=count + 2)
            case 2:
                self.name()
                self.arguments()
                self.put(b"\x81", "object", pop=2)
            case 3:
                self.name()
                self.arguments()
                self.put(b"}", "dict")
                if chance.random() < 0.5:
                    self.text("key")
                    self.value()
                    self.put(b"s", pop=2)
                self.put(b"\x92", "object", pop=3)
            case 4:
                if chance.random() < 0.5:
                    self.put(b"P" + chance.choice(PERSISTENT if self.odd() else PERSISTENT[:3]) + b"\n", "object")
                else:
                    self.value()
                    self.put(b"Q", "object", pop=1)
            case _:
                if chance.random() < 0.85:
                    self.name()
                else:
                    self.value()
                self.arguments()
                self.put(b"R", "object", pop=2)

    # --- what is done to values ----------------------------------------------------------

    def memoize(self) -> None:
        """Often keep the top of the stack."""
        if self.stack and self.chance.random() < 0.5:
            self.keep()

    def keep(self) -> None:
        """Put the top of the stack into the memo."""
        kind = self.stack[-1] if self.stack else ""
        index = self.chance.choice((len(self.memo), len(self.memo), self.chance.randrange(8), 300))
        match self.chance.randrange(4):
            case 0 if index < 256:
                self.put(b"q" + bytes([index]))
            case 1:
                self.put(b"r" + struct.pack("<I", index))
            case 2:
                self.put(b"p%d\n" % index)
            case _:
                index = len(self.memo)
                self.put(b"\x94")
        self.memo[index] = kind

    def get(self) -> None:
        """Bring a value out of the memo."""
        if not self.memo and not self.odd():
            self.plain()
            return
        index = 7 if self.odd() else self.chance.choice(list(self.memo) or [0])
        kind = self.memo.get(index, "any")
        way = self.chance.randrange(3)
        if way == 0 and index < 256:
            self.put(b"h" + bytes([index]), kind)
        elif way == 1:
            self.put(b"j" + struct.pack("<I", index), kind)
        else:
            self.put(b"g%d\n" % index, kind)

    def change(self) -> None:
        """Give the top of the stack state or items."""
        chance, kind = self.chance, self.stack[-1]
        if self.odd():
            kind = "any"
        ways = {
            "list": "ae",
            "dict": "su",
            "set": "\x90",
            "object": "bbbaesu\x90",
            "name": "baesu\x90",
            "any": "baesu\x90",
        }
        way = chance.choice(ways.get(kind, "-")).encode("latin-1")
        if way == b"-":
            self.object()
        elif way == b"b":
            self.state()
            self.put(way, pop=1)
        elif way == b"a":
            self.value()
            self.put(way, pop=1)
        else:
            count = 1 if way == b"s" else chance.choice((0, 1, 1, 2, 3))
            if way != b"s":
                self.put(b"(", "mark")
            for _ in range(count):
                if way in b"su":
                    self.text()
                if not (self.odd() and way in b"su"):
                    (self.text if way == b"\x90" and not self.odd() else self.value)()
            self.put(way, pop=len(self.stack) - self.behind_mark() if way != b"s" else 2)

    def behind_mark(self) -> int:
        """Return where the last mark stands in the outline of the stack."""
        return max((place for place, kind in enumerate(self.stack) if kind == "mark"), default=len(self.stack))

    def state(self) -> None:
        """Add a state: a dict, a tuple with slots, anything."""
        match self.chance.randrange(4):
            case 0:
                self.value()
            case 1:
                self.put(b"N", "none")
                self.mapping()
                self.put(b"\x86", "tuple", pop=2)
            case _:
                self.mapping()

    def mapping(self) -> None:
        """Add a dict with an attribute."""
        self.put(b"}", "dict")
        if self.chance.random() < 0.7:
            self.text(self.chance.choice(("x", "__setstate__", "extend", "append", "__dict__", "__class__")))
            self.value()
            self.put(b"s", pop=2)

    def wrap(self) -> None:
        """Turn values from a mark on into a container."""
        count = self.chance.choice((0, 1, 2, 2, 3, 4))
        code, kind = self.chance.choice(((b"l", "list"), (b"d", "dict"), (b"\x91", "frozenset"), (b"t", "tuple")))
        if kind == "dict" and not self.odd():
            count -= count % 2
        self.put(b"(", "mark")
        for _ in range(count):
            (self.value if code in b"lt" or self.odd() else self.text)()
        self.put(code, kind, pop=count + 1)

    def stray(self) -> None:
        """Add any opcode with any argument, whatever the stack."""
        chance = self.chance
        code = chance.choice(EVERY_OPCODE)
        argument = chance.choice((*INTEGERS, *FLOATS, *STRINGS, *INDICES, *PERSISTENT)) + b"\n"
        if code in b"gp":
            argument = chance.choice(INDICES) + b"\n"
        elif code in b"ci":
            argument += chance.choice(WORDS).encode("utf-8", "surrogatepass") + b"\n"
        elif code in b"\x8c\x55\x43\x8a":
            argument = bytes([chance.choice((0, 1, 2, 3, 200))]) + chance.randbytes(2)
        elif code in b"XBT\x8b":
            argument = struct.pack("<I", chance.choice(COUNTS) & 0xFFFFFFFF) + chance.randbytes(3)
        elif code in b"\x8d\x8e\x96\x95":
            argument = struct.pack("<Q", chance.choice(COUNTS)) + chance.randbytes(3)
        elif code not in b"FILSVP":
            argument = chance.choice(
                (b"", chance.randbytes({0x80: 1, 0x4A: 4, 0x4D: 2, 0x6A: 4, 0x72: 4}.get(code, 1)))
            )
            if code == 0x80:
                argument = bytes([chance.choice((0, 1, 2, 3, 4, 5, 6, 255))])
        self.opcodes.append(bytes([code]) + argument)

    def buffer(self) -> None:
        """Take a buffer, or make something read-only."""
        if not (self.stack and self.odd()):
            self.put(b"\x97", "buffer")
        if self.chance.random() < 0.7:
            self.put(b"\x98")

    def step(self) -> None:  # noqa: C901 - one thing to do after another
        """Do one thing."""
        chance, roll = self.chance, self.chance.random()
        if roll < 0.22:
            self.value()
        elif roll < 0.42:
            self.object()
        elif roll < 0.62 and self.stack:
            self.change()
        elif roll < 0.68:
            self.wrap()
        elif roll < 0.76 and self.stack:
            self.keep()
        elif roll < 0.80:
            self.get()
        elif roll < 0.84 and self.stack:
            self.put(b"2", self.stack[-1])
        elif roll < 0.89 and len(self.stack) > 1:
            self.put(chance.choice((b"0", b"0", b"0", b"1")), pop=1)
        elif roll < 0.91:
            self.buffer()
        elif roll < 0.93:
            self.put(b"\x80" + bytes([chance.randrange(6)]))
        elif roll < 0.96 and self.wild:
            self.stray()
        else:
            self.plain()

    def stop(self) -> None:
        """End the pickle."""
        while len(self.stack) > 1 and self.chance.random() < 0.5:
            self.put(b"0", pop=1)
        if not self.stack:
            self.plain()
        self.put(b".")
        self.stack.clear()
        if self.chance.random() < 0.8:
            self.memo.clear()


def opcodes(chance: random.Random) -> list[bytes]:
    """Return the opcodes of one to three pickles one after the other."""
    made = Program(chance)
    for _ in range(chance.choice((1, 1, 1, 1, 1, 2, 3))):
        if chance.random() < 0.7:
            made.put(b"\x80" + bytes([chance.choice((2, 3, 4, 4, 5))]))
        for _ in range(chance.choice((1, 1, 2, 2, 3, 4, 6, 10))):
            made.step()
        if chance.random() < 0.95:
            made.stop()
    return made.opcodes


def framed(chance: random.Random, parts: list[bytes]) -> bytes:
    """Put frames around stretches of opcodes: right, crossing, nested, and lying ones."""
    parts = list(parts)
    for _ in range(chance.choice((1, 1, 2, 3))):
        start = chance.randrange(len(parts))
        end = chance.randrange(start, len(parts) + 1)
        inside = sum(map(len, parts[start:end]))
        length = chance.choice((
            inside, inside, inside, inside + 1, max(0, inside - 1), max(0, inside + chance.randrange(-9, 9)), 0,
            chance.choice(COUNTS), sum(map(len, parts[start:])),
        ))  # fmt: skip
        parts.insert(start, b"\x95" + struct.pack("<Q", length))
    return b"".join(parts)


def changed(chance: random.Random, data: bytes) -> bytes:
    """Change a few bytes, drop some, double some, cut."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place, length = chance.randrange(len(found) + 1), chance.choice((1, 1, 2, 5, 20))
        match chance.randrange(7):
            case 5:
                del found[place:]
            case 0 | 1 if place < len(found):
                found[place] = chance.choice((chance.randrange(256), chance.choice(EVERY_OPCODE)))
            case 2:
                del found[place : place + length]
            case 3:
                found[place:place] = found[place : place + length]
            case 4:
                found[place:place] = bytes([chance.choice(EVERY_OPCODE)])
            case _ if place < len(found):
                found[place] ^= 1 << chance.randrange(8)
    return bytes(found[: 1 << 16])


@cache
def real_pickles() -> tuple[bytes, ...]:
    """Return what CPython's pickler writes, by every protocol."""
    again: list = [1]
    again.append(again)
    chance = random.Random(0)
    things = (
        [None, True, False, 0, 255, 256, -1, 1 << 31, -(1 << 63), 1 << 900, 1.5, "a", "ä" * 300, b"b", b"c" * 300],
        {"a": (1,), "b": (1, 2), "c": (1, 2, 3), "d": (1, 2, 3, 4), "e": ()}, {1, 2}, frozenset("ab"), bytearray(b"x"),
        again, collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.deque([1, 2], 5),
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC), fractions.Fraction(1, 3), decimal.Decimal("1.5"), 1 + 2j,
        functools.partial(sorted, reverse=True), range(3), slice(1, 2), pathlib.PurePosixPath("a/b"), uuid.UUID(int=7),
        chance.getstate()[1][:30], ValueError("x", 1), types.SimpleNamespace(a=1), print, int, [["x"] * 3] * 3,
        argparse.Namespace(b={"c": "x" * 70000}), array.array("d", [1.0, 2.0]),
    )  # fmt: skip
    made = [pickle.dumps(thing, protocol) for thing in things for protocol in range(6)]
    made.append(pickle.dumps([pickle.PickleBuffer(b"x"), bytearray(b"y")], 5, buffer_callback=lambda _: False))
    return tuple(made)


def program(chance: random.Random) -> bytes:
    """Return one program: an own one, or a real pickle, plain or with frames or with changes or with both joined."""
    if chance.random() < 0.15:
        data = chance.choice(real_pickles())
        if chance.random() < 0.3:
            data += b"".join(opcodes(chance))
        return changed(chance, data)
    parts = opcodes(chance)
    data = framed(chance, parts) if chance.random() < 0.3 else b"".join(parts)
    return changed(chance, data) if chance.random() < 0.2 else data
