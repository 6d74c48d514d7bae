"""``partial(cls.__new__, cls, *args, **kwargs)()``: how protocols 2 and 3 write NEWOBJ_EX.

CPython (``save_reduce`` of Lib/pickle.py) imports the constructor by ``getattr(Base, '__new__')``, makes a partial of
it, gives that the state ``(constructor, (cls, *args), kwargs, None)`` and calls it without arguments. Exactly these
steps, in this order and once, with a constructor that is known by name (tagged ``constructor``: it keeps its
arguments, of whatever class), are judged as the opcode is. Whatever else is done with a constructor, or with such a
partial, is what it always was: the name itself leads to code (``dangerous.json``), and it counts as passed on until the
call. (A tuple that holds it could be kept beside: what would escape so makes tuples, and nothing else.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.arguments import fits
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.source import Source
    from modelsign.scan.machine.values import Value

__all__ = ["PARTIAL", "Construction", "constructed", "construction", "is_given"]

PARTIAL: Final = "functools.partial"
_CONSTRUCTOR: Final = "constructor"
_PARTS: Final = 4
"""What a partial's state has: the function, its arguments, keywords, attributes."""


@dataclass(slots=True, eq=False)
class Construction(Instance):
    """A partial of a known constructor; ``given`` is the class with its arguments, and the keywords, of its state."""

    constructor: Global | None = None
    given: tuple[tuple[Value, ...], Value | None] | None = None
    done: bool = False


def construction(partial: Global, arguments: tuple[Value, ...]) -> Construction | None:
    """Return what stands for ``partial(constructor)``, with nothing else in it; None if it is another partial."""
    inner = arguments[0] if len(arguments) == 1 else None
    if isinstance(inner, Global) and inner.entry is not None and _CONSTRUCTOR in inner.entry.tags:
        return Construction(PARTIAL, partial.entry, constructor=inner)
    return None


def is_given(source: Source, target: Instance, state: Value) -> bool:
    """Take the first state of a construction; say whether it is of the form that CPython writes."""
    if not isinstance(target, Construction):
        return False
    is_first, target.given = target.given is None and not target.done, None
    if not isinstance(state, tuple) or len(state) != _PARTS or not is_first:
        target.done = True
        return False
    function, arguments, keywords, attributes = state
    if (
        function is not target.constructor
        or not isinstance(arguments, tuple)
        or not fits(source, "dict|none", keywords)
        or not fits(source, "none", attributes)
    ):
        target.done = True
        return False
    target.given = arguments, None if fits(source, "none", keywords) else keywords
    return True


def constructed(judge: Judge, function: Value, arguments: Value, offset: int) -> Value | None:
    """Return what ``partial()`` makes, judged as NEWOBJ_EX; None if this is no such call."""
    if not isinstance(function, Construction) or function.given is None or function.done or arguments != ():
        return None
    given, keywords = function.given
    cls, constructor = given[0] if given else None, function.constructor
    if constructor is None or not isinstance(cls, Global) or cls.entry is None or cls.entry.keywords is None:
        return None
    function.done = True
    constructor.consumed += 2  # into the partial, and into its state
    return judge.new(cls, given[1:], keywords, offset)
