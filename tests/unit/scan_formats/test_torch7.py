"""Torch7: tensors and tables are clean, functions are bytecode and unsafe, classes nobody knows are unverified."""

from __future__ import annotations

import random
import struct

import older_files as made
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome


def scan(data, name="model.t7"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize("name", ["model.t7", "model.net", "weights.bin"])
def test_a_layer_with_its_weight_is_clean_whatever_its_name(name):
    result = scan(made.torch7_model(), name)
    assert (result.outcome, result.findings, result.format) == ("clean", (), "torch7")


@pytest.mark.parametrize("kind", ["Byte", "Long", "Half", "CudaDouble"])
def test_every_type_of_tensor_is_read(kind):
    width = {"Byte": 1, "Long": 8, "Half": 2, "CudaDouble": 8}[kind]
    assert scan(made.Torch7().tensor(kind, 5, width)).outcome == "clean"


def test_plain_values_are_clean():
    assert scan(made.Torch7().value({b"a": 1.5, 2: None, b"c": {b"d": True}})).outcome == "clean"
    writer = made.Torch7()
    again = struct.pack("<2i", 3, 1)
    assert scan(writer.table() + b"").outcome == "clean"
    assert scan(struct.pack("<3i", 3, 1, 1) + writer.value(b"self") + again).outcome == "clean"


@pytest.mark.parametrize("kind", [6, 7, 8])
@pytest.mark.parametrize("name", ["model.t7", "x.bin"])
def test_a_function_is_unsafe_alone_and_in_a_table(kind, name):
    assert rules(scan(made.Torch7().function(kind), name)) == {"torch7-function"}
    writer = made.Torch7()
    table = writer._new(3) + struct.pack("<i", 1) + writer.value(b"f") + writer.function(kind)
    assert (scan(table, name).outcome, scan(table + b"more", name).outcome) == ("unsafe", "unsafe")


def test_a_function_as_the_state_of_an_object_is_unsafe():
    writer = made.Torch7()
    head = writer._new(4) + writer._text(b"V 1") + writer._text(b"nn.Linear")
    assert scan(head + writer.function(), "x").outcome == "unsafe"


def test_a_class_nobody_knows_is_unverified():
    for version in ("V 1", ""):
        writer = made.Torch7()
        data = writer.thing("mine.Layer", struct.pack("<3i", 3, 9, 0), version=version)
        assert (scan(data).outcome, rules(scan(data))) == ("unverified", {"torch7-class"})


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<i", 99),
        struct.pack("<2i", 2, -1),
        struct.pack("<3i", 3, 1, -5),
        struct.pack("<3i", 3, 1, 2**30),
        made.Torch7().thing("torch.FloatTensor", struct.pack("<i", 2**20)),
        made.Torch7().thing("torch.FloatStorage", struct.pack("<q", 2**60)),
        struct.pack("<3i", 4, 1, 2**20),
        made.torch7_model() + b"more",
    ],
    ids=range(8),
)
def test_what_does_not_hold_is_incomplete(data):
    assert scan(data).outcome == "incomplete"


def test_every_cut_is_incomplete():
    data = made.torch7_model()
    for cut in range(1, len(data)):
        assert scan(data[:cut]).outcome == "incomplete"


def test_depth_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "R_TASKS", 20)
    deep = b"".join(struct.pack("<3i", 3, number, 1) + struct.pack("<i", 0) for number in range(1, 100))
    assert rules(scan(deep)) == {"budget-exceeded"}


def test_any_damage_has_an_answer():
    chance = random.Random(9)
    for data in (made.torch7_model(), made.torch7_function()):
        for _ in range(400):
            changed = bytearray(data)
            changed[chance.randrange(len(changed))] = chance.randrange(256)
            assert {scan(bytes(changed)).outcome, scan(bytes(changed), "x").outcome} <= set(Outcome)


FUNCTION = b"8\n9\n3\n\x1bLJ\n3\n10\n0\n"


@pytest.mark.parametrize("name", ["model.t7", "x.dat"])
def test_a_text_file_is_read_as_a_binary_one(name):
    result = scan(made.torch7_text(), name)
    assert (result.outcome, result.findings, result.format) == ("clean", (), "torch7")
    assert rules(scan(made.torch7_text(last=FUNCTION), name)) == {"torch7-function"}
    mine = b"4\n9\n3\nV 1\n6\nmine.X\n0\n"
    assert rules(scan(made.torch7_text(last=mine), name)) == {"torch7-class"}


def test_numbers_as_text_may_lie_in_any_way_that_a_loader_reads():
    for numbers in (b"1\n2\n3", b" nan  -inf\t+.5e3", b"1. 2 3e9 ", b"1 2 3\n\n"):
        assert scan(made.torch7_text(numbers)).outcome == "clean"
    assert scan(made.torch7_text(b"4\n2\x00", 4, b"Byte")).outcome == "clean"
    many = b" ".join(b"%d.5" % number for number in range(40_000))
    assert scan(made.torch7_text(many, 40_000)).outcome == "clean"
    assert scan(made.torch7_text(many + b" 1", 40_000)).outcome == "incomplete"


@pytest.mark.parametrize("numbers", [b"1 2", b"1 2 3 4", b"1 2 3.4.5", b"1 2 x", b"1,2,3", b"1 2 0x3", b"1-2 3 4", b""])
def test_words_that_a_loader_would_take_apart_are_refused(numbers):
    for name in ("model.t7", "x.dat"):
        assert rules(scan(made.torch7_text(numbers), name)) == {"broken-format"}


@pytest.mark.parametrize("number", [b"-1", b"99999999999", b"3x", b"", b"9" * 40])
def test_a_length_as_text_that_is_none_is_incomplete(number):
    data = made.torch7_text().replace(b"\n9\nnn", b"\n" + number + b"\nnn")
    assert rules(scan(data)) == {"broken-format"}


def test_every_truncation_and_damage_of_a_text_file_has_an_answer():
    data = made.torch7_text(last=FUNCTION)
    for cut in range(len(data)):
        assert {scan(data[:cut]).outcome, scan(data[:cut], "x").outcome} <= set(Outcome)
    chance = random.Random(10)
    for _ in range(400):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        assert scan(bytes(changed)).outcome in Outcome


def test_more_numbers_than_a_scan_reads_are_a_budget(monkeypatch):
    monkeypatch.setattr(limits, "STREAM_STEPS", 20)
    assert "budget-exceeded" in rules(scan(made.torch7_text(b"1 " * 50, 50)))
