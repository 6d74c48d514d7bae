"""7z and RAR archives: what their headers say is judged, members are read where they can be, nothing else is clean."""

from __future__ import annotations

import bz2
import lzma
import zlib

import archive_files
import pytest
from archive_files import LINK, PLAIN, Entry, rar4, rar5, sevenzip
from packed_files import EVIL

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

WRITERS = {"7z": sevenzip, "rar5": rar5, "rar4": rar4}
every_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def scanned(data, name="file"):
    return scan_file(BytesReading(data), name)


def rules(data):
    return {finding.rule for finding in scanned(data).findings}


@every_writer
def test_an_archive_of_plain_members_is_clean_under_any_name(write):
    for name in ("a.7z", "a.rar", "model.pt"):
        scan = scanned(write(*PLAIN), name)
        assert (scan.outcome, scan.findings) == (Outcome.CLEAN, ())
        assert scan.format in {"7z", "rar"}


@every_writer
def test_a_payload_in_a_member_is_unsafe_and_named(write):
    scan = scanned(write(*PLAIN, Entry("sub/m.dat", EVIL)))
    assert scan.outcome is Outcome.UNSAFE
    assert {finding.member for finding in scan.findings} == {"sub/m.dat"}


@every_writer
@pytest.mark.parametrize("name", ["../x.json", "/x.json", "C:\\x.json", "a/../../x.json", "..\\x.json"])
def test_a_name_that_leaves_the_folder_is_unsafe(write, name):
    assert "archive-path-escapes" in rules(write(Entry(name)))


@every_writer
@pytest.mark.parametrize("name", ["aux.json", "x.json:stream", "x.json."])
def test_a_name_that_windows_takes_for_another_is_unverified_cve_2025_8088(write, name):
    assert rules(write(Entry(name))) >= {"archive-name-reserved"}


@every_writer
def test_set_user_id_is_unverified_and_a_device_unsafe(write):
    assert rules(write(Entry("x.json", mode=0o104755))) == {"archive-privileged-mode"}
    assert "archive-special-file" in rules(write(Entry("x.json", mode=0o020644)))


@every_writer
def test_members_that_stand_twice_are_incomplete_and_both_judged(write):
    scan = scanned(write(Entry("a.json"), Entry("A.json", EVIL)))
    assert {"archive-duplicate-member", "pickle-execute"} == {finding.rule for finding in scan.findings}


@pytest.mark.parametrize("write", [sevenzip, rar4])
def test_links_that_stand_in_a_member_s_bytes_cve_2025_11001(write):
    assert "archive-link-escapes" in rules(write(Entry("x", b"../../etc", LINK)))
    assert "archive-link" in rules(write(*PLAIN, Entry("x", b"README.md", LINK)))
    assert "archive-path-escapes" in rules(write(Entry("x", b"sub", LINK), Entry("x/a.json")))


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 9])
def test_redirections_of_rar_5_are_links(kind):
    assert "archive-link-escapes" in rules(rar5(Entry("x", b"", link=(kind, "/etc/passwd"))))
    assert "archive-link" in rules(rar5(*PLAIN, Entry("x", b"", link=(kind, "README.md"))))


@every_writer
def test_bytes_behind_the_archive_are_incomplete(write):
    assert rules(write(*PLAIN) + b"more") == {"archive-header-odd"}


@every_writer
def test_an_archive_that_is_cut_short_is_never_clean(write):
    data = write(*PLAIN, Entry("m.dat", EVIL))
    for cut in range(8, len(data), 3):
        assert scanned(data[:cut]).outcome is not Outcome.CLEAN


@every_writer
def test_every_flipped_bit_has_an_answer(write):
    data = write(*PLAIN, Entry("x", b"README.md", LINK), Entry("m.dat", EVIL))
    for place in range(0, len(data) * 8, 7):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        scanned(bytes(flipped))


def test_what_rar_packs_encrypts_or_splits_is_unsupported_and_said():
    for entry, words in (
        (Entry("x.json", method=3), "RAR's own method"),
        (Entry("x.json", flags=0x1000), "encrypted"),
        (Entry("x.json", flags=0x10), "split"),
    ):
        scan = scanned(rar5(*PLAIN, entry))
        assert scan.outcome is Outcome.UNSUPPORTED
        assert words in scan.findings[0].message
    for entry, words in ((Entry("x.json", flags=4), "encrypted"), (Entry("x.json", flags=1), "split")):
        assert words in scanned(rar4(*PLAIN, entry)).findings[0].message


def test_encrypted_headers_are_unsupported_and_said():
    for data in (rar5(*PLAIN, head=archive_files.block5(4, bytes(20))), rar4(*PLAIN, flags=0x80)):
        scan = scanned(data)
        assert scan.outcome is Outcome.UNSUPPORTED
        assert "headers are encrypted" in scan.findings[0].message


def test_names_of_rar_4_in_its_own_coding():
    coded = b"x.json\0" + bytes([0x04, 0b01000000]) + b"\x1f" + b".js" + bytes([0]) + b"on"
    archive = rar4(Entry("y.json"))
    plain = archive.replace(b"y.json", b"y.json")
    assert plain == archive
    scan = scanned(rar4(Entry(coded.decode("latin-1"), EVIL, flags=0x200)))
    assert any(finding.member == "\u041f.json" for finding in scan.findings)


