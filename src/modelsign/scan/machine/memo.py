"""The memo: eight bytes an entry for plain data.

Literals and containers are offsets already. Tuples of plain data live in one flat array; everything
else in a list of objects. MEMOIZE's index is the number of entries, as in CPython.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from modelsign.scan.machine.values import Value

__all__ = ["PLAIN", "Memo"]

PLAIN: Final = -(1 << 60)
"""Entries above this are the value itself."""
_TUPLES: Final = -(1 << 61)
"""Entries from PLAIN down to this are tuples in the flat array."""
_QUICK: Final = 100_000
"""So many tuples are kept as they are, which is quicker; the rest go to the flat array, which is smaller."""


class Memo:
    """Index to value. ``dense`` holds the entries 0, 1, 2, …; ``sparse`` those beyond a gap."""

    __slots__ = ("_flat", "_objects", "_places", "dense", "sparse")

    def __init__(self) -> None:
        """Make an empty memo."""
        self.dense = array("q")
        self.sparse: dict[int, int] = {}
        self._flat = array("q")
        self._objects: list[Value] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.dense) + len(self.sparse)

    @property
    def objects(self) -> int:
        """How many values are kept that are not plain data."""
        return len(self._objects)

    def code(self, value: Value) -> int:
        """Return the integer that stands for a value."""
        if type(value) is int:
            return value
        if type(value) is tuple and len(self._objects) >= _QUICK:
            start = len(self._flat)
            self._flat.append(len(value))
            try:
                self._flat.extend(value)  # type: ignore[arg-type] # a tuple with more than ints raises TypeError
            except TypeError:
                del self._flat[start:]
            else:
                return PLAIN - start
        elif type(value) is not tuple and id(value) in self._places:
            return self._places[id(value)]
        number = _TUPLES - len(self._objects)
        self._objects.append(value)
        if type(value) is not tuple:
            self._places[id(value)] = number  # the object stays alive in _objects, so its id stays its own
        return number

    def value(self, code: int) -> Value:
        """Return the value that an integer stands for."""
        if code > PLAIN:
            return code
        if code > _TUPLES:
            start = PLAIN - code
            return tuple(self._flat[start + 1 : start + 1 + self._flat[start]])
        return self._objects[_TUPLES - code]

    def append(self, value: Value) -> None:
        """MEMOIZE: put a value at the index that is the number of entries."""
        self.put(len(self), value)

    def put(self, index: int, value: Value) -> None:
        """PUT: put a value at an index, over what stood there."""
        code = self.code(value)
        dense = self.dense
        if index < len(dense):
            dense[index] = code
        elif index == len(dense):
            dense.append(code)
            while self.sparse and len(dense) in self.sparse:
                dense.append(self.sparse.pop(len(dense)))
        else:
            self.sparse[index] = code

    def get(self, index: int) -> Value | None:
        """GET: return the value at an index; None if there is none."""
        if 0 <= index < len(self.dense):
            return self.value(self.dense[index])
        code = self.sparse.get(index)
        return None if code is None else self.value(code)
