"""Every byte is hashed once, in constant memory, and a file that changes meanwhile is refused."""

from __future__ import annotations

import hashlib
import os
import resource
from typing import TYPE_CHECKING

import pytest
from refusals import build, refused_with

from modelsign.artifact import hashing
from modelsign.artifact.hashing import hash_artifact, hash_descriptor, hash_ranges
from modelsign.artifact.model import open_artifact

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (0, 1, 4096, 65535, 65536, 65537, 1048576, 3000001, 5000000)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    contents = {f"{number % 3}/f{size}": os.urandom(size) for number, size in enumerate(SIZES)}
    return build(tmp_path / "m", contents)


def expected(model: Path, algorithm: str = "sha256") -> dict[str, str]:
    return {
        str(path.relative_to(model)): hashlib.new(algorithm, path.read_bytes()).hexdigest()
        for path in model.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
@pytest.mark.parametrize("algorithm", ["sha256", "blake2b"])
def test_digests_are_hashlibs_for_every_size_and_number_of_threads(
    model: Path, algorithm: str, threads: int | None
) -> None:
    with open_artifact(model) as artifact:
        assert hash_artifact(artifact, algorithm=algorithm, threads=threads) == expected(model, algorithm)


def test_single_files_small_and_large_are_hashed(model: Path) -> None:
    for path in (model / "1/f1", model / "2/f5000000"):
        with open_artifact(path) as artifact:
            assert hash_artifact(artifact) == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


def test_only_some_files_can_be_hashed(model: Path) -> None:
    with open_artifact(model) as artifact:
        assert hash_artifact(artifact, names=["0/f0", "0/f0"]) == {"0/f0": hashlib.sha256(b"").hexdigest()}
        with pytest.raises(KeyError):
            hash_artifact(artifact, names=["nowhere"])


def test_progress_counts_every_byte(model: Path) -> None:
    counted: list[int] = []
    with open_artifact(model) as artifact:
        hash_artifact(artifact, progress=counted.append)
    assert sum(counted) == sum(SIZES)


def test_short_reads_do_not_cut_a_file(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.read
    monkeypatch.setattr(hashing.os, "read", lambda descriptor, count: real(descriptor, min(count, 1000)))
    with open_artifact(model) as artifact:
        assert hash_artifact(artifact) == expected(model)


def test_a_small_file_that_vanished_is_refused(model: Path) -> None:
    with open_artifact(model) as artifact:
        (model / "1/f1").unlink()
        assert refused_with(hash_artifact, artifact) == "FILE_CHANGED_WHILE_READ"


def test_a_large_file_that_vanished_is_refused(model: Path) -> None:
    with open_artifact(model) as artifact:
        (model / "2/f5000000").rename(model / "elsewhere")
        assert refused_with(hash_artifact, artifact, names=["2/f5000000"]) == "FILE_CHANGED_WHILE_READ"


def test_a_file_that_cannot_be_read_is_undecided(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    with open_artifact(model) as artifact:
        monkeypatch.setattr(hashing.os, "readv", broken)
        assert refused_with(hash_artifact, artifact) == "FILE_UNREADABLE"
        monkeypatch.setattr(hashing.os, "read", broken)
        assert refused_with(hash_artifact, artifact) == "FILE_UNREADABLE"


@pytest.mark.parametrize("what", ["grow", "shrink", "rewrite"])
def test_a_large_file_written_to_while_it_is_read_is_refused(model: Path, what: str) -> None:
    path = model / "2/f5000000"
    os.utime(path, (1, 1))

    def disturb(_: int) -> None:
        with path.open("r+b") as stream:
            if what == "grow":
                stream.seek(0, 2)
                stream.write(b"more")
            elif what == "shrink":
                stream.truncate(10)
            else:
                stream.write(b"other")

    with open_artifact(path) as artifact:
        assert refused_with(hash_artifact, artifact, progress=disturb) == "FILE_CHANGED_WHILE_READ"


def test_an_interrupt_in_the_main_thread_stops_the_others(model: Path) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with open_artifact(model) as artifact, pytest.raises(KeyboardInterrupt):
        hash_artifact(artifact, progress=interrupt, threads=2)


def test_ranges_must_cover_a_file_end_to_end(model: Path) -> None:
    path = model / "1/f3000001"
    data = path.read_bytes()
    half = [(0, 1_500_000), (1_500_000, 3_000_001)]

    def of(ranges: list[tuple[int, int]]) -> list[str] | None:
        return hash_ranges(os.open(path, os.O_RDONLY), "f", ranges, algorithm="sha256")

    assert of(half) == [hashlib.sha256(data[start:end]).hexdigest() for start, end in half]
    for bad in ([], half[:1], half[1:], [(0, 10), (11, 3_000_001)], [(0, 3_000_002)], half[::-1]):
        assert of(bad) is None


def test_a_file_cut_while_its_ranges_are_hashed_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = model / "1/f3000001"
    monkeypatch.setattr(hashing.os, "readv", lambda *_: 0)
    descriptor = os.open(path, os.O_RDONLY)
    assert refused_with(hash_ranges, descriptor, "f", [(0, 3000001)], algorithm="sha256") == "FILE_CHANGED_WHILE_READ"


def test_memory_stays_flat_in_the_size_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as stream:
        stream.truncate(300 * 1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    descriptor = os.open(path, os.O_RDONLY)
    hash_descriptor(descriptor, "big")
    os.close(descriptor)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_an_empty_file_exchanged_for_a_pipe_is_noticed(tmp_path: Path) -> None:
    model = build(tmp_path / "m", {"w": "1", "empty": ""})
    with open_artifact(model) as artifact:
        (model / "empty").unlink()
        os.mkfifo(model / "empty")
        assert refused_with(hash_artifact, artifact) == "FILE_CHANGED_WHILE_READ"
