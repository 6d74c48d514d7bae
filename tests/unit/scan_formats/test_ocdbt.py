"""OCDBT stores: paths that leave them, places that cannot be, values that are more than numbers, damage."""

from __future__ import annotations

import random

import pytest
from ocdbtbytes import (
    BTREE,
    DESCRIPTION,
    EVIL,
    LOG,
    MANIFEST,
    NAME,
    REAL_MANIFEST,
    REAL_NODE,
    files,
    frame,
    inner,
    leaf,
    manifest,
    node,
    numbers,
    versions,
)

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.scan.syntax.checksums import crc32c
from modelsign.verdict import Outcome


def scanned(data, name=NAME):
    return scan_file(BytesReading(data), name)


def rules(data, name=NAME):
    return {finding.rule for finding in scanned(data, name).findings}


@pytest.mark.parametrize(
    "data",
    [
        REAL_MANIFEST, REAL_NODE, manifest((0, 5, 9), (0, 20, 9)), manifest(kind=1), versions(), versions(1),
        leaf(b"x"), leaf(b"", packed=True), inner((0, 0, 9)), leaf(b"a") + leaf(b"b"),
        leaf(b"a") + frame(bytes(50)) + leaf(b"b"),
        manifest((0, 2**64 - 1, 2**64 - 1), table=files("")),
    ],
)  # fmt: skip
def test_nodes_are_clean_under_any_name(data):
    for name in ("ocdbt.process_0/" + NAME, "manifest.ocdbt", "x"):
        scan = scanned(data, name)
        assert (scan.format, scan.outcome, scan.findings) == ("ocdbt", Outcome.CLEAN, ())


@pytest.mark.parametrize("data", [LOG, DESCRIPTION + LOG, frame(bytes(9)) * 9, bytes(range(200)), b"\xff" * 9 + LOG])
def test_data_files_are_clean_under_the_name_that_tensorstore_gives(data):
    for name in (NAME, "ocdbt.process_0/" + NAME):
        scan = scanned(data, name)
        assert (scan.format, scan.outcome, scan.findings) == ("ocdbt", Outcome.CLEAN, ())
    assert scanned(data, "model.bin").outcome is not Outcome.CLEAN


@pytest.mark.parametrize(
    "path",
    [
        "../x", "/etc/passwd", ("a/../", "x"), ("/a/", "x"), ("a/", "../x"), ("a/.", "./x"), ("..", "x"),
        "http://x", "a\\b", ("", ".."), ("file:", "x"), ("a/", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_paths_that_leave_the_store_are_unsafe(path, packed):
    table = files(path)
    for data in (manifest((0, 0, 9), table=table, packed=packed), leaf((0, 9), table=table, packed=packed)):
        assert rules(data) == rules(data, "x") == {"ocdbt-path"}
    assert "ocdbt-path" in rules(LOG + inner((0, 0, 9), table=table))


@pytest.mark.parametrize(
    "data",
    [
        leaf((0, 2**63)), leaf((2**63, 5)), leaf((0, 9), table=files()), inner((1, 0, 9)), inner((0, 2**62, 2**62 * 2)),
        leaf(b"x", checksum=1), leaf(b"x")[:-1], leaf(b"x")[:13], node(BTREE, b""), node(BTREE, b"\0\0\0"),
        node(BTREE, b"\0" + files("x") + numbers(2**40)), node(MANIFEST, bytes(40)), node(b"\x0c\xdb\x00\x00", b""),
        leaf(b"x").replace(b"\0\0", b"\1\0", 1), node(BTREE, b"\0" + numbers(2**63)), node(BTREE, b"\xff" * 40),
        node(BTREE, b"\0" + numbers(1, 9, 20) + b"x" * 9), manifest((0, 0, 9)) + bytes(9), node(BTREE, b"\0\0"),
    ],
)  # fmt: skip
def test_nodes_that_do_not_agree_are_not_clean(data):
    assert scanned(data, "manifest.ocdbt").outcome is not Outcome.CLEAN


def test_a_place_behind_the_end_of_its_own_file_is_incomplete():
    table = files(NAME)
    assert rules(leaf((0, 50), table=table)) == set()
    assert rules(leaf((5000, 50), table=table)) == {"broken-format"}
    assert rules(leaf((5000, 50), table=table), "store/" + NAME) == {"broken-format"}
    assert rules(leaf((5000, 50), table=table), "x") == set()


@pytest.mark.parametrize(
    "data",
    [
        frame(EVIL), frame(bytes(9)) + frame(EVIL), leaf(EVIL), leaf(frame(EVIL)),
        leaf(b"x", packed=True) + frame(EVIL), leaf(b"x") + EVIL, leaf(b"x", EVIL, packed=True),
    ],
)  # fmt: skip
def test_a_payload_counts_wherever_it_lies(data):
    assert scanned(data).outcome is Outcome.UNSAFE


def test_a_description_is_judged_as_the_json_it_is():
    assert rules(leaf(b'{"auto_map": {"A": "b.C"}}')) == {"json-code-reference"}


@pytest.mark.parametrize("data", [frame(bytes(90))[:-5], frame(bytes(9)) + frame(bytes(90))[:-5], LOG[:-3]])
def test_a_data_file_that_is_cut_short_is_incomplete(data):
    assert rules(data) == {"broken-format"}


def test_text_and_archives_are_not_taken_for_numbers():
    for data in (b"import os\n", EVIL, b"PK\x03\x04" + bytes(30), b"%PDF-1.7\0\1"):
        assert scanned(data).outcome is not Outcome.CLEAN


def test_bodies_that_unpack_to_far_more_are_a_budget():
    block = (128 * 1024 << 3 | 2).to_bytes(3, "little") + b"\0"
    last = (1 << 3 | 1).to_bytes(3, "little") + b"\0"
    size = 100 * 128 * 1024 + 1
    bomb = b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little") + block * 100 + last
    whole = BTREE + (len(bomb) + 18).to_bytes(8, "little") + b"\0\1" + bomb
    assert rules(whole + crc32c(whole).to_bytes(4, "little")) >= {"budget-exceeded"}


def test_every_truncation_and_turned_bit_has_an_answer():
    for data in (LOG, REAL_NODE, REAL_MANIFEST):
        for cut in range(len(data)):
            assert scanned(data[:cut]).outcome is not Outcome.UNSAFE
        chosen = random.Random("ocdbt")
        for _ in range(300):
            changed = bytearray(data)
            changed[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            assert scanned(bytes(changed)).outcome in Outcome


def test_the_checksum_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
