"""Shards of distributed checkpoints: archives one behind the other, each judged, and no third face of the file."""

from __future__ import annotations

import random

import model_files
import pytest
from exported_files import EVIL, numbers, saved

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

SHARD = saved() + numbers(b"\x01" * 40) + saved()


def scanned(data, name="__0_0.distcp"):
    return scan_file(BytesReading(data), name)


@pytest.mark.parametrize("name", ["__0_0.distcp", "model.pt", "x"])
def test_archives_one_behind_the_other_are_a_shard_under_any_name(name):
    scan = scanned(SHARD, name)
    assert (scan.format, scan.outcome, scan.findings) == ("pytorch-distributed", Outcome.CLEAN, ())


def test_one_archive_alone_is_an_ordinary_one():
    assert scanned(saved()).format == "pytorch"


@pytest.mark.parametrize("place", range(4))
def test_a_payload_counts_in_whichever_archive_it_lies(place):
    parts = [saved(), numbers(), saved()]
    parts.insert(place, saved(EVIL))
    scan = scanned(b"".join(parts))
    assert scan.outcome is Outcome.UNSAFE
    assert any(f"archive {place}!" in (finding.member or "") for finding in scan.findings)


def test_an_archive_inside_of_another_s_numbers_is_judged_as_well():
    for before in (b"", bytes(9), b"\x80" * 40):
        assert scanned(saved() + numbers(before + saved(EVIL) + bytes(7))).outcome is Outcome.UNSAFE


@pytest.mark.parametrize("between", [b"x", saved()[:-5], b"PK\x05\x06" + bytes(18), EVIL])
@pytest.mark.parametrize("place", ["front", "middle", "end"])
def test_bytes_that_belong_to_no_archive_are_not_taken_for_a_shard(between, place):
    parts = {"front": 0, "middle": 1, "end": 2}
    whole = [saved(), numbers()]
    whole.insert(parts[place], between)
    assert scanned(b"".join(whole)).outcome is not Outcome.CLEAN


def test_a_directory_at_a_third_place_leaves_the_file_to_those_who_refuse_it():
    last = saved()
    pointed = int.from_bytes(last[-6:-2], "little")
    first = numbers(b"\x01" * 2000)
    place = pointed - first.index(b"\x01" * 2000)
    data = first.replace(b"\x01" * 2000, b"\x01" * place + b"PK\x01\x02" + b"\x01" * (1996 - place)) + last
    assert data[pointed : pointed + 4] == b"PK\x01\x02"
    assert scanned(data).outcome is Outcome.INCOMPLETE


def test_more_archives_than_a_scan_follows_are_a_budget(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_MEMBERS", 2)
    assert {finding.rule for finding in scanned(SHARD).findings} >= {"budget-exceeded"}


def test_end_records_that_cross_blocks_are_found():
    for size in range((1 << 20) - 400, (1 << 20) - 300, 9):
        assert scanned(numbers(bytes(size)) + saved()).outcome is Outcome.CLEAN


def test_every_truncation_and_turned_bit_has_an_answer():
    for cut in range(1, len(SHARD)):
        assert scanned(SHARD[:cut]).outcome is not Outcome.UNSAFE
    chosen = random.Random("shard")
    for _ in range(200):
        data = bytearray(SHARD)
        data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        assert scanned(bytes(data)).outcome in Outcome


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_what_pytorch_writes_is_clean(tmp_path):
    torch = pytest.importorskip("torch")
    checkpoint = pytest.importorskip("torch.distributed.checkpoint")
    checkpoint.save({"model": torch.nn.Linear(4, 3).state_dict()}, checkpoint_id=tmp_path / "saved")
    for path in (tmp_path / "saved").iterdir():
        scan = scanned(path.read_bytes(), path.name)
        assert (scan.outcome, scan.findings) == (Outcome.CLEAN, ())


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_where_objects_lie_is_unverified_since_they_are_unpickled_from_any_place(tmp_path):
    torch = pytest.importorskip("torch")
    checkpoint = pytest.importorskip("torch.distributed.checkpoint")
    state = {"model": torch.nn.Linear(4, 3).state_dict(), "step": 7, "scheduler": {"lr": 0.1}}
    checkpoint.save(state, checkpoint_id=tmp_path / "saved")
    outcomes = {path.name: scanned(path.read_bytes(), path.name).outcome for path in (tmp_path / "saved").iterdir()}
    assert outcomes == {".metadata": Outcome.UNVERIFIED, "__0_0.distcp": Outcome.CLEAN}


def test_archives_of_others_in_a_row_are_no_shard():
    other = model_files.archive({"a.json": b"{}"})
    for data in (other + other, saved() + other, other + saved(), saved() + other + saved()):
        assert scanned(data, "m.distcp").outcome is not Outcome.CLEAN
