"""The parent's side: starts a zygote, has it fork confined children, asks them, and ends them.

The zygote is a fresh interpreter (``python -I``), never a fork of the caller: a caller has threads, memory and secrets
that a child must not have (docs/decisions/scans-run-in-a-child-of-a-fresh-interpreter.md). One a program is shared by
all threads of a process, and is given up when the process ends.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self

from modelsign.errors import ModelsignError, error
from modelsign.sandbox.channel import SMALL_BYTES, Channel
from modelsign.sandbox.confine import LAYERS, Confined
from modelsign.sandbox.serving import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from modelsign.sandbox.confine import Fences

__all__ = ["Child", "Zygote", "shared"]

_START_SECONDS: Final = 120.0
"""How long a fresh interpreter may take to import what it needs, on a machine with much else to do."""
_ABOVE_STANDARD: Final = 10


class Zygote:
    """A process that forks confined children; usable by many threads, and by no process but the one that made it."""

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        """Start the program, a path of Python source; it is waited for when it is first asked.

        Raises:
            ModelsignError: ``SANDBOX_UNAVAILABLE``.

        """
        self._lock = threading.Lock()
        self._ready = False
        self._children: set[int] = set()
        self.owner = os.getpid()
        self.closed = False
        if not sys.executable or getattr(sys, "frozen", False):
            raise error("SANDBOX_UNAVAILABLE", "no Python interpreter is known that could be started")
        try:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                self._process = _spawn(program, theirs.fileno(), environment)
                self._control = Channel(socket.socket(fileno=ours.detach()))
        except (AttributeError, OSError, NotImplementedError) as fault:
            message = f"no process could be started: {getattr(fault, 'strerror', None) or fault}"
            raise error("SANDBOX_UNAVAILABLE", message) from None

    @property
    def process(self) -> int:
        """The process id of the zygote."""
        return self._process

    def fork(self, configuration: Mapping[str, Any], fences: Fences, layers: Iterable[str] = LAYERS) -> Child:
        """Return a child that is confined and waits to be asked.

        Raises:
            ModelsignError: ``SANDBOX_UNAVAILABLE``.

        """
        ours, theirs = socket.socketpair()
        channel = Channel(ours)
        order = {"do": "fork", "configuration": configuration, "fences": asdict(fences), "layers": list(layers)}
        try:
            with theirs:
                number = self._exchange(order, "child", [theirs.fileno()])
        except BaseException:
            channel.close()
            raise
        self._children.add(number)
        child = Child(self, number, channel)
        try:
            child.begin()
        except ModelsignError as fault:
            end = child.end()
            raise error("SANDBOX_UNAVAILABLE", f"the confined process did not begin: {fault.message} ({end})") from None
        except BaseException:
            child.end()
            raise
        return child

    def end(self, child: int) -> int | None:
        """Kill a child and return how it ended, as waitpid(2) tells it; None where that cannot be known any more."""
        if child not in self._children or self.closed or self.owner != os.getpid():
            return None
        self._children.discard(child)
        try:
            return self._exchange({"do": "end", "child": child}, "status")
        except ModelsignError:
            return None

    def _exchange(self, order: Mapping[str, Any], wanted: str, descriptors: Sequence[int] = ()) -> int:
        """Give an order and return the number it is answered with; a zygote that does not keep step is given up."""
        with self._lock:
            try:
                if not self._ready:
                    self._control.receive(SMALL_BYTES, seconds=_START_SECONDS)
                    self._ready = True
                self._control.send(order, descriptors)
                answer, _ = self._control.receive(SMALL_BYTES, seconds=_START_SECONDS)
                return int(answer[wanted])
            except (ModelsignError, KeyError, TypeError, ValueError) as fault:
                self.close()
                raise error("SANDBOX_UNAVAILABLE", getattr(fault, "message", "the zygote answers nonsense")) from None
            except BaseException:  # interrupted between order and answer
                self.close()
                raise

    def close(self) -> None:
        """End the zygote and all its children; safe to call twice, and in a fork of the owner, where it ends nobody."""
        if self.closed:
            return
        self.closed = True
        self._control.close()
        if self.owner != os.getpid():
            return
        with suppress(ProcessLookupError, ChildProcessError):
            if not self._children:
                os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _spawn(program: str, descriptor: int, environment: Mapping[str, str]) -> int:
    """Start a fresh interpreter with one open descriptor, no standard streams, in a session of its own."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
        (os.POSIX_SPAWN_DUP2, 0, 1),
        (os.POSIX_SPAWN_DUP2, 0, 2),
        (os.POSIX_SPAWN_DUP2, high, CONTROL),
    ]
    arguments = [sys.executable, "-I", *(["-B"] if sys.dont_write_bytecode else []), program]
    try:
        return os.posix_spawn(
            sys.executable, arguments, dict(environment), file_actions=actions, setsid=True, setsigmask=()
        )
    finally:
        os.close(high)


