"""Names that two machines could understand differently are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal, refused_with

from modelsign.artifact.names import check_collisions, check_name, covers, path_part_order
from modelsign.errors import ModelsignError


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a/b/c.bin",
        "model-00001-of-00002.safetensors",
        ".hidden",
        "a/.hidden/b",
        "..two",
        "a..b",
        "trailing.",
        "with space",
        "a:b",
        "back\\slash",
        "naïve",
        "non\u00a0breaking",
        "日本/語.bin",
        "x" * 255,
        "-rf",
        "...",
    ],
)
def test_plain_relative_paths_are_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/a", "a/", "a//b", "./a", "a/.", "a/..", "../a", "a/../b", "a/./b", "/"]
)
@pytest.mark.parametrize("strict", [True, False])
def test_names_that_leave_the_model_are_refused_always(name: str, strict: bool) -> None:  # noqa: FBT001
    assert refused_with(check_name, name, strict=strict) == "NAME_LEAVES_MODEL"


@pytest.mark.parametrize(
    "character",
    ["\x01", "\x1b", "\x7f", "\x85", "\t", "\r", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\u061c"],
)
def test_control_characters_are_refused_unless_names_may_be_insecure(character: str) -> None:
    fault = refusal(check_name, f"weights{character}.bin")
    assert fault.code == "NAME_CONTROL_CHARACTER"
    assert f"U+{ord(character):04X}" in fault.message
    check_name(f"weights{character}.bin", strict=False)


@pytest.mark.parametrize("character", ["\n", "\0"])
def test_a_newline_and_a_null_are_refused_always(character: str) -> None:
    assert refused_with(check_name, f"a{character}b", strict=False) == "NAME_CONTROL_CHARACTER"


def test_bytes_that_are_not_utf8_are_refused_and_shown_escaped() -> None:
    fault = refusal(check_name, "caf\udce9.bin")
    assert fault.code == "NAME_NOT_UTF8"
    assert fault.message.isascii()


def test_the_length_is_counted_in_bytes() -> None:
    check_name("x" * 4096)
    assert refused_with(check_name, "x" * 4097) == "NAME_TOO_LONG"
    assert refused_with(check_name, "é" * 2049) == "NAME_TOO_LONG"


def test_names_that_differ_only_by_case_collide() -> None:
    assert refused_with(check_collisions, ["Model.bin", "model.BIN"]) == "NAME_COLLIDES_CASE"
    assert refused_with(check_collisions, ["straße", "STRASSE"]) == "NAME_COLLIDES_CASE"
    assert refused_with(check_collisions, ["A/x", "a", "A", "b"]) == "NAME_COLLIDES_CASE"


def test_names_that_differ_only_by_normalisation_collide() -> None:
    assert refused_with(check_collisions, ["caf\u00e9", "cafe\u0301"]) == "NAME_COLLIDES_NORMALISED"
    assert refused_with(check_collisions, iter(["b", "\u212b", "\u00c5"])) == "NAME_COLLIDES_NORMALISED"


def test_different_names_do_not_collide() -> None:
    check_collisions(["a", "b", "a/b", "é", "e"])
    check_collisions(["a", "b", "a.b"])
    check_collisions([])


@given(st.text())
def test_any_text_is_accepted_or_refused_with_a_code_of_names(name: str) -> None:
    try:
        check_name(name)
    except ModelsignError as fault:
        assert fault.code.startswith("NAME_")  # noqa: PT017 - either answer is right
    else:
        assert name.encode()
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert "\n" not in name


def test_the_order_of_the_reference_is_by_parts_of_the_path() -> None:
    names = ["A", "a-b", "a.txt", "a/b"]
    assert names == sorted(names)
    assert sorted(names, key=path_part_order) == ["A", "a/b", "a-b", "a.txt"]


def test_an_ignored_path_covers_itself_and_what_lies_below() -> None:
    assert covers("logs", "logs")
    assert covers("logs", "logs/a/b")
    assert not covers("logs", "logs2")
    assert not covers("logs", "a/logs")
