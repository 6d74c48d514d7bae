"""A reading's digest is that of the bytes it handed out, whoever writes in between."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsign.artifact.reading import BLOCK, BytesReading, FileReading, Slice
from modelsign.errors import Undecided

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def content() -> bytes:
    return b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(BLOCK * 7 // 32)) + b"tail"


def reading(path: Path, content: bytes) -> FileReading:
    path.write_bytes(content)
    return FileReading(os.open(path, os.O_RDONLY), path.name)


def test_any_window_is_the_files_bytes(tmp_path: Path, content: bytes) -> None:
    with reading(tmp_path / "w", content) as source:
        for offset in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK - 5, len(content) - 3, len(content)):
            for length in (0, 1, 10, BLOCK, 2 * BLOCK + 7, len(content)):
                assert source.read_at(offset, length) == content[offset : offset + length]


def test_windows_outside_the_file_are_empty(tmp_path: Path) -> None:
    with reading(tmp_path / "w", b"abc") as source:
        assert source.read_at(-1, 2) == source.read_at(3, 1) == source.read_at(99, 1) == source.read_at(0, -1) == b""


@pytest.mark.parametrize("order", ["untouched", "forwards", "backwards", "tail first", "all twice"])
def test_the_digest_is_the_files_whatever_was_read_before(tmp_path: Path, content: bytes, order: str) -> None:
    with reading(tmp_path / "w", content) as source:
        blocks = list(range(0, len(content), BLOCK))
        touched = {
            "untouched": [],
            "forwards": blocks,
            "backwards": blocks[::-1],
            "tail first": [blocks[-1], *blocks],
            "all twice": blocks + blocks,
        }[order]
        for offset in touched:
            source.read_at(offset, 100)
        assert source.sha256() == hashlib.sha256(content).hexdigest() == source.sha256()


def test_an_empty_file_has_the_digest_of_nothing(tmp_path: Path) -> None:
    with reading(tmp_path / "w", b"") as source:
        assert source.size == 0
        assert source.sha256() == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("block", [0, 3, 7])
def test_a_write_to_a_block_that_was_read_is_refused(tmp_path: Path, content: bytes, block: int) -> None:
    path = tmp_path / "w"
    with reading(path, content) as source:
        source.read_at(block * BLOCK, 1)
        for number in range(1, 6):  # push it out of the cache
            source.read_at((block + number) % 7 * BLOCK, 1)
        with path.open("r+b") as writer:
            writer.seek(block * BLOCK)
            writer.write(b"\xff\xff\xff\xff")
        if source._hashed <= block:
            with pytest.raises(Undecided, match="written to while it was read") as caught:
                source.sha256()
            assert caught.value.code == "FILE_CHANGED_WHILE_READ"
        else:
            assert source.sha256() == hashlib.sha256(content).hexdigest()
            with pytest.raises(Undecided, match="written to while it was read"):
                source.read_at(block * BLOCK, 1)


def test_a_write_to_a_block_nobody_read_gives_the_new_bytes_digest(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w"
    with reading(path, content) as source:
        source.read_at(0, 1)
        with path.open("r+b") as writer:
            writer.seek(5 * BLOCK)
            writer.write(b"\xff")
        assert source.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [10, 8 * BLOCK])
def test_a_file_that_changes_its_size_is_refused(tmp_path: Path, content: bytes, size: int) -> None:
    path = tmp_path / "w"
    with reading(path, content) as source:
        os.truncate(path, size)
        with pytest.raises(Undecided) as caught:
            source.sha256()
        assert caught.value.code == "FILE_CHANGED_WHILE_READ"


def test_a_rename_does_not_reach_an_open_reading(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w"
    with reading(path, content) as source:
        other = tmp_path / "other"
        other.write_bytes(b"evil")
        other.rename(path)
        assert source.sha256() == hashlib.sha256(content).hexdigest()


def test_an_error_of_the_disk_is_named(tmp_path: Path) -> None:
    with FileReading(os.open(tmp_path, os.O_RDONLY), "a folder") as source:
        with pytest.raises(Undecided) as caught:
            source.read_at(0, 1)
        assert caught.value.code == "FILE_UNREADABLE"
    source.close()


@given(st.binary(max_size=200), st.integers(0, 250), st.integers(0, 250), st.integers(-5, 250), st.integers(-5, 250))
def test_a_slice_is_the_same_as_slicing(data: bytes, start: int, size: int, offset: int, length: int) -> None:
    part = Slice(BytesReading(data), start, size)
    expected = data[start : start + size]
    assert part.size == len(expected)
    wanted = expected[offset : offset + length] if offset >= 0 and length > 0 else b""
    assert part.read_at(offset, length) == wanted


def test_bytes_have_their_own_digest() -> None:
    assert BytesReading(b"abc").sha256() == hashlib.sha256(b"abc").hexdigest()
