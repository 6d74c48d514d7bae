"""Compressed streams: unpacked within a budget, judged as far as they go, never an exception."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import tempfile
import zlib

import joblib
import lz4.frame
import numpy as np
import packed_files
import pytest

from modelsign import limits
from modelsign.artifact.containers.stream import CODECS, unpack
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = b"the quick brown fox " * 5000
PACK = {
    "deflate": lambda data: zlib.compress(data)[2:-4],
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "lz4": lz4.frame.compress,
    "zstd": zstd.compress,
}
SKIPPED = b"\x53\x2a\x4d\x18\x05\0\0\0notes"


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


@pytest.mark.parametrize("codec", PACK)
def test_other_bytes_behind_a_stream_are_a_fault(codec):
    assert unpacked(codec, PACK[codec](TEXT) + b"other") == (TEXT, "PACKED_STREAM_TRAILING")


@pytest.mark.parametrize("codec", ["gzip", "bz2", "xz", "lz4", "zstd"])
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


def test_a_row_of_many_tiny_streams_is_one_stream_up_to_a_budget(monkeypatch):
    packed = gzip.compress(b"a") * 5000
    assert unpacked("gzip", packed) == (b"a" * 5000, None)
    monkeypatch.setattr(limits, "SCAN_FRAMES", 1000)
    assert unpacked("gzip", packed) == (b"a" * 1000, "SCAN_BUDGET")


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_frames_of_a_user_s_data_are_skipped(codec):
    packed = SKIPPED + PACK[codec](TEXT) + SKIPPED + PACK[codec](b"more") + SKIPPED
    assert unpacked(codec, packed) == (TEXT + b"more", None)
    assert scan_file(BytesReading(SKIPPED * 2 + PACK[codec](packed_files.EVIL)), "a").outcome is Outcome.UNSAFE


def test_frames_of_a_user_s_data_alone_are_unsupported():
    scan = scan_file(BytesReading(SKIPPED), "a")
    assert (scan.format, scan.outcome) == ("skippable", Outcome.UNSUPPORTED)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_every_truncation_and_every_flipped_bit_of_a_frame_ends(codec):
    packed = PACK[codec](bytes(range(256)) * 4)
    for cut in range(len(packed)):
        assert unpacked(codec, packed[:cut])[1] == "PACKED_STREAM_BROKEN"
    for place in range(min(len(packed), 200) * 8):
        flipped = bytearray(packed)
        flipped[place // 8] ^= 1 << place % 8
        assert unpacked(codec, bytes(flipped), most=2000)[1] in {
            None, "PACKED_STREAM_BROKEN", "PACKED_STREAM_TRAILING", "SCAN_BUDGET",
        }  # fmt: skip


def test_blocks_of_lz4_that_are_whole_come_out_of_a_frame_that_breaks_off():
    noise = np.random.default_rng(0).bytes(100_000)
    content = noise + bytes(8_000_000)
    packed = lz4.frame.compress(content, block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    data, fault = unpacked("lz4", packed[:-10_000])
    assert fault == "PACKED_STREAM_BROKEN"
    assert len(data) == 4 * 1024 * 1024
    assert content.startswith(data)


@pytest.mark.parametrize("exponent", [28, 31])
def test_a_window_of_zstandard_beyond_the_limit_is_a_budget(exponent):
    compressor = zstd.ZstdCompressor(
        options={
            zstd.CompressionParameter.window_log: exponent,
            zstd.CompressionParameter.content_size_flag: 0,
        }
    )
    head = compressor.compress(TEXT) + compressor.flush()
    assert unpacked("zstd", head) == (b"", "SCAN_BUDGET")


def test_a_single_segment_of_zstandard_beyond_the_limit_is_a_budget():
    head = b"\x28\xb5\x2f\xfd" + bytes([0xA0]) + (2**31).to_bytes(4, "little")
    assert unpacked("zstd", head + bytes(40)) == (b"", "SCAN_BUDGET")


def test_the_strongest_level_of_zstandard_is_within_the_limit():
    assert unpacked("zstd", zstd.compress(TEXT, level=22)) == (TEXT, None)


def test_frames_that_need_a_dictionary_are_broken():
    words = zstd.train_dict([b"%d words of a model %d" % (n, n * n) for n in range(500)], 2000)
    assert unpacked("zstd", zstd.compress(TEXT, zstd_dict=words)) == (b"", "PACKED_STREAM_BROKEN")
    with_dictionary = b"\x04\x22\x4d\x18" + bytes([0x61, 0x40]) + bytes(40)
    assert unpacked("lz4", with_dictionary) == (b"", "PACKED_STREAM_BROKEN")


@pytest.mark.parametrize("how", [("lz4", 3), ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_what_joblib_writes_under_any_compression_is_clean(tmp_path, how):
    path = tmp_path / "model.joblib"
    joblib.dump({"weights": np.arange(1000.0), "names": ["a", "b"]}, path, compress=how)
    scan = scan_file(BytesReading(path.read_bytes()), "model.joblib")
    assert (scan.format, scan.outcome, scan.findings) == ("compressed", Outcome.CLEAN, ())


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("name", ["model.joblib", "model.pkl.zst", "README.md", "a.lz4"])
def test_a_payload_in_a_frame_is_unsafe_under_any_name(codec, name):
    packed = PACK[codec](packed_files.EVIL)
    assert scan_file(BytesReading(packed), name).outcome is Outcome.UNSAFE
    inside = PACK[codec](packed_files.tar(("inner.dat", packed)))
    assert scan_file(BytesReading(inside), name).outcome is Outcome.UNSAFE


def test_old_frames_and_dictionaries_are_named():
    for head, wanted in ((b"\x02\x21\x4c\x18", "lz4-legacy"), (b"\x37\xa4\x30\xec", "zstd-dictionary")):
        scan = scan_file(BytesReading(head + bytes(30)), "a")
        assert (scan.format, scan.outcome) == (wanted, Outcome.UNSUPPORTED)
