"""What is judged is what is loaded: nobody can write to the private copy."""

from __future__ import annotations

import fcntl
import hashlib
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from refusals import build, refused_with

from modelsign.artifact import snapshot as module
from modelsign.artifact.hashing import hash_artifact
from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot

if TYPE_CHECKING:
    from modelsign.artifact.snapshot import Snapshot


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(
        tmp_path / "m",
        {
            "w.bin": os.urandom(3_000_000),
            "sub/x": "1",
            "empty": "",
            ".gitignore": "*.o",
            ".git/x": "",
            "model.sig": "s",
        },
    )


def taken(model: Path, **options: int) -> Snapshot:
    with open_artifact(model) as artifact:
        return take_snapshot(artifact, **options)


def content(snapshot: Snapshot, name: str) -> bytes:
    with snapshot.open(name) as reading:
        return reading.read_at(0, reading.size)


def test_the_copy_has_the_files_and_digests_of_the_model(model: Path) -> None:
    with open_artifact(model) as artifact, taken(model) as snapshot:
        assert snapshot.files == artifact.files
        assert snapshot.names == artifact.names
        assert hash_artifact(snapshot) == hash_artifact(artifact)
        assert snapshot.digests[".gitignore"] == hashlib.sha256(b"*.o").hexdigest()
        assert hash_artifact(snapshot, names=[".gitignore"]) == {".gitignore": snapshot.digests[".gitignore"]}
        assert (snapshot.name, snapshot.aside, snapshot.evidence) == ("m", (".gitignore",), ())
        assert snapshot.sealed
        for unwanted in (".git/x", "model.sig", "nowhere"):
            with pytest.raises(KeyError):
                snapshot.descriptor(unwanted)


def test_writing_renaming_and_removing_afterwards_does_not_reach_the_copy(model: Path) -> None:
    before = (model / "w.bin").read_bytes()
    with taken(model) as snapshot:
        with (model / "w.bin").open("r+b") as stream:
            stream.write(b"evil")
        assert content(snapshot, "w.bin") == before
        (model / "sub/x").unlink()
        (model / "sub/x").symlink_to("/etc/passwd")
        assert content(snapshot, "sub/x") == b"1"


def test_the_copy_cannot_be_written_to_even_by_its_owner(model: Path) -> None:
    with taken(model) as snapshot:
        descriptor = snapshot.descriptors["w.bin"]
        wanted = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
        assert fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) == wanted
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"evil", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 0)
        fresh = snapshot.descriptor("w.bin")
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(fresh, b"evil")
        os.close(fresh)


def test_descriptors_are_fresh_and_start_at_the_start(model: Path) -> None:
    with taken(model) as snapshot:
        first, second = snapshot.descriptor("sub/x"), snapshot.descriptor("sub/x")
        assert os.read(first, 5) == os.read(second, 5) == b"1"
        os.close(first)
        os.close(second)


def test_a_link_farm_shows_the_copies_to_loaders_that_take_paths(model: Path) -> None:
    with taken(model) as snapshot:
        farm = Path(snapshot.link_farm())
        assert farm.name == "m"
        assert (farm.parent.stat().st_mode & 0o777) == 0o700
        assert {str(path.relative_to(farm)) for path in farm.rglob("*") if path.is_symlink()} == {
            "w.bin",
            "sub/x",
            "empty",
        }
        with (model / "sub/x").open("w") as stream:
            stream.write("evil")
        assert (farm / "sub/x").read_bytes() == b"1"
        with pytest.raises(PermissionError):
            (farm / "sub/x").write_bytes(b"evil")
    assert not farm.parent.exists()
    snapshot.close()


def test_the_link_farm_of_a_single_file_is_a_folder_that_holds_it(model: Path) -> None:
    with taken(model / "w.bin") as snapshot:
        farm = Path(snapshot.link_farm())
        assert (farm / "w.bin").read_bytes() == (model / "w.bin").read_bytes()


def test_a_link_farm_that_cannot_be_made_is_undecided(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with taken(model) as snapshot:
        monkeypatch.setattr(os, "symlink", full)
        assert refused_with(snapshot.link_farm) == "SNAPSHOT_FAILED"


def test_a_model_larger_than_the_limit_is_refused(model: Path) -> None:
    total = sum(path.stat().st_size for path in (model / "w.bin", model / "sub/x", model / ".gitignore"))
    taken(model, most_bytes=total).close()
    with open_artifact(model) as artifact:
        assert refused_with(take_snapshot, artifact, most_bytes=total - 1) == "SNAPSHOT_TOO_LARGE"


def test_more_files_than_descriptors_allow_are_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10, 20))
    with open_artifact(model) as artifact:
        assert refused_with(take_snapshot, artifact) == "SNAPSHOT_FAILED"


def test_the_soft_limit_on_descriptors_is_raised(model: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (50, hard))
        taken(model).close()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 50
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("change", [b"x" * 4_000_000, b"short", b"y" * 3_000_000])
def test_a_file_written_to_while_it_is_copied_is_refused(
    model: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    real = module._new_copy
    os.utime(model / "w.bin", (1, 1))

    def disturb(snapshot: Snapshot) -> int:
        (model / "w.bin").write_bytes(change)
        return real(snapshot)

    monkeypatch.setattr(module, "_new_copy", disturb)
    with open_artifact(model / "w.bin") as artifact:
        assert refused_with(take_snapshot, artifact) == "FILE_CHANGED_WHILE_READ"


@pytest.mark.parametrize(
    ("call", "code"), [("readv", "FILE_UNREADABLE"), ("write", "SNAPSHOT_FAILED"), ("memfd_create", "SNAPSHOT_FAILED")]
)
def test_faults_of_the_system_are_undecided_and_leave_nothing_open(
    model: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: str
) -> None:
    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with open_artifact(model) as artifact:
        monkeypatch.setattr(module.os, call, broken)
        assert refused_with(take_snapshot, artifact) == code
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_without_memfd_an_unlinked_file_takes_its_place_and_says_so(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(module.os, "memfd_create")
    with taken(model) as snapshot:
        assert not snapshot.sealed
        assert content(snapshot, "sub/x") == b"1"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.pwrite(snapshot.descriptors["sub/x"], b"evil", 0)


def test_without_memfd_and_without_room_it_is_undecided(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(module.os, "memfd_create")
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/nowhere")
    with open_artifact(model) as artifact:
        assert refused_with(take_snapshot, artifact) == "SNAPSHOT_FAILED"
