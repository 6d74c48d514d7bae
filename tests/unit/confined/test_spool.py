"""One unnamed file for all the streams of a child."""

from __future__ import annotations

import os
import random
import tempfile

import pytest

from modelsign.confined.spool import SharedFile

MIB = 1024 * 1024


@pytest.fixture
def shared():
    with tempfile.TemporaryFile() as file:
        yield SharedFile(file.fileno())


def read(share, offset, length):
    share.seek(offset)
    return share.read(length)


def test_streams_that_are_written_in_turns_do_not_mix(shared):
    randomness = random.Random(4)
    shares, written = [shared.share() for _ in range(5)], [b""] * 5
    for _ in range(200):
        which = randomness.randrange(5)
        data = randomness.randbytes(randomness.choice([1, 1000, 300_000]))
        shares[which].write(data)
        written[which] += data
    for share, data in zip(shares, written, strict=True):
        assert read(share, 0, len(data) + 10) == data
        for _ in range(50):
            offset, length = randomness.randrange(len(data) + 5), randomness.choice([0, 1, 5000, 3 * MIB])
            assert read(share, offset, length) == data[offset : offset + length]


def test_room_that_is_given_back_is_used_again(shared):
    kept = shared.share()
    kept.write(b"kept")
    for _ in range(10):
        share = shared.share()
        share.write(bytes(3 * MIB))
        share.close()
        share.close()
    assert os.fstat(shared.descriptor).st_size <= 4 * MIB
    assert read(kept, 0, 10) == b"kept"
    kept.close()
    assert os.fstat(shared.descriptor).st_size == 0


def test_room_that_was_used_before_holds_nothing_of_it(shared):
    kept, first = shared.share(), shared.share()
    kept.write(b"kept")
    first.write(b"secret" * 1000)
    first.close()
    second = shared.share()
    second.write(b"new")
    assert read(second, 0, 6000) == b"new"


def test_a_file_that_was_cut_short_is_an_error(shared):
    share = shared.share()
    share.write(bytes(2 * MIB))
    os.ftruncate(shared.descriptor, MIB)
    with pytest.raises(OSError, match="shorter than what was written"):
        read(share, 0, 2 * MIB)


def test_a_file_that_cannot_be_written_is_an_error():
    descriptor = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(OSError, match="descriptor"):
        SharedFile(descriptor).share().write(b"x")
    os.close(descriptor)
