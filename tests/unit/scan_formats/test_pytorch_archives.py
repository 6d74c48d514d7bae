"""PyTorch archives: everything PyTorch would unpickle is judged, also where zipfile refuses the archive."""

from __future__ import annotations

import struct
import zipfile

import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

EVIL = model_files.EVIL
pytorch = model_files.pytorch


def scan(data, name="model.pt"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


def test_a_payload_in_the_objects_is_unsafe_and_placed():
    result = scan(pytorch(EVIL))
    assert result.outcome == "unsafe"
    assert {finding.member for finding in result.findings} == {"archive/data.pkl"}
    assert "posix.system" in result.globals or "os.system" in result.globals


@pytest.mark.parametrize(
    "name",
    [
        "archive/DATA.PKL",
        "archive/constants.pkl",
        "archive/Bytecode.pkl",
        "archive/x/anything.PKL",
        "archive/x.debug_pkl",
    ],
)
@pytest.mark.parametrize("payload", [EVIL, model_files.EVIL_TEXT])
def test_every_record_that_is_named_like_a_pickle_is_judged_without_regard_to_case(name, payload):
    assert scan(pytorch(extra={name: payload})).outcome == "unsafe"


@pytest.mark.parametrize("name", ["archive/data/0x", "archive/extra/notes.txt", "archive/weights", "other/data"])
def test_every_other_member_is_judged_by_content(name):
    assert scan(pytorch(extra={name: EVIL})).outcome == "unsafe"
    assert scan(pytorch(extra={name: b"\x01\x02 unknown"})).outcome == "unsupported"


def test_numbers_that_are_a_marked_pickle_are_judged():
    assert scan(pytorch(extra={"archive/data/7": EVIL})).outcome == "unsafe"


def test_numbers_that_only_begin_like_a_pickle_are_clean():
    assert scan(pytorch(extra={"archive/data/7": b"\x80\x02\x00\x00" * 40})).outcome == "clean"


def test_two_records_that_differ_in_case_are_both_judged():
    result = scan(pytorch(extra={"archive/Data.pkl": EVIL}))
    assert result.outcome == "unsafe"
    assert "zip-duplicate-member" in rules(result)


def test_a_deflated_payload_is_found():
    assert scan(pytorch(EVIL, method=zipfile.ZIP_DEFLATED)).outcome == "unsafe"


@pytest.mark.parametrize(
    ("offset", "value"), [(6, 1), (8, 99), (14, 1), (4, 90)], ids=["encrypted", "method", "crc", "version"]
)
def test_an_archive_that_pytorch_opens_and_zipfile_may_not_is_judged(offset, value):
    data = bytearray(pytorch(EVIL))
    struct.pack_into("<H", data, offset, value)
    assert scan(bytes(data)).outcome == "unsafe"


def test_a_local_name_that_hides_the_objects_does_not_hide_them():
    data = pytorch(EVIL).replace(b"archive/data.pkl", b"archive/data.txt", 1)
    result = scan(data)
    assert result.outcome == "unsafe"
    assert "zip-header-contradicts" in rules(result)


def test_trailing_bytes_that_pytorch_tolerates_do_not_hide_the_objects():
    assert scan(pytorch(EVIL) + b"x" * 1000).outcome == "unsafe"


def test_pickles_beside_torchscript_are_judged():
    assert scan(pytorch(extra={"archive/code/x.py.debug_pkl": EVIL, "archive/code/x.py": b""})).outcome == "unsafe"


def test_an_older_file_with_a_payload_is_unsafe_whichever_pickle_holds_it():
    assert scan(model_files.pytorch_legacy(EVIL)).outcome == "unsafe"
    parts = model_files.pytorch_legacy()
    protocol = b"\x80\x02M\xe9\x03."
    assert scan(parts.replace(protocol, EVIL, 1)).outcome == "unsafe"


def test_an_older_file_with_other_bytes_behind_its_numbers_is_not_clean():
    assert scan(model_files.pytorch_legacy() + b"more").outcome != "clean"
    assert scan(model_files.pytorch_legacy()[:-4]).outcome != "clean"
