"""The oldest PyTorch files: what legacy_load would unpickle is judged, in every one of its members."""

from __future__ import annotations

import pytest
from packed_files import EVIL, pytorch_tar, special, tar

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="model.pt"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


def test_an_ordinary_file_is_clean():
    result = scan(pytorch_tar())
    assert (result.format, result.findings) == ("pytorch-tar", ())


@pytest.mark.parametrize("record", ["storages", "tensors", "sys_info"])
def test_a_payload_in_any_member_is_unsafe_cve_2025_32434(record):
    assert scan(pytorch_tar(**{record: EVIL})).outcome == "unsafe"
    assert scan(pytorch_tar(EVIL)).outcome == "unsafe"


def test_a_payload_behind_the_numbers_is_unsafe():
    storage = b"\x80\x02(X\x01\x00\x00\x001X\x03\x00\x00\x00cpuctorch\nFloatStorage\nt."
    numbers = (3).to_bytes(8, "little") + bytes(12)
    assert scan(pytorch_tar(storages=b"\x80\x02K\x01." + storage + numbers + EVIL)).outcome == "unsafe"
    assert scan(pytorch_tar(storages=b"\x80\x02K\x02." + storage + numbers + EVIL)).outcome == "unsafe"


@pytest.mark.parametrize("count", [b"K\x00.", b"K\x02.", b"J\xff\xff\xff\x7f.", b"K\x01.more"])
def test_members_that_are_laid_out_otherwise_are_not_clean(count):
    assert scan(pytorch_tar(tensors=b"\x80\x02" + count + b"\x00" * 9)).outcome != "clean"


def test_a_link_instead_of_the_objects_is_unsafe():
    links = [special(name, b"2", "/etc/passwd") for name in ("storages", "tensors", "pickle")]
    assert "tar-link-escapes" in rules(scan(tar(*links)))


def test_objects_that_are_not_tensors_are_asked_of_nobody():
    assert scan(pytorch_tar(b"\x80\x02(X\x01\x00\x00\x00aK\x01K\x02tQ.")).outcome != "clean"
