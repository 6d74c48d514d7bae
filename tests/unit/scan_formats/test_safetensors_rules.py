"""safetensors: each rule of the format has a file that breaks it, and the library agrees."""

from __future__ import annotations

import json

import model_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.formats.safetensors import FORMAT

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def scan(data, name="model.safetensors"):
    return scan_file(BytesReading(data), name)


def build(*entries, data=None, **named):
    header = {f"t{number}": entry for number, entry in enumerate(entries)} | named
    return model_files.safetensors(header, bytes(8 * len(entries)) if data is None else data)


BROKEN = {
    "overlap": (build(F32, F32, data=bytes(8)), "safetensors-layout"),
    "hole": (build({**F32, "data_offsets": [4, 12]}, data=bytes(12)), "safetensors-layout"),
    "trailing bytes": (build(F32, data=bytes(9)), "safetensors-layout"),
    "missing bytes": (build(F32, data=bytes(7)), "safetensors-layout"),
    "shape too large": (build({**F32, "shape": [3]}), "safetensors-layout"),
    "shape overflows": (build({**F32, "shape": [2**32, 2**32, 0]}), "safetensors-layout"),
    "half a byte": (build({"dtype": "F4", "shape": [3], "data_offsets": [0, 1]}, data=b"a"), "safetensors-layout"),
    "unknown dtype": (build({**F32, "dtype": "F33"}), "safetensors-header"),
    "dtype is a list": (build({**F32, "dtype": ["F32"]}), "safetensors-header"),
    "shape is text": (build({**F32, "shape": "2"}), "safetensors-header"),
    "negative size": (build({**F32, "shape": [-2]}), "safetensors-header"),
    "true as size": (build({**F32, "shape": [True, 2]}), "safetensors-header"),
    "fraction as size": (build({**F32, "shape": [2.0]}), "safetensors-header"),
    "three offsets": (build({**F32, "data_offsets": [0, 4, 8]}), "safetensors-header"),
    "offsets backwards": (build({**F32, "data_offsets": [8, 0]}), "safetensors-header"),
    "extra key": (build({**F32, "more": 1}), "safetensors-header"),
    "no dtype": (build({"shape": [2], "data_offsets": [0, 8]}), "safetensors-header"),
    "entry is a list": (build([1]), "safetensors-header"),
    "metadata not text": (build(F32, __metadata__={"a": 1}), "safetensors-header"),
    "metadata is a list": (build(F32, __metadata__=[]), "safetensors-header"),
    "header is a list": (model_files.safetensors(raw=b"[]"), "safetensors-header"),
    "space before header": (model_files.safetensors(raw=b" {}"), "safetensors-header"),
    "no JSON": (model_files.safetensors(raw=b"{no"), "safetensors-header"),
    "text behind header": (model_files.safetensors(raw=b"{} x"), "safetensors-header"),
    "duplicate key": (
        model_files.safetensors(raw=b'{"a":%b,"a":%b}' % ((json.dumps(F32).encode(),) * 2), data=bytes(8)),
        "safetensors-header",
    ),
    "not UTF-8": (model_files.safetensors(raw=b'{"\xff":1}'), "safetensors-header"),
    "header beyond the file": ((10**6).to_bytes(8, "little") + b"{}", "broken-format"),
    "shorter than its length": (b"\x01\x00", "broken-format"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_breaks_a_rule_is_incomplete(case):
    data, rule = BROKEN[case]
    result = scan(data)
    assert (result.outcome, result.format) == ("incomplete", "safetensors")
    assert {finding.rule for finding in result.findings} == {rule}


STRICTER_THAN_THE_LIBRARY = {"extra key", "half a byte", "space before header", "text behind header", "duplicate key"}


@pytest.mark.parametrize("case", sorted(set(BROKEN) - STRICTER_THAN_THE_LIBRARY))
def test_the_library_refuses_it_too(case, tmp_path):
    library = pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path / "model.safetensors"
    path.write_bytes(BROKEN[case][0])
    with pytest.raises(library.SafetensorError):
        library.safe_open(str(path), "np")


@pytest.mark.parametrize("name", model_files.GOOD["safetensors"])
def test_good_files_are_clean_and_the_library_opens_them(name, tmp_path):
    library = pytest.importorskip("safetensors", reason="safetensors is not installed")
    data = model_files.GOOD["safetensors"][name]
    assert scan(data, name).outcome == "clean"
    path = tmp_path / "file"
    path.write_bytes(data)
    with library.safe_open(str(path), "np"):
        pass


def test_what_the_library_writes_is_clean():
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    save = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed").save
    arrays = {str(kind): numpy.zeros((2, 3), kind) for kind in ("f2", "f4", "f8", "i1", "u2", "i8", "?")}
    assert scan(save(arrays, {"format": "np"})).outcome == "clean"


def test_it_is_recognised_by_content_without_its_name():
    assert scan(model_files.safetensors(), "weights.dat").format == "safetensors"


def test_a_name_does_not_make_other_bytes_safetensors_only():
    result = scan(model_files.EVIL)
    assert result.outcome == "unsafe"


def test_a_header_beyond_the_limit_is_beyond_the_budget(monkeypatch):
    monkeypatch.setattr(limits, "SAFETENSORS_HEADER_BYTES", 10)
    assert [finding.rule for finding in scan(model_files.safetensors()).findings] == ["budget-exceeded"]


def test_findings_about_the_layout_are_few_however_many_tensors_overlap():
    data = model_files.safetensors({f"t{number}": F32 for number in range(500)}, bytes(8))
    assert len(scan(data).findings) <= 11


def test_four_and_six_bit_types_are_counted_in_bits():
    entry = {"dtype": "F6_E2M3", "shape": [4], "data_offsets": [0, 3]}
    assert scan(build(entry, data=bytes(3))).outcome == "clean"


def test_the_reader_itself_gives_the_same_inspection_twice():
    reading = BytesReading(BROKEN["hole"][0])
    assert FORMAT.scan(reading, "x") == FORMAT.scan(reading, "y")
