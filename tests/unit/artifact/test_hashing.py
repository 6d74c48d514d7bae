"""Every byte is hashed once, in constant memory, and a file that changes meanwhile is refused."""

from __future__ import annotations

import hashlib
import os
import resource
import sys
from typing import TYPE_CHECKING

import pytest
from blake3 import blake3
from refusals import build, refusal, refused_with

from modelsign.artifact import hashing, shards
from modelsign.artifact.hashing import hash_artifact, hash_descriptor, hash_model, hash_shards
from modelsign.artifact.manifest import Serialization, tree_digest
from modelsign.artifact.model import open_artifact
from modelsign.artifact.snapshot import take_snapshot

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
        monkeypatch.setattr(shards.os, "readv", broken)
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


def listed(model: Path, algorithm: str, shard_size: int | None) -> dict[str, str]:
    """What a manifest lists, computed the plain way."""
    new = blake3 if algorithm == "blake3" else getattr(hashlib, algorithm)
    found = {}
    for path in model.rglob("*"):
        if path.is_file():
            data, name = path.read_bytes(), str(path.relative_to(model))
            if shard_size is None:
                found[name] = new(data).hexdigest()
                continue
            for start in range(0, len(data), shard_size):
                end = min(start + shard_size, len(data))
                found[f"{name}:{start}:{end}"] = new(data[start:end]).hexdigest()
    return found


@pytest.mark.parametrize("tree", [True, False])
@pytest.mark.parametrize("threads", [1, 3, 12])
@pytest.mark.parametrize("shard_size", [None, 1000, 65536, 1_500_000, 10**9])
@pytest.mark.parametrize("algorithm", ["sha256", "blake2b", "blake3"])
def test_one_pass_gives_what_is_listed_and_the_whole_files(
    model: Path, algorithm: str, shard_size: int | None, threads: int, *, tree: bool
) -> None:
    counted: list[int] = []
    with open_artifact(model) as artifact:
        found = hash_model(
            artifact, Serialization(algorithm, shard_size), tree=tree, threads=threads, progress=counted.append
        )
    assert found.listed == listed(model, algorithm, shard_size)
    assert found.whole == (expected(model) if tree or (algorithm, shard_size) == ("sha256", None) else {})
    assert found.sizes == {f"{number % 3}/f{size}": size for number, size in enumerate(SIZES)}
    assert sum(counted) == sum(SIZES)
    assert found.tree_digest == (tree_digest(expected(model)) if found.whole else None)


@pytest.mark.parametrize("algorithm", ["sha256", "blake2b"])
def test_a_second_thread_takes_the_second_digest(
    tmp_path: Path, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build(tmp_path / "m", {"w": os.urandom(9_000_000)})
    monkeypatch.setattr(hashing, "PIECE", 1000)
    with open_artifact(model) as artifact:
        found = hash_model(artifact, Serialization(algorithm, 4_000_000), threads=4)
    assert found.listed == listed(model, algorithm, 4_000_000)
    assert found.whole == expected(model)


def test_a_sealed_copy_keeps_its_digests_and_gives_others(model: Path) -> None:
    with open_artifact(model) as artifact, take_snapshot(artifact) as snapshot:
        (model / "1/f1").unlink()
        found = hash_model(snapshot, Serialization("blake3", 1000))
        assert found.whole == dict(snapshot.digests)
        assert len(found.listed) == sum(-(-size // 1000) for size in SIZES)
        assert found.sizes == {entry.name: entry.size for entry in snapshot.files}


def test_a_file_of_another_size_than_expected_gets_no_shards(model: Path) -> None:
    expected_sizes = {"0/f0": 0, "1/f1": 1, "2/f4096": 4095, "2/f5000000": 4_999_999, "1/f3000001": 3_000_001}
    for tree in (True, False):
        with open_artifact(model) as artifact:
            found = hash_model(artifact, Serialization("sha256", 2_000_000), tree=tree, expected=expected_sizes)
        assert sorted(found.listed) == ["1/f1:0:1", "1/f3000001:0:2000000", "1/f3000001:2000000:3000001"]
        assert len(found.sizes) == len(SIZES)


def test_shards_can_be_hashed_alone_and_in_any_order(model: Path) -> None:
    spans = {"2/f5000000": [(4_000_000, 5_000_000), (0, 1_000_000)], "1/f1": [(0, 1)]}
    every = listed(model, "blake2b", 1_000_000)
    with open_artifact(model) as artifact:
        found = hash_shards(artifact, "blake2b", spans).listed
    assert found == {name: every[name] for name in found}
    assert len(found) == 3


def test_a_file_cut_while_its_shards_are_hashed_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_artifact(model) as artifact:
        monkeypatch.setattr(shards.os, "preadv", lambda *_: 0)
        refused = refused_with(hash_shards, artifact, "sha256", {"1/f3000001": [(0, 3_000_001)]})
    assert refused == "FILE_CHANGED_WHILE_READ"


def test_a_file_written_to_while_its_shards_are_hashed_is_refused(model: Path) -> None:
    path = model / "2/f5000000"
    os.utime(path, (1, 1))

    def disturb(_: int) -> None:
        with path.open("r+b") as stream:
            stream.write(b"other")

    with open_artifact(model) as artifact:
        for tree in (True, False):
            assert (
                refused_with(hash_model, artifact, Serialization("sha256", 10**6), tree=tree, progress=disturb)
                == "FILE_CHANGED_WHILE_READ"
            )


def test_an_algorithm_nobody_knows_is_unsupported(model: Path) -> None:
    with open_artifact(model) as artifact:
        assert refused_with(hash_model, artifact, Serialization("md5")) == "HASH_UNSUPPORTED"


def test_blake3_without_its_package_says_what_to_install(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blake3", None)
    with open_artifact(model) as artifact:
        fault = refusal(hash_model, artifact, Serialization("blake3"))
    assert (fault.code, fault.exit_status) == ("HASH_UNSUPPORTED", 3)
    assert "modelsign[blake3]" in fault.advice


def test_a_thread_that_ends_without_a_result_is_an_internal_fault(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing._Work, "hash_large", lambda self: self.large.clear())
    with open_artifact(model) as artifact:
        assert refused_with(hash_model, artifact) == "INTERNAL"


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
