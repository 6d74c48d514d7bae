"""CPython's own unpicklers with inert stubs, in a process of its own under limits: everything they do, in order.

The law "never unpickle a sample" holds: what is read here are programs that a fuzzer of ours has just made. Even so
``find_class`` never imports: every name, persistent id and extension code resolves to a stub that records what is done
to it and does nothing, and the process has a bound on memory and time and may open no file. It needs nothing but the
standard library, so that any CPython can be the oracle.

A program is read by several unpicklers (``READINGS``); each gives what it did:

* ``["import", module, name, mapped]``: ``mapped`` as ``find_class`` resolves it, None where C keeps that to itself;
* ``["call", function, arguments]``; ``["state", target, state]``; ``["items", target]``, repeated ones once;
* ``["persistent", id]``; ``["extension", code]``; ``["buffer"]``;
* ``["stop", value, end]``: a pickle ends; what it returns, and the offset behind it.

Values are lists that start with a letter: ``n`` None, ``i`` a whole number or bool, ``f``, ``s`` text, ``b`` and ``a``
bytes and bytearray, ``c`` a container, ``t`` a tuple, ``g`` a name, ``o`` any other object, ``?`` something unseen.
"""

from __future__ import annotations

# ruff: noqa: ARG002, ARG004, ARG005 - a stub takes every call and does nothing with it
import _compat_pickle
import _pickle
import copyreg
import io
import json
import pickle
import resource
import struct
import subprocess
import sys
from pathlib import Path

READINGS = ("whole", "whole again", "file", "buffered", "python", "python again")
"""``_pickle`` that sees all bytes ahead (as ``loads``); the same unpickler for the next pickle too; reading a file
without looking ahead; behind a small buffer; ``pickle._Unpickler``; the same one again."""
EXTENSIONS = (1, 2, 5, 255, 256, 65535, 70000, 0x7FFFFFFF)
"""Extension codes that are registered."""
MOST_EVENTS, MOST_TEXT, MOST_ITEMS, MOST_DEPTH, MOST_BITS, MOST_STREAMS = 5000, 200, 6, 3, 200, 8
_MEBIBYTES, _SECONDS, _KEPT_STUBS, _BATCH, _BUFFER = 512, 10, 2000, 32768, 24

EVENTS: list = []
STATEFUL = [True]
"""Whether stubs have a ``__setstate__``; without one, unpicklers write into their ``__dict__``."""


class TooMuch(Exception):
    """The program did so many things that the rest is not recorded."""


def record(event: list) -> None:
    if event[0] == "items" and EVENTS and EVENTS[-1] == event:
        return
    if len(EVENTS) >= MOST_EVENTS:
        raise TooMuch
    EVENTS.append(event)


def shown(value, depth: int = 0) -> list:  # noqa: PLR0911 - one sort of value after another
    """Return a value as it is compared; what containers hold is not shown, so it ends."""
    kind = type(value)
    if value is None:
        return ["n"]
    if kind is int or kind is bool:
        return ["i", int(value)] if value.bit_length() <= MOST_BITS else ["i"]
    if kind is float:
        return ["f"]
    if kind is str:
        return ["s", value[:MOST_TEXT], len(value)]
    if kind is bytes or kind is bytearray:
        return ["b" if kind is bytes else "a", value[:MOST_TEXT].hex(), len(value)]
    if kind in (list, dict, set, frozenset):
        return ["c", kind.__name__]
    if kind is tuple:
        if depth >= MOST_DEPTH:
            return ["t", None, len(value)]
        return ["t", [shown(item, depth + 1) for item in value[:MOST_ITEMS]], len(value)]
    if kind is Name:
        return list(value.__dict__["_shown"])
    return ["o"]


def _items(target) -> object:
    token = shown(target)

    def put(items=None) -> None:
        if not isinstance(items, (list, tuple)) or items:
            record(["items", token])

    return put


def _state(target) -> object:
    token = shown(target)
    if STATEFUL[0]:
        return lambda state: record(["state", token, shown(state)])
    record(["state", token, ["?"]])
    raise AttributeError


def _one(target) -> object:
    token = shown(target)
    return lambda item: record(["items", token])


class Name(type):
    """The type of stubs: a stub for a name is a class, because classes can be called in every way."""

    def __call__(cls, *arguments, **keywords):
        record(["call", shown(cls), shown(arguments)])
        return object.__new__(cls)

    def __setitem__(cls, key, value):
        record(["items", shown(cls)])

    def __setattr__(cls, key, value):
        pass

    __setstate__ = property(_state)
    extend = property(_items)
    append = add = property(_one)


class Thing(metaclass=Name):
    """Whatever a call returned; a stub's instances are of a subclass."""

    _shown = ("o",)

    def __new__(cls, *arguments, **keywords):
        record(["call", shown(cls), shown(arguments)])
        return object.__new__(cls if type(cls) is Name else Thing)

    def __init__(self, *arguments, **keywords):
        pass

    def __call__(self, *arguments, **keywords):
        record(["call", ["o"], shown(arguments)])
        return object.__new__(Thing)

    def __setitem__(self, key, value):
        record(["items", ["o"]])

    __setstate__ = property(_state)
    extend = property(_items)
    append = add = property(_one)


class Buffer(bytearray):
    """An out-of-band buffer."""


STUBS: dict = {}


def stub(module: str, name: str):
    """Return what stands for a name."""
    found = STUBS.get((module, name))
    if found is None:
        if len(STUBS) >= _KEPT_STUBS:
            STUBS.clear()
        found = STUBS[module, name] = type.__new__(Name, "stub", (Thing,), {"_shown": ("g", module, name)})
    return found


