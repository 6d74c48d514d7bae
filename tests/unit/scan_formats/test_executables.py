"""Programs among weights: machine code is unsafe, bytecode is named, and numbers are not taken for either."""

from __future__ import annotations

import importlib.util
import io
import sys
import zipfile
from pathlib import Path

import archive_files
import model_files
import packed_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file

PE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(20)
NATIVE = {
    "ELF": packed_files.ELF,
    "PE": PE,
    "Mach-O": b"\xcf\xfa\xed\xfe\x07\x00\x00\x01" + bytes(24),
    "Mach-O, big-endian": b"\xfe\xed\xfa\xce\x00\x00\x00\x12" + bytes(24),
    "universal": b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + bytes(40),
}
COMPILED = {
    "Java": packed_files.JAVA,
    "WebAssembly": b"\0asm\x01\0\0\0",
    "Python": importlib.util.MAGIC_NUMBER + bytes(12) + b"\xe3" + bytes(30),
}


def scan(data, name="model.bin"):
    return scan_file(BytesReading(data), name)


def rules(result):
    return {finding.rule for finding in result.findings}


@pytest.mark.parametrize("kind", NATIVE)
@pytest.mark.parametrize("name", ["model.bin", "README.md", "vocab.txt", "model.safetensors"])
def test_machine_code_is_unsafe_under_any_name(kind, name):
    result = scan(NATIVE[kind], name)
    assert result.outcome == "unsafe"
    assert "native-code" in rules(result)


@pytest.mark.parametrize("kind", COMPILED)
def test_bytecode_is_unsupported_and_named(kind):
    result = scan(COMPILED[kind])
    assert (result.outcome, rules(result)) == ("unsupported", {"compiled-code"})


@pytest.mark.skipif(sys.platform != "linux", reason="the interpreter is an ELF file on Linux")
def test_a_real_program_is_unsafe():
    with Path(sys.executable).open("rb") as stream:
        assert "native-code" in rules(scan(stream.read(1 << 16)))


@pytest.mark.parametrize(
    "data",
    [b"MZ" + bytes(100), b"\xcf\xfa\xed\xfe" + bytes(40), b"\xca\xfe\xba\xbe"],
)
def test_a_mark_alone_is_no_program(data):
    assert "native-code" not in rules(scan(data))


def test_a_program_in_an_archive_is_unsafe():
    assert "native-code" in rules(scan(model_files.archive({"op.dat": packed_files.ELF}), "model.zip"))
    assert "native-code" in rules(scan(packed_files.tar(("op.dat", packed_files.ELF))))


def test_a_program_with_an_archive_behind_it_is_two_formats():
    data = packed_files.ELF + model_files.archive({"config.json": b"{}"})
    assert {"native-code", "ambiguous-format"} <= rules(scan(data))


def test_a_pickle_with_an_archive_behind_it_is_two_formats():
    data = model_files.HARMLESS + model_files.archive({"config.json": b"{}"})
    assert "ambiguous-format" in rules(scan(data))


def test_a_payload_in_a_7z_archive_is_unsafe_as_in_nullifai():
    broken = model_files.EVIL[:-1]
    assert scan(archive_files.sevenzip(archive_files.Entry("data.pkl", broken)), "model.pt").outcome == "unsafe"
    assert scan(b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24) + broken, "model.pt").outcome == "incomplete"


def test_a_java_archive_is_not_clean():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        target.writestr("A.class", packed_files.JAVA)
    assert "compiled-code" in rules(scan(buffer.getvalue(), "a.jar"))
