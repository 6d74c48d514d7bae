"""Constraints: every operator holds, fails and is explained; what leads nowhere meets only ``absent``."""

from __future__ import annotations

import msgspec
import pytest

from modelsign.policy.constraints import Constraint, expected, holds, same, shown, text_parameters
from modelsign.policy.pointer import MISSING, check_pointer, resolve

PARAMETERS = {"ids": ("one", "two")}
DOCUMENT = {
    "text": "release-7",
    "number": 3,
    "float": 2.5,
    "yes": True,
    "null": None,
    "list": ["a", "b", 1, True],
    "deps": [
        {"uri": "git+https://x/y", "digest": {"gitCommit": "00"}, "annotations": {"role": "source"}},
        {"uri": "hf://a/b", "digest": {"sha256": "11"}, "annotations": {"role": "base-model"}},
    ],
    "empty": [],
    "object": {"a": 1, "b": 2},
    "a/b~c": "odd",
}


def made(**fields) -> Constraint:
    return msgspec.convert(fields, Constraint)


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"path": "/text", "equals": "release-7"}, True),
        ({"path": "/text", "equals": "release-8"}, False),
        ({"path": "/number", "equals": 3.0}, True),
        ({"path": "/yes", "equals": 1}, False),
        ({"path": "/null", "equals": None}, True),
        ({"path": "/missing", "equals": None}, False),
        ({"path": "/object", "equals": {"b": 2, "a": 1}}, True),
        ({"path": "/text", "in": ["x", "release-7"]}, True),
        ({"path": "/text", "in": ["x"]}, False),
        ({"path": "/list/0", "in": {"parameter": "ids"}}, False),
        ({"path": "/number", "in": ["3"]}, False),
        ({"path": "/text", "glob": "release-*"}, True),
        ({"path": "/number", "glob": "*"}, False),
        ({"path": "/text", "regex": "release-[0-9]+"}, True),
        ({"path": "/text", "regex": "release"}, False),
        ({"path": "/number", "regex": ".*"}, False),
        ({"path": "/null", "exists": True}, True),
        ({"path": "/missing", "exists": True}, False),
        ({"path": "/missing", "absent": True}, True),
        ({"path": "/null", "absent": True}, False),
        ({"path": "/object", "only_keys": ["a", "b", "c"]}, True),
        ({"path": "/object", "only_keys": ["a"]}, False),
        ({"path": "/list", "only_keys": ["a"]}, False),
        ({"path": "/object", "has_any": ["z", "a"]}, True),
        ({"path": "/object", "has_any": ["z"]}, False),
        ({"path": "/list", "has_any": ["a"]}, False),
        ({"path": "/number", "min": 3}, True),
        ({"path": "/number", "min": 3.5}, False),
        ({"path": "/number", "max": 3}, True),
        ({"path": "/float", "max": 2}, False),
        ({"path": "/yes", "min": 0}, False),
        ({"path": "/text", "max": 9}, False),
        ({"path": "/list", "contains_all": ["a", 1]}, True),
        ({"path": "/list", "contains_all": ["a", "z"]}, False),
        ({"path": "/list", "contains_all": [2]}, False),
        ({"path": "/text", "contains_all": ["a"]}, False),
        ({"path": "/deps", "each": [{"path": "/digest", "exists": True}]}, True),
        ({"path": "/deps", "each": [{"path": "/digest/sha256", "exists": True}]}, False),
        ({"path": "/empty", "each": [{"path": "/x", "exists": True}]}, True),
        ({"path": "/object", "each": [{"path": "", "exists": True}]}, False),
        ({"path": "/deps", "any": [{"path": "/annotations/role", "equals": "base-model"}]}, True),
        (
            {
                "path": "/deps",
                "any": [
                    {"path": "/annotations/role", "equals": "base-model"},
                    {"path": "/uri", "glob": "git+https://**"},
                ],
            },
            False,  # one element must meet all of them
        ),
        ({"path": "/empty", "any": [{"path": "", "exists": True}]}, False),
        ({"path": "/text", "any": [{"path": "", "exists": True}]}, False),
        ({"path": "/deps", "count_at_least": {"count": 2}}, True),
        ({"path": "/deps", "count_at_least": {"count": 3}}, False),
        ({"path": "/deps", "count_at_least": {"count": 2, "where": [{"path": "/uri", "glob": "hf://**"}]}}, False),
        ({"path": "/object", "count_at_least": {"count": 1}}, False),
        ({"path": "", "exists": True}, True),
        ({"path": "/a~1b~0c", "equals": "odd"}, True),
    ],
)
def test_operators(fields, result):
    constraint = made(**fields)
    assert holds(constraint, DOCUMENT, PARAMETERS) is result
    assert expected(constraint, PARAMETERS)


