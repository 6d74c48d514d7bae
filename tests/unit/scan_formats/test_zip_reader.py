"""The ZIP reader: ordinary archives are flawless, and every place where readers differ is a flaw."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import model_files
import pytest

from modelsign import limits
from modelsign.artifact.containers.flaw import FlawKind
from modelsign.artifact.containers.zip import looks_like_zip, open_member, read_archive
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError

PAIR = {"a.txt": b"alpha", "dir/b.txt": b"beta" * 100}


def read(data):
    return read_archive(BytesReading(data))


def kinds(data):
    return {flaw.kind for flaw in read(data).flaws}


def contents(data):
    reading = BytesReading(data)
    found = {}
    for member in read_archive(reading).members:
        with open_member(reading, member, 10**6) as stream:
            assert stream.fault is None, stream.fault
            found[member.name] = stream.read_at(0, stream.size)
    return found


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_zipfile_writes_is_flawless_and_read_back(method):
    data = model_files.archive(PAIR, method=method)
    assert looks_like_zip(BytesReading(data))
    assert read(data).flaws == ()
    assert contents(data) == PAIR


def test_an_archive_written_to_a_pipe_with_data_descriptors_is_flawless():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def writable(self):
            return True

        def write(self, data):
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in PAIR.items():
            target.writestr(name, data)
    assert contents(pipe.data) == PAIR
    assert read(pipe.data).flaws == ()


def test_zip64_headers_of_small_members_are_flawless():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target, target.open("a.npy", "w", force_zip64=True) as member:
        member.write(b"numbers")
    assert contents(buffer.getvalue()) == {"a.npy": b"numbers"}
    assert read(buffer.getvalue()).flaws == ()


def test_what_pytorch_writes_is_flawless():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(3), "b": torch.ones(40)}, buffer)
    archive = read(buffer.getvalue())
    assert archive.flaws == ()
    assert {"archive/data.pkl", "archive/data/1"} <= {member.name for member in archive.members}


def test_an_archive_without_members_is_read():
    assert read(model_files.archive({})).members == ()
    assert read(model_files.archive({})).flaws == ()


def test_folders_are_told_apart():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.mkdir("folder")
    assert [member.is_folder for member in read(buffer.getvalue()).members] == [True]


def test_bytes_that_are_no_archive_are_refused():
    assert not looks_like_zip(BytesReading(b"nothing of the kind"))
    with pytest.raises(ModelsignError) as caught:
        read(b"PK\x03\x04 cut short")
    assert caught.value.code == "ZIP_MALFORMED"


def test_an_end_record_that_points_nowhere_is_refused():
    data = bytearray(model_files.archive(PAIR))
    at = data.rfind(b"PK\x05\x06")
    struct.pack_into("<I", data, at + 16, 7)
    struct.pack_into("<I", data, at + 12, 3)
    with pytest.raises(ModelsignError) as caught:
        read(bytes(data))
    assert caught.value.code == "ZIP_MALFORMED"


def test_chance_end_marks_in_numbers_do_not_make_an_archive():
    assert not looks_like_zip(BytesReading(bytes(100) + b"PK\x05\x06" + bytes(range(40))))


def test_bytes_before_the_archive_are_a_flaw_and_the_members_are_still_read():
    data = b"#!/bin/sh\n" + model_files.archive(PAIR)
    assert FlawKind.OUTSIDE in kinds(data)
    assert contents(data) == PAIR


@pytest.mark.parametrize("extra", [b"x", b"x" * 60_000])
def test_bytes_behind_the_archive_are_a_flaw(extra):
    assert FlawKind.OUTSIDE in kinds(model_files.archive(PAIR) + extra)


def test_a_declared_comment_is_no_flaw_but_a_short_one_is():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("a", b"a")
        target.comment = b"a comment"
    assert read(buffer.getvalue()).flaws == ()
    assert FlawKind.DIRECTORY in kinds(buffer.getvalue()[:-3])


def test_bytes_between_members_are_a_flaw_unless_they_are_zeros():
    data = model_files.archive({"a": b"a" * 10})
    directory = data.index(b"PK\x01\x02")

    def stretched(gap):
        changed = bytearray(data[:directory] + gap + data[directory:])
        struct.pack_into("<I", changed, len(changed) - 6, directory + len(gap))
        return bytes(changed)

    assert read(stretched(bytes(64))).flaws == ()
    assert kinds(stretched(b"PK\x03\x04 hidden")) == {FlawKind.OUTSIDE}


@pytest.mark.parametrize("names", [("a.pkl", "a.pkl"), ("data.pkl", "DATA.PKL")])
def test_names_that_are_equal_but_for_letter_case_are_a_flaw(names):
    data = model_files.archive([(name, b"x") for name in names])
    assert kinds(data) == {FlawKind.DUPLICATE}
    assert len(read(data).members) == 2


@pytest.mark.parametrize("name", ["../a", "/a", "a\\b", "a//b", "./a", "a\0b"])
def test_names_that_leave_the_archive_are_a_flaw(name):
    data = model_files.archive({"PLACE" + "x" * (len(name) - 5) if len(name) > 5 else "PLACE"[: len(name)]: b"x"})
    wanted = ("PLACE" + "x" * (len(name) - 5) if len(name) > 5 else "PLACE"[: len(name)]).encode()
    assert FlawKind.NAME in kinds(data.replace(wanted, name.encode()))


def test_a_name_that_readers_decode_differently_is_a_flaw():
    data = model_files.archive({"aaaa": b"x"}).replace(b"aaaa", b"\xc3\xa9\xff\xfe")
    archive = read(data)
    assert FlawKind.NAME in {flaw.kind for flaw in archive.flaws}
    assert archive.members[0].name == b"\xc3\xa9\xff\xfe".decode("cp437")


def patched(field, value, *, local=False):
    """The pair with one two-byte field of a header changed: its offset in the header, and the value."""
    data = bytearray(model_files.archive(PAIR))
    at = 0 if local else data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + field, value)
    return bytes(data)


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40, 0x2000])
def test_an_encrypted_or_patched_member_is_a_flaw(flag):
    assert FlawKind.UNREADABLE in kinds(patched(8, flag))


@pytest.mark.parametrize("flag", [0x1, 0x20, 0x40])
def test_flags_that_only_the_local_header_has_are_a_flaw_and_the_bytes_are_still_read(flag):
    data = patched(6, flag, local=True)
    assert kinds(data) == {FlawKind.HEADER}
    assert contents(data) == PAIR


def test_a_local_method_that_differs_is_a_flaw_and_the_directory_s_is_used():
    data = patched(8, 99, local=True)
    assert kinds(data) == {FlawKind.HEADER}
    assert contents(data) == PAIR


def test_an_unknown_method_is_a_flaw_and_its_member_has_a_fault():
    data = patched(10, 99)
    assert {FlawKind.UNREADABLE, FlawKind.HEADER} <= kinds(data)
    reading = BytesReading(data)
    with open_member(reading, read_archive(reading).members[0], 100) as stream:
        assert stream.fault.code == "ZIP_MALFORMED"


def test_a_local_name_that_differs_is_a_flaw():
    data = model_files.archive(PAIR).replace(b"a.txt", b"b.pkl", 1)
    assert kinds(data) == {FlawKind.HEADER}


def test_a_wrong_checksum_in_one_place_is_a_flaw_and_in_both_is_not_looked_at():
    data = bytearray(model_files.archive(PAIR))
    checksum = struct.pack("<I", zlib.crc32(b"alpha"))
    once = bytes(data).replace(checksum, b"\0\0\0\1", 1)
    assert kinds(once) == {FlawKind.HEADER}
    assert read(bytes(data).replace(checksum, b"\0\0\0\1")).flaws == ()


def test_a_missing_local_header_is_a_flaw_and_the_member_has_no_bytes():
    data = b"XXXX" + model_files.archive(PAIR)[4:]
    assert FlawKind.HEADER in kinds(data)
    reading = BytesReading(data)
    member = read_archive(reading).members[0]
    with open_member(reading, member, 100) as stream:
        assert (stream.size, stream.fault.code) == (0, "ZIP_MALFORMED")


def test_members_that_share_bytes_are_a_flaw():
    data = bytearray(model_files.archive([("aa", b"x" * 50), ("ab", b"x" * 50)]))
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    assert {FlawKind.OVERLAP, FlawKind.HEADER} <= kinds(bytes(data))


def test_a_count_that_hides_members_is_a_flaw_and_they_are_read():
    data = bytearray(model_files.archive(PAIR))
    at = data.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", data, at + 8, 1, 1)
    assert FlawKind.DIRECTORY in kinds(bytes(data))
    assert contents(bytes(data)) == PAIR


def test_two_directories_that_different_readers_find_are_both_read():
    hidden = model_files.archive({"hidden.pkl": model_files.EVIL})
    shown = model_files.archive({"shown.txt": b"nothing"})
    at = hidden.rfind(b"PK\x05\x06")
    data = bytearray(hidden[:at] + shown)
    end = data.rfind(b"PK\x05\x06")
    directory = hidden.index(b"PK\x01\x02")
    struct.pack_into("<I", data, end + 16, directory)  # where an offset points; a measure from the end finds the other
    archive = read(bytes(data))
    assert {member.name for member in archive.members} == {"hidden.pkl", "shown.txt"}
    assert FlawKind.OUTSIDE in {flaw.kind for flaw in archive.flaws}


def zip64(data, *, here=1, total=1, place=None, size=None):
    """Put a ZIP64 end record before the end record of a one-member archive."""
    at = data.rfind(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, here, total, size or at - start, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at if place is None else place, 1)
    return data[:at] + record + locator + data[at:]


def test_a_zip64_end_record_that_agrees_is_no_flaw():
    data = zip64(model_files.archive({"a": b"x"}))
    assert read(data).flaws == ()
    assert contents(data) == {"a": b"x"}


@pytest.mark.parametrize("change", [{"here": 2}, {"total": 2}, {"place": 3}])
def test_a_zip64_end_record_that_contradicts_is_a_flaw(change):
    assert FlawKind.DIRECTORY in kinds(zip64(model_files.archive({"a": b"x"}), **change))


def test_a_broken_zip64_field_is_a_flaw():
    data = bytearray(model_files.archive({"a": b"x"}))
    at = data.index(b"PK\x01\x02")
    extra = struct.pack("<HH", 1, 40) + b"short"
    struct.pack_into("<H", data, at + 30, len(extra))
    changed = bytes(data[: at + 47]) + extra + bytes(data[at + 47 :])
    end = bytearray(changed)
    where = end.rfind(b"PK\x05\x06")
    struct.pack_into("<I", end, where + 12, where - at)
    assert FlawKind.DIRECTORY in kinds(bytes(end))


def test_a_member_that_unpacks_to_another_size_has_a_fault():
    data = bytearray(model_files.archive(PAIR, method=zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 4)
    reading = BytesReading(bytes(data))
    member = read_archive(reading).members[0]
    with open_member(reading, member, 100) as stream:
        assert stream.fault.code == "ZIP_MALFORMED"
        assert stream.read_at(0, 5) == b"alpha"


def test_a_member_beyond_the_file_has_a_fault_and_gives_what_is_there():
    data = bytearray(model_files.archive({"a": b"x" * 10}))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<II", data, at + 20, 10**6, 10**6)
    reading = BytesReading(bytes(data))
    with open_member(reading, read_archive(reading).members[0], 100) as stream:
        assert stream.fault.code == "ZIP_MALFORMED"
        assert stream.size == len(data) - 31


def test_too_many_members_end_at_the_budget(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_MEMBERS", 1)
    with pytest.raises(ModelsignError) as caught:
        read(model_files.archive(PAIR))
    assert caught.value.code == "SCAN_BUDGET"


def test_a_header_with_long_names_and_extra_fields_is_read_whole():
    name = "n" * 3000
    data = model_files.archive({name: b"x"})
    assert contents(data) == {name: b"x"}
    assert read(data).flaws == ()
