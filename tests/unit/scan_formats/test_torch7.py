"""Torch7: tensors and tables are clean, functions are bytecode and unsafe, classes nobody knows are unverified."""

from __future__ import annotations

import random
import struct

import older_files as made
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


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
            scan(bytes(changed))
            scan(bytes(changed), "x")


def test_a_text_file_of_torch7_is_named_and_unsupported():
    result = scan(b"4\n1\n3\nV 1\n17\ntorch.FloatTensor\n1\n", "x.dat")
    assert (result.outcome, result.format) == ("unsupported", "torch7-text")