def test_parameters_stand_for_the_callers_values():
    assert holds(made(path="", **{"in": {"parameter": "ids"}}), "two", PARAMETERS)
    assert holds(made(path="", contains_all={"parameter": "ids"}), ["two", "x", "one"], PARAMETERS)
    assert not holds(made(path="", contains_all={"parameter": "ids"}), ["two"], PARAMETERS)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"path": "/a"}, "exactly one operator, this one has none"),
        ({"path": "/a", "equals": 1, "min": 0}, "this one has equals, min"),
        ({"path": "a", "equals": 1}, "not a JSON pointer"),
        ({"path": "/a~2", "equals": 1}, "not a JSON pointer"),
        ({"path": "/a", "exists": False}, "exists can only be true; the opposite is absent"),
        ({"path": "/a", "absent": False}, "absent can only be true; the opposite is exists"),
        ({"path": "/a", "regex": "("}, "not closed"),
        ({"path": "/a", "glob": "a" * 600}, "length"),
        ({"path": "/a", "matches": "x"}, "unknown field `matches`"),
        ({"path": "/a", "in": []}, "length"),
        ({"path": "/a", "min": True}, "got `bool`"),
        ({"path": "/a", "each": []}, "length"),
        ({"path": "/a", "each": [{"path": "/b"}]}, "exactly one operator"),
        ({"path": "/a", "count_at_least": {"count": 0}}, ">= 1"),
        ({"equals": 1}, "missing required field `path`"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_the_policy_is_read(fields, words):
    with pytest.raises(msgspec.ValidationError, match=words.replace("(", "\\(")):
        made(**fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"path": "/a", "equals": "x"}, '/a is "x"'),
        ({"path": "", "equals": 1}, "the predicate is 1"),
        ({"path": "/a", "in": ["x", 2]}, '/a is one of "x", 2'),
        ({"path": "/a", "in": {"parameter": "ids"}}, '/a is one of "one", "two"'),
        ({"path": "/a", "in": {"parameter": "other"}}, "/a is one of $other"),
        ({"path": "/a", "contains_all": ["x"]}, '/a contains all of "x"'),
        ({"path": "/a", "only_keys": ["x"]}, '/a has no keys but "x"'),
        ({"path": "/a", "has_any": ["x", "y"]}, '/a has one of the keys "x", "y"'),
        ({"path": "/a", "exists": True}, "/a is present"),
        ({"path": "/a", "absent": True}, "/a is absent"),
        ({"path": "/a", "min": 1}, "/a is at least 1"),
        ({"path": "/a", "max": 1}, "/a is at most 1"),
        ({"path": "/a", "glob": "x*"}, '/a matches the glob "x*"'),
        ({"path": "/a", "regex": "x+"}, '/a matches "x+"'),
        ({"path": "/a", "each": [{"path": "/b", "min": 1}, {"path": "/c", "absent": True}]},
         "each of /a: /b is at least 1 and /c is absent"),
        ({"path": "/a", "any": [{"path": "", "equals": 1}]}, "any of /a: the predicate is 1"),
        ({"path": "/a", "count_at_least": {"count": 2}}, "/a has at least 2 elements"),
        ({"path": "/a", "count_at_least": {"count": 2, "where": [{"path": "/b", "exists": True}]}},
         "/a has at least 2 elements with /b is present"),
    ],
)  # fmt: skip
def test_every_operator_is_explained(fields, words):
    assert expected(made(**fields), PARAMETERS) == words


def test_values_are_shown_in_a_few_words_however_large():
    assert shown(MISSING) == "absent"
    assert repr(MISSING) == "nothing"
    assert shown("x" * 5000) == '"' + "x" * 100 + '…"'
    assert shown([0] * 100_000) == "an array of 100000"
    assert shown({}) == "an object with the keys (none)"
    assert shown({f"k{at}": 1 for at in range(20)}).endswith("…")
    assert shown(None) == "null"


def test_json_values_are_compared_by_value_and_kind():
    assert same([1, {"a": None}], [1.0, {"a": None}])
    assert not same([1], [1, 2])
    assert not same({"a": 1}, {"a": True})
    assert not same("1", 1)
    assert not same(None, other=False)
    assert same(2**53 + 1, 2**53 + 1)
    assert not same(2**53 + 1, 2**53)


def test_the_parameters_a_constraint_refers_to_are_found_at_any_depth():
    constraints = (
        made(path="/a", each=[{"path": "/b", "any": [{"path": "", "in": {"parameter": "deep"}}]}]),
        made(path="/a", count_at_least={"count": 1, "where": [{"path": "", "in": {"parameter": "counted"}}]}),
        made(path="/a", contains_all={"parameter": "all"}),
        made(path="/a", equals={"parameter": "not one"}),
    )
    assert list(text_parameters(constraints)) == ["deep", "counted", "all"]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", DOCUMENT), ("/list/0", "a"), ("/list/00", MISSING), ("/list/-", MISSING), ("/list/9", MISSING),
     ("/list/x", MISSING), ("/text/0", MISSING), ("/object/a", 1), ("/object/", MISSING), ("/null/x", MISSING)],
)  # fmt: skip
def test_pointers_resolve_as_in_rfc_6901(pointer, value):
    check_pointer(pointer)
    assert resolve(DOCUMENT, pointer) is value or resolve(DOCUMENT, pointer) == value
