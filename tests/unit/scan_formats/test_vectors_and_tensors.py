"""Word vectors, fastText models, single tensors of ONNX, and ONNX Runtime's own models."""

from __future__ import annotations

import random

import onnxbytes
import pytest
import vectorfiles
from flatbytes import Triples
from protobytes import message
from vectorfiles import EVIL, fasttext, ort, ort_node, ort_tensor, quantised, word2vec

from modelsign.artifact.reading import BLOCK, BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

KINDS = ("word2vec", "fasttext", "onnx-tensor", "ort")


def scanned(data, name="model.bin"):
    return scan_file(BytesReading(data), name)


def rules(data, name="model.bin"):
    return {finding.rule for finding in scanned(data, name).findings}


@pytest.mark.parametrize("kind", KINDS)
def test_ordinary_files_are_clean_under_any_name(kind):
    for data in vectorfiles.GOOD[kind].values():
        for name in ("model.bin", "x", "model.onnx.bin"):
            scan = scanned(data, name)
            assert (scan.format, scan.outcome, scan.findings) == (kind, Outcome.CLEAN, ())


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_and_turned_bit_has_an_answer(kind):
    chosen = random.Random(kind)
    for data in vectorfiles.GOOD[kind].values():
        for cut in range(min(len(data), 3000)):
            assert scanned(data[:cut]).outcome is not Outcome.UNSAFE
        for _ in range(300):
            changed = bytearray(data)
            changed[chosen.randrange(min(len(data), 400))] ^= 1 << chosen.randrange(8)
            assert scanned(bytes(changed)).outcome in Outcome


@pytest.mark.parametrize("size", [1, 300, BLOCK // 8, BLOCK // 4 + 9])
def test_words_are_found_across_blocks(size):
    words = tuple(b"w%d" % number for number in range(2 + 3 * BLOCK // (4 * size + 4)))
    vectors = (
        word2vec(words[:4000], 1)
        if size == 1
        else b"".join([b"%d %d\n" % (len(words), size), *(word + b" " + bytes(4 * size) for word in words)])
    )
    assert scanned(vectors).outcome is Outcome.CLEAN


@pytest.mark.parametrize(
    "data",
    [
        word2vec()[:-1], word2vec() + b"x", word2vec() + b"\n\n", word2vec() + EVIL, b"9" * 12 + b" 100\n" + bytes(99),
        b"3 4\nthe 1 2 3 4\na 1 2 3 4\nx 1 2 3 4\n", b"1 1\n" + b"a" * 70_000 + b" 1234", b"0 4\n", b"1 0\na ",
    ],
)  # fmt: skip
def test_what_words_and_numbers_do_not_fill_is_no_file_of_vectors(data):
    scan = scanned(data)
    assert "word2vec" not in scan.format
    assert scan.outcome is not Outcome.CLEAN


def test_vectors_as_text_are_text():
    assert scanned(b"2 2\nthe 0.1 -2\na 1e-5 2\n", "wiki.en.vec").outcome is Outcome.CLEAN


@pytest.mark.parametrize(
    "data",
    [
        fasttext()[:-1], fasttext() + b"x", fasttext(version=9), fasttext(size=2**30), fasttext(size=-1),
        fasttext(first=(2**40).to_bytes(8, "little") * 2), fasttext(first=quantised(9, 5, codes=99), flags=(1, 0)),
        fasttext(flags=(1, 1)), fasttext(flags=(2, 0)), fasttext(first=b"\xff" * 16),
        fasttext((b"a" * 70_000, b"b", b"c")),
        fasttext(first=quantised(9, 5).replace(b"\5\0\0\0\3\0\0\0", b"\5\0\0\0\2\0\0\0"), flags=(1, 0)),
    ],
)  # fmt: skip
def test_sizes_of_a_model_that_do_not_agree_are_incomplete(data):
    assert rules(data) == {"broken-format"}


def test_a_payload_behind_numbers_counts_as_what_it_is():
    assert scanned(EVIL + fasttext()).outcome is Outcome.UNSAFE
    assert scanned(fasttext() + EVIL).outcome is Outcome.INCOMPLETE


@pytest.mark.parametrize("location", ["../x", "/etc/passwd", "http://x/y"])
def test_a_tensor_s_file_elsewhere_is_unsafe(location):
    assert "onnx-external-path" in rules(onnxbytes.tensor(external={"location": location}), "input_0.pb")


def test_a_tensor_whose_numbers_lie_beside_it_is_clean_and_one_of_another_size_is_not():
    assert rules(onnxbytes.tensor(external={"location": "x.data"})) == set()
    assert rules(onnxbytes.tensor((3,))) == {"onnx-tensor-size"}


@pytest.mark.parametrize(
    "data",
    [
        message((2, 1)),
        message((1, 2), (2, 99), (8, "w")),
        message((1, 2), (2, 1), (17, 1)),
        message((1, 5), (2, 6), (3, 7), (5, 8)),
        message((2, 1), (2, 1), (8, "w")),
    ],
)
def test_what_is_no_tensor_is_not_taken_for_one(data):
    assert scanned(data, "x.pb").format != "onnx-tensor"


def test_operators_of_onnx_runtime_s_models_are_judged_by_onnx_s_lists():
    assert rules(ort(ort_node("Mine", "my.domain"))) == {"onnx-operator-unknown"}
    assert rules(ort(ort_node("PyOp", "ai.onnx.contrib"))) == {"onnx-operator-dangerous"}
    inner = {2: [ort_node("Mine", "my.domain")], 3: (4, 9)}
    assert rules(ort(ort_node("If", f7=inner))) == {"onnx-operator-unknown"}
    assert rules(ort(ort_node("If", f12=[inner]))) == {"onnx-operator-unknown"}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (ort(tensors=[ort_tensor((3,))]), "onnx-tensor-size"),
        (ort(tensors=[ort_tensor((2**40, 2**40))]), "onnx-tensor-size"),
        (ort(ort_node("If", f6=ort_tensor((9,)))), "onnx-tensor-size"),
        (ort(ort_node("If", f11=[ort_tensor((9,))])), "onnx-tensor-size"),
        (ort(most=0), "onnx-tensor-size"),
        (ort(edges=[{0: (4, 99)}]), "onnx-tensor-size"),
        (ort(edges=[{0: (4, 0), 1: Triples([0, 0, 0, 77, 0, 0])}]), "onnx-tensor-size"),
        (ort(opset=99), "onnx-version"),
        (ort(ir=99), "onnx-version"),
        (b"\xff\xff\xff\x7fORTM" + bytes(20), "broken-format"),
        (ort().replace(b"ORTM", b"ORTN"), "broken-format"),
    ],
)
def test_what_onnx_runtime_would_trip_over_is_told(data, rule):
    assert rules(data, "model.ort") == {rule}