RAW = [{"id": lzma.FILTER_LZMA2, "dict_size": 65536}]
OLD = [{"id": lzma.FILTER_LZMA1, "dict_size": 65536}]
DELTA = [{"id": lzma.FILTER_DELTA, "dist": 4}, *RAW]
CODERS = {
    "lzma2": (b"\x01\x21\x21\x01\x08", lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=RAW)),
    "lzma": (
        b"\x01\x23\x03\x01\x01\x05\x5d\x00\x00\x01\x00",
        lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=OLD),
    ),
    "bzip2": (b"\x01\x03\x04\x02\x02", bz2.compress),
    "deflate": (b"\x01\x03\x04\x01\x08", lambda data: zlib.compress(data)[2:-4]),
    "delta": (
        b"\x02\x21\x03\x01\x03\x21\x21\x01\x08\x00\x01",
        lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=DELTA),
    ),
}


@pytest.mark.parametrize("name", CODERS)
def test_members_that_a_codec_can_unpack_are_judged(name):
    coders, pack = CODERS[name]
    good = b"".join(entry.data for entry in PLAIN if entry.data)
    assert scanned(sevenzip(*PLAIN, coders=coders, packed=pack(good))).findings == ()
    data = sevenzip(*PLAIN, Entry("m.dat", EVIL), coders=coders, packed=pack(good + EVIL))
    assert scanned(data).outcome is Outcome.UNSAFE
    cut = sevenzip(*PLAIN, Entry("m.dat", EVIL), coders=coders, packed=pack(good + EVIL)[:-8])
    assert scanned(cut).outcome in {Outcome.INCOMPLETE, Outcome.UNSAFE}
    broken = sevenzip(*PLAIN, coders=coders, packed=b"\xff" * 40)
    assert scanned(broken).outcome is Outcome.INCOMPLETE


@pytest.mark.parametrize(
    ("coders", "words"),
    [
        (b"\x01\x03\x03\x04\x01", "PPMd"),
        (b"\x01\x24\x06\xf1\x07\x01\x01\x00", "encrypted by AES"),
        (b"\x01\x14\x03\x03\x01\x1b\x04\x01" + b"\x00\x01\x02\x03", "BCJ2"),
        (b"\x01\x03\x04\x01\x09", "Deflate64"),
        (b"\x01\x02\xff\xff", "methods ffff"),
    ],
)
def test_members_that_no_codec_here_can_unpack_are_unsupported_and_said(coders, words):
    scan = scanned(sevenzip(Entry("x.json"), coders=coders, places=4 if words == "BCJ2" else 1))
    assert scan.outcome is Outcome.UNSUPPORTED
    assert words in scan.findings[0].message


def test_a_large_dictionary_and_a_bomb_are_budgets(monkeypatch):
    coders, pack = CODERS["lzma2"]
    huge = sevenzip(Entry("x.json"), coders=b"\x01\x21\x21\x01\x28", packed=pack(b"{}"))
    assert rules(huge) == {"budget-exceeded"} | ({"broken-format"} & rules(huge))
    monkeypatch.setattr(limits, "SCAN_UNPACKED_BYTES", 10_000)
    monkeypatch.setattr(limits, "SCAN_DEPTH", 1)
    bomb = sevenzip(Entry("x.bin", bytes(5_000_000)), coders=coders, packed=pack(bytes(5_000_000)))
    assert "budget-exceeded" in rules(bomb)


def test_too_many_members_and_a_long_header_are_budgets(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_MEMBERS", 3)
    for write in WRITERS.values():
        assert "budget-exceeded" in rules(write(*PLAIN))
    monkeypatch.undo()
    monkeypatch.setattr(limits, "ARCHIVE_HEADER_BYTES", 20)
    assert rules(sevenzip(*PLAIN)) == rules(sevenzip(*PLAIN, pack_header=True)) == {"budget-exceeded"}


def test_wrong_checksums_of_headers_are_told():
    data = bytearray(sevenzip(*PLAIN))
    data[8] ^= 1
    assert rules(bytes(data)) == {"archive-header-odd"}
    data = bytearray(rar5(*PLAIN))
    data[8] ^= 1
    assert rules(bytes(data)) == {"archive-header-odd"}


def test_what_the_library_writes_is_read():
    py7zr = pytest.importorskip("py7zr")
    import io  # noqa: PLC0415 - with the library alone

    for filters in (
        None,
        [{"id": py7zr.FILTER_COPY}],
        [{"id": py7zr.FILTER_LZMA}],
        [{"id": py7zr.FILTER_ZSTD, "level": 3}],
    ):
        for extra in ({}, {"m.dat": EVIL}):
            buffer = io.BytesIO()
            with py7zr.SevenZipFile(buffer, "w", filters=filters) as target:
                for name, data in {"config.json": b"{}", "README.md": b"hello" * 1000, **extra}.items():
                    target.writestr(data, name)
            assert scanned(buffer.getvalue()).outcome is (Outcome.UNSAFE if extra else Outcome.CLEAN)
