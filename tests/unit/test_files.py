"""Small files are read within bounds and written whole or not at all."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from modelsign import files
from modelsign.errors import ModelsignError, Undecided, UsageError


def refusal(function, *arguments, **options) -> ModelsignError:
    with pytest.raises(ModelsignError) as caught:
        function(*arguments, **options)
    return caught.value


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_read_up_to_its_limit(tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    assert files.read_bounded(tmp_path / "f", 5) == b"12345"
    assert refusal(files.read_bounded, tmp_path / "f", 4).code == "INPUT_TOO_LARGE"


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device", "socket", "null"])
def test_what_is_no_regular_file_is_unreadable_and_never_blocks(tmp_path, kind):
    path = str(tmp_path / "f")
    if kind == "folder":
        Path(path).mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = "/dev/zero"
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path)
    elif kind == "null":
        path += "\0"
    fault = refusal(files.read_bounded, path, 10, what="key")
    assert fault.code == "INPUT_UNREADABLE"
    assert "key" in fault.message


def test_a_file_that_fails_while_read_is_unreadable(monkeypatch, tmp_path):
    def refuse(*_):
        raise OSError(5, "Input/output error")

    (tmp_path / "f").write_bytes(b"1")
    monkeypatch.setattr(files.os, "read", refuse)
    fault = refusal(files.read_bounded, tmp_path / "f", 10)
    assert fault.code == "INPUT_UNREADABLE"
    assert "Input/output error" in fault.message


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "f").write_bytes(b"1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    files.read_bounded(tmp_path / "f", 10)
    refusal(files.read_bounded, tmp_path / "f", 0)
    refusal(files.read_bounded, tmp_path, 10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_is_written_with_its_mode_and_nothing_is_left_beside_it(tmp_path):
    files.write_atomic(tmp_path / "f", b"data", mode=0o600)
    assert (tmp_path / "f").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert left(tmp_path) == ["f"]


def test_an_existing_file_is_never_replaced_without_force(tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    fault = refusal(files.write_atomic, tmp_path / "f", b"new")
    assert fault.code == "OUTPUT_EXISTS"
    assert isinstance(fault, UsageError)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert left(tmp_path) == ["f"]


def test_a_dangling_link_is_not_followed_and_not_replaced(tmp_path):
    (tmp_path / "f").symlink_to(tmp_path / "elsewhere")
    assert refusal(files.write_atomic, tmp_path / "f", b"new").code == "OUTPUT_EXISTS"
    assert left(tmp_path) == ["f"]


def test_force_replaces_a_link_and_not_what_it_points_to(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "f").symlink_to(tmp_path / "target")
    files.write_atomic(tmp_path / "f", b"new", force=True)
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert (tmp_path / "f").read_bytes() == b"new"


def test_force_replaces_a_file(tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    files.write_atomic(tmp_path / "f", b"new", force=True)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert left(tmp_path) == ["f"]


def test_a_folder_in_the_place_of_a_file_is_unwritable_even_with_force(tmp_path):
    (tmp_path / "f").mkdir()
    fault = refusal(files.write_atomic, tmp_path / "f", b"new", force=True)
    assert fault.code == "OUTPUT_UNWRITABLE"
    assert isinstance(fault, Undecided)
    assert left(tmp_path) == ["f"]


def test_a_missing_folder_is_unwritable(tmp_path):
    assert refusal(files.write_atomic, tmp_path / "no" / "f", b"x").code == "OUTPUT_UNWRITABLE"


def test_what_existed_is_untouched_when_the_disk_is_full(monkeypatch, tmp_path):
    def full(_):
        raise OSError(28, "No space left on device")

    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr(files.os, "fsync", full)
    assert refusal(files.write_atomic, tmp_path / "f", b"new", force=True).code == "OUTPUT_UNWRITABLE"
    assert (tmp_path / "f").read_bytes() == b"old"
    assert left(tmp_path) == ["f"]


def test_a_very_long_name_still_gets_its_scratch_file(tmp_path):
    files.write_atomic(tmp_path / ("n" * 250), b"x")
    assert left(tmp_path) == ["n" * 250]
