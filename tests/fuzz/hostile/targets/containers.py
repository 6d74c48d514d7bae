"""Readers that the standard library has too: what it lists and we do not, or otherwise, must be a flaw or a refusal."""

from __future__ import annotations

import io
import json
import tarfile
import tomllib
import warnings
import zipfile
import zlib
from functools import cache

from hostile.target import Target
from modelsign import strictjson
from modelsign.artifact.containers.tar import read_tar
from modelsign.artifact.containers.zip import open_member, read_archive
from modelsign.artifact.reading import BytesReading
from modelsign.errors import ModelsignError
from modelsign.scan.engine import scan_file
from modelsign.verdict import Outcome

MOST = 1 << 20
FAULTS = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
    KeyError, OverflowError,
)  # fmt: skip
"""What the standard library's readers refuse with."""


def zip_listing(data: bytes) -> object:
    reading = BytesReading(data)
    try:
        archive = read_archive(reading)
    except ModelsignError:
        return None
    if archive.flaws:
        return archive
    ours = [(member.name, member.size, member.packed_size, member.method) for member in archive.members]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as theirs:
            infos = theirs.infolist()
            listed = [(_name(info), info.file_size, info.compress_size, info.compress_type) for info in infos]
            assert ours == listed, f"{ours} is listed as {listed}"
            for info, member in zip(infos, archive.members, strict=True):
                if info.compress_type in {0, 8} and info.file_size < MOST:
                    _same_bytes(theirs, info, reading, member)
    except FAULTS:
        return archive
    return archive


def _name(info: zipfile.ZipInfo) -> str:
    """Return a name as UTF-8 where the bytes allow, which zipfile takes for code page 437 unless told."""
    raw = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _same_bytes(theirs: zipfile.ZipFile, info: zipfile.ZipInfo, reading: BytesReading, member: object) -> None:
    read = theirs.read(info)
    with open_member(reading, member, MOST) as stream:
        assert stream.fault or stream.read_at(0, MOST) == read, f"{info.filename} has other bytes"


def tar_listing(data: bytes) -> object:
    try:
        archive = read_tar(BytesReading(data))
    except ModelsignError:
        return None
    if archive.flaws:
        return archive
    ours = [(member.name.rstrip("/"), member.size, member.data) for member in archive.members if member.kind == "file"]
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as theirs:
            members = [member for member in theirs.getmembers() if member.isreg()]
    except FAULTS:
        return archive
    listed = [(member.name.rstrip("/"), member.size, member.offset_data) for member in members]
    assert set(listed) <= set(ours), f"{listed} is listed as {ours}"
    return archive


def json_value(data: bytes) -> object:
    """Whatever the strict parser takes is what ``json`` takes it for."""
    value = strictjson.loads(data, most_bytes=MOST)
    assert value == json.loads(data)
    return value


def toml_reading(data: bytes) -> object:
    """What is read as TOML is what ``tomllib`` reads."""
    found = scan_file(BytesReading(data), "x.toml")
    if found.format == "toml" and found.outcome is Outcome.CLEAN:
        tomllib.loads(data.decode())
    return found


@cache
def zips() -> list[bytes]:
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr(zipfile.ZipInfo("a.txt"), b"a" * 40)
            archive.writestr(zipfile.ZipInfo("b/ä.bin"), bytes(range(64)), method)
        made.append(file.getvalue())
    return made


@cache
def tars() -> list[bytes]:
    made = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as archive:
            for name in ("a.txt", "b/" + "c" * 90 + ("ä" * 30 if form != tarfile.USTAR_FORMAT else "")):
                info = tarfile.TarInfo(name)
                info.size = 5
                archive.addfile(info, io.BytesIO(b"12345"))
        made.append(file.getvalue())
    return made


def quiet(run):
    def call(data: bytes) -> object:
        with warnings.catch_warnings(action="ignore"):  # of zipfile about duplicates, and of ast about escapes
            return run(data)

    return call


TARGETS = (
    Target("zip-listing", quiet(zip_listing), zips, "zip", total=True),
    Target("tar-listing", quiet(tar_listing), tars, "tar", total=True),
    Target("json-value", json_value, lambda: [b'{"a": [1, -0.5, "\\u00e4", null, true]}', b'"x"']),
    Target("toml-reading", toml_reading, lambda: [b'[a]\nb = 1\nc = "x"\n[[d]]\ne = 1979-05-27\n'], "text", total=True),
)
