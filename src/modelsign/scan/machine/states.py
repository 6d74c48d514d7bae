"""Reviews of states by what is in them, for classes whose loading does more with some attributes than keep them.

A class asks for one by ``review`` in the knowledge. Its instances are *watched*: what goes into dicts is kept from the
moment they are made until BUILD hands them their state; a state that was there before is none that can be followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from modelsign.artifact.containers.stream import Stream
from modelsign.artifact.reading import BytesReading, Slice
from modelsign.scan.format import Member
from modelsign.scan.machine.arrays import Arrays, bytes_of
from modelsign.scan.machine.arrow import is_checked_array
from modelsign.scan.machine.contents import Contents, attributes_of
from modelsign.scan.machine.formulas import PLAIN_FRAME, flaw_of_formula, is_plain_state
from modelsign.scan.machine.spatial import NEEDS_STATE, SPATIAL
from modelsign.scan.machine.values import Global, Instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.artifact.reading import Reading
    from modelsign.scan.knowledge.entry import Entry
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["REVIEWS", "Watched", "is_watched", "review", "watch"]

_UNFOLLOWED: Final = "that nobody can follow"
_FRAME: Final = "pandas-frame"
_MODELS: Final = 1000
"""Models inside of one pickle."""


@dataclass(slots=True, eq=False)
class Watched(Instance):
    """An instance whose state will be reviewed; ``made`` is the offset from which dicts are kept for it."""

    made: int = 0


def is_watched(judge: Judge, review: str | None) -> bool:
    """Say whether a new instance is watched: a frame only where a formula may be evaluated with it."""
    return review is not None and (review != _FRAME or (judge.contents is not None and judge.contents.is_waiting))


def watch(judge: Judge, entry: Entry, offset: int) -> Watched:
    """Return what stands for a new instance, and begin to keep what goes into dicts."""
    judge.contents = judge.contents or Contents()
    judge.contents.wait(offset)
    made = Watched(entry.name, entry, made=offset)
    if entry.review in SPATIAL:
        judge.arrays = judge.arrays or Arrays()
    if entry.review == NEEDS_STATE:
        judge.stateless[made] = offset
    return made


def review(judge: Judge, target: Instance, state: Value) -> str | None:
    """Return what is wrong with the state that BUILD hands to an instance of a class that asks for a review."""
    entry, contents = target.entry, judge.contents
    if entry is None or entry.review is None:
        return None
    if not isinstance(target, Watched) or contents is None:
        return None if entry.review == _FRAME else _UNFOLLOWED
    flaw = REVIEWS[entry.review](judge, target, state)
    contents.arrived(target.made)
    judge.stateless.pop(target, None)
    return flaw


# --- SciPy's distributions ------------------------------------------------------------------

_NAME: Final = "[A-Za-z_][A-Za-z_0-9]*"
_SHAPES: Final = "(?P=shapes)"
_PLACE: Final = "(?:loc=0, scale=1|loc=0)"
_PLACES: Final = "(?:loc, scale|loc, 1)"
_TEMPLATE: Final = re.compile(
    f"\ndef _parse_args\\(self, (?P<shapes>(?:{_NAME}, )*) {_PLACE}\\):\n"
    f"    return \\({_SHAPES}\\), {_PLACES}\n"
    f"\ndef _parse_args_rvs\\(self, {_SHAPES} {_PLACE}, size=None\\):\n"
    f"    return self\\._argcheck_rvs\\({_SHAPES} {_PLACES}, size=size\\)\n"
    f"\ndef _parse_args_stats\\(self, {_SHAPES} {_PLACE}, moments='mv'\\):\n"
    f"    return \\({_SHAPES}\\), {_PLACES}, moments\n",
    re.ASCII,
)
"""What SciPy writes itself: ``parse_arg_template`` of scipy/stats/_distn_infrastructure.py 1.6-1.17, filled in."""
_CONSTRUCTOR: Final = frozenset({
    "momtype", "a", "b", "xtol", "badvalue", "name", "longname", "shapes", "extradoc", "seed", "inc", "values",
    "moment_tol", "histogram",
})  # fmt: skip
_CALLED: Final = frozenset({"_attach_methods", "_attach_argparser_methods"})
"""Methods that ``__setstate__`` looks up on the instance once it has its state."""


def _distribution(judge: Judge, target: Watched, state: Value) -> str | None:
    """``rv_generic.__setstate__`` runs the text ``_parse_arg_template`` of its state as Python.

    Before 1.6 it was handed its constructor's arguments and a generator; today's SciPy takes those for pairs of keys
    and values, which the names of the arguments make harmless.
    """
    del target
    if isinstance(state, tuple):
        given = attributes_of(judge, state[0]) if len(state) == 2 else None  # noqa: PLR2004 - arguments and generator
        is_known = given is not None and given.keys() <= _CONSTRUCTOR and not isinstance(state[1], tuple)
        return None if is_known else _UNFOLLOWED
    attributes = attributes_of(judge, state)
    if attributes is None or not attributes.keys().isdisjoint(_CALLED):
        return _UNFOLLOWED
    for value in attributes.get("_parse_arg_template", ()):
        text = judge.source.text(value, _PAGES) if isinstance(value, int) and value >= 0 else None
        if text is None or not _TEMPLATE.fullmatch(text):
            return "whose _parse_arg_template is run as Python, and is not what SciPy writes"
    return None


_PAGES: Final = 4096


def _vectorized(judge: Judge, target: Watched, state: Value) -> str | None:
    """``numpy.vectorize`` keeps a function until it is called: a method of a reviewed object, or a name."""
    del target
    attributes = attributes_of(judge, state)
    if attributes is None:
        return _UNFOLLOWED
    for value in attributes.get("pyfunc", ()):
        is_method = isinstance(value, Instance) and value.cls == "types.MethodType"
        is_name = isinstance(value, Global) and value.entry is not None and value.entry.reference
        if not is_method and not is_name:
            return "whose function nobody reviewed"
    return None


def _of_arrow(judge: Judge, target: Watched, state: Value) -> str | None:
    """``ArrowExtensionArray.__setstate__`` hands what it holds to ``pyarrow.chunked_array``, which asks for methods."""
    del target
    attributes = attributes_of(judge, state)
    if attributes is None:
        return _UNFOLLOWED
    held = [value for key in ("_pa_array", "_data") for value in attributes.get(key, ())]
    return None if all(is_checked_array(value) for value in held) else "whose data is no array that was looked into"


# --- formulas --------------------------------------------------------------------------------

_EVALUATING: Final = frozenset({"restore_design_info", "restore_model_spec"})


def _model_data(judge: Judge, target: Watched, state: Value) -> str | None:
    """``statsmodels.base.data.ModelData.__setstate__`` evaluates the ``formula`` of its state where a key says so.

    By patsy, or by formulaic since 0.15: a formula's terms are Python expressions. Without the key, the state is kept.
    """
    attributes = attributes_of(judge, state)
    if attributes is None:
        return _UNFOLLOWED
    if attributes.keys().isdisjoint(_EVALUATING):
        return None
    return flaw_of_formula(judge, attributes, target.cls)


def _frame(judge: Judge, target: Watched, state: Value) -> str | None:
    """``NDFrame.__setstate__`` sets attributes: a formula is evaluated only with a frame that has none of its own."""
    attributes = attributes_of(judge, state)
    if attributes is not None and is_plain_state(attributes):
        target.detail = PLAIN_FRAME
    return None


_METADATA: Final = "omegaconf.base.ContainerMetadata"


def _container(judge: Judge, target: Watched, state: Value) -> str | None:
    """``omegaconf.basecontainer.BaseContainer.__setstate__`` asks its ``_metadata`` for attributes, and sets some.

    A configuration in their place would have its interpolations looked up.
    """
    del target
    attributes = attributes_of(judge, state)
    if attributes is None:
        return _UNFOLLOWED
    for value in attributes.get("_metadata", ()):
        if not isinstance(value, Instance) or value.cls != _METADATA:
            return "whose metadata are something else, which is asked for its attributes"
    return None


# --- models in formats of their own ------------------------------------------------------------


def _text_bytes(judge: Judge, value: Value) -> Reading | None:
    """Return the bytes of a literal text, which lie in the file as UTF-8 from protocol 1 on."""
    source = judge.source
    if isinstance(value, int) and value >= 0 and source.kind(value) == "str":
        start, length = source.content(value)
        return Slice(source.reading, start, length) if length >= 0 else None
    return None


def _holding(
    judge: Judge, state: Value, keys: tuple[str, ...], find: Callable[[Judge, Value], Reading | None]
) -> str | None:
    """Hand the model under one of some keys to the engine, as a member; None as the value is no model."""
    attributes = attributes_of(judge, state)
    if attributes is None:
        return _UNFOLLOWED
    for key in keys:
        for value in attributes.get(key, ()):
            if isinstance(value, int) and value >= 0 and judge.source.kind(value) == "none":
                continue
            found = find(judge, value)
            if found is None or len(judge.members) >= _MODELS:
                return f"whose {key} is a model that could not be scanned"
            judge.members.append(_member(key, found))
    return None


def _member(name: str, found: Reading) -> Member:
    unpacked = found.size if isinstance(found, BytesReading) else 0
    return Member(name.strip("_") or name, lambda _: Stream(found, unpacked=unpacked))


def _xgboost(judge: Judge, target: Watched, state: Value) -> str | None:
    """``xgboost.Booster.__setstate__`` makes a model of the bytes ``handle``."""
    del target
    return _holding(judge, state, ("handle",), bytes_of)


def _lightgbm(judge: Judge, target: Watched, state: Value) -> str | None:
    """``lightgbm.Booster.__setstate__`` makes a model of the text ``_handle``, ``handle`` before 4.0."""
    del target
    return _holding(judge, state, ("_handle", "handle"), _text_bytes)


def _catboost(judge: Judge, target: Watched, state: Value) -> str | None:
    """``_CatBoostBase.__setstate__`` makes a model of the bytes ``__model``, and keeps the rest as parameters."""
    del target
    return _holding(judge, state, ("__model",), bytes_of)


REVIEWS: Final[dict[str, Callable[[Judge, Watched, Value], str | None]]] = {
    "scipy-distribution": _distribution,
    "vectorized": _vectorized,
    "pandas-arrow": _of_arrow,
    "statsmodels-data": _model_data,
    "omegaconf-container": _container,
    _FRAME: _frame,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    **SPATIAL,
}
