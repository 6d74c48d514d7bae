"""MindSpore's checkpoints, whose sizes must agree, and NCNN's networks, whose layers must be ncnn's own."""

from __future__ import annotations

import mindsporebytes
import pytest
from mindsporebytes import NETWORK, checkpoint, tensor
from packed_files import EVIL
from protobytes import message

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome


def scanned(data, name="model.bin"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scanned(data).findings}


@pytest.mark.parametrize("kind", ["mindspore", "ncnn"])
def test_ordinary_files_are_clean_under_any_name(kind):
    for data in mindsporebytes.GOOD[kind].values():
        for name in ("model.ckpt", "x", "model.param"):
            scan = scanned(data, name)
            assert (scan.format, scan.outcome, scan.findings) == (kind, Outcome.CLEAN, ())


@pytest.mark.parametrize(
    "value",
    [
        tensor(data=bytes(17)),
        tensor(dims=(-1,)),
        tensor(dims=(2**40, 2**40)),
        tensor(kind="Mine"),
        message((1, "w"), (2, message((1, 2), (2, "Float32")))),
    ],
)
def test_tensors_whose_sizes_do_not_agree_are_incomplete(value):
    assert "mindspore-tensor-size" in rules(checkpoint(tensor("first"), value))


def test_what_the_schema_does_not_know_is_unverified():
    assert rules(checkpoint(tensor(), tensor("b") + message((3, b"")))) == {"protobuf-unknown-field"}


def test_a_layer_that_is_not_ncnn_s_is_unverified():
    assert rules(NETWORK.replace(b"Softmax ", b"Mine ")) == {"ncnn-layer-unknown"}


def test_layers_are_read_word_by_word_as_ncnn_reads_them():
    assert rules(NETWORK.replace(b"\n", b" ")) == set()
    hidden = NETWORK.replace(b"0=0\n", b"0=0 Mine x 0 0\n")
    assert rules(hidden) == rules(hidden.replace(b"3 3\n", b"4 3\n")) == {"ncnn-layer-unknown"}


def test_a_layer_more_than_is_counted_is_read_as_well():
    assert rules(NETWORK.replace(b"3 3", b"2 3")) == set()


@pytest.mark.parametrize(
    "data",
    [
        NETWORK.replace(b"3 3", b"4 3"),
        NETWORK.replace(b"1 1 conv", b"x 1 conv"),
        NETWORK.replace(b"1 1 conv prob", b"1 9 conv prob"),
        NETWORK.replace(b"Softmax ", b"S" * 300 + b" "),
        NETWORK + EVIL.replace(b"\x80\x02", b""),
    ],
)
def test_networks_whose_counts_do_not_agree_are_not_clean(data):
    assert "broken-format" in rules(data)


def test_a_network_beyond_the_limit_is_a_budget(monkeypatch):
    monkeypatch.setattr(limits, "INERT_BYTES", 20)
    assert rules(NETWORK) == {"budget-exceeded"}


def test_every_truncation_and_flipped_bit_has_an_answer():
    for data in (checkpoint(), NETWORK):
        for cut in range(len(data)):
            scanned(data[:cut])
        for place in range(len(data) * 8):
            flipped = bytearray(data)
            flipped[place // 8] ^= 1 << place % 8
            scanned(bytes(flipped))
