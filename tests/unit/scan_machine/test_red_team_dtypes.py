"""A dtype that lies about memory is never clean, and every dtype that NumPy writes is. Nothing here is loaded."""

from __future__ import annotations

import io
import pickle

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.machine import contents
from modelsign.scan.pickles import scan_pickle

np = pytest.importorskip("numpy", reason="numpy is not installed")

UNSAFE, UNREVIEWED = "pickle-native-code", "pickle-unreviewed-use"
FIXED = b"J\xff\xff\xff\xffJ\xff\xff\xff\xff"
RECONSTRUCT = p.stack_name("numpy._core.multiarray", "_reconstruct") + p.stack_name("numpy", "ndarray")


def rules(data: bytes) -> set[str]:
    return {finding.rule for finding in scan_pickle(BytesReading(data)).findings}


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def make(text: str) -> bytes:
    return p.stack_name("numpy", "dtype") + p.short(text) + b"\x89\x88\x87R"


def parts(  # noqa: PLR0913 - the nine parts of the state
    *, order: bytes = p.short("|"), subdtype: bytes = b"N", names: bytes = b"N", fields: bytes = b"N",
    size: int = -1, alignment: int = -1, flags: int = 0, version: int = 3, more: bytes = b"",
) -> bytes:  # fmt: skip
    """The state of a dtype, given to it."""
    numbers = number(size) + number(alignment) + number(flags)
    return b"(" + number(version) + order + subdtype + names + fields + numbers + more + b"tb"


def structure(*entries: tuple[str, bytes, int], flags: int, size: int = 8, names: bytes | None = None) -> bytes:
    """The state of a dtype with fields."""
    inside = b"".join(p.short(name) + kind + number(offset) + b"\x86" for name, kind, offset in entries)
    listed = b"(" + b"".join(p.short(name) for name, _, _ in entries) + b"t" if names is None else names
    return parts(names=listed, fields=b"}(" + inside + b"u", size=size, alignment=1, flags=flags)


OBJECT = make("O8") + parts(flags=63)
FLOAT = make("f8") + parts(order=p.short("<"))
PLAIN = make("V8") + parts(size=8, alignment=1)


def layouts() -> dict[str, object]:
    nested = np.dtype([("in", [("x", "f4"), ("o", "O")]), ("s", "O", (2, 2))])
    return {
        "fields": np.dtype([("a", "f8"), ("b", "U3"), ("c", "M8[ns]")]),
        "objects": np.dtype([("a", "f8"), ("b", "O")]),
        "nested": nested,
        "subarray": np.dtype([("x", "f4", (2, 3))]),
        "bare subarray": np.dtype(("f4", (2,))),
        "aligned": np.dtype([("a", "i1"), ("b", "f8")], align=True),
        "titled": np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [4], "titles": ["t"], "itemsize": 16}),
        "overlapping": np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 2], "itemsize": 8}),
        "empty": np.dtype([]),
        "raw": np.dtype("V7"),
        "records": np.dtype((np.record, [("a", "i1"), ("b", "O")])),
        "metadata": np.dtype("f8", metadata={"a": 1}),
        "shared fields": [nested, nested.newbyteorder(), np.dtype((np.record, nested))],
        "big endian": np.dtype(">c16"),
        "no text": [np.dtype("U0"), np.dtype("S0")],
        "units": [np.dtype("m8"), np.dtype("M8[25s]")],
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", layouts())
def test_dtypes_as_numpy_writes_them_are_clean(kind, protocol):
    assert rules(pickle.dumps(layouts()[kind], protocol)) == set()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["fields", "objects", "nested", "subarray", "aligned", "titled", "raw", "empty"])
def test_arrays_of_structures_are_clean(kind, protocol):
    array = np.zeros((2, 2), layouts()[kind])
    masked = np.ma.masked_array(np.zeros(3, [("a", "f4"), ("b", "i2")]), mask=[0, 1, 0])
    record = np.zeros(2, layouts()["records"]).view(np.recarray)
    scalar = None if array.dtype.hasobject else array[0, 0]
    assert rules(pickle.dumps([array, masked, record, scalar, [{"a": [1]}] * 3], protocol)) == set()


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_objects_are_clean(protocol):
    inner = np.array([[1, 2], "x", None, {"k": np.array([{1: 2}, []], dtype=object)}], dtype=object)
    many = np.array([str(at) for at in range(2500)] + [None], dtype=object).reshape(41, 61)
    empty = np.zeros((0, 4), dtype=object)
    assert rules(pickle.dumps([inner, many, empty, np.array(None, dtype=object)], protocol)) == set()


def test_joblib_dumps_of_structures_are_clean():
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    held = io.BytesIO()
    joblib.dump({"a": np.zeros(5, layouts()["fields"]), "b": np.zeros(5, layouts()["nested"])}, held)
    assert rules(held.getvalue()) == set()


