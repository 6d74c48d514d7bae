"""Literals are read as CPython's C unpickler reads them."""

from __future__ import annotations

import struct

import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan.machine.source import Source, is_literal, parse_integer


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"10", 10), (b"010", 8), (b"0x10", 16), (b"0X1f", 31), (b"-7", -7), (b"+7", 7), (b" \t7", 7), (b"0o17", 15),
        (b"0b1", 1), (b"5\0junk", 5), (b"0x10L", 16), (b"10L", 10), (b"00", 0), (b"-010", -8), (b"1_0", 10),
        (b"099", None), (b"", None), (b"x", None), (b"1 2", None), (b"0x", None), (b"L", None),
    ],
)  # fmt: skip
def test_integers_in_text_are_read_like_strtol_then_like_python(line, value):
    assert parse_integer(line) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"K\xff", 255), (b"M\x01\x02", 0x201), (b"J" + struct.pack("<i", -5), -5), (b"\x8a\x01\xff", -1),
        (b"\x8a\x00", 0), (b"\x8b" + struct.pack("<I", 2) + b"\x00\x01", 256), (b"I010\n", 8), (b"L7L\n", 7),
        (b"\x8c\x011", None), (b"N", None), (b"\x8a\xc8" + bytes(200), None), (b"I" + b"1" * 300 + b"\n", None),
    ],
)  # fmt: skip
def test_integers_are_read_by_their_opcode(data, value):
    assert Source(BytesReading(data)).integer(0) == value


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x8c\x02os", "os"), (b"X\x02\x00\x00\x00os", "os"), (b"\x8d" + struct.pack("<Q", 2) + b"os", "os"),
        (b"V\\u006fs\n", "os"), (b"U\x02os", "os"), (b"T\x02\x00\x00\x00os", "os"), (b"S'os'\n", "os"),
        (b'S"os"\n', "os"), (b"S'\\x6f\\163'\n", "os"), (b"S'a\\nb\\\\'\n", "a\nb\\"), (b"C\x02os", None),
        (b"K\x01", None), (b"\x8c\x01\xff", None), (b"S'os\n", None), (b"\x8c\x05ab\xc3", None), (b"Vabc", None),
        (b"\x8c\x03\xed\xa0\x80", "\ud800"), (b"\x8d" + struct.pack("<Q", 1 << 60) + b"x", None),
    ],
)  # fmt: skip
def test_strings_are_read_by_their_opcode(data, text):
    source = Source(BytesReading(data))
    assert source.text(0) == text
    assert source.text(0) == text, "kept texts answer the same"


def test_a_string_longer_than_asked_for_is_no_name():
    assert Source(BytesReading(b"\x8c\x05abcde")).text(0, 4) is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"I01\n", "bool"), (b"I00\n", "bool"), (b"I1\n", "int"), (b"N", "none"), (b"}", "dict"), (b"\x96", "bytearray")],
)
def test_the_kind_of_a_value_comes_from_its_opcode(data, kind):
    assert Source(BytesReading(data)).kind(0) == kind


def test_bytes_are_given_up_to_a_bound():
    source = Source(BytesReading(b"C\x03abc"))
    assert source.data(0, 3) == b"abc"
    assert source.data(0, 2) is None
    assert Source(BytesReading(b"\x8c\x01a")).data(0, 9) is None
    assert source.content(0) == (2, 3)
    assert Source(BytesReading(b"N")).content(0) == (0, -1)


def test_a_line_feed_is_found_beyond_the_first_chunk():
    source = Source(BytesReading(b"a" * 200_000 + b"\n" + b"b"))
    assert source.line_end(0) == 200_001
    assert source.line_end(200_001) == -1


def test_the_window_answers_what_is_in_it_and_the_reading_the_rest():
    source = Source(BytesReading(b"0123456789"))
    assert source.look(2, 4) == 0
    assert source.window == b"2345"
    assert source.read(3, 2) == b"34"
    assert source.read(5, 3) == b"567"
    assert source.read(0, 2) == b"01"


def test_a_window_at_the_end_is_kept_and_its_padding_never_read():
    source = Source(BytesReading(b"0123456789"))
    assert source.look(4, 100) == 0
    assert source.look(7, 100) == 3
    assert source.window.startswith(b"456789\0")
    assert source.read(8, 5) == b"89"


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        (b"I12", True), (b"I1x", False), (b"L1L", True), (b"F1.5", True), (b"Fx", False), (b"S'a'", True),
        (b"S'a", False), (b"S", False), (b"Sa", False), (b"S'a' ", True), (b"Vanything", True),
        (b"F1.5\0", True), (b"F" + b"0" * 9000 + b"e5", True), (b"F\0", False),
    ],
)  # fmt: skip
def test_text_literals_are_refused_where_cpython_refuses_them(text, accepted):
    assert is_literal(text[0], text[1:]) is accepted


def test_a_number_of_which_versions_of_cpython_differ_is_believed():
    assert is_literal(ord("I"), b"1" * 5000)
