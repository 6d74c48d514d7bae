"""What a child answers, asked in this process: nothing here is confined."""

from __future__ import annotations

import contextvars
import os
import zlib

import model_files
import pytest

from modelsign.artifact.containers.stream import spool_file
from modelsign.artifact.reading import BLOCK, BytesReading
from modelsign.confined.answering import begin, prepare
from modelsign.confined.spool import SharedFile
from modelsign.confined.wire import read_file
from modelsign.scan.engine import scan_file

MIB = 1024 * 1024


def asked(path, folders, *, trusted=(), progress=False, trace=False):
    """Begin a child and ask it about one file, without leaving anything set in this process."""
    told: list[object] = []

    def run():
        answer = begin({"trust_globals": list(trusted), "folders": [str(folder) for folder in folders]})
        held = spool_file.get()
        said = answer(
            {"name": path.name, "progress": progress, "trace": trace}, [os.open(path, os.O_RDONLY)], told.append
        )
        if isinstance(getattr(held, "__self__", None), SharedFile):
            os.close(held.__self__.descriptor)
        return said

    return contextvars.copy_context().run(run), told


def test_a_prepared_process_answers_as_the_engine_does(tmp_path):
    prepare()
    place = tmp_path / "evil.pkl"
    place.write_bytes(model_files.EVIL)
    said, told = asked(place, [tmp_path], trace=True)
    assert read_file(said["file"], "evil.pkl") == scan_file(BytesReading(model_files.EVIL), "evil.pkl")
    assert len(said["traces"]) == 1
    assert told == []


def test_progress_is_told_now_and_then(tmp_path):
    place = tmp_path / "big.bin"
    place.write_bytes(bytes(65 * BLOCK))
    assert asked(place, [tmp_path], progress=True)[1] == [32 * BLOCK, 64 * BLOCK]


@pytest.mark.parametrize("folders", [["/nowhere", "HERE"], ["HERE"], ["/proc"], []], ids=str)
def test_unpacked_bytes_go_to_the_first_folder_that_takes_an_unnamed_file(folders, tmp_path):
    place = tmp_path / "a.pkl.z"
    place.write_bytes(zlib.compress(b"\x80\x04N." + bytes(12 * MIB)))
    said, _ = asked(place, [tmp_path if folder == "HERE" else folder for folder in folders])
    expected = scan_file(BytesReading(place.read_bytes()), place.name)
    assert read_file(said["file"], place.name) == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pkl.z"]


def test_where_no_file_can_be_had_a_long_stream_is_incomplete(tmp_path, monkeypatch):
    place = tmp_path / "a.pkl.z"
    place.write_bytes(zlib.compress(b"\x80\x04N." + bytes(12 * MIB)))
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    said, _ = asked(place, ["/nowhere"])
    assert said["file"]["outcome"] == "incomplete"
    assert said["file"]["findings"][0][0] == "file-unreadable"


def test_names_that_are_trusted_are_trusted(tmp_path):
    place = tmp_path / "a.pkl"
    place.write_bytes(b"cours\nThing\n.")
    assert asked(place, [tmp_path], trusted=["ours.Thing"])[0]["file"]["outcome"] == "clean"
