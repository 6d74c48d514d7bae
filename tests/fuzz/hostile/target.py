"""What a target is, and where they all are.

To add one: a function that takes bytes and calls the parser, its seeds, and a line in its file's ``TARGETS``.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import ModelsignError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Form = str
"""How seeds are changed besides byte by byte: ``json``, ``der``, ``pickle``, ``tar``, ``zip`` or ``text``."""


class Target(NamedTuple):
    """A parser under test. ``total`` ones may raise nothing at all, the others only ``ModelsignError``."""

    id: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    form: Form = "json"
    total: bool = False


class Fault(AssertionError):
    """A parser let something else out than it may, for these bytes."""


def targets() -> dict[str, Target]:
    """Return every target by its id."""
    found: dict[str, Target] = {}
    for path in sorted((Path(__file__).parent / "targets").glob("[a-z]*.py")):
        for target in importlib.import_module(f"hostile.targets.{path.stem}").TARGETS:
            assert target.id not in found, f"two targets are called {target.id}"
            found[target.id] = target
    return found


def judge(target: Target, data: bytes) -> str:
    """Run a target; return ``ok`` or the reason's code.

    Raises:
        Fault: it raised something it may not, a panic of a native library included.

    """
    try:
        target.run(data)
    except ModelsignError as fault:
        if target.total:
            raise Fault(f"{target.id} is total and refused {data[:200]!r} with {fault.code}") from fault
        str(fault)
        return fault.code
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # panics of Rust are no Exceptions
        raise Fault(f"{target.id} raised {type(fault).__name__}: {fault} for {data[:2000].hex()}") from fault
    return "ok"
