"""Strict JSON refuses whatever two readers could understand differently."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsign.errors import ModelsignError
from modelsign.strictjson import canonical, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def refusal(data: bytes, **options) -> ModelsignError:
    with pytest.raises(ModelsignError) as caught:
        loads(data, most_bytes=options.pop("most_bytes", 10_000_000), **options)
    return caught.value


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert loads(canonical(value), most_bytes=1_000_000) == value


@given(st.dictionaries(st.text(), st.integers(), max_size=6))
def test_the_same_value_always_gives_the_same_bytes(value):
    assert canonical(value) == canonical(dict(reversed(value.items())))


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_reason(data):
    try:
        loads(data, most_bytes=100)
    except ModelsignError as fault:
        assert fault.code == "JSON_MALFORMED"  # noqa: PT017 - either end is right


def test_integers_stay_exact():
    assert loads(b"[9007199254740993, -123456789012345678901234567890]", most_bytes=100) == [
        9007199254740993,
        -123456789012345678901234567890,
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"x": {"a": 1, "\\u0061": 2}}', "'a' stands twice"),
        (b'{"": 1, "": 1}', "stands twice"),
        (b"NaN", "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"\xff", "not UTF-8 (byte 0)"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b"[1,]", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'"\n"', "not valid JSON"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested"),
        (b"1" * 5_000, "refused"),
    ],
)
def test_documents_two_readers_could_differ_on_are_malformed(data, said):
    fault = refusal(data, what="thing")
    assert fault.code == "JSON_MALFORMED"
    assert said in fault.message
    assert "thing" in fault.message


def test_the_deepest_allowed_document_is_read():
    assert loads(b"[" * 64 + b"]" * 64, most_bytes=1000)


def test_size_is_bounded_before_anything_is_parsed():
    assert "the limit is 3" in refusal(b"[NaN]", most_bytes=3).message


def test_the_caller_names_the_reason():
    assert refusal(b"{", code="INPUT_UNREADABLE").code == "INPUT_UNREADABLE"


def test_the_place_of_a_mistake_is_named():
    assert "line 2, column 3" in refusal(b"{\n  oops}").message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nothing_that_is_no_json_is_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(value)


def test_canonical_is_compact_sorted_and_utf8():
    assert canonical({"b": [1, 2], "a": "é"}) == '{"a":"é","b":[1,2]}'.encode()
    assert json.loads(canonical({"é": 1})) == {"é": 1}


@pytest.mark.parametrize(
    "data",
    [
        b'"\\ud800"',
        b'["\\uDFFF"]',
        b'{"\\udc00": 1}',
        b'{"a": [{"b": "x\\uD83D"}]}',
        b'"\\ude00\\ud83d"',
    ],
)
def test_half_a_surrogate_pair_is_no_text_anywhere(data):
    assert "surrogate" in refusal(data).message


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_text():
    assert loads(b'["\\ud83d\\ude00", "\\\\ud800"]', most_bytes=100) == ["\U0001f600", "\\ud800"]


@pytest.mark.parametrize("data", [b"1e999", b"[-1e999]", b'{"a": 1.5E+400}', b"1" * 400 + b".0"])
def test_a_number_too_large_to_hold_is_not_infinity(data):
    assert "too large" in refusal(data).message


def test_a_number_too_small_to_hold_is_nothing():
    assert loads(b"1e-999", most_bytes=100) == 0
