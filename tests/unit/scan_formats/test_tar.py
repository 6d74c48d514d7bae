"""Tar archives: what tarfile lists is judged, what unpacking would do is told, and every reading is heard."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

import packed_files
import pytest
from packed_files import END, EVIL, header, padded, special, tar

from modelsign import limits
from modelsign.artifact.containers.tar import read_tar
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan.engine import scan_file

JSON = ("config.json", b'{\n "a": 1,\n "b": 2\n}\n')


def scan(data, name="model.tar"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


def pax(records, data=b""):
    """A pax header with the records, as bytes."""
    text = b""
    for key, value in records.items():
        body = b" %s=%s\n" % (key.encode(), value)
        length = len(body) + 1
        while len(b"%d" % length) + len(body) != length:
            length += 1
        text += b"%d" % length + body
    text += data
    return header(b"pax", size=len(text), kind=b"x") + padded(text)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("seed", range(20))
def test_it_lists_what_tarfile_lists(form, seed):
    rng = random.Random(seed)
    entries = []
    for number in range(rng.randrange(1, 8)):
        folders = "/".join("d" * rng.randrange(1, 30) for _ in range(rng.randrange(1, 6)))
        name = f"{folders}/{number}.json"
        kind = rng.choice([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
        entries.append(
            (name, rng.randbytes(rng.randrange(0, 1500))) if kind == tarfile.REGTYPE else special(name, kind, "x")
        )
    data = tar(*entries, form=form)
    found = read_tar(BytesReading(data))
    with tarfile.open(fileobj=io.BytesIO(data)) as known:
        wanted = [(info.name, info.size, info.offset_data, info.linkname) for info in known.getmembers()]
    assert found.flaws == ()
    assert [(member.name.rstrip("/"), member.size, member.data, member.link) for member in found.members] == wanted


@pytest.mark.parametrize("seed", range(150))
def test_whatever_tarfile_lists_in_a_damaged_archive_is_listed(seed):
    rng = random.Random(seed)
    data = bytearray(
        tar(JSON, ("a/" * 60 + "x", EVIL), special("l", tarfile.SYMTYPE, "x"), ("b", b"2" * 700), form=seed % 3)
    )
    for _ in range(rng.randrange(1, 4)):
        data[rng.randrange(len(data))] = rng.choice([0, 0x30, 0x37, 0x80, 0xFF, rng.randrange(256)])
    try:
        found = {(member.name.rstrip("/"), member.data) for member in read_tar(BytesReading(bytes(data))).members}
    except ModelsignError:
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(bytes(data)), errors="backslashreplace") as known:
            wanted = {(info.name, info.offset_data) for info in known.getmembers()}
    except (tarfile.TarError, ValueError, KeyError, IndexError):
        return
    assert {place for _, place in wanted} <= {place for _, place in found}


def test_a_configuration_that_comes_first_is_no_pickle():
    result = scan(tar(JSON, ("README.md", b"hello\nworld\n")))
    assert (result.format, result.outcome) == ("tar", "clean")


@pytest.mark.parametrize("name", ["/etc/cron.d/x", "../x", "a/../../x", "a/..", "C:/x", "a\\..\\x"])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_name_that_leaves_the_folder_is_unsafe_cve_2025_12060_and_2025_23304(name, form):
    result = scan(tar((name, b"{}"), form=form), "model.nemo")
    assert result.outcome == "unsafe"
    assert "tar-path-escapes" in rules(result)


def test_a_name_that_leaves_by_its_pax_header_is_unsafe():
    data = pax({"path": b"../../x.json"}) + header(b"config.json", size=2) + padded(b"{}") + END
    assert "tar-path-escapes" in rules(scan(data))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "C:\\x"])
def test_a_link_out_of_the_archive_is_unsafe(kind, target):
    assert "tar-link-escapes" in rules(scan(tar(JSON, special("a/b", kind, target))))


def test_a_link_that_climbs_below_the_folder_is_harmless():
    assert scan(tar(JSON, special("a/b.json", tarfile.SYMTYPE, "../config.json"))).outcome == "clean"
    assert rules(scan(tar(JSON, special("a/b.json", tarfile.LNKTYPE, "../config.json")))) == {"tar-link-escapes"}


@pytest.mark.parametrize("target", ["nowhere", "chain"])
def test_a_link_to_no_plain_member_is_unverified(target):
    data = tar(JSON, special("chain", tarfile.SYMTYPE, "config.json"), special("link", tarfile.SYMTYPE, target))
    assert (scan(data).outcome, rules(scan(data))) == ("unverified", {"tar-link"})


def test_writing_through_a_link_is_unsafe_cve_2025_4517():
    data = tar(special("d/", tarfile.DIRTYPE), special("s", tarfile.SYMTYPE, "d"), ("s/x.json", b"{}"))
    assert "tar-path-escapes" in rules(scan(data))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_unsafe(kind):
    assert "tar-special-file" in rules(scan(tar(JSON, special("dev", kind))))


def test_set_user_id_is_unverified():
    result = scan(header(b"a.json", size=2, changes={100: b"0004755\0"}) + padded(b"{}") + tar(JSON))
    assert (result.outcome, rules(result)) == ("unverified", {"tar-privileged-mode"})


def test_a_size_that_the_pax_header_overrides_is_read_both_ways_cve_2025_62518():
    inner = header(b"inner.dat", size=len(EVIL)) + padded(EVIL)
    data = pax({"size": b"%d" % len(inner)}) + header(b"notes.txt", size=0) + inner + header(b"a.json", size=2)
    data += padded(b"{}") + END
    result = scan(data)
    assert result.outcome == "unsafe"
    assert {"tar-header-contradicts", "pickle-execute"} <= rules(result)
    assert any(finding.member == "inner.dat" for finding in result.findings)


def test_data_behind_a_link_is_read_both_ways():
    inner = header(b"inner.dat", size=len(EVIL)) + padded(EVIL)
    link = header(b"l", size=len(inner), kind=b"2", changes={157: b"config.json"})
    for data in (
        tar(JSON)[:1024] + link + inner + END,
        tar(JSON)[:1024] + link + padded(b"x" * len(inner)) + inner + END,
    ):
        assert {"tar-header-contradicts", "pickle-execute"} <= rules(scan(data))


@pytest.mark.parametrize("between", [b"", bytes(512), b"junk" * 128, bytes(20 * 512)])
def test_members_behind_the_end_are_judged(between):
    result = scan(tar(JSON) + between + tar(("inner.dat", EVIL)))
    assert result.outcome == "unsafe"
    assert {"tar-bytes-outside", "pickle-execute"} <= rules(result)


def test_a_pickle_that_is_a_tar_archive_too_is_unsafe():
    block = header(b"\x80\x02}q\x00.", size=2) + padded(b"{}") + END
    result = scan(block)
    assert (result.outcome, "ambiguous-format" in rules(result)) == ("unsafe", True)


def test_a_header_without_the_mark_is_a_header():
    data = header(b"inner.dat", size=len(EVIL), changes={257: bytes(8)}) + padded(EVIL) + END
    assert (scan(data, "model.pt").outcome, scan(data, "model.pt").format) == ("unsafe", "tar")


def test_the_mark_without_a_sound_header_is_incomplete():
    data = bytearray(tar(JSON))
    data[150] ^= 1
    assert scan(bytes(data)).outcome == "incomplete"


def test_two_members_of_one_name_are_incomplete_and_both_judged():
    result = scan(tar(JSON, ("CONFIG.json", EVIL)))
    assert result.outcome == "unsafe"
    assert "tar-duplicate-member" in rules(result)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("sparse", header(b"a.json", size=2, kind=b"S") + padded(b"{}") + END),
        ("pax sparse", pax({"GNU.sparse.size": b"9"}) + header(b"a.json", size=2) + padded(b"{}") + END),
        ("unknown kind", header(b"a.json", size=2, kind=b"V") + padded(b"{}") + END),
        ("no number", header(b"a.json", size=2, changes={124: b"0o2 "}) + padded(b"{}") + END),
        ("broken pax", pax({}, b"nonsense") + header(b"a.json", size=2) + padded(b"{}") + END),
        ("no UTF-8", header(b"\xff.json", size=2) + padded(b"{}") + END),
        ("no end", header(b"a.json", size=2) + padded(b"{}")),
        ("short", header(b"a.json", size=2000) + padded(b"{}")),
        ("negative", header(b"a.json", changes={124: b"\xff" * 12}) + END),
        ("global name", header(b"g", size=17, kind=b"g") + padded(b"17 path=../a.txt\n") + header(b"a.json") + END),
    ],
)
def test_what_readers_differ_over_is_not_clean(name, data):
    del name
    assert scan(data).outcome in {"incomplete", "unsafe"}


@pytest.mark.parametrize(
    ("kind", "size", "text"),
    [(b"L", 6, b"a.json/../../evil\0"), (b"x", 9, b"9 path=b\n9 path=c\n"), (b"g", 9, b"9 path=b\n9 path=c\n")],
)
def test_a_name_that_goes_on_behind_its_size_is_not_clean(kind, size, text):
    data = header(b"long", size=size, kind=kind) + text.ljust(512, b"\0") + tar(JSON)
    result = scan(data)
    assert result.outcome != "clean"
    assert any("goes on behind its size" in finding.message for finding in result.findings)


def test_a_long_name_beyond_the_budget_is_incomplete():
    data = header(b"x", size=limits.TAR_HEADER_BYTES + 1, kind=b"L") + bytes(1024)
    assert rules(scan(data)) == {"budget-exceeded"}


def test_a_huge_size_is_incomplete():
    data = header(b"a.json", changes={124: b"\x80" + b"\x00" * 3 + b"\x7f" * 8}) + padded(b"{}")
    assert scan(data).outcome == "incomplete"


def test_archives_in_archives_are_followed_and_counted():
    data = tar(("inner.dat", EVIL))
    for number in range(4):
        data = gzip.compress(tar((f"{number}.tar", data)))
    assert "pickle-execute" in rules(scan(data)) | rules(scan(gzip.decompress(data)))
    for number in range(9):
        data = tar((f"{number}.tar", data))
    assert "budget-exceeded" in rules(scan(data))


def test_every_truncation_has_an_answer():
    data = packed_files.BAD["tar"]["evil.tar"][:2048]
    for cut in range(0, len(data), 7):
        scan(data[:cut])
