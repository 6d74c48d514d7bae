"""TensorFlow Lite models by the FlatBuffer reader: quiet on built-in operators, exact on every offset."""

from __future__ import annotations

import io
import zipfile

import flatbytes as fb
import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.syntax import flexbuffer
from modelsign.scan.syntax.flatbuffer import Damaged, FlatBuffer


def scan(data, name="model.tflite"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scan(data).findings}


@pytest.mark.parametrize("name", model_files.GOOD["tflite"])
def test_good_models_are_clean_under_any_name(name):
    for called in (name, "weights.bin"):
        result = scan(model_files.GOOD["tflite"][name], called)
        assert (result.format, result.outcome) == ("tflite", "clean")


def test_operators_that_tensorflow_lite_registers_itself_are_fine():
    assert scan(fb.custom("TFLite_Detection_PostProcess")).outcome == "clean"
    assert scan(fb.build(fb.model([{0: (1, 127), 3: (4, 200)}]))).outcome == "clean"


@pytest.mark.parametrize(
    "code", [{0: (1, 32), 1: "Mine"}, {0: (1, 32)}, {0: (1, 127), 3: (4, 9999)}, {3: (4, -5), 0: (1, -1)}]
)
def test_other_operators_are_unverified(code):
    assert rules(fb.build(fb.model([code]))) == {"tflite-operator-unknown"}


def test_a_selected_tensorflow_operator_is_judged_by_the_node_it_carries():
    assert scan(fb.custom("FlexAdd", options=fb.flex("Add", "Add"))).outcome == "clean"
    assert scan(fb.custom("FlexReadFile", options=fb.flex("ReadFile", "ReadFile"))).outcome == "unsafe"
    assert scan(fb.custom("FlexAdd", options=fb.flex("Add", "ReadFile"))).outcome == "unsafe"
    assert scan(fb.custom("FlexAdd", options=fb.flex("PyFunc", "Add"))).outcome == "unsafe"
    assert scan(fb.custom("FlexMine", options=fb.flex("Mine", "Mine"))).outcome == "unverified"
    assert scan(fb.custom("FlexAdd")).outcome == "incomplete"
    assert scan(fb.custom("FlexAdd", options=b"\x00\x28\x01")).outcome == "incomplete"


CONTRADICTIONS = {
    "a buffer that is not there": {"tensor": {2: (4, 9)}},
    "another size": {"tensor": {0: [3]}},
    "a negative shape": {"tensor": {0: [-1]}},
    "a shape that overflows": {"tensor": {0: [2**31 - 1] * 4}},
    "an operator of no kind": {"operator": {0: (4, 5)}},
    "an operator of no tensor": {"operator": {1: [7]}},
    "an operator of tensor minus two": {"operator": {2: [-2]}},
    "a buffer behind the file": {"buffers": [{}, {1: (8, 2**40), 2: (8, 8)}]},
    "options behind the file": {"operator": {9: (8, 2**50), 10: (8, 4)}},
    "metadata in no buffer": {"extra": {6: [{0: "M", 1: (4, 7)}]}},
}


@pytest.mark.parametrize("change", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_contradictions_are_found(change):
    result = scan(fb.build(fb.model(**change)))
    assert {finding.rule for finding in result.findings} == {"tflite-size"}
    assert result.outcome == "incomplete"


def test_a_missing_tensor_and_four_bit_numbers_are_fine():
    assert scan(fb.build(fb.model(operator={1: [-1, 0]}))).outcome == "clean"
    packed = fb.model(tensor={0: [3], 1: (1, 17)}, buffers=[{}, {0: bytes(2)}])
    assert scan(fb.build(packed)).outcome == "clean"


def appended(name, content):
    """What the task library makes: an archive appended to the model, with offsets from the file's beginning."""
    buffer = io.BytesIO(fb.build(fb.model()))
    with zipfile.ZipFile(buffer, "a") as target:
        target.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def test_files_of_the_task_library_behind_the_model_are_members():
    good = appended("labels.txt", b"A cat.\nA dog.\n")
    assert scan(good).outcome == "clean"
    assert scan(good).format == "tflite"
    evil = appended("labels.txt", model_files.EVIL)
    assert [finding.member for finding in scan(evil).findings if finding.outcome == "unsafe"] == ["labels.txt"]
    assert scan(good + b"more").outcome == "incomplete"


def test_other_content_under_the_name_is_no_model():
    assert scan(b"\0" * 40).outcome == "incomplete"
    assert scan(model_files.EVIL).outcome == "unsafe"
    assert scan(fb.build(fb.model(extra={0: (4, 2)}))).outcome == "incomplete"


def test_every_truncation_and_every_flip_has_an_answer():
    data = fb.custom("FlexAdd", options=fb.flex("Add", "Add"))
    for at in range(len(data)):
        assert scan(data[:at]).outcome != "clean" or at == 0
        for bit in (1, 0x80):
            scan(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])


def test_offsets_that_lead_out_of_the_file_are_damage():
    data = fb.build(fb.model())
    for at in (0, 8, 12, 16):
        for value in (0, 2**31, 2**32 - 1, len(data) - 1):
            assert scan(data[:at] + value.to_bytes(4, "little") + data[at + 4 :]).outcome in {
                "incomplete",
                "unverified",
            }


def test_many_pointers_to_one_table_are_bounded():
    table = FlatBuffer(BytesReading(fb.build(fb.model())), 1).root()
    with pytest.raises(Damaged, match="more tables"):
        table.vector(1, 4)


def test_a_flexbuffer_of_anything_else_is_none():
    good = fb.flex("Add", "Add")
    assert flexbuffer.texts(good) is not None
    for at in range(len(good)):
        for value in (0, 1, 0x7F, 0xFF):
            flexbuffer.texts(good[:at] + bytes([value]) + good[at + 1 :])
        flexbuffer.texts(good[:at])
    assert flexbuffer.texts(b"") is None
