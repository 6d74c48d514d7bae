"""Only strict JSON without code-bearing keys, and text under known names, is plainly inert."""

from __future__ import annotations

import json

import pytest

from modelsign import limits
from modelsign.artifact.inert import CODE_BEARING_KEYS, is_plainly_inert
from modelsign.artifact.reading import BytesReading


def inert(name: str, data: bytes) -> bool:
    return is_plainly_inert(BytesReading(data), name)


@pytest.mark.parametrize("name", ["README.md", "a/b/LICENSE", "vocab.txt", ".gitattributes", "readme", "NOTICE.txt"])
def test_text_under_a_known_name_is_inert(name: str) -> None:
    assert inert(name, "text — with accents\r\n\tand tabs\n".encode())
    assert inert(name, b"")


@pytest.mark.parametrize(
    "name",
    ["model.py", "a.ipynb", "config.yaml", "notes.md", "x.txt", "template.jinja", "weights.bin", "x", "README.py"],
)
def test_other_names_are_not_inert_whatever_they_hold(name: str) -> None:
    assert not inert(name, b"harmless")


@pytest.mark.parametrize("data", [b"\x80\x02.", b"a\0b", b"\xff\xfe", b"\x1b[2J", b"\x7fELF"])
def test_bytes_that_are_no_text_are_not_inert(data: bytes) -> None:
    assert not inert("README.md", data)


@pytest.mark.parametrize("data", [b"{}", b"[]", b'"x"', b"1", b'{"a": [{"b": null}], "c": {"d": "auto_map"}}'])
def test_plain_json_is_inert(data: bytes) -> None:
    assert inert("config.json", data)
    assert inert("deep/x.JSON", data)


@pytest.mark.parametrize("key", sorted(CODE_BEARING_KEYS))
def test_json_that_names_code_is_not_inert(key: str) -> None:
    assert not inert("config.json", json.dumps({key: "x"}).encode())
    assert not inert("config.json", json.dumps([{"a": [{"b": {key: {}}}]}]).encode())


@pytest.mark.parametrize("data", [b"", b"{", b'{"a": 1, "a": 2}', b"NaN", b"\xff", b"[" * 100 + b"]" * 100])
def test_json_that_is_not_strict_is_not_inert(data: bytes) -> None:
    assert not inert("config.json", data)


def test_large_files_are_not_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INERT_BYTES", 4)
    assert inert("README", b"1234")
    assert not inert("README", b"12345")
