"""Patterns match whole values, in linear time, and agree with re where both have the syntax."""

from __future__ import annotations

import re
import time

import pytest

from modelsign.pattern import MOST_PATTERN, MOST_VALUE, glob, regex


@pytest.mark.parametrize(
    "pattern",
    [
        "", "a", "abc", "a|b", "a|", "(a|bc)*d", "(?:ab)+", "a?b?c?", "a{2}", "a{2,}", "a{0,3}b", "[a-c]+", "[^a-c]",
        "[a\\-z]", "[a-]", "[\\d.]+", "\\d{1,3}", "\\w+@\\w+\\.com", "\\s*x\\S*", ".*", "a.c", "\\D\\W", "(a*)*b",
        "https://github\\.com/acme/[^/]+/x@refs/heads/(main|release-\\d+)", "[^\\s]+", "(((a)))", "\\{\\}", "é+",
    ],
)  # fmt: skip
def test_a_pattern_agrees_with_re_fullmatch(pattern):
    values = [
        "",
        "a",
        "b",
        "ab",
        "abc",
        "aaa",
        "aab",
        "bcd",
        "a-z",
        "-",
        "d",
        "x",
        "12",
        "1234",
        "1.2",
        "a\nc",
        "axc",
        "me@site.com",
        " x y",
        "éé",
        "{}",
        "https://github.com/acme/m/x@refs/heads/release-12",
        "A",
        "_",
        "\n",
    ]
    for value in values:
        assert regex(pattern).matches(value) == bool(re.fullmatch(pattern, value, re.ASCII)), (pattern, value)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("^a", "an anchor"), ("a$", "an anchor"), ("*a", "a bare *"), ("a**", "a quantifier after"),
        ("a*?", "a quantifier after"), ("a++", "a quantifier after"), ("(a", "not closed"), ("a)", "unmatched"),
        ("[a", "not closed"), ("[]", "an empty class"), ("[z-a]", "a range"), ("[\\d-z]", "a range"), ("a{", "a {"),
        ("[a-\\d]", "a range"), ("a{3,2}", "out of range"), ("a{999}", "out of range"), ("(?=a)", "a group extension"),
        ("(?P<n>a)", "a group extension"), ("\\1", "an escape"), ("\\b", "an escape"), ("\\", "an escape"),
        ("]", "a bare ]"), ("}", "a bare }"), ("[[:alpha:]]", "a bare ["), ("\\é", "an escape"),
    ],
)  # fmt: skip
def test_what_the_subset_does_not_have_is_an_error(pattern, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        regex(pattern)


def test_size_and_nesting_are_bounded():
    with pytest.raises(ValueError, match="the limit is"):
        regex("a" * (MOST_PATTERN + 1))
    with pytest.raises(ValueError, match="the limit is"):
        glob("a" * (MOST_PATTERN + 1))
    with pytest.raises(ValueError, match="too large"):
        regex("((a{200}){200}){200}")
    with pytest.raises(ValueError, match="nested too deeply"):
        regex("(" * 30 + ")" * 30)
    assert not regex("a*").matches("a" * (MOST_VALUE + 1))
    assert regex("a*").matches("a" * MOST_VALUE)


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+", "a{0,200}a{0,200}b", "(.*)(.*)(.*)(.*)x"])
def test_patterns_that_make_backtracking_explode_do_not(pattern):
    started = time.process_time()
    regex(pattern).matches("a" * MOST_VALUE)
    regex(pattern).matches("".join(chr(97 + at % 20) for at in range(MOST_VALUE)))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "pattern",
    [
        "(((((){200}){200}){200}){200}){200}",
        "((((|){200}){200}){200}){200}",
        "(((){0,200}){0,200}){9}",
        "((){200,}){200}",
    ],
)
def test_copies_of_nothing_are_bounded_too(pattern):
    started = time.process_time()
    with pytest.raises(ValueError, match="too large"):
        regex(pattern)
    assert time.process_time() - started < 1


def test_what_a_pattern_may_repeat_is_enough_for_digests():
    assert regex("(sha256:[0-9a-f]{64},?){8}").matches(",".join(["sha256:" + "ab" * 32] * 8))


def test_a_cache_that_is_full_is_emptied():
    pattern = regex("[^x]*")
    assert pattern.matches("".join(chr(1000 + at) for at in range(2500)))


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("hf://acme/*", "hf://acme/llm", True), ("hf://acme/*", "hf://acme/a/b", False),
        ("hf://acme/**", "hf://acme/a/b", True), ("a?c", "abc", True), ("a?c", "a/c", False), ("*", "", True),
        ("a.c", "abc", False), ("a.c", "a.c", True), ("[a]", "[a]", True), ("[a]", "a", False), ("(x|y)", "x", False),
        ("a\\*", "a\\b", True), ("**", "x\ny/z", True), ("a***b", "a/b", True), ("x", "xx", False),
    ],
)  # fmt: skip
def test_globs(pattern, value, expected):
    assert glob(pattern).matches(value) is expected
