"""CPython's own unpickler with inert stubs, run in a process of its own under limits: what it asks for, in order.

Run as a script: reads length-prefixed programs from stdin, writes one JSON line for each: the (module, name) pairs
that ``find_class`` was asked for before the first error, by ``pickle.loads``-like reading and by reading a file.
Every name resolves to a stub class that accepts everything and does nothing.
"""

from __future__ import annotations

# ruff: noqa: ARG002, ARG004 - a stub takes every call and does nothing with it
import _pickle
import contextlib
import io
import json
import resource
import struct
import subprocess
import sys
from pathlib import Path


class Stub:
    """Stands for whatever a pickle imports: takes every call, state and item, and does nothing."""

    def __new__(cls, *arguments, **keywords):
        return object.__new__(cls)

    def __init__(self, *arguments, **keywords):
        pass

    def __setstate__(self, state):
        pass

    def __call__(self, *arguments, **keywords):
        return Stub()

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __setitem__(self, key, value):
        pass

    def __hash__(self):
        return 1


class _Peeking(io.BytesIO):
    """A file that can be looked into ahead, so that frames do not cut anything off."""

    def peek(self, size=-1):
        place = self.tell()
        found = self.read()
        self.seek(place)
        return found


def asked(data: bytes, *, peek: bool) -> list[list[str]]:
    found: list[list[str]] = []

    class Unpickler(_pickle.Unpickler):
        def find_class(self, module, name):
            found.append([module, name])
            return Stub

        def persistent_load(self, identifier):
            return Stub()

    with contextlib.suppress(Exception):  # any error ends the pickle, whatever it is
        Unpickler(_Peeking(data) if peek else io.BytesIO(data)).load()
    return found


def main() -> None:
    """Answer every program on stdin."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.setrecursionlimit(10_000)
    source = sys.stdin.buffer
    while head := source.read(4):
        data = source.read(struct.unpack("<I", head)[0])
        sys.stdout.write(json.dumps([asked(data, peek=True), asked(data, peek=False)]) + "\n")
        sys.stdout.flush()


class Oracle:
    """The running process; ask it about one program at a time."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, data: bytes) -> list[list[tuple[str, str]]] | None:
        """Return the names by both readings; None where the process gave up on the program."""
        try:
            self.process.stdin.write(struct.pack("<I", len(data)) + data)
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            self._start()
            return None
        return [[tuple(pair) for pair in reading] for reading in json.loads(line)]

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    main()
