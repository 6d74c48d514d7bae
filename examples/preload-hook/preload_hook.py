"""Imported first, this makes the gate the only way in: what is unpickled without it ends the program's load.

An application that calls ``joblib.load`` or ``pickle.load`` somewhere deep inside has a forgotten gate. This hook is
a tripwire for it: CPython announces every name that an unpickler is about to import, and while the gate is not open
the hook refuses. It needs no list of libraries, sees aliases taken before it was installed, and cannot be taken off.

It is a tripwire and not the gate. It does not see loaders written in C++ or Rust that never unpickle (those carry no
pickled code either), an unpickler that overrides ``find_class`` without asking its parent, nor ``marshal``. Processes
that talk to each other by pickles (``multiprocessing`` with ``spawn``) stop working under it.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import modelsign

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UnverifiedLoadError", "install", "load"]

_gate = threading.local()


class UnverifiedLoadError(BaseException):
    """A pickle was about to import something outside the gate. No ``except Exception`` swallows it."""


def install() -> None:
    """Refuse unpickling outside the gate, in this process, from now on."""
    sys.addaudithook(_watch)


def load(path: str, **settings: object) -> object:
    """Load a model through the gate; the arguments are those of ``modelsign.load``."""
    with _open_gate():
        return modelsign.load(path, **settings)


@contextmanager
def _open_gate() -> Iterator[None]:
    _gate.open = True
    try:
        yield
    finally:
        _gate.open = False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "pickle.find_class" and not getattr(_gate, "open", False):
        module, name = arguments
        raise UnverifiedLoadError(f"{module}.{name} was asked for by a pickle that no policy has allowed")
