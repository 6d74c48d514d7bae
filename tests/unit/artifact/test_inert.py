"""Without a scanner at hand only git's own two text files are inert."""

from __future__ import annotations

import pytest

from modelsign import limits
from modelsign.artifact.inert import is_plainly_inert
from modelsign.artifact.reading import BytesReading


def inert(name: str, data: bytes) -> bool:
    return is_plainly_inert(BytesReading(data), name)


@pytest.mark.parametrize("name", [".gitattributes", "a/.gitignore"])
def test_gits_own_text_is_inert(name: str) -> None:
    assert inert(name, "*.bin filter=lfs — with accents\r\n\tand tabs\n".encode())
    assert inert(name, b"")


@pytest.mark.parametrize(
    "name", ["model.py", "README.md", "LICENSE", "config.json", ".gitattributes.py", ".GITIGNORE", "x", "vocab.txt"]
)
def test_other_names_are_not_inert_whatever_they_hold(name: str) -> None:
    assert not inert(name, b"{}")


@pytest.mark.parametrize("data", [b"\x80\x02.", b"a\0b", b"\xff\xfe", b"\x1b[2J", b"\x7fELF"])
def test_bytes_that_are_no_text_are_not_inert(data: bytes) -> None:
    assert not inert(".gitattributes", data)


def test_large_files_are_not_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INERT_BYTES", 4)
    assert inert(".gitignore", b"1234")
    assert not inert(".gitignore", b"12345")
