"""A program for PyTorch's interpreter on mobile devices is not taken for plain data."""

from __future__ import annotations

import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


@pytest.mark.parametrize("name", ["archive/bytecode.pkl", "archive/Bytecode.PKL", "archive/x/bytecode.pkl"])
def test_bytecode_is_judged_by_its_operators(name):
    saving = b"\x80\x02X\x0a\x00\x00\x00aten::save\x85."
    result = scan_file(BytesReading(model_files.pytorch(extra={name: saving})), "model.ptl")
    assert (result.outcome, {finding.rule for finding in result.findings}) == ("unsafe", {"torchscript-reaches-out"})
    assert scan_file(BytesReading(model_files.pytorch(extra={name: b"\x80\x02)."})), "model.ptl").outcome == "clean"


def test_an_archive_with_another_pickle_is_clean():
    data = model_files.pytorch(extra={"archive/constants.pkl": b"\x80\x02)."})
    assert scan_file(BytesReading(data), "model.pt").outcome == "clean"