LIES = {
    "objects denied": make("O8") + parts(flags=0),
    "objects pickled as numbers": make("O8") + parts(flags=61),
    "a structure denies its objects": make("V8") + structure(("f", OBJECT, 0), flags=0),
    "a structure is pickled as numbers": make("V8") + structure(("f", OBJECT, 0), flags=25),
    "a record denies its objects": (
        p.stack_name("numpy", "dtype") + p.stack_name("numpy", "record") + b"\x89\x88\x87R"
        + structure(("f", OBJECT, 0), flags=16)
    ),
    "a subarray denies its objects": (
        make("V16") + parts(subdtype=OBJECT + b"K\x02\x85\x86", size=16, alignment=8, flags=0)
    ),
    "objects denied, with a length": make("O8") + parts(flags=0, size=8, alignment=1),
    "a field of objects without state": make("V8") + structure(("f", make("O8"), 0), flags=0),
    "numbers said to be objects": make("V8") + parts(size=8, alignment=1, flags=63),
    "a field beyond the end": make("V8") + structure(("f", FLOAT, 1), flags=16),
    "a field before the start": make("V8") + structure(("f", FLOAT, -1), flags=16),
    "a subarray longer than its dtype": (
        make("V8") + parts(subdtype=FLOAT + b"K\x02\x85\x86", size=8, alignment=8)
    ),
    "numbers over objects": make("V8") + structure(("f", OBJECT, 0), ("g", FLOAT, 0), flags=27),
    "another length than made with": make("V8") + parts(size=800, alignment=1),
    "a name without a field": make("V8") + structure(("f", FLOAT, 0), flags=16, names=p.short("g") + b"\x85"),
    "a name twice": make("V8") + structure(("f", FLOAT, 0), flags=16, names=p.short("f") + b"2\x86"),
    "a field without a name": make("V8") + structure(("f", FLOAT, 0), flags=16, names=b")"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LIES)
def test_a_dtype_that_lies_about_memory_is_unsafe(kind):
    assert UNSAFE in rules(p.PROTO4 + LIES[kind] + b".")


STRANGE = {
    "no tuple": make("f8") + b"Nb",
    "empty": make("f8") + b")b",
    "older": make("f8") + b"(" + number(2) + p.short("|") + b"NNN" + FIXED + b"tb",
    "another version": make("f8") + parts(version=4),
    "no order": make("f8") + parts(order=b"N"),
    "an odd order": make("f8") + parts(order=p.short("x")),
    "a length of a number": make("f8") + parts(size=16),
    "parts of a number": make("f8") + parts(names=b")"),
    "parts of a text": make("S8") + parts(names=b")", size=8, alignment=1),
    "no flags": make("f8") + b"(" + number(3) + p.short("|") + b"NNN" + FIXED + b"Ntb",
    "no length": make("V8") + b"(" + number(3) + p.short("|") + b"NNNN" + number(1) + number(0) + b"tb",
    "an odd alignment": make("V8") + parts(size=8, alignment=0),
    "no digits": make("V") + parts(size=8, alignment=1),
    "a text of fields": make("i4,O") + parts(size=12, alignment=1),
    "metadata that is a list": make("f8") + parts(version=4, more=b"]"),
    "a unit that is a list": make("M8") + parts(version=4, more=b"]"),
    "a unit without numbers": make("M8") + parts(version=4, more=b"NC\x01s\x85\x86"),
    "fields from before": b"}\x940" + make("V8") + parts(names=b")", fields=b"h\x00", size=8, alignment=1),
    "fields that are no dict": make("V8") + parts(names=b")", fields=b"]", size=8, alignment=1),
    "fields that are an object": (
        make("V8") + parts(names=b")", fields=p.stack_name("collections", "OrderedDict") + b")R", size=8, alignment=1)
    ),
    "both parts": make("V8") + parts(subdtype=FLOAT + b")\x86", names=b")", size=8, alignment=1),
    "a subarray of no dtype": make("V8") + parts(subdtype=b"N)\x86", size=8, alignment=1),
    "a subarray without a shape": make("V8") + parts(subdtype=FLOAT + b"\x85", size=8, alignment=1),
    "a field of no dtype": make("V8") + structure(("f", p.short("f8"), 0), flags=16),
    "a field of a dtype without state": make("V8") + structure(("f", make("V8"), 0), flags=16),
    "a field that is no tuple": make("V8") + parts(
        names=p.short("f") + b"\x85", fields=b"}" + p.short("f") + b"Ns", size=8, alignment=1
    ),
    "names that are no text": make("V8") + structure(("f", FLOAT, 0), flags=16, names=b"N\x85"),
    "a class of dtypes": p.stack_name("numpy.dtypes", "ObjectDType") + b")R" + parts(flags=0),
}  # fmt: skip


@pytest.mark.parametrize("kind", STRANGE)
def test_a_state_that_numpy_never_writes_is_not_clean(kind):
    assert {UNREVIEWED, UNSAFE} & rules(p.PROTO4 + STRANGE[kind] + b".")


def array(dtype: bytes, data: bytes, count: bytes = b"K\x02\x85") -> bytes:
    return RECONSTRUCT + b"K\x00\x85C\x01b\x87R(K\x01" + count + dtype + b"\x89" + data + b"tb"


def test_an_array_takes_no_more_objects_than_its_list_has():
    assert rules(p.PROTO4 + array(OBJECT, b"](K\x01K\x02e") + b".") == set()
    assert rules(p.PROTO4 + array(OBJECT, b"]K\x01aK\x02a") + b".") == set()
    assert rules(p.PROTO4 + array(OBJECT, b"(K\x01K\x02l") + b".") == set()
    for short in (b"]", b"]K\x01a", b"(K\x01l", b"}(K\x01K\x02u0]"):
        assert rules(p.PROTO4 + array(OBJECT, short) + b".") == {UNSAFE}
    assert rules(p.PROTO4 + b"](K\x01K\x02e\x940" + array(OBJECT, b"h\x00") + b".") == {UNSAFE}
    assert rules(p.PROTO4 + array(OBJECT, p.binary(bytes(16))) + b".") == {UNREVIEWED}
    assert rules(p.PROTO4 + array(OBJECT, b"}") + b".") == {UNREVIEWED}


def test_setting_items_of_a_list_makes_it_no_longer():
    again = b"]K\x01a(" + b"K\x00N" * 9 + b"u"
    assert rules(p.PROTO4 + array(OBJECT, again) + b".") == {UNSAFE}
    every = p.stack_name("builtins", "slice") + b"N\x85R"
    assert UNSAFE in rules(p.PROTO4 + array(OBJECT, b"](K\x01K\x02K\x03e" + every + b")s") + b".")


def test_fields_are_followed_wherever_their_dict_stands():
    hidden = OBJECT + b"N}\x94" + p.short("g") + OBJECT + b"K\x00\x86s" + p.short("f") + FLOAT + b"K\x00\x86s000"
    made = make("V8") + hidden + parts(
        names=p.short("f") + b"\x85", fields=b"h\x00", size=8, alignment=1, flags=16
    )  # fmt: skip
    assert UNSAFE in rules(p.PROTO4 + made + b".")


def test_an_array_needs_a_dtype_and_a_shape_that_were_reviewed():
    assert rules(p.PROTO4 + array(FLOAT, p.binary(bytes(16))) + b".") == set()
    for dtype in (make("f8"), b"N", p.stack_name("numpy.dtypes", "ObjectDType") + b")R"):
        assert rules(p.PROTO4 + array(dtype, p.binary(bytes(16))) + b".") == {UNREVIEWED}
    for count in (b"K\x02", p.short("x") + b"\x85", number(-1) + b"\x85"):
        assert rules(p.PROTO4 + array(FLOAT, p.binary(bytes(16)), count) + b".") == {UNREVIEWED}
    assert rules(p.PROTO4 + RECONSTRUCT + b"K\x00\x85C\x01b\x87RK\x01\x85b.") == {UNREVIEWED}


def test_a_dtype_never_changes_after_its_use():
    later = make("V8") + b"\x94" + p.stack_name("numpy._core.multiarray", "scalar") + b"h\x00" + p.binary(bytes(8))
    assert rules(p.PROTO4 + later + b"\x86R0" + structure(("f", OBJECT, 0), flags=27) + b".") == {UNSAFE}


def test_the_fields_of_a_dtype_never_change_after_its_state():
    fields = b"}\x94" + p.short("f") + FLOAT + b"K\x00\x86s"
    made = make("V8") + parts(names=p.short("f") + b"\x85", fields=fields, size=8, alignment=1, flags=16)
    assert rules(p.PROTO4 + made + b".") == set()
    again = p.short("f") + OBJECT + b"K\x00\x86"
    assert UNSAFE in rules(p.PROTO4 + made + b"h\x00" + again + b"s.")
    assert UNSAFE in rules(p.PROTO4 + made + b"h\x00(" + again + b"u.")


def test_a_dtype_that_waits_for_its_state_for_ever_runs_out_of_budget(monkeypatch):
    monkeypatch.setattr(contents, "_KEPT", 50)
    data = p.PROTO4 + make("V8") + b"}" + b"K\x01K\x01s" * 99 + b"."
    assert rules(data) == {"pickle-budget"}
    assert rules(p.PROTO4 + PLAIN + b"}" + b"K\x01K\x01s" * 99 + b".") == set()
