"""``partial(cls.__new__, cls, *args, **kwargs)()``: how protocols 2 and 3 write NEWOBJ_EX.

CPython (``save_reduce`` of Lib/pickle.py) imports the constructor by ``getattr(Base, '__new__')``, makes a partial of
it, gives that the state ``(constructor, (cls, *args), kwargs, None)`` and calls it without arguments. Exactly these
steps, in this order and once, with a constructor that is known by name (tagged ``constructor``: it keeps its
arguments, of whatever class), are judged as the opcode is. Whatever else is done with a constructor, or with such a
partial, is what it always was: the name itself leads to code (``dangerous.json``), and it counts as passed on until the
call. (A tuple that holds it could be kept beside: what would escape so makes tuples, and nothing else.)

In the same steps pandas 1.3 writes a block: ``partial(new_block, ndim=2)(values, places)``. The one keyword must
be that number, in a dict made since; anything else in it (``klass``) would be called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.arguments import fits
from modelsign.scan.machine.contents import Contents
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["PARTIAL", "Construction", "constructed", "construction", "is_given"]

PARTIAL: Final = "functools.partial"
_CONSTRUCTOR: Final = "constructor"
_COMPLETED: Final = "completed-by-a-number"
"""The tag of functions that picklers give one keyword, a number, by a partial."""
_NUMBER: Final = "ndim"
_PARTS: Final = 4
"""What a partial's state has: the function, its arguments, keywords, attributes."""


@dataclass(slots=True, eq=False)
class Construction(Instance):
    """A partial of a known constructor; ``given`` is the class with its arguments, and the keywords, of its state."""

    constructor: Global | None = None
    given: tuple[tuple[Value, ...], Value | None] | None = None
    done: bool = False
    made: int = -1
    """Where a partial of a function was made that is to be given a number."""


def construction(judge: Judge, partial: Global, arguments: tuple[Value, ...], offset: int) -> Construction | None:
    """Return what stands for ``partial(constructor)``, with nothing else in it; None if it is another partial."""
    inner = arguments[0] if len(arguments) == 1 else None
    if not isinstance(inner, Global) or inner.entry is None:
        return None
    if _COMPLETED in inner.entry.tags:
        judge.contents = judge.contents or Contents()
        judge.contents.wait(offset)
        return Construction(PARTIAL, partial.entry, constructor=inner, made=offset)
    return Construction(PARTIAL, partial.entry, constructor=inner) if _CONSTRUCTOR in inner.entry.tags else None


def is_given(judge: Judge, target: Instance, state: Value) -> bool:
    """Take the first state of a construction; say whether it is of the form that CPython writes."""
    if not isinstance(target, Construction):
        return False
    source = judge.source
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
    if target.made >= 0:
        return _is_given_a_number(judge, target, arguments, keywords)
    target.given = arguments, None if fits(source, "none", keywords) else keywords
    return True


def _is_given_a_number(judge: Judge, target: Construction, arguments: tuple[Value, ...], keywords: Value) -> bool:
    """Take the state of a partial of a function; say whether it is one number by its name, which nothing may change."""
    contents, source = judge.contents, judge.source
    items = contents.freeze(keywords) if contents is not None and isinstance(keywords, int) else None
    if contents is not None:
        contents.arrived(target.made)
    if arguments or items is None or len(items) != 2:  # noqa: PLR2004 - a key and its value
        target.done = True
        return False
    key, value = items
    name = source.text(key) if isinstance(key, int) and key >= 0 else None
    target.done = name != _NUMBER or not fits(source, "int", value)
    target.given = None if target.done else ((value,), None)
    return not target.done


def constructed(judge: Judge, function: Value, arguments: Value, offset: int) -> Value | None:
    """Return what ``partial()`` makes, judged as NEWOBJ_EX; None if this is no such call."""
    if not isinstance(function, Construction) or function.given is None or function.done:
        return None
    given, keywords = function.given
    cls, constructor = given[0] if given else None, function.constructor
    if function.made >= 0 and constructor is not None and isinstance(arguments, tuple):
        function.done = True
        constructor.consumed += 1  # into the partial; the call counts for the state
        return judge.call(constructor, (*arguments, *given), offset)
    if arguments != ():
        return None
    if constructor is None or not isinstance(cls, Global) or cls.entry is None or cls.entry.keywords is None:
        return None
    function.done = True
    constructor.consumed += 2  # into the partial, and into its state
    return judge.new(cls, given[1:], keywords, offset)
