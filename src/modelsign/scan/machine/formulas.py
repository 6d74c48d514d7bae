"""Whether a formula that a pickle has evaluated may be: what it says, and what its names may stand for.

A name is looked for in the columns of the frame first, then among the variables of whoever loads the pickle, then
among the functions of patsy or formulaic. A column cannot be called, as it is a series; but ``np.log`` of a column
``np`` would be an element of it, and an attribute of the frame might stand in for a method. So the frame must be a
plain one, no name be stored in the pickle that is not harmless to call, and no text ``np`` be in it where ``np`` is
asked for something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.values import Instance
from modelsign.scan.python.formulas import FormulaError, numpy_functions_of

if TYPE_CHECKING:
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["PLAIN_FRAME", "flaw_of_formula", "is_plain_state"]

PLAIN_FRAME: Final = "plain"
"""The ``detail`` of a frame without attributes of its own."""
_FRAME: Final = "pandas.DataFrame"
_MANAGER: Final = "pandas.core.internals.managers.BlockManager"
_ATTRIBUTES: Final = frozenset({"_mgr", "_data", "_typ", "_metadata", "attrs", "_flags"})
_LIBRARIES: Final = frozenset({
    "numpy", "pandas", "pyarrow", "scipy", "statsmodels", "patsy", "formulaic", "_codecs", "copyreg", "collections",
    "datetime", "joblib",
})  # fmt: skip
_BUILTINS: Final = frozenset(
    f"builtins.{name}"
    for name in (
        "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "range", "set",
        "slice", "tuple",
    )
)  # fmt: skip
_SHOWN: Final = 120
_PAGES: Final = 4096
_CHUNK: Final = 1024 * 1024
_OVERLAP: Final = 16
_NP: Final = re.compile(rb"[\x8cU]\x02np|[XT]\x02\x00{3}np|\x8d\x02\x00{7}np|n\x00{3}p", re.DOTALL)
"""The text ``np`` as a literal of binary protocols, and in NumPy's arrays of text."""


def is_plain_state(attributes: dict[str, list[Value]]) -> bool:
    """Say whether the state of a frame holds its blocks and nothing that might hide a method."""
    held = [*attributes.get("_mgr", ()), *attributes.get("_data", ())]
    managed = len(held) == 1 and isinstance(held[0], Instance) and held[0].cls == _MANAGER
    return managed and attributes.keys() <= _ATTRIBUTES


def flaw_of_formula(judge: Judge, attributes: dict[str, list[Value]], cls: str) -> str | None:
    """Return what is wrong with a formula that is evaluated with what else is in the state; None if it is harmless."""
    values = attributes.get("formula", ())
    texts = [judge.source.text(value, _PAGES) if isinstance(value, int) and value >= 0 else None for value in values]
    shown = ", ".join("one that is computed" if text is None else repr(text[:_SHOWN]) for text in texts) or "none"
    flaw = _flaw_of_text(judge, texts) or _flaw_of_frame(judge, attributes)
    if flaw is not None:
        return f"whose formula is evaluated as Python when it is loaded: {shown}{flaw}"
    judge.calls_own_methods(cls)
    return None


def _flaw_of_text(judge: Judge, texts: list[str | None]) -> str | None:
    if len(texts) != 1 or texts[0] is None:
        return "; nobody can tell which"
    try:
        functions = numpy_functions_of(texts[0])
    except FormulaError as fault:
        return f" ({fault})"
    return "; something in the file may be called np" if functions and _may_hold_np(judge) else None


def _flaw_of_frame(judge: Judge, attributes: dict[str, list[Value]]) -> str | None:
    frames = attributes.get("frame", ())
    frame = frames[0] if len(frames) == 1 else None
    if not isinstance(frame, Instance) or frame.cls != _FRAME or frame.detail != PLAIN_FRAME:
        return "; its frame is no plain one"
    partial = judge.globals.get(("functools", "partial"))
    home = set() if partial is None or partial.called else {partial.path}  # pandas 1.3 uses each at once
    strange = sorted(name for name in judge.names - home if not _is_at_home(name))
    return f"; {strange[0]} is at hand" if strange else None


def _is_at_home(name: str) -> bool:
    return name.partition(".")[0] in _LIBRARIES or name in _BUILTINS


def _may_hold_np(judge: Judge) -> bool:
    """Say whether a column of the frame may be called ``np``: by a literal, or by a text in an array."""
    if judge.may_hold_np:
        return True
    reading = judge.source.reading
    return any(_NP.search(reading.read_at(place, _CHUNK + _OVERLAP)) for place in range(0, reading.size, _CHUNK))
