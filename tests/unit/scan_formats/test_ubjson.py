"""UBJSON: XGBoost's models are clean, and anything that departs from the grammar is not."""

from __future__ import annotations

import random
import struct

import pytest
import streamed_files as made

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

BIG = struct.pack(">q", 2**62)


def scan(data, name="model.ubj"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize("name", ["model.ubj", "model", "model.json.bin"])
def test_a_model_is_clean_whatever_its_name(name):
    result = scan(made.XGBOOST, name)
    assert (result.outcome, result.findings, result.format) == ("clean", (), "ubjson")


def test_every_type_of_value_is_read():
    inside = b"".join(
        b"i\x01a" + value for value in (b"i\x01", b"U\xff", b"I\0\0", b"l" + bytes(4), b"D" + bytes(8), b"Cx")
    )
    inside += b"i\x01bH" + b"i\x0212" + b"i\x01c[i\x01]" + b"i\x01d[" + b"]" + b"i\x01eN" + b"i\x01f{#i\x01i\x01xZ"
    assert scan(b"{" + inside + b"}").outcome == "clean"


@pytest.mark.parametrize(
    "data",
    [
        b"{i\x01a",
        b"{i\xffa",
        b"{i\x01a?}",
        b"{S",
        b"{i\x01a[$U]}",
        b"{i\x01a[$S#i\x01i\x01x}",
        b"{i\x01a[$D#L" + BIG + b"}",
        b"{i\x01aSL" + BIG + b"}",
        b"{L" + BIG + b"}",
        b"{i\x01\xffZ}",
        b"{i\x01aZ}x",
        b"{i\x01a[#L" + BIG,
    ],
    ids=repr,
)
def test_what_departs_from_the_grammar_is_incomplete_under_its_name(data):
    assert scan(data).outcome == "incomplete"
    assert scan(data, "file").outcome != "clean"


def test_every_cut_is_incomplete():
    for cut in range(1, len(made.XGBOOST)):
        assert scan(made.XGBOOST[:cut]).outcome == "incomplete"


def test_nesting_and_fields_are_bounded(monkeypatch):
    assert rules(scan(b"{i\x01a" + b"[" * 5000)) == {"budget-exceeded"}
    monkeypatch.setattr(limits, "STREAM_STEPS", 10)
    assert rules(scan(made.XGBOOST)) == {"budget-exceeded"}


def test_any_damage_has_an_answer():
    chance = random.Random(4)
    for _ in range(500):
        changed = bytearray(made.XGBOOST)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        scan(bytes(changed))
