"""States of SciPy's that native code follows without a check: trees of points, triangulations, rotations.

Each index is proven to lie where it must, in arrays of just the type and shape that the code takes for granted; what is
not proven is a flaw. By SciPy's own source, 1.3 to 1.17: scipy/spatial/_ckdtree.pyx and ckdtree/src/*, _qhull.pyx,
transform/_rotation.pyx, interpolate/_interpnd.pyx. For machines of 64 bits that keep the lowest byte first, for which
SciPy is built; others read other numbers.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from modelsign.scan.machine.contents import attributes_of
from modelsign.scan.machine.values import Instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.scan.machine.arrays import Arrays, Layout
    from modelsign.scan.machine.contents import Attributes
    from modelsign.scan.machine.judge import Judge
    from modelsign.scan.machine.values import Value

__all__ = ["NEEDS_STATE", "SPATIAL"]

_UNFOLLOWED: Final = "that nobody can follow"
_SIZES: Final = "whose parts are not of one size"
NEEDS_STATE: Final = "scipy-kdtree"
"""Instances that hold whatever was in memory until they are given a state."""

# --- trees of points -------------------------------------------------------------------------

_NODE: Final = struct.Struct("<qqdqqqqqq")
"""``ckdtreenode``: split_dim, children, split, start_idx, end_idx, two pointers that are set again, _less, _greater."""
_BYTES: Final = frozenset({"|S1", "|i1", "|u1"})
_NODES: Final = 4_000_000
_DEPTH: Final = 1000
"""Levels of a tree: it is walked by recursion."""
_PENDING: Final = 4096
"""Nodes that were referred to and not reached yet; SciPy writes a tree depth first, so they are as many as levels."""
_SMALLEST, _LARGEST = 1e-100, 1e100
"""Sides of a periodic box, which points are moved into step by step."""
_LONGEST: Final = 10_000
"""Dimensions of a periodic box that are looked at."""


def _kdtree(judge: Judge, target: Instance, state: Value) -> str | None:
    """``cKDTree.__setstate__`` takes nodes, points and their order, and follows the indices of the nodes.

    Before 1.6, ``KDTree`` was a class of Python's with plain attributes.
    """
    if target.cls.endswith(".KDTree") and attributes_of(judge, state) is not None:
        return None
    if not isinstance(state, tuple) or len(state) != 10 or judge.arrays is None:  # noqa: PLR2004 - its __getstate__
        return _UNFOLLOWED
    tree, data, maxes, mins, indices = (judge.arrays.layout(judge, state[at]) for at in (0, 1, 5, 6, 7))
    n, m, leafsize = (_integer(judge, state[at]) for at in (2, 3, 4))
    if tree is None or data is None or indices is None or n is None or m is None or leafsize is None:
        return _UNFOLLOWED
    if m >= 1 and 0 < leafsize < 1 << 62 and data.is_like("<f8", n, m) and indices.is_like("<i8", n):
        boxed = _is_box(judge, judge.arrays, state[8], m) and _is_box(judge, judge.arrays, state[9], 2 * m)
        if boxed and all(side is not None and side.is_like("<f8", m) for side in (maxes, mins)):
            proven = indices.lies_within(0, n) and _are_nodes(tree, n, m)
            return None if proven else "with indices that are those of no tree of its points"
    return _SIZES


def _is_box(judge: Judge, arrays: Arrays, value: Value, count: int) -> bool:
    if _is_none(judge, value):
        return True
    sides = arrays.layout(judge, value)
    numbers = sides.doubles(_LONGEST) if sides is not None and sides.is_like("<f8", count) else None
    return numbers is not None and all(side <= 0 or _SMALLEST < side < _LARGEST for side in numbers)


def _are_nodes(tree: Layout, n: int, m: int) -> bool:
    """Say whether nodes are a tree from the first on, which parts the points 0 to n among its leaves.

    A node refers to later ones alone and is referred to once, so that no walk of it takes more steps than it has nodes.
    What nothing refers to is never looked at.
    """
    count, rest = divmod(tree.content.size, _NODE.size)
    if tree.kind not in _BYTES or len(tree.shape) != 1 or rest or not 0 < count <= _NODES:
        return False
    pending = {0: (0, n, 0)}
    index = held = 0
    for piece in tree.pieces(_NODE.size):
        for split_dim, children, _, start, end, _, _, less, greater in _NODE.iter_unpack(piece):
            wanted = pending.pop(index, None)
            index += 1
            if wanted is None:
                continue
            low, high, depth = wanted
            if not low <= start <= end <= high or children != end - start:
                return False
            if split_dim == -1:
                held += end - start
                continue
            if not 0 <= split_dim < m or not index <= less < greater < count or depth >= _DEPTH:
                return False
            if less in pending or greater in pending or len(pending) >= _PENDING:
                return False
            pending[less] = pending[greater] = (start, end, depth + 1)
    return held <= n and not pending


# --- rotations -------------------------------------------------------------------------------

_ROTATION: Final = frozenset({"_single", "_quat"})
_QUATERNION: Final = 4


def _rotation(judge: Judge, target: Instance, state: Value) -> str | None:
    """``Rotation.__setstate__`` takes quaternions, and whether it is but one; before 1.6 they were attributes."""
    del target
    if not isinstance(state, tuple):
        given = attributes_of(judge, state)
        return None if given is not None and given.keys() <= _ROTATION else _UNFOLLOWED
    if len(state) != 2 or judge.arrays is None:  # noqa: PLR2004 - its __getstate__
        return _UNFOLLOWED
    quaternions, single = judge.arrays.layout(judge, state[0]), state[1]
    if quaternions is None or not isinstance(single, int) or single < 0 or judge.source.kind(single) != "bool":
        return _UNFOLLOWED
    shape = quaternions.shape
    if quaternions.kind != "<f8" or len(shape) < 2 or shape[-1] != _QUATERNION or not quaternions.content.size:  # noqa: PLR2004 - rows of them
        return "of numbers that are no quaternions"
    return None


# --- triangulations --------------------------------------------------------------------------

_TRIANGULATED: Final = frozenset({
    "_qhull", "paraboloid_scale", "paraboloid_shift", "simplices", "neighbors", "equations", "coplanar", "good",
    "nsimplex", "_transform", "_vertex_to_simplex", "_vertex_neighbor_vertices", "vertices", "_vertices", "_points",
    "ndim", "npoints", "min_bound", "max_bound", "furthest_site",
})  # fmt: skip
"""Attributes of a ``Delaunay``; another might take the place of a method, one of which is called as it is dropped."""
_MOST_AXES: Final = 31


def _delaunay(judge: Judge, target: Instance, state: Value) -> str | None:
    """``Delaunay``: simplices are indices of points, neighbours are indices of simplices."""
    given, arrays = attributes_of(judge, state), judge.arrays
    if given is None or arrays is None or not given.keys() <= _TRIANGULATED:
        return _UNFOLLOWED
    if not _are_none(judge, given, "_qhull"):
        return "with a running qhull"
    points, simplices = _array(judge, given, "_points"), _array(judge, given, "simplices")
    if points is None or simplices is None or len(points.shape) != 2 or len(simplices.shape) != 2:  # noqa: PLR2004 - rows of points
        return _UNFOLLOWED
    (npoints, ndim), nsimplex = points.shape, simplices.shape[0]
    numbers = {"npoints": npoints, "ndim": ndim, "nsimplex": nsimplex}
    layouts: dict[str, tuple[str, tuple[int, ...]]] = {
        "_points": ("<f8", points.shape), "min_bound": ("<f8", (ndim,)), "max_bound": ("<f8", (ndim,)),
        "simplices": ("<i4", (nsimplex, ndim + 1)), "neighbors": ("<i4", (nsimplex, ndim + 1)),
        "equations": ("<f8", (nsimplex, ndim + 2)), "_transform": ("<f8", (nsimplex, ndim + 1, ndim)),
    }  # fmt: skip
    if _are_none(judge, given, "_transform"):
        del layouts["_transform"]
    found = {name: _array(judge, given, name) for name in layouts}
    are_sized = all(_number(judge, given, name) == wanted for name, wanted in numbers.items())
    if not 0 < ndim <= _MOST_AXES or not are_sized or not _are_like(found, layouts):
        return _SIZES
    neighbours, coplanar = found["neighbors"], _array(judge, given, "coplanar")
    within = simplices.lies_within(0, npoints) and neighbours is not None and neighbours.lies_within(-1, nsimplex)
    within = within and coplanar is not None and coplanar.lies_within(0, min(npoints, nsimplex))
    if not within or not _are_vertices(judge, arrays, given, npoints, nsimplex):
        return "with indices beyond its points or simplices"
    arrays.triangulations[target] = npoints, ndim
    return None


def _are_vertices(judge: Judge, arrays: Arrays, given: Attributes, npoints: int, nsimplex: int) -> bool:
    """Say whether what is computed once it is asked for, a simplex and the neighbours of each point, lies within."""
    simplex = _array(judge, given, "_vertex_to_simplex")
    if not _are_none(judge, given, "_vertex_to_simplex") and (
        simplex is None or not simplex.is_like("<i4", npoints) or not simplex.lies_within(-1, nsimplex)
    ):
        return False
    for value in given.get("_vertex_neighbor_vertices", ()):
        if _is_none(judge, value):
            continue
        parts = [arrays.layout(judge, part) for part in value] if isinstance(value, tuple) else []
        starts, indices = parts if len(parts) == 2 else (None, None)  # noqa: PLR2004 - as of a sparse matrix
        if starts is None or indices is None or not starts.is_like("<i4", npoints + 1):
            return False
        if not starts.lies_within(0, indices.content.size // 4 + 1) or not indices.lies_within(0, npoints):
            return False
    return True


def _are_like(found: dict[str, Layout | None], wanted: dict[str, tuple[str, tuple[int, ...]]]) -> bool:
    return all(one is not None and (one.kind, one.shape) == wanted[name] for name, one in found.items())


_INTERPOLATING: Final = frozenset({
    "tri", "scale", "offset", "points", "values", "values_shape", "is_complex", "fill_value", "grad", "_tol",
    "_maxiter",
})  # fmt: skip


def _interpolator(judge: Judge, target: Instance, state: Value) -> str | None:
    """``LinearNDInterpolator``: values for each point of a triangulation; ``CloughTocher2DInterpolator``: gradients."""
    given, arrays = attributes_of(judge, state), judge.arrays
    if given is None or arrays is None or not given.keys() <= _INTERPOLATING:
        return _UNFOLLOWED
    values, points, triangulation = _array(judge, given, "values"), _array(judge, given, "points"), given.get("tri", [])
    known = (
        arrays.triangulations.get(triangulation[0])
        if len(triangulation) == 1 and isinstance(triangulation[0], Instance)
        else None
    )
    if known is None or values is None or points is None:
        return _UNFOLLOWED
    if values.kind not in _VALUES or not points.is_like("<f8", *known) or len(values.shape) != 2:  # noqa: PLR2004 - rows of values
        return _SIZES
    if values.shape[0] != known[0]:
        return _SIZES
    if target.cls.endswith(".CloughTocher2DInterpolator"):
        gradients = _array(judge, given, "grad")
        if gradients is None or known[1] != 2 or not gradients.is_like(values.kind, *values.shape, 2):  # noqa: PLR2004 - axes
            return _SIZES
    return None


_VALUES: Final = frozenset({"<f8", "<c16"})


def _integer(judge: Judge, value: Value) -> int | None:
    found = judge.source.integer(value) if isinstance(value, int) and value >= 0 else None
    return found if found is not None and found >= 0 else None


def _is_none(judge: Judge, value: Value) -> bool:
    return isinstance(value, int) and value >= 0 and judge.source.kind(value) == "none"


def _are_none(judge: Judge, given: Attributes, *names: str) -> bool:
    return all(_is_none(judge, value) for name in names for value in given.get(name, ()))


def _array(judge: Judge, given: Attributes, name: str) -> Layout | None:
    """Return what an attribute's array is; None where it was set more than once."""
    values = given.get(name, [])
    return judge.arrays.layout(judge, values[0]) if judge.arrays is not None and len(values) == 1 else None


def _number(judge: Judge, given: Attributes, name: str) -> int | None:
    values = given.get(name, [])
    return _integer(judge, values[0]) if len(values) == 1 else None


SPATIAL: Final[dict[str, Callable[[Judge, Instance, Value], str | None]]] = {
    NEEDS_STATE: _kdtree,
    "scipy-rotation": _rotation,
    "scipy-delaunay": _delaunay,
    "scipy-interpolator": _interpolator,
}