class Child:
    """A confined process that answers; a context manager that ends it."""

    def __init__(self, zygote: Zygote, process: int, channel: Channel) -> None:
        """Take the child's number and the connection to it."""
        self._zygote = zygote
        self._channel = channel
        self._end: str | None = None
        self.process = process
        self.confined = Confined((), ())

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self.end()

    def begin(self) -> None:
        """Wait until it is confined.

        Raises:
            ModelsignError: ``SANDBOX_ENDED``, ``SANDBOX_SILENT`` or ``SANDBOX_ANSWER``.

        """
        said, _ = self._channel.receive(SMALL_BYTES, seconds=_START_SECONDS)
        if "failed" in said:
            raise error("SANDBOX_ENDED", str(said["failed"]))
        in_force, missing = said.get("in_force"), said.get("missing")
        if not isinstance(in_force, list) or not isinstance(missing, list):
            raise error("SANDBOX_ANSWER", "the confined process does not say what holds it")
        self.confined = Confined(tuple(layer for layer in LAYERS if layer in in_force), tuple(map(str, missing)))

    def ask(
        self,
        request: Mapping[str, Any],
        descriptors: Sequence[int] = (),
        *,
        most_bytes: int,
        seconds: float,
        told: Callable[[object], None] | None = None,
    ) -> dict[str, Any]:
        """Ask, and return what is answered. After a fault the child is of no use any more.

        ``told`` is called with what the child tells before it answers; ``seconds`` are those until the answer.

        Raises:
            ModelsignError: ``SANDBOX_ENDED``, ``SANDBOX_SILENT`` or ``SANDBOX_ANSWER``.

        """
        until = monotonic() + seconds
        self._channel.send(request, descriptors)
        answer, _ = self._channel.receive(most_bytes, seconds=seconds)
        while "told" in answer:
            if told is not None:
                told(answer["told"])
            answer, _ = self._channel.receive(most_bytes, seconds=until - monotonic())
        if "failed" in answer:
            raise error("SANDBOX_ENDED", str(answer["failed"]))
        return answer

    def end(self) -> str:
        """End it, if it has not ended, and say how it ended: ``SIGSEGV``, ``status 70``; safe to call twice."""
        if self._end is None:
            try:
                self._end = _told(self._zygote.end(self.process))
            finally:
                self._channel.close()  # only now: a child that sees this ends by itself, and not as it was told
        return self._end


def _told(status: int | None) -> str:
    if status is None:
        return "ended with its zygote"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"status {os.WEXITSTATUS(status)}"


_zygotes: Final[dict[str, Zygote]] = {}
_lock: Final = threading.Lock()


def shared(program: str, environment: Mapping[str, str]) -> Zygote:
    """Return the zygote of a program that this process has, or start one.

    Raises:
        ModelsignError: ``SANDBOX_UNAVAILABLE``.

    """
    with _lock:
        found = _zygotes.get(program)
        if found is None or found.closed or found.owner != os.getpid():
            if found is None:
                atexit.register(_give_up, program)
            found = _zygotes[program] = Zygote(program, environment)
        return found


def _give_up(program: str) -> None:
    found = _zygotes.pop(program, None)
    if found is not None:
        found.close()


def _forget() -> None:
    """Close a forked process's copies of the connections, so that zygotes end with the process they belong to."""
    for zygote in _zygotes.values():
        zygote.close()
    _zygotes.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
