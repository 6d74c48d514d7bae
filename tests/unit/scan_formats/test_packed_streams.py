"""Compressed streams: unpacked within a budget, judged as far as they go, never an exception."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
import zlib

import pytest

from modelsign import limits
from modelsign.artifact.containers.stream import CODECS, unpack
from modelsign.artifact.reading import BytesReading

TEXT = b"the quick brown fox " * 5000
PACK = {
    "deflate": lambda data: zlib.compress(data)[2:-4],
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
}


def unpacked(codec, data, most=10**7):
    with unpack(BytesReading(data), codec, most) as stream:
        return stream.read_at(0, stream.size), stream.fault and stream.fault.code


def test_every_codec_has_a_test():
    assert set(PACK) == set(CODECS)


@pytest.mark.parametrize("codec", PACK)
def test_a_whole_stream_unpacks_without_fault(codec):
    assert unpacked(codec, PACK[codec](TEXT)) == (TEXT, None)
    assert unpacked(codec, PACK[codec](b"")) == (b"", None)


@pytest.mark.parametrize("codec", PACK)
def test_a_stream_that_is_cut_short_gives_what_came_before(codec):
    noise = bytes(range(256)) * 400
    data, fault = unpacked(codec, PACK[codec](TEXT + noise)[:-30])
    assert fault == "PACKED_STREAM_BROKEN"
    assert (TEXT + noise).startswith(data)


@pytest.mark.parametrize("codec", ["zlib", "gzip", "bz2", "xz"])
def test_a_damaged_stream_is_a_fault(codec):
    packed = bytearray(PACK[codec](TEXT))
    packed[len(packed) // 2] ^= 0xFF
    assert unpacked(codec, bytes(packed))[1] == "PACKED_STREAM_BROKEN"


@pytest.mark.parametrize("codec", ["deflate", "zlib", "lzma", "gzip", "bz2", "xz"])
def test_other_bytes_behind_a_stream_are_a_fault(codec):
    assert unpacked(codec, PACK[codec](TEXT) + b"other") == (TEXT, "PACKED_STREAM_TRAILING")


@pytest.mark.parametrize("codec", ["gzip", "bz2", "xz"])
def test_streams_that_follow_each_other_are_one(codec):
    assert unpacked(codec, PACK[codec](TEXT) + PACK[codec](b"more")) == (TEXT + b"more", None)


@pytest.mark.parametrize("codec", ["gzip", "xz"])
def test_zeros_behind_a_stream_are_padding(codec):
    assert unpacked(codec, PACK[codec](TEXT) + bytes(400_000)) == (TEXT, None)


@pytest.mark.parametrize("codec", PACK)
def test_the_budget_ends_a_bomb(codec):
    data, fault = unpacked(codec, PACK[codec](bytes(5_000_000)), most=100_000)
    assert (len(data), fault) == (100_000, "SCAN_BUDGET")


def test_long_streams_go_to_a_file_and_read_the_same(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_MEMORY_BYTES", 1000)
    noise = bytes(range(256)) * 2000
    with unpack(BytesReading(zlib.compress(noise)), "zlib", 10**7) as stream:
        assert stream.size == len(noise) == stream.unpacked
        assert stream.read_at(256_000, 700) == noise[256_000:256_700]
        assert stream.read_at(10, 5) == noise[10:15]
        assert stream.read_at(len(noise) - 2, 50) == noise[-2:]
        assert stream.read_at(-1, 5) == stream.read_at(0, 0) == b""


def test_a_full_disk_is_a_fault_and_no_exception(monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(limits, "SCAN_MEMORY_BYTES", 10)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert unpacked("zlib", zlib.compress(TEXT))[1] == "SCAN_SPOOL_FAILED"


def test_lzma_may_not_ask_for_much_memory(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_LZMA_MEMORY_BYTES", 1024)
    assert unpacked("xz", lzma.compress(TEXT)) == (b"", "PACKED_STREAM_BROKEN")
