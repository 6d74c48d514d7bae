"""Trees of points, triangulations and rotations: clean where each index is proven. Never loaded."""

from __future__ import annotations

import io
import pickle
import struct
from types import SimpleNamespace

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.pickles import scan_pickle
from modelsign.verdict import Outcome

np = pytest.importorskip("numpy", reason="numpy is not installed")
NODE = struct.Struct("<qqdqqqqqq")
TREE = ("scipy.spatial._ckdtree", "cKDTree")
DELAUNAY = ("scipy.spatial._qhull", "Delaunay")
ROTATION = ("scipy.spatial.transform._rotation", "Rotation")
LINEAR = ("scipy.interpolate._interpnd", "LinearNDInterpolator")


def found(data: bytes):
    return scan_pickle(BytesReading(data)).findings


def given(name: tuple[str, str], state: object, protocol: int = 2) -> bytes:
    """Return the pickle of an instance that is given a state."""
    body = pickle.dumps(state, protocol)[2:-1]
    if protocol >= 4:
        body = body[9:] if body[:1] == b"\x95" else body
    return bytes([0x80, protocol]) + p.name(*name) + b")\x81" + body + b"b."


def plain(value: object) -> bytes:
    """Return a value as it is pickled inside of another pickle, without the memo."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 2)
    pickler.fast = True
    pickler.dump(value)
    return file.getvalue()[2:-1]


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def nodes(*rows: tuple[int, ...]) -> np.ndarray:
    """Return nodes of (split_dim, start, end, less, greater)."""
    packed = b"".join(
        NODE.pack(dim, end - start, 0.5, start, end, 7, 9, less, more) for dim, start, end, less, more in rows
    )
    return np.frombuffer(packed, dtype="S1")


SPLIT = ((0, 0, 4, 1, 2), (-1, 0, 2, 0, 0), (-1, 2, 4, 0, 0))


def tree(**changed: object) -> tuple[object, ...]:
    """Return the state of a tree of four points in two dimensions, with some parts changed."""
    parts = {
        "tree": nodes(*SPLIT), "data": np.ones((4, 2)), "n": 4, "m": 2, "leafsize": 16, "maxes": np.ones(2),
        "mins": np.ones(2), "indices": np.arange(4, dtype="i8"), "boxsize": None, "boxsize_data": None,
    }  # fmt: skip
    return tuple((parts | changed).values())


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_tree_whose_indices_lie_within_is_clean(protocol):
    assert found(given(TREE, tree(), protocol)) == ()
    boxed = tree(boxsize=np.array([2.0, 0]), boxsize_data=np.array([2.0, 0, 1, 0]))
    assert found(given(TREE, boxed, protocol)) == ()
    lone = tree(tree=nodes((-1, 0, 0, 0, 0)), data=np.ones((0, 2)), n=0, indices=np.zeros(0, "i8"))
    assert found(given(TREE, lone, protocol)) == ()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"indices": np.array([0, 1, 2, 4])}, id="an index behind the points"),
        pytest.param({"indices": np.array([0, 1, 2, -1])}, id="an index before the points"),
        pytest.param({"indices": np.arange(3)}, id="too few indices"),
        pytest.param({"indices": np.arange(4, dtype="i4")}, id="short indices"),
        pytest.param({"indices": np.arange(4, dtype=">i8")}, id="indices of the other order"),
        pytest.param({"indices": None}, id="no indices"),
        pytest.param({"indices": [0, 1, 2, 3]}, id="a list of indices"),
        pytest.param({"data": np.ones((3, 2))}, id="too few points"),
        pytest.param({"data": np.ones((4, 1))}, id="too few coordinates"),
        pytest.param({"data": np.ones((4, 2), "f4")}, id="short coordinates"),
        pytest.param({"n": 5}, id="more points than there are"),
        pytest.param({"n": -1}, id="fewer points than none"),
        pytest.param({"m": 3}, id="more dimensions than there are"),
        pytest.param({"leafsize": 0}, id="empty leaves"),
        pytest.param({"maxes": np.ones(1)}, id="too few bounds"),
        pytest.param({"mins": np.ones(2, "i8")}, id="bounds that are integers"),
        pytest.param({"boxsize_data": np.ones(2)}, id="too few sides"),
        pytest.param({"boxsize_data": np.array([1e-300, 1, 1, 1])}, id="a side that takes for ever"),
        pytest.param({"boxsize_data": np.array([np.nan, 1, 1, 1])}, id="a side that is no number"),
        pytest.param({"tree": nodes(*SPLIT)[:-1]}, id="half a node"),
        pytest.param({"tree": nodes()}, id="no nodes"),
        pytest.param({"tree": nodes(*SPLIT).reshape(3, 72)}, id="nodes in rows"),
        pytest.param({"tree": nodes((2, 0, 4, 1, 2), *SPLIT[1:])}, id="a split beyond the dimensions"),
        pytest.param({"tree": nodes((-2, 0, 4, 1, 2), *SPLIT[1:])}, id="a split before the dimensions"),
        pytest.param({"tree": nodes((0, 0, 4, 1, 3), *SPLIT[1:])}, id="a child behind the nodes"),
        pytest.param({"tree": nodes((0, 0, 4, -1, 2), *SPLIT[1:])}, id="a child before the nodes"),
        pytest.param({"tree": nodes((0, 0, 4, 0, 2), *SPLIT[1:])}, id="a child that is its parent"),
        pytest.param({"tree": nodes((0, 0, 4, 1, 1), *SPLIT[1:])}, id="the same child twice"),
        pytest.param({"tree": nodes(SPLIT[0], (-1, 0, 5, 0, 0), SPLIT[2])}, id="a leaf behind the points"),
        pytest.param({"tree": nodes(SPLIT[0], (-1, -1, 2, 0, 0), SPLIT[2])}, id="a leaf before the points"),
        pytest.param({"tree": nodes(SPLIT[0], (-1, 2, 1, 0, 0), SPLIT[2])}, id="a leaf that ends before it starts"),
        pytest.param({"tree": nodes(SPLIT[0], (-1, 0, 4, 0, 0), SPLIT[2])}, id="points in two leaves"),
        pytest.param(
            {"tree": nodes((0, 0, 4, 1, 2), (0, 0, 0, 2, 3), (0, 0, 4, 3, 4), *[(-1, 0, 0, 0, 0)] * 2)},
            id="a node of two parents",
        ),
    ],
)
def test_a_tree_that_leads_elsewhere_is_not_clean(changed):
    (finding,) = found(given(TREE, tree(**changed)))
    assert finding.outcome is Outcome.UNVERIFIED
    assert finding.rule == "pickle-unreviewed-use"


def test_a_tree_that_is_too_deep_to_be_walked_is_not_clean():
    rows = []
    for level in range(2000):
        rows += [(0, 0, 4, 2 * level + 1, 2 * level + 2), (-1, 0, 0, 0, 0)]
    assert found(given(TREE, tree(tree=nodes(*rows[:1800], (-1, 0, 4, 0, 0))))) == ()
    assert found(given(TREE, tree(tree=nodes(*rows, (-1, 0, 4, 0, 0))))) != ()


def test_a_tree_without_state_holds_what_was_in_memory():
    head = p.PROTO2 + p.name(*TREE) + b")\x81"
    (finding,) = found(head + b".")
    assert "gives it no state" in finding.message
    assert found(head + b"}b.") != ()
    assert found(head + b"}X\x01\x00\x00\x00nK\x04sb.") != ()


def test_arrays_that_a_tree_keeps_cannot_be_changed_behind_its_back():
    parts = [plain(part) for part in tree()]
    parts[7] += b"q\x63"
    whole = p.PROTO2 + p.name(*TREE) + b")\x81(" + b"".join(parts) + b"tb"
    assert found(whole + b"0h\x63.") == ()
    assert "pickle-state-again" in {one.rule for one in found(whole + b"0h\x63Nb.")}


def test_an_array_is_what_its_last_state_made_of_it():
    parts = [plain(part) for part in tree()]
    view = pickle.dumps(np.arange(4), 5)[11:-1]
    assert b"_frombuffer" in view
    whole = b"\x80\x05" + p.name(*TREE) + b")\x81("
    assert found(whole + b"".join([*parts[:7], view, *parts[8:]]) + b"tb.") == ()
    assert found(whole + b"".join([*parts[:7], view, b"Nb", *parts[8:]]) + b"tb.") != ()


def triangulation(**changed: object) -> dict[str, object]:
    """Return the state of a triangulation of four points in the plane, with some attributes changed."""
    return {
        "_qhull": None, "paraboloid_scale": 1.0, "paraboloid_shift": 0.0,
        "simplices": np.array([[0, 1, 2], [1, 2, 3]], "i4"), "equations": np.ones((2, 4)),
        "neighbors": np.array([[1, -1, -1], [-1, -1, 0]], "i4"),
        "coplanar": np.zeros((0, 3), "i4"), "good": np.ones(2, "i4"), "nsimplex": 2, "_transform": None,
        "_vertex_to_simplex": None, "_vertex_neighbor_vertices": None, "_points": np.ones((4, 2)), "ndim": 2,
        "npoints": 4, "min_bound": np.ones(2), "max_bound": np.ones(2), "furthest_site": False,
    } | changed  # fmt: skip


COMPUTED = {
    "_transform": np.ones((2, 3, 2)),
    "_vertex_to_simplex": np.array([0, 0, 1, -1], "i4"),
    "_vertex_neighbor_vertices": (np.array([0, 1, 2, 2, 2], "i4"), np.array([3, 2], "i4")),
}


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_triangulation_whose_indices_lie_within_is_clean(protocol):
    assert found(given(DELAUNAY, triangulation(), protocol)) == ()
    assert found(given(DELAUNAY, triangulation(**COMPUTED), protocol)) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"simplices": np.array([[0, 1, 2], [1, 2, 4]], "i4")},
        {"simplices": np.array([[0, 1, 2], [1, 2, -1]], "i4")},
        {"simplices": np.array([[0, 1, 2], [1, 2, 3]], "i8")},
        {"neighbors": np.array([[2, -1, -1], [-1, -1, 0]], "i4")},
        {"neighbors": np.array([[1, -2, -1], [-1, -1, 0]], "i4")},
        {"neighbors": np.array([[1, -1, -1]], "i4")},
        {"equations": np.ones((2, 3))},
        {"coplanar": np.array([[0, 0, 2]], "i4")},
        {"coplanar": np.array([[4, 0, 0]], "i4")},
        {"nsimplex": 3},
        {"ndim": 3},
        {"npoints": 5},
        {"min_bound": np.ones(1)},
        {"_points": np.ones((3, 2))},
        {"_points": np.ones((4, 2), "f4")},
        {"_transform": np.ones((2, 2, 2))},
        {"_vertex_to_simplex": np.array([0, 0, 1, 2], "i4")},
        {"_vertex_to_simplex": np.array([0, 0, 1], "i4")},
        {"_vertex_neighbor_vertices": (np.array([0, 1, 2, 2, 3], "i4"), np.array([3, 2], "i4"))},
        {"_vertex_neighbor_vertices": (np.array([0, 1, 2, 2, 2], "i4"), np.array([3, 4], "i4"))},
        {"_vertex_neighbor_vertices": (np.array([0, 1, 2, 2], "i4"), np.array([3, 2], "i4"))},
        {"_qhull": 1},
        {"close": len},
    ],
    ids=str,
)
def test_a_triangulation_that_leads_elsewhere_is_not_clean(changed):
    assert {one.outcome for one in found(given(DELAUNAY, triangulation(**changed)))} == {Outcome.UNVERIFIED}


def interpolator(
    values: object, points: object, tri: bytes, *, name: tuple[str, str] = LINEAR, more: bytes = b""
) -> bytes:
    """Return the pickle of an interpolator over a triangulation."""
    body = b"".join(text(key) + value for key, value in {"tri": tri, "values": values, "points": points}.items())
    return p.PROTO2 + p.name(*name) + b")\x81}(" + body + more + b"ub."


TRI = p.name(*DELAUNAY) + b")\x81" + plain(triangulation()) + b"b"
CLOUGH = ("scipy.interpolate._interpnd", "CloughTocher2DInterpolator")


def test_an_interpolator_has_values_for_each_point_of_its_triangulation():
    points, values = plain(np.ones((4, 2))), plain(np.ones((4, 3)))
    assert found(interpolator(values, points, TRI)) == ()
    assert found(interpolator(plain(np.ones((4, 3), "c16")), points, TRI)) == ()
    for other in (np.ones((3, 3)), np.ones(4), np.ones((4, 3), "f4"), None):
        assert {one.outcome for one in found(interpolator(plain(other), points, TRI))} == {Outcome.UNVERIFIED}
    for other in (np.ones((4, 3)), np.ones((5, 2)), np.ones((4, 2), "f4"), None):
        assert {one.outcome for one in found(interpolator(values, plain(other), TRI))} == {Outcome.UNVERIFIED}
    wrong = p.name(*DELAUNAY) + b")\x81" + plain(triangulation(npoints=9)) + b"b"
    for other in (b"N", values, p.name(*DELAUNAY) + b")\x81", wrong):
        assert {one.outcome for one in found(interpolator(values, points, other))} == {Outcome.UNVERIFIED}
    assert found(interpolator(values, points, TRI, more=text("_evaluate_double") + b"N")) != ()


def test_gradients_are_of_the_size_of_values():
    points, values = plain(np.ones((4, 2))), plain(np.ones((4, 3)))
    for gradients, is_clean in ((np.ones((4, 3, 2)), True), (np.ones((4, 3, 1)), False), (np.ones((3, 3, 2)), False)):
        data = interpolator(values, points, TRI, name=CLOUGH, more=text("grad") + plain(gradients))
        assert (found(data) == ()) is is_clean
    assert found(interpolator(values, points, TRI, name=CLOUGH)) != ()


@pytest.mark.parametrize("protocol", range(2, 6))
def test_rotations_are_rows_of_four_numbers(protocol):
    assert found(given(ROTATION, (np.ones((1, 4)), True), protocol)) == ()
    for state in (
        (np.ones((1, 3)), True), (np.ones(4), True), (np.ones((0, 4)), True), (np.ones((1, 4), "f4"), True),
        (np.ones((1, 4)), 1), (np.ones((1, 4)),), None, {"_quat": 1, "as_matrix": len},
    ):  # fmt: skip
        assert {one.outcome for one in found(given(ROTATION, state, protocol))} == {Outcome.UNVERIFIED}


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_scipy_writes_is_clean(protocol):
    spatial = pytest.importorskip("scipy.spatial", reason="scipy is not installed")
    interpolate = pytest.importorskip("scipy.interpolate", reason="scipy is not installed")
    points = np.random.RandomState(0).rand(300, 2)
    triangles = spatial.Delaunay(points)
    made = SimpleNamespace(
        trees=[spatial.cKDTree(points), spatial.KDTree(points, boxsize=2), spatial.KDTree(points, compact_nodes=False)],
        triangles=[triangles, spatial.Delaunay(points[:50])],
        surfaces=[
            interpolate.LinearNDInterpolator(triangles, points),
            interpolate.CloughTocher2DInterpolator(triangles, points[:, 0]),
            interpolate.NearestNDInterpolator(points, points[:, 0]),
        ],
        turned=pytest.importorskip("scipy.spatial.transform").Rotation.random(3),
    )
    triangles.find_simplex(points)
    assert found(pickle.dumps(vars(made), protocol)) == ()


def test_what_joblib_writes_of_a_tree_is_clean():
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    spatial = pytest.importorskip("scipy.spatial", reason="scipy is not installed")
    file = io.BytesIO()
    joblib.dump(spatial.KDTree(np.random.RandomState(0).rand(300, 2)), file)
    assert found(file.getvalue()) == ()
    data = bytearray(file.getvalue())
    place = data.find(struct.pack("<qq", 0, 300))
    assert place > 0
    data[place] = 9  # the dimension that the first node splits
    assert {one.outcome for one in found(bytes(data))} == {Outcome.UNVERIFIED}
