"""Pictures, sounds and tables beside a model are clean; what hides in or behind them is not."""

from __future__ import annotations

import struct

import model_files
import ordinary_files as made
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

PLAIN = ["png", "jpeg", "gif", "riff", "isobmff", "ogg", "parquet", "arrow", "svg", "sentencepiece", "tfrecord"]


def scan(data, name="x"):
    return scan_file(BytesReading(data), name)


def rules(data, name="x"):
    return {finding.rule for finding in scan(data, name).findings}


@pytest.mark.parametrize("member", PLAIN)
def test_good_files_are_clean_and_inert_under_any_name(member):
    for name, data in made.GOOD[member].items():
        for shown in (name, "weights.bin"):
            result = scan(data, shown)
            assert (result.outcome, result.format, result.loadable) == ("clean", member, False), shown


def test_media_told_by_their_first_bytes_are_clean_and_could_still_be_loaded():
    for name, data in made.GOOD["media"].items():
        result = scan(data, name)
        assert (result.outcome, result.format, result.loadable) == ("clean", "media", True), name


@pytest.mark.parametrize("member", [*PLAIN, "media"])
def test_bad_files_are_not_clean(member):
    for name, data in made.BAD[member].items():
        assert scan(data, name).outcome != "clean", name


@pytest.mark.parametrize("member", [*PLAIN, "media"])
def test_a_zip_behind_it_is_read_as_such(member):
    archive = model_files.archive({"a.pkl": model_files.EVIL})
    for name, data in made.GOOD[member].items():
        result = scan(data + archive, name)
        assert result.outcome == "unsafe", name
        assert "pickle-execute" in {finding.rule for finding in result.findings}, name


@pytest.mark.parametrize("member", ["png", "jpeg", "gif", "riff", "ogg"])
def test_bytes_behind_the_end_are_told_with_their_place(member):
    (name, data), *_ = made.BAD[member].items()
    (finding,) = scan(data, name).findings
    assert (finding.rule, finding.outcome, data[finding.offset :]) == ("bytes-behind-end", "unverified", b"more")


def test_zeros_and_line_ends_behind_a_picture_are_padding():
    assert scan(made.png() + b"\0" * 600_000 + b"\r\n").outcome == "clean"


@pytest.mark.parametrize("name", ["evil.arrow", "evil.feather"])
def test_cve_2023_47248_a_pickled_type_in_an_arrow_schema_is_unsafe(name):
    assert rules(made.BAD["arrow"][name]) == {"arrow-pickled-type"}


@pytest.mark.parametrize("name", ["evil.parquet", "hidden.parquet"])
def test_cve_2023_47248_a_pickled_type_in_a_parquet_schema_is_unsafe(name):
    result = scan(made.BAD["parquet"][name])
    assert (result.outcome, [finding.rule for finding in result.findings]) == ("unsafe", ["arrow-pickled-type"])
    assert "CVE-2023-47248" in result.findings[0].references


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("script.svg", "svg-script"),
        ("handler.svg", "svg-script"),
        ("address.svg", "svg-script"),
        ("fetch.svg", "svg-elsewhere"),
        ("entity.svg", "xml-entity"),
    ],
)
def test_what_a_browser_would_run_or_fetch_is_told(name, rule):
    assert rules(made.BAD["svg"][name], name) == {rule}


def test_a_document_type_that_only_begins_like_that_of_w3c_is_none():
    evil = made.OLD_TYPE.replace(b"http://www.w3.org/", b"http://www.w3.example/")
    assert rules(evil + made.SVG, "a.svg") == {"xml-entity"}
    with_entity = made.OLD_TYPE.replace(b'dtd">', b'dtd" [<!ENTITY a "b">]>')
    assert rules(with_entity + made.SVG, "a.svg") == {"xml-entity"}


def test_a_page_is_no_picture():
    assert scan(b"<!DOCTYPE html><html><svg/></html>", "a.html").outcome == "unsupported"
    assert scan(b"<!doctype html><html></html>", "x").format == "html"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + made.chunk(b"IHDR", b"") + made.chunk(b"teXt", b"") * 50,
        b"\xff\xd8" + made.segment(0xFE, b"") * 50,
        b"\xff\xd8" + b"\xff" * 100,
        b"GIF89a" + bytes(7) + b"\x21\xfe\0" * 50,
        made.riff(b"WAVE", *[(b"LIST", b"")] * 50),
        made.box(b"ftyp") * 50,
        made.page(b"") * 50,
    ],
)
def test_parts_without_end_are_counted(monkeypatch, data):
    monkeypatch.setattr(limits, "PLAIN_PARTS", 20)
    result = scan(data)
    assert result.outcome == "incomplete"
    assert "more than" in result.findings[0].message


def test_records_without_end_and_absurd_lengths_are_bounded():
    huge = struct.pack("<Q", 2**63)
    record = huge + struct.pack("<I", made._masked(huge)) + b"x"
    assert scan(record).outcome == "incomplete"
    assert scan(made.box(b"ftyp") + b"\0\0\0\1mdat" + b"\xff" * 8).outcome == "incomplete"
    assert scan(b"PAR1" + b"\xff\xff\xff\x7fPAR1").outcome == "incomplete"


def test_a_picture_that_is_a_pickle_too_is_not_possible_but_one_that_holds_one_is_read():
    zipped = made.png()[:-12] + model_files.archive({"a": model_files.EVIL}) + made.png()[-12:]
    assert scan(zipped).outcome != "clean"
