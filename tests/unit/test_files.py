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


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("unnamed", [True, False])
def test_every_way_to_write_gives_the_same_file_and_leaves_nothing(monkeypatch, tmp_path, force, unnamed):
    if not unnamed:
        monkeypatch.setattr(files, "_UNNAMED", 0)
    files.write_atomic(tmp_path / "f", b"1", mode=0o600, force=force)
    again = (tmp_path / "f", b"2")
    if force:
        files.write_atomic(*again, mode=0o600, force=True)
    else:
        assert refusal(files.write_atomic, *again).code == "OUTPUT_EXISTS"
    assert (tmp_path / "f").read_bytes() == (b"2" if force else b"1")
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o600
    assert left(tmp_path) == ["f"]


def test_a_file_system_without_unnamed_files_is_written_to_all_the_same(monkeypatch, tmp_path):
    real = os.open

    def refuse(path, flags, *rest, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(files.os, "open", refuse)
    files.write_atomic(tmp_path / "f", b"1")
    assert left(tmp_path) == ["f"]


def test_a_new_file_never_stands_under_another_name(monkeypatch, tmp_path):
    seen = []
    real = files.os.fsync
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: (seen.append(left(tmp_path)), real(descriptor)))
    files.write_atomic(tmp_path / "f", b"1", force=True)
    files.write_atomic(tmp_path / "f", b"2", force=True)
    assert seen == [[], ["f"]]


def test_what_waits_to_replace_a_file_is_whole_and_known_by_its_name(monkeypatch, tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    seen = []

    def killed(source, *_, **__):
        seen.append((source, (tmp_path / source).read_bytes()))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files.os, "replace", killed)
    assert refusal(files.write_atomic, tmp_path / "f", b"new", force=True).code == "OUTPUT_UNWRITABLE"
    assert all(files.is_scratch(name) and data == b"new" for name, data in seen)
    assert left(tmp_path) == ["f"]


@pytest.mark.parametrize("name", ["f", ".modelsign-.part", ".modelsign-0123456789abcdef.parts", "modelsign.toml"])
def test_other_names_are_no_scratch(name):
    assert not files.is_scratch(name)


@pytest.mark.parametrize("place", ["f/x", "n" * 256, "no/x", "文" * 90, "a\0b", "", "sub/."])
def test_a_place_that_cannot_be_is_a_reason_and_no_crash(tmp_path, place):
    (tmp_path / "f").write_bytes(b"old")
    (tmp_path / "sub").mkdir()
    for force in (False, True):
        fault = refusal(files.write_atomic, f"{tmp_path}/{place}" if place else "", b"new", force=force)
        assert fault.code in ("OUTPUT_UNWRITABLE", "OUTPUT_EXISTS")
    assert left(tmp_path) == ["f", "sub"]
    assert left(tmp_path / "sub") == []


def test_a_long_name_outside_ascii_is_written(tmp_path):
    files.write_atomic(tmp_path / ("文" * 85), b"x")
    assert left(tmp_path) == ["文" * 85]
