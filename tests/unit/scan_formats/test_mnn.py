"""MNN's models: operators by number, files that operators name, indices of tensors."""

from __future__ import annotations

import random

import pytest
from vectorfiles import LOOP, mnn, mnn_operator

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

GRAPH = {0: "body", 1: [0], 2: [1], 3: ["x", "y"], 4: [mnn_operator()]}


def scanned(data, name="model.mnn"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scanned(data).findings}


@pytest.mark.parametrize(
    "data",
    [mnn(), mnn(LOOP), mnn(extra={10: [GRAPH]}), mnn(mnn_operator(f7="model.mnn.weight")), mnn(mnn_operator(f0=[-1]))],
)
def test_operators_of_mnn_are_clean(data):
    scan = scanned(data)
    assert (scan.format, scan.outcome, scan.findings) == ("mnn", Outcome.CLEAN, ())


@pytest.mark.parametrize(
    ("operator", "told"),
    [
        (mnn_operator(256, f1=(1, 30), f2={0: "mine"}), "'mine'"),
        (mnn_operator(512, f1=(1, 78), f2={0: "NewOp", 1: "ONNX"}), "'NewOp'"),
        (mnn_operator(9999), "9999"),
        (mnn_operator(128, f1=(1, 92), f2={6: [{0: mnn_operator(256)}]}), "256"),
        (mnn_operator(128, f1=(1, 92), f2={7: [{0: mnn_operator(256)}]}), "256"),
    ],
)
def test_plug_ins_and_operators_of_others_are_unverified(operator, told):
    scan = scanned(mnn(operator))
    assert (scan.outcome, {finding.rule for finding in scan.findings}) == (Outcome.UNVERIFIED, {"mnn-operator-unknown"})
    assert told in scan.findings[0].message
    assert rules(mnn(extra={10: [GRAPH | {4: [operator]}]})) == {"mnn-operator-unknown"}


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "~/x", "C:/x", "a\\b"])
def test_a_file_elsewhere_is_unsafe(path):
    assert rules(mnn(mnn_operator(f7=path))) == {"mnn-external-path"}
    assert rules(mnn(mnn_operator(128, f1=(1, 92), f2={6: [{0: mnn_operator(f7=path)}]}))) == {"mnn-external-path"}


@pytest.mark.parametrize("field", ["f0", "f4"])
@pytest.mark.parametrize("index", [2, -2, 2**31 - 1])
def test_an_index_behind_the_tensors_is_incomplete(field, index):
    assert rules(mnn(mnn_operator(**{field: [index]}))) == {"mnn-index"}


def test_what_is_no_flatbuffer_is_incomplete():
    for data in (b"x", b"\xff" * 40, bytes(40), mnn()[:30], mnn(extra={3: []})):
        assert scanned(data).outcome is Outcome.INCOMPLETE


def test_numbers_beside_a_model_are_known_by_their_name():
    assert scanned(bytes(range(256)), "llm.mnn.weight").outcome is Outcome.CLEAN


def test_every_truncation_and_turned_bit_has_an_answer():
    data = mnn(LOOP, extra={10: [GRAPH]})
    for cut in range(1, len(data)):
        scanned(data[:cut])
    chosen = random.Random("mnn")
    for _ in range(400):
        changed = bytearray(data)
        changed[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        assert scanned(bytes(changed)).outcome in Outcome
