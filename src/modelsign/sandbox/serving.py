"""The zygote and its children: what runs in the processes that a parent keeps ready.

The zygote imports what the children will need, opens nothing that is judged, and forks on request. A child confines
itself before it sees a byte it was not born with, then answers requests, one after the other, until its connection is
closed. Every child ends with its zygote, and the zygote with its parent.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from modelsign.errors import ModelsignError
from modelsign.sandbox.channel import SMALL_BYTES, Channel
from modelsign.sandbox.confine import Fences, confine, prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Tell = Callable[[object], None]
    """Tells the parent something before the answer: how far it is."""
    Answer = Callable[[Mapping[str, Any], list[int], Tell], Mapping[str, Any]]
    """Answers one request; it owns the descriptors that came with it."""
    Begin = Callable[[Mapping[str, Any]], Answer]
    """Prepares a child, before it is confined, for what its parent said when it asked for it."""

__all__ = ["CONTROL", "serve"]

CONTROL: Final = 3
"""The descriptor of a zygote's connection to its parent."""
_USUAL_DESCRIPTORS: Final = 1024
_FAILED: Final = 70
_SHOWN: Final = 300


def serve(begin: Begin) -> NoReturn:
    """Be a zygote until the parent closes the connection or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a parent that ignores it would hand that on
    _close_what_was_inherited()
    prepare()
    control = Channel(socket.socket(fileno=CONTROL))
    children: set[int] = set()
    control.send({"ready": os.getpid()})
    while True:
        try:
            order, descriptors = control.receive(SMALL_BYTES, most_descriptors=1)
        except ModelsignError:
            for child in children:
                _end(child)
            os._exit(0)
        if order["do"] == "fork":
            child = os.fork()
            if not child:
                control.close()
                _be_a_child(begin, order, Channel(socket.socket(fileno=descriptors[0])))
            os.close(descriptors[0])
            children.add(child)
            control.send({"child": child})
        else:
            child = int(order["child"])
            children.remove(child)
            control.send({"status": _end(child)})


def _close_what_was_inherited() -> None:
    """Close what libraries in C left open for any program; Python's own descriptors are not inherited."""
    try:
        numbers = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - no pathlib in a zygote
    except OSError:
        numbers = list(range(_USUAL_DESCRIPTORS))
    for number in numbers:
        if number > CONTROL:
            with suppress(OSError):
                os.close(number)


def _end(child: int) -> int:
    """Kill a child, unless it ended already, and return how it ended, as waitpid(2) tells it."""
    os.kill(child, signal.SIGKILL)  # it was not waited for, so nobody else can have its number
    return os.waitpid(child, 0)[1]


def _be_a_child(begin: Begin, order: Mapping[str, Any], channel: Channel) -> NoReturn:
    """Answer requests until there are none; whatever goes wrong is told if that is possible, and ends the child."""
    try:
        _die_with_the_zygote()
        answer = begin(order["configuration"])
        confined = confine(Fences(**order["fences"]), order["layers"])
        channel.send({"in_force": confined.in_force, "missing": confined.missing})
        while True:
            try:
                request, descriptors = channel.receive(SMALL_BYTES, most_descriptors=1)
            except ModelsignError:
                os._exit(0)  # nobody asks any more
            channel.send(answer(request, descriptors, lambda what: channel.send({"told": what})))
    except Exception as fault:  # noqa: BLE001 - a program of its own: what went wrong is told to the parent
        with suppress(ModelsignError):
            channel.send({"failed": f"{type(fault).__name__}: {fault}"[:_SHOWN]})
    os._exit(_FAILED)


def _die_with_the_zygote() -> None:
    zygote = os.getppid()
    if sys.platform.startswith("linux"):
        from modelsign.sandbox.libc import PR_SET_PDEATHSIG, prctl  # noqa: PLC0415 - Linux alone

        try:
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        except OSError:  # then the closed connection ends it, at the next request
            return
        if os.getppid() != zygote or zygote == 1:
            os._exit(0)
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123 - no pathlib in a zygote
            score.write("1000")  # where memory runs out, it is this process that goes
    except OSError:
        return
