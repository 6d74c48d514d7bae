"""MessagePack: Flax' own arrays are clean, other extension types are not, and pickles of msgpack-numpy are found."""

from __future__ import annotations

import random

import model_files
import pytest
import streamed_files as made

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

packed, array = made.packed, made.array


def scan(data, name="model.msgpack"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


def test_what_flax_writes_is_clean_whatever_its_name():
    for name in ("flax_model.msgpack", "checkpoint_100", "weights.bin"):
        result = scan(made.FLAX, name)
        assert (result.outcome, result.findings, result.format) == ("clean", (), "msgpack")


def test_every_kind_of_plain_value_is_clean():
    values = {
        "a": None,
        "b": True,
        "c": -5,
        "d": 2.5,
        "e": "x" * 40,
        "f": b"raw",
        "g": [1, [2]],
        "h": {},
        "i": (2, b"\x92\x01\x02"),
    }
    values |= {str(number): (-1, bytes(8)) for number in range(20)} | {"s": array([], "float32", bytes(4), kind=3)}
    assert scan(packed(values)).outcome == "clean"


def test_an_extension_type_that_is_not_flax_own_is_unverified():
    result = scan(packed({"a": (42, b"abc")}))
    assert (result.outcome, rules(result)) == ("unverified", {"msgpack-extension"})


@pytest.mark.parametrize(
    "value",
    [
        array([2], "float32", bytes(7)),
        array([2], "object", bytes(16)),
        array([-1], "uint8", b""),
        array([2**62, 8], "uint8", b""),
        (1, b"\x92\x01\x02"),
        (1, b"\x93\xa1a\xa1b\xa1c"),
        (1, packed("text")),
        (3, b""),
    ],
    ids=str,
)
def test_an_array_that_does_not_fit_its_header_is_incomplete(value):
    assert scan(packed({"a": value, "b": 1})).outcome == "incomplete"


@pytest.mark.parametrize("order", [["nd", "kind", "data"], ["data", "kind", "nd"]])
@pytest.mark.parametrize("text", [str.encode, str])
def test_an_array_of_objects_of_msgpack_numpy_is_judged_as_the_pickle_it_is(order, text):
    values = {"nd": True, "kind": text("O"), "data": model_files.EVIL}
    data = packed({"x": [{text(key): values[key] for key in order}]})
    assert (scan(data).outcome, "pickle-execute" in rules(scan(data))) == ("unsafe", True)


def test_a_file_that_breaks_off_is_incomplete_under_its_name_and_nothing_under_another():
    for cut in range(1, len(made.FLAX)):
        assert scan(made.FLAX[:cut]).outcome == "incomplete"
    assert scan(made.FLAX[:-1], "x").outcome == "unsupported"
    assert scan(made.FLAX + b"\xc0").outcome == "incomplete"
    assert scan(b"\x81\xa1a\xc1").outcome == "incomplete"


def test_nesting_and_fields_are_bounded(monkeypatch):
    assert rules(scan(b"\x81\xa1a" + b"\x91" * 5000 + b"\xc0")) == {"budget-exceeded"}
    assert rules(scan(b"\xdf\xff\xff\xff\xff")) == {"broken-format"}
    monkeypatch.setattr(limits, "STREAM_STEPS", 50)
    assert rules(scan(packed({"a": [1] * 100}))) == {"budget-exceeded"}


def test_the_library_reads_what_is_written_by_hand():
    msgpack = pytest.importorskip("msgpack", reason="msgpack is not installed")
    value = msgpack.unpackb(made.FLAX, ext_hook=lambda kind, raw: (kind, len(raw)))
    assert value["step"] == 7
    assert value["params"]["bias"][0] == 1


def test_any_damage_has_an_answer():
    chance = random.Random(3)
    data = packed({"x": [{"nd": True, "kind": "O", "data": model_files.EVIL}], "y": array([3], "int8", b"abc")})
    for _ in range(500):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        assert scan(bytes(changed)).outcome in Outcome


@pytest.mark.parametrize("mark", ["0cdb3a2a", "0cdb20de", "0cdb1234"])
def test_a_mark_of_an_orbax_checkpoint_alone_is_incomplete(mark):
    result = scan(bytes.fromhex(mark) + bytes(20), "manifest.ocdbt")
    assert (result.outcome, result.format) == ("incomplete", "ocdbt")


def test_an_empty_map_alone_is_clean_and_a_pickles_mark_is_not():
    assert scan_file(BytesReading(b"\x80"), "key2row").outcome == "clean"
    assert scan_file(BytesReading(b"\x80\x02"), "key2row").outcome != "clean"


def test_the_list_of_spacys_attribute_ruler_is_read():
    rows = [{"patterns": [[{"TAG": "NN"}]], "attrs": {"POS": 92}, "index": 0}]
    assert scan(b"\x90", "x").outcome == "clean"
    assert scan(packed(rows), "attribute_ruler/patterns").outcome == "clean"
    assert scan(packed(rows), "weights.bin").outcome == "unsupported"
    assert scan(packed(rows)[:-1], "attribute_ruler/patterns").outcome != "clean"
    evil = [{"x": {"nd": True, "kind": "O", "data": model_files.EVIL}}]
    assert scan(packed(evil), "attribute_ruler/patterns").outcome == "unsafe"
