"""An archive or an HDF5 file that is a member of another archive is judged there and gives it no second face."""

from __future__ import annotations

import gzip

import archive_files
import hdf5_files
import model_files
import packed_files
import pytest
from archive_files import Entry

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

CONFIGURATION = b"{}"
WRAPPERS = {
    "tar": lambda name, data: packed_files.tar(("config.json", CONFIGURATION), (name, data)),
    "tar.gz": lambda name, data: gzip.compress(packed_files.tar(("config.json", CONFIGURATION), (name, data))),
    "7z": lambda name, data: archive_files.sevenzip(Entry("config.json"), Entry(name, data)),
    "rar5": lambda name, data: archive_files.rar5(Entry("config.json"), Entry(name, data)),
    "rar4": lambda name, data: archive_files.rar4(Entry("config.json"), Entry(name, data)),
}
wrapped = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


def scanned(data, name="model.nemo"):
    return scan_file(BytesReading(data), name)


@wrapped
@pytest.mark.parametrize(
    "inner",
    [model_files.pytorch(), model_files.archive({"a.json": b"{}"}), model_files.archive({"a.npy": model_files.npy()})],
)
def test_an_archive_of_an_archive_is_one_thing_and_clean(wrap, inner):
    scan = scanned(wrap("model_weights.ckpt", inner))
    assert (scan.outcome, scan.findings) == (Outcome.CLEAN, ())
    assert "+" not in scan.format


@wrapped
def test_a_payload_in_the_inner_archive_is_unsafe_and_told_once(wrap):
    scan = scanned(wrap("model_weights.ckpt", model_files.pytorch(model_files.EVIL)))
    assert scan.outcome is Outcome.UNSAFE
    assert "ambiguous-format" not in {finding.rule for finding in scan.findings}
    assert any(finding.member.endswith("model_weights.ckpt!archive/data.pkl") for finding in scan.findings)


@pytest.mark.parametrize("wrap", [WRAPPERS["tar"], WRAPPERS["rar5"]])
def test_an_archive_behind_or_across_members_is_another_face(wrap):
    inner = model_files.archive({"a.json": b"{}"})
    for data in (wrap("x.json", b"{}") + inner, wrap("x.json", inner[:40])[:-20] + inner):
        scan = scanned(data)
        assert scan.outcome in {Outcome.UNSAFE, Outcome.INCOMPLETE}
        assert any(finding.rule.startswith(("ambiguous", "zip-")) for finding in scan.findings)


def test_an_archive_whose_directory_reaches_out_of_its_member_is_another_face():
    inner = bytearray(model_files.archive({"a.json": b"{}"}))
    place = inner.rindex(b"PK\x05\x06") + 16
    inner[place : place + 4] = (2**31).to_bytes(4, "little")
    assert scanned(WRAPPERS["tar"]("x", bytes(inner))).outcome in {Outcome.UNSAFE, Outcome.INCOMPLETE}


def test_an_hdf5_file_that_is_the_first_member_of_a_tar_archive_is_judged_there():
    for data, outcome in (
        (hdf5_files.hdf5(), Outcome.CLEAN),
        (hdf5_files.hdf5(hdf5_files.external("weights", "/etc/passwd")), Outcome.UNSAFE),
    ):
        scan = scanned(packed_files.tar(("model.h5", data), ("config.json", b"{}")))
        assert (scan.format, scan.outcome) == ("tar", outcome)


def test_an_hdf5_file_behind_a_user_block_is_still_found():
    assert scanned(hdf5_files.hdf5(user_block=512)).format == "hdf5"


@pytest.mark.parametrize("prefix", [b"c\0\n", b"c\0\nname\n"])
def test_a_first_import_that_nothing_finds_hides_no_archive_behind_it(prefix):
    scan = scanned(prefix + model_files.pytorch(b"\x80\x02cmine\nThing\n."), "model.pt")
    assert scan.outcome is not Outcome.CLEAN
    assert "zip-bytes-outside" in {finding.rule for finding in scan.findings}
    assert "mine.Thing" in scan.globals
