"""GGML files from before GGUF, whose every byte must be accounted for, and files of bare numbers beside a graph."""

from __future__ import annotations

import ggmlbytes
import pytest
from ggmlbytes import GGJT, LLAMA, OLDEST, SPEECH, ints, tensor, words
from packed_files import EVIL

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome


def scanned(data, name="model.bin"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scanned(data).findings}


@pytest.mark.parametrize("data", ggmlbytes.GOOD["ggml"].values(), ids=ggmlbytes.GOOD["ggml"])
def test_every_known_layout_is_clean_to_the_last_byte(data):
    scan = scanned(data)
    assert (scan.format, scan.outcome, scan.findings) == ("ggml", Outcome.CLEAN, ())
    assert rules(data + b"x") == {"ggml-layout"}
    assert rules(data[:-1]) == {"ggml-layout"}


@pytest.mark.parametrize(
    ("kind", "size"), [(1, 2 * 64), (2, 18 * 2), (2, 20 * 2), (3, 20 * 2), (3, 24 * 2), (8, 34 * 2)]
)
def test_quantised_numbers_of_either_age_are_read(kind, size):
    data = b"lmgg" + LLAMA + words(b"a", b"bc") + tensor(b"w", (32, 2), kind, bytes(size))
    assert rules(data) == set()


@pytest.mark.parametrize(
    "data",
    [
        OLDEST.replace(ints(2, 1, 0, 2, 2), ints(2, 1, 0, 2**31, 2**31)),
        OLDEST.replace(ints(2, 1, 0, 2, 2), ints(9, 1, 0, 2, 2)),
        OLDEST.replace(ints(2, 1, 0, 2, 2), ints(2, 2**31, 0, 2, 2)),
        OLDEST.replace(ints(1) + b"a", ints(2**32 - 1) + b"a"),
        b"lmgg" + ints(2**32 - 1) + OLDEST[8:],
        b"lmgg" + LLAMA + words(b"a", b"bc"),
        b"lmgg" + LLAMA + words(b"a", b"bc") + tensor(b"w", (3, 2), 2, bytes(40)),
        SPEECH.replace(ints(2, 3), ints(2**31, 2**31)),
        b"lmgg",
    ],
)
def test_sizes_that_lead_out_of_the_file_are_incomplete(data):
    assert rules(data) == {"ggml-layout"}


def test_another_version_is_unsupported():
    scan = scanned(GGJT.replace(b"tjgg" + ints(3), b"tjgg" + ints(9)))
    assert (scan.format, scan.outcome) == ("ggml", Outcome.UNSUPPORTED)


def test_more_fields_than_a_scan_reads_are_a_budget(monkeypatch):
    monkeypatch.setattr(limits, "STREAM_STEPS", 10)
    assert rules(OLDEST) == {"budget-exceeded"}


def test_every_truncation_and_flipped_bit_has_an_answer():
    for data in (GGJT, OLDEST, SPEECH):
        for cut in range(len(data)):
            scanned(data[:cut])
        for place in range(len(data) * 8):
            flipped = bytearray(data)
            flipped[place // 8] ^= 1 << place % 8
            scanned(bytes(flipped))


@pytest.mark.parametrize("name", ggmlbytes.GOOD["numbers"])
def test_numbers_are_known_by_their_name_and_unsupported_under_another(name):
    data = ggmlbytes.GOOD["numbers"][name]
    assert (scanned(data, name).format, scanned(data, name).outcome) == ("numbers", Outcome.CLEAN)
    assert scanned(data, "model.bin").outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize("name", ggmlbytes.GOOD["numbers"])
@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (EVIL, Outcome.UNSAFE),
        (b"\x7fELF" + bytes(60), Outcome.UNSAFE),
        (b"\x80\x02cmine\nThing\n.", Outcome.UNVERIFIED),
        (b"%PDF-1.7" + bytes(60), Outcome.UNSUPPORTED),
        (b"import os\n", Outcome.UNSUPPORTED),
        (b"PK\x03\x04" + bytes(60), Outcome.INCOMPLETE),
    ],
)
def test_a_name_makes_nothing_cleaner_that_is_anything_else(name, data, outcome):
    assert scanned(data, name).outcome is outcome


@pytest.mark.parametrize(
    "data",
    [
        ints(1, 2, 0) + bytes(8),
        ints(0, 9, 0) + bytes(8),
        ints(0, 2, 99) + bytes(8),
        ints(0, 2, 0) + bytes(9),
        ints(0, 2),
    ],
)
def test_weights_without_darknet_s_header_are_unsupported(data):
    assert scanned(data, "a.weights").outcome is Outcome.UNSUPPORTED