def mapped(module: str, name: str) -> str:
    if (module, name) in _compat_pickle.NAME_MAPPING:
        module, name = _compat_pickle.NAME_MAPPING[module, name]
    elif module in _compat_pickle.IMPORT_MAPPING:
        module = _compat_pickle.IMPORT_MAPPING[module]
    return f"{module}.{name}"


class Hooks:
    """What both unpicklers ask, answered by stubs."""

    def find_class(self, module, name):
        if module == "extension registry":
            record(["extension", int(name)])
            return object.__new__(Thing)
        protocol = getattr(self, "proto", None)
        new = None if protocol is None else mapped(module, name) if protocol < 3 else f"{module}.{name}"
        if module:
            record(["import", module, name, new])
        if not module or not name:
            raise ImportError  # as an import of nothing would; the module of no name is imported before that
        return stub(module, name)

    def persistent_load(self, identifier):
        record(["persistent", shown(identifier)])
        return object.__new__(Thing)


class InC(Hooks, _pickle.Unpickler):
    """``_pickle.Unpickler``."""


class InPython(Hooks, pickle._Unpickler):
    """``pickle._Unpickler``."""


class Peeking(io.BytesIO):
    """A file that can be looked into ahead, so that frames do not cut anything off."""

    def peek(self, size=-1):
        return self.getbuffer()[self.tell() :].tobytes()


def buffers():
    """Yield out-of-band buffers for ever."""
    while True:
        record(["buffer"])
        yield Buffer(b"x")


def _file(reading: str, data: bytes):
    if reading.startswith("whole"):
        return Peeking(data)
    if reading == "buffered":
        return io.BufferedReader(io.BytesIO(data), _BUFFER)
    return io.BytesIO(data)


def _unpickler(reading: str, file):
    return (InPython if reading.startswith("python") else InC)(file, buffers=buffers())


def read(reading: str, data: bytes) -> list:
    """Let one unpickler read all pickles in the bytes; return what it did, and why it ended."""
    EVENTS.clear()
    copyreg._extension_cache.clear()
    file = _file(reading, data)
    unpickler = _unpickler(reading, file)
    try:
        for _ in range(MOST_STREAMS):
            record(["stop", shown(unpickler.load()), file.tell()])
            if file.tell() >= len(data):
                return [list(EVENTS), "end"]
            if not reading.endswith("again"):
                unpickler = _unpickler(reading, file)
    except Exception as fault:  # noqa: BLE001 - whatever ends the pickle is the answer
        return [list(EVENTS), type(fault).__name__]
    return [list(EVENTS), "TooMuch"]


def answer(data: bytes) -> list:
    """Return every reading's answer; None where it is the same as that of the first."""
    STATEFUL[0] = sum(data) % 2 == 0
    first = read("whole", data)
    answers = [first]
    before = first
    for reading in READINGS[1:]:
        stops = [number for number, event in enumerate(before[0]) if event[0] == "stop"]
        if reading.endswith("again") and (not stops or before == [before[0][: stops[0] + 1], "end"]):
            found = before  # no pickle behind the first, to share a memo with
        elif reading == "buffered" and b"\x95" not in data:
            found = before  # without frames it is read as any file
        else:
            found = before = read(reading, data)
        answers.append(None if found == first else found)
    return answers


def main() -> None:
    """Answer every program on stdin: its length in four bytes, then its bytes; a line of JSON each."""
    for code in EXTENSIONS:
        copyreg.add_extension("extension registry", str(code), code)
    answer(b"(S'\\x41'\nV\\u00e4\nI1\nL1L\nF1.5\nX\x01\0\0\0aU\x01bcos\nsystem\n)RP1\nl.")  # loads all codecs
    sys.setrecursionlimit(10_000)
    source = sys.stdin.buffer
    resource.setrlimit(resource.RLIMIT_AS, (_MEBIBYTES << 20, _MEBIBYTES << 20))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    while head := source.read(4):
        data = source.read(struct.unpack("<I", head)[0])
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + _SECONDS, resource.RLIM_INFINITY))
        sys.stdout.write(json.dumps(answer(data), separators=(",", ":")) + "\n")
        sys.stdout.flush()


class Oracle:
    """The running process; ask it about programs."""

    def __init__(self, python: str = sys.executable) -> None:
        """Take the interpreter whose unpicklers are asked."""
        self.python = python
        self._start()

    def _start(self) -> None:
        command = [self.python, "-I", "-S", "-W", "ignore", str(Path(__file__))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def ask(self, data: bytes) -> dict[str, list] | None:
        """Return each reading's answer ``[events, ending]``; None where the process gave up on the program."""
        return self.ask_all([data])[0]

    def ask_all(self, programs: list[bytes]) -> list[dict[str, list] | None]:
        """Return the answers to some programs, in their order."""
        found: list[dict[str, list] | None] = []
        while len(found) < len(programs):
            size, batch = 0, []
            for data in programs[len(found) :]:
                size += 4 + len(data)
                if batch and size > _BATCH:  # more might not fit into the pipe while the answers wait in theirs
                    break
                batch.append(struct.pack("<I", len(data)) + data)
            found += self._batch(batch)
        return found

    def _batch(self, batch: list[bytes]) -> list[dict[str, list] | None]:
        found: list[dict[str, list] | None] = []
        try:
            self.process.stdin.write(b"".join(batch))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        for _ in batch:
            line = self.process.stdout.readline()
            if not line.endswith(b"\n"):
                self.close()
                self._start()
                return [*found, None]
            answers = json.loads(line)
            found.append({name: given or answers[0] for name, given in zip(READINGS, answers, strict=True)})
        return found

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


if __name__ == "__main__":
    main()
