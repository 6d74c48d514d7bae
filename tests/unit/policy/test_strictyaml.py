"""Strict YAML: what two readers could understand differently is an error."""

from __future__ import annotations

import json

import pytest
import yaml

from modelsign.errors import ModelsignError
from modelsign.policy.strictyaml import loads


def read(text: str | bytes, **settings) -> object:
    data = text.encode() if isinstance(text, str) else text
    return loads(data, **{"most_bytes": 100_000, "what": "policy", "code": "POLICY_MALFORMED", **settings})


def refused(text: str | bytes, **settings) -> str:
    with pytest.raises(ModelsignError) as caught:
        read(text, **settings)
    assert caught.value.code == "POLICY_MALFORMED"
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("NO", "NO"),
        ("true", True), ("True", True), ("FALSE", False),
        ("null", None), ("~", None), ('""', ""), ("'null'", "null"), ('"true"', "true"),
        ("2026-11-23", "2026-11-23"), ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
        ("12:30:45", "12:30:45"), ("1_000", "1_000"), ("0b11", "0b11"),
        ("17", 17), ("-3", -3), ("+4", 4), ("010", 10), ("0o17", 15), ("0x1F", 31),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("2.", 2.0), ("1e400", "1e400"),
        ("1.2.3", "1.2.3"), ("=", "="), ("'1'", "1"), ("|\n  a\n  b\n", "a\nb\n"),
        ("[a, 1, [true]]", ["a", 1, [True]]), ("a: {b: c}", {"a": {"b": "c"}}), ("a:", {"a": None}),
    ],
)  # fmt: skip
def test_scalars_are_those_of_the_core_schema_of_yaml_1_2(text, value):
    found = read(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2\n", "the key 'a' stands twice (line 2, column 1)"),
        ("b:\n  x: 1\n  x: 2\n", "the key 'x' stands twice (line 3, column 3)"),
        ("a: &x 1\n", "anchors are not allowed"),
        ("a: &x [1]\n", "anchors are not allowed"),
        ("a: &x {b: 1}\n", "anchors are not allowed"),
        ("a: *x\n", "alias"),
        ("a: 1\n<<: {b: 2}\n", "merge keys are not allowed"),
        ("a: !!str 1\n", "tags are not allowed"),
        ("a: !custom {}\n", "tags are not allowed"),
        ("a: ! 1\n", "tags are not allowed"),
        ("!!python/object/apply:os.system ['true']\n", "tags are not allowed"),
        ("1: a\n", "a key must be a string"),
        ("true: a\n", "a key must be a string"),
        ("[a]: b\n", "a key must be a string"),
        ("a: .nan\n", ".nan is not a number"),
        ("a: -.inf\n", "-.inf is not a number"),
        ("%YAML 1.1\n---\na: 1\n", "directives are not allowed"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", "directives are not allowed"),
        ("a: 1\n---\nb: 2\n", "a second document follows"),
        ("a: [1\n", "not valid YAML"),
        ("a: b: c\n", "not valid YAML"),
        ("\ta: 1\n", "not valid YAML"),
        ("a: \x07\n", "not valid YAML"),
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
    ],
)
def test_what_is_ambiguous_is_refused_with_its_place(text, words):
    assert words in refused(text)


def test_quoted_merge_and_digits_are_ordinary_keys():
    assert read("'1': a\n") == {"1": "a"}


def test_a_quoted_merge_key_is_refused_too_because_other_readers_merge():
    assert "merge" in refused("'<<': {a: 1}\n")


def test_depth_and_size_are_bounded():
    assert "nested deeper than 5 levels" in refused("[" * 8 + "]" * 8, depth=5)
    assert "the limit is 10" in refused("a: " + "b" * 20, most_bytes=10)
    assert "nest" in refused("[" * 50_000)  # PyYAML has a bound of its own since 6.0.4


def test_many_aliases_never_expand():
    laughs = "a: &a [x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*a, *a]\n" for i in range(9))
    assert "anchors" in refused(laughs)


def test_bytes_that_are_not_utf_8_are_refused():
    assert "not UTF-8 (byte 3)" in refused(b"a: \xff\n")
    assert "not UTF-8" in refused("a: 1".encode("utf-16"))


def test_json_is_read_as_json():
    value = {"a": [1, 2.5, None, True, "é\t"], "b": {}}
    assert read(json.dumps(value)) == value
    assert read("  \n" + json.dumps(value, indent="\t")) == value


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": NaN}', "{a: 1}", '{"a": 1} {}', '{"a": 01}'])
def test_a_document_that_begins_with_a_brace_is_strict_json(text):
    assert refused(text)


def test_a_very_long_number_stays_a_string():
    assert read("1" * 60) == "1" * 60


def test_the_pure_python_parser_reads_the_same(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read("a: [1, 'x', yes]\n") == {"a": [1, "x", "yes"]}
    assert "anchors" in refused("a: &x 1\n")
    assert "not valid YAML" in refused("a: [1\n")
    assert "not valid YAML" in refused("a: \x07\n")
