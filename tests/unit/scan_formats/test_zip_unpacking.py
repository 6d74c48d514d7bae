"""What a ZIP archive does when it is unpacked: links, devices, permissions, names of other systems."""

from __future__ import annotations

import io
import stat
import zipfile

import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

SYMLINK = stat.S_IFLNK | 0o777


def archive(*entries, method=zipfile.ZIP_STORED):
    """A ZIP archive of (name, bytes, mode)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            target.writestr(info, data, compress_type=method)
    return buffer.getvalue()


def scanned(data, name="a.zip"):
    return scan_file(BytesReading(data), name)


def rules(data, name="a.zip"):
    return {finding.rule for finding in scanned(data, name).findings}


PLAIN = ("config.json", b"{}", stat.S_IFREG | 0o644)


def test_ordinary_modes_are_clean():
    folder = ("sub/", b"", stat.S_IFDIR | 0o2775)
    program = ("sub/config.json", b"{}", stat.S_IFREG | 0o755)
    assert scanned(archive(folder, program, PLAIN, ("b.json", b"{}", 0))).outcome is Outcome.CLEAN


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../x", b"C:\\x", b"a/../../x", b"..\\x"])
def test_a_link_out_of_the_archive_is_unsafe(target, method):
    data = archive(PLAIN, ("weights.json", target, SYMLINK), method=method)
    assert "archive-link-escapes" in rules(data)
    assert scanned(data).outcome is Outcome.UNSAFE


@pytest.mark.parametrize("target", [b"config.json", b"nothing", b"", b"a\0b", b"\xff"])
def test_a_link_that_stays_inside_is_unverified(target):
    found = rules(archive(PLAIN, ("weights.json", target, SYMLINK)))
    assert "archive-link" in found
    assert "archive-link-escapes" not in found


def test_writing_through_a_link_is_unsafe():
    data = archive(("sub", b"other", SYMLINK), ("sub/config.json", b"{}", 0))
    assert "archive-path-escapes" in rules(data)


@pytest.mark.parametrize("name", ["../config.json", "/config.json", "a/../../config.json", "..\\config.json"])
def test_a_name_that_leaves_the_folder_is_unsafe(name):
    data = archive((name, b"{}", 0))
    assert {"archive-path-escapes", "zip-name"} <= rules(data)
    assert scanned(data).outcome is Outcome.UNSAFE


@pytest.mark.parametrize("kind", [stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_devices_pipes_and_sockets_are_unsafe(kind):
    assert "archive-special-file" in rules(archive(("config.json", b"{}", kind | 0o644)))


@pytest.mark.parametrize("bits", [stat.S_ISUID, stat.S_ISGID])
@pytest.mark.parametrize("kind", [stat.S_IFREG, 0])
def test_set_user_id_and_set_group_id_are_unverified(bits, kind):
    assert rules(archive(("config.json", b"{}", kind | bits | 0o755))) == {"archive-privileged-mode"}


@pytest.mark.parametrize(
    "name",
    [
        "aux.json",
        "sub/NUL",
        "con/config.json",
        "COM1.json",
        "lpt\u00b2.json",
        "config.json.",
        "sub /a.json",
        "a.json:x",
    ],
)
def test_names_that_windows_takes_for_others_are_unverified(name):
    assert "archive-name-reserved" in rules(archive((name, b"{}", 0)))


@pytest.mark.parametrize("name", ["auxiliary.json", "console.json", "a.b.json", ".hidden/config.json", "com10.json"])
def test_names_that_only_look_like_those_are_not_told(name):
    assert "archive-name-reserved" not in rules(archive((name, b"{}", 0)))


def test_formats_that_are_read_in_place_may_have_any_keys():
    data = model_files.archive({"aux.npy": model_files.npy(), "x:0.npy": model_files.npy()})
    assert scanned(data, "a.npz").outcome is Outcome.CLEAN


@pytest.mark.parametrize("make", [lambda extra: model_files.pytorch(extra=extra), model_files.archive])
def test_every_format_of_zip_archives_tells_links(make):
    data = bytearray(make({"archive/x.json": b"/etc/passwd"}))
    entry = data.rindex(b"archive/x.json") - 46
    data[entry + 38 : entry + 42] = (SYMLINK << 16).to_bytes(4, "little")
    assert "archive-link-escapes" in rules(bytes(data), "model.pt")


def test_a_long_link_is_read_up_to_a_limit():
    assert "archive-link" in rules(archive(("weights.json", b"a" * 10_000_000, SYMLINK), method=zipfile.ZIP_DEFLATED))
