"""NumPy files: numbers are clean, objects are judged as pickles, and nothing else gets through."""

from __future__ import annotations

import io
import zipfile

import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.syntax.literals import LiteralError, parse_literal

npy = model_files.npy


def scan(data, name="a.npy"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scan(data).findings}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1571L", 1571),
        ("-3", -3),
        ("'a'", "a"),
        ('u"b"', "b"),
        ("(1,)", (1,)),
        ("(1)", 1),
        ("()", ()),
        ("[1, (2, 3), [],]", [1, (2, 3), []]),
        (" {'a': True, 'b': None, 'c': False, }\n", {"a": True, "b": None, "c": False}),
    ],
)
def test_literals_that_numpy_writes_are_read(text, value):
    assert parse_literal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "1 2", "{", "(1", "[1,,2]", "{1: 2}", "{'a': 1, 'a': 2}", "{'a' 1}", "'a", "'\\x41'", "True()",
        "__import__('os')", "1" * 40, "(" * 100, "{'a': 1 'b': 2}", "[1}", ",",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text):
    with pytest.raises(LiteralError):
        parse_literal(text)


@pytest.mark.parametrize("name", model_files.GOOD["numpy"])
def test_good_files_are_clean(name):
    result = scan(model_files.GOOD["numpy"][name], name)
    assert (result.outcome, result.format) == ("clean", "numpy")


@pytest.mark.parametrize(
    "spec",
    ["f2", "f4", "<f8", ">f8", "c16", "i1", "u8", "?", "S5", "U7", "V3", "M8[ns]", "m8", "f4,i2", "(2,3)f4,S2"],
)
def test_what_numpy_saves_is_clean(spec):
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    buffer = io.BytesIO()
    numpy.save(buffer, numpy.zeros((3, 2), spec))
    assert scan(buffer.getvalue()).outcome == "clean"


@pytest.mark.parametrize("shape", [(), (0,), (5, 0, 2)])
def test_arrays_without_elements_or_axes_are_clean(shape):
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    buffer = io.BytesIO()
    numpy.save(buffer, numpy.zeros(shape))
    assert scan(buffer.getvalue()).outcome == "clean"


@pytest.mark.parametrize("descr", ["|O", "O", "|O8", [("a", "<f8"), ("b", "|O")], ("|O", (2,))])
def test_an_array_of_objects_is_judged_as_its_pickle(descr):
    assert scan(npy(descr, (1,), model_files.EVIL)).outcome == "unsafe"


def test_an_array_of_harmless_objects_is_clean():
    assert scan(npy("|O", (1,), model_files.HARMLESS)).outcome == "clean"


def test_objects_behind_an_array_of_numbers_are_judged():
    assert scan(npy() + npy("|O", (1,), model_files.EVIL)).outcome == "unsafe"


@pytest.mark.parametrize("version", [2, 3])
def test_later_versions_of_the_header_are_read(version):
    assert scan(npy(version=version)).outcome == "clean"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (npy(data=bytes(23)), "numpy-size"),
        (npy(data=bytes(25)), "numpy-size"),
        (npy() + model_files.HARMLESS, "numpy-size"),
        (npy("<f7x"), "numpy-header"),
        (npy("f"), "numpy-header"),
        (npy(7), "numpy-header"),
        (npy([]), "numpy-header"),
        (npy([("a",)]), "numpy-header"),
        (npy(["ab"]), "numpy-header"),
        (npy(shape=[3]), "numpy-header"),
        (npy(shape=3), "numpy-header"),
        (npy(shape=(9**19,) * 20_000, version=2), "numpy-header"),
        (npy(shape=(1,) * 65), "numpy-header"),
        (npy(([1], 2)), "numpy-header"),
        (npy(shape=(-3,)), "numpy-header"),
        (npy(shape=("3",)), "numpy-header"),
        (npy(shape=(2**40, 2**40)), "numpy-header"),
        (npy(header="{'descr': '<f8', 'fortran_order': 1, 'shape': (3,)}"), "numpy-header"),
        (npy(header="{'descr': '<f8', 'shape': (3,)}"), "numpy-header"),
        (npy(header="[1]"), "numpy-header"),
        (npy(header="{'descr': __import__('os'), 'fortran_order': False, 'shape': (3,)}"), "numpy-header"),
        (npy(version=9), "numpy-header"),
        (b"\x93NUMPY\x01\x00\xff\xff{}", "numpy-header"),
        (b"\x93NUMPY", "numpy-header"),
        (b"\x93NUMPY\x03\x00\x02\x00\x00\x00\xff\xfe", "numpy-header"),
    ],
)
def test_a_broken_file_is_incomplete(data, rule):
    assert scan(data).outcome == "incomplete"
    assert rules(data) == {rule}


def test_an_archive_is_judged_member_by_member():
    data = model_files.archive({"a.npy": npy(), "b.npy": npy("|O", (1,), model_files.EVIL), "c": b"???"})
    result = scan(data, "a.npz")
    assert result.outcome == "unsafe"
    assert {finding.member for finding in result.findings} == {"b.npy", "c"}


def test_a_member_that_is_no_array_whatever_its_name_is_read_by_content():
    assert scan(model_files.archive({"a.npy": model_files.EVIL}), "a.npz").outcome == "unsafe"


def test_sparse_matrices_that_compress_a_thousandfold_are_clean():
    data = model_files.archive({"a.npy": npy("|u1", (3_000_000,), bytes(3_000_000))}, method=zipfile.ZIP_DEFLATED)
    assert len(data) < 10_000
    assert scan(data, "sparse.npz").outcome == "clean"


def test_a_header_beyond_the_limit_is_not_read(monkeypatch):
    monkeypatch.setattr(limits, "NUMPY_HEADER_BYTES", 10)
    assert rules(npy()) == {"numpy-header"}
