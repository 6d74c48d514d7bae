"""The store: one bundle a line, appended under a lock, nothing in it ever lost or rewritten."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelsign import limits
from modelsign.attest.store import append_line, read_lines, store_place
from modelsign.errors import ModelsignError
from modelsign.signing import keys
from modelsign.signing.envelope import sign_statement

BUNDLE = sign_statement(b"{}", keys.generate("ed25519"))


def refused(action) -> ModelsignError:
    with pytest.raises(ModelsignError) as caught:
        action()
    return caught.value


def test_the_store_lies_in_a_folder_or_beside_a_file(tmp_path):
    assert store_place(tmp_path) == f"{tmp_path}/model.intoto.jsonl"
    (tmp_path / "m.bin").write_bytes(b"")
    assert store_place(str(tmp_path / "m.bin")) == f"{tmp_path}/m.bin.intoto.jsonl"


def test_a_first_line_makes_the_store(tmp_path):
    path = tmp_path / "s.jsonl"
    assert append_line(path, BUNDLE) == 1
    assert path.read_bytes() == BUNDLE + b"\n"
    assert [place.name for place in tmp_path.iterdir()] == ["s.jsonl"]


@pytest.mark.parametrize("before", [b"not json\n", b"{}\n\n  \n", b"\xff\xfe\n", b"no line end", b"\r\n{}\r\n"])
def test_what_is_there_is_kept_byte_for_byte(tmp_path, before):
    path = tmp_path / "s.jsonl"
    path.write_bytes(before)
    number = append_line(path, BUNDLE)
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.split(b"\n")[number - 1] == BUNDLE
    assert after.endswith(BUNDLE + b"\n")


def test_the_mode_of_the_store_is_kept(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"{}\n")
    path.chmod(0o600)
    append_line(path, BUNDLE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_writers_lose_nothing(tmp_path):
    path = tmp_path / "s.jsonl"
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda at: append_line(path, b'{"n":%d}' % at), range(24)))
    assert sorted(numbers) == list(range(1, 25))
    assert sorted(path.read_bytes().splitlines()) == sorted(b'{"n":%d}' % at for at in range(24))


def test_writers_in_other_processes_wait_too(tmp_path):
    path = tmp_path / "s.jsonl"
    code = (
        "import sys; from modelsign.attest.store import append_line as add\nfor _ in range(8): add(sys.argv[1], b'{}')"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert len(path.read_bytes().splitlines()) == 24


def test_a_bundle_of_two_lines_is_refused(tmp_path):
    assert refused(lambda: append_line(tmp_path / "s", b"{}\n{}")).code == "ATTESTATION_STORE_UNUSABLE"


@pytest.mark.parametrize("kind", ["folder", "link", "fifo"])
def test_only_a_regular_file_is_a_store(tmp_path, kind):
    path = tmp_path / "s.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "elsewhere").write_bytes(b"mine")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)
    assert refused(lambda: append_line(path, BUNDLE)).code == "ATTESTATION_STORE_UNUSABLE"
    if kind == "link":
        assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_a_folder_that_is_not_there_is_said_so(tmp_path):
    assert refused(lambda: append_line(tmp_path / "none" / "s.jsonl", BUNDLE)).code == "OUTPUT_UNWRITABLE"


def test_a_full_store_takes_no_more_and_stays_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"{}\n" * 5)
    monkeypatch.setattr(limits, "STORE_LINES", 5)
    assert refused(lambda: append_line(path, BUNDLE)).code == "ATTESTATION_STORE_UNUSABLE"
    monkeypatch.setattr(limits, "STORE_LINES", 100)
    monkeypatch.setattr(limits, "STORE_BYTES", 20)
    assert "is full" in refused(lambda: append_line(path, BUNDLE)).message
    path.write_bytes(b"{}\n" * 20)
    assert refused(lambda: append_line(path, BUNDLE)).code == "ATTESTATION_STORE_UNUSABLE"
    assert path.read_bytes() == b"{}\n" * 20


def test_a_failed_write_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"{}\n")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    assert refused(lambda: append_line(path, BUNDLE)).code == "OUTPUT_UNWRITABLE"
    assert path.read_bytes() == b"{}\n"
    assert [place.name for place in tmp_path.iterdir()] == ["s.jsonl"]


def test_a_file_system_without_locks_is_said_so(tmp_path, monkeypatch):
    import fcntl  # noqa: PLC0415 - to take its function away

    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert "no locks" in refused(lambda: append_line(tmp_path / "s", BUNDLE)).message

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"):
        append_line(tmp_path / "s", BUNDLE)


# --- reading ----------------------------------------------------------------------------


def test_lines_are_read_with_their_numbers_and_digests():
    lines = read_lines(b"\n" + BUNDLE + b"\r\n\n  " + BUNDLE)
    assert [line.number for line in lines] == [2, 4]
    assert all(line.bundle is not None and line.problem is None for line in lines)
    assert {line.digest for line in lines} == {hashlib.sha256(BUNDLE).hexdigest()}


@pytest.mark.parametrize(
    "line", [b"x", b"{}", b"[]", b"null", b"\xff", BUNDLE[:-5], b'{"mediaType": "v9"}', b"{" * 999]
)
def test_a_line_that_is_no_bundle_is_listed_with_its_problem(line):
    first, second = read_lines(line + b"\n" + BUNDLE + b"\n")
    assert first.bundle is None
    assert first.problem is not None
    assert first.problem.code in {"BUNDLE_MALFORMED", "BUNDLE_UNSUPPORTED"}
    assert second.bundle is not None


def test_an_empty_store_has_no_lines():
    assert read_lines(b"") == read_lines(b"\n \n\t\r\n") == ()


def test_a_store_beyond_its_limits_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "STORE_LINES", 3)
    assert len(read_lines(b"x\nx\nx\n")) == 3
    assert refused(lambda: read_lines(b"x\nx\nx\nx\n")).code == "ATTESTATION_STORE_UNUSABLE"
    monkeypatch.setattr(limits, "STORE_BYTES", 3)
    assert refused(lambda: read_lines(b"x\nx\n")).code == "ATTESTATION_STORE_UNUSABLE"


def test_reading_a_store_touches_no_path():
    assert not Path("model.intoto.jsonl").exists()


def test_a_lock_somebody_holds_for_ever_ends_in_a_clear_error(tmp_path, monkeypatch):
    import modelsign.attest.store as module  # noqa: PLC0415 - to make the wait short

    path = tmp_path / "s.jsonl"
    path.write_bytes(BUNDLE + b"\n")
    monkeypatch.setattr(module, "_LOCK_PAUSE", 0.001)
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        assert refused(lambda: append_line(path, BUNDLE)).code == "ATTESTATION_STORE_LOCKED"
    finally:
        os.close(descriptor)
    assert path.read_bytes() == BUNDLE + b"\n"
    assert append_line(path, BUNDLE) == 2
