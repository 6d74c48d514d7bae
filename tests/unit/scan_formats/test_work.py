"""A scan's work is counted over all readers, readings and members, so that it is linear in the file."""

from __future__ import annotations

import gzip
import zipfile

import model_files
import picklebytes as p
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan.engine import scan_file
from modelsign.scan.work import Work, Worked

EVIL = p.PROTO2 + p.name("posix", "system") + p.short("true") + b"\x85R0"


def scan(data: bytes, name: str = "file"):
    return scan_file(BytesReading(data), name)


def rules(result) -> set[str]:
    return {finding.rule for finding in result.findings}


@pytest.fixture
def little(monkeypatch):
    """As much work as a small file has, so that tests need no large ones."""
    monkeypatch.setattr(limits, "SCAN_WORK", 2_500_000)


def test_bytes_that_are_asked_for_are_counted_with_each_request():
    work = Work(0)
    reading = Worked(BytesReading(bytes(100)), work)
    assert reading.size == 100
    assert reading.read_at(90, 50) == bytes(10)
    assert limits.SCAN_WORK - work.left == 10 + 64


def test_a_dear_format_pays_more_for_a_byte():
    work = Work(0)
    work.dearness = 8
    Worked(BytesReading(bytes(100)), work).read_at(0, 100)
    assert limits.SCAN_WORK - work.left == 8 * (100 + 64)


@pytest.mark.usefixtures("little")
def test_more_than_is_left_is_refused():
    work = Work(10)
    assert work.left == 2_500_000 + 640
    with pytest.raises(ModelsignError) as caught:
        work.spend(2_500_641)
    assert caught.value.code == "SCAN_BUDGET"


@pytest.mark.usefixtures("little")
def test_what_was_unpacked_is_counted_apart():
    work = Work(0)
    assert work.unpackable == 16 * 2_500_000
    work.unpacked(16 * 2_450_000)
    assert work.left == 50_000
    work.unpacked(1 << 40)
    assert work.left == 0
    assert work.unpackable == 0


@pytest.mark.usefixtures("little")
def test_a_stream_that_unpacks_to_more_opcodes_than_its_size_is_worth_is_incomplete():
    result = scan(gzip.compress(b"N0" * 2_000_000 + b"N."))
    assert result.outcome == "incomplete"
    assert "budget-exceeded" in rules(result) or "pickle-budget" in rules(result)


@pytest.mark.usefixtures("little")
def test_a_payload_in_front_of_a_bomb_is_still_unsafe():
    result = scan(gzip.compress(EVIL + b"N0" * 2_000_000 + b"N."))
    assert result.outcome == "unsafe"
    assert "pickle-execute" in rules(result)


@pytest.mark.usefixtures("little")
def test_the_same_bytes_under_many_names_are_paid_for_each_time():
    members = {f"{number}.pkl": b"\x80\x04" + b"N0" * 50_000 + b"N." for number in range(40)}
    result = scan(model_files.archive(members, method=zipfile.ZIP_DEFLATED))
    assert result.outcome == "incomplete"
    assert "budget-exceeded" in rules(result)


@pytest.mark.usefixtures("little")
def test_numbers_that_are_skipped_cost_next_to_nothing():
    array = p.PROTO4 + p.binary(bytes(30_000_000)) + b"."
    assert scan(array).outcome == "clean"
    assert scan(gzip.compress(array)).outcome == "clean"


@pytest.mark.usefixtures("little")
def test_the_result_is_the_same_however_the_file_is_read():
    data = gzip.compress(b"N0" * 2_000_000 + b"N.")
    assert scan(data).findings == scan(data).findings
