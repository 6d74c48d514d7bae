"""LightGBM: text models are clean, and a line of another kind is not."""

from __future__ import annotations

import pytest
import streamed_files as made

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="model.txt"):
    return scan_file(BytesReading(data), name)


@pytest.mark.parametrize("name", ["model.txt", "model", "lightgbm.bin"])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_a_model_is_clean_whatever_its_name(name, ends):
    result = scan(made.LIGHTGBM.replace(b"\n", ends), name)
    assert (result.outcome, result.findings, result.format) == ("clean", (), "lightgbm")


@pytest.mark.parametrize(
    "tail",
    [b"import os\n", b"\x00\n", b"pandas_categorical:{\n", b"pandas_categorical:[1, 1]x\n", b"<html>\n"],
    ids=repr,
)
def test_a_line_of_another_kind_is_unverified(tail):
    result = scan(made.LIGHTGBM + tail)
    assert (result.outcome, [finding.rule for finding in result.findings]) == ("unverified", ["lightgbm-line"])


def test_a_model_without_its_end_is_incomplete():
    assert scan(made.LIGHTGBM[:100]).outcome == "incomplete"


def test_a_name_that_stands_for_code_still_counts():
    assert scan(made.LIGHTGBM, "model.py").outcome != "clean"


def test_a_line_beyond_the_limit_is_beyond_the_budget(monkeypatch):
    monkeypatch.setattr(limits, "LIGHTGBM_LINE_BYTES", 10)
    (finding,) = scan(made.LIGHTGBM[:-1]).findings or (None,)
    assert finding.rule == "budget-exceeded"
