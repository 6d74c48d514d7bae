"""Any bytes give a policy or a refusal with a code; patterns agree with re."""

from __future__ import annotations

import json
import re

import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from policyfacts import document

from modelsign.errors import ModelsignError
from modelsign.pattern import glob, regex
from modelsign.policy import strictyaml
from modelsign.policy.constraints import same, shown
from modelsign.policy.document import canonical, digest, read_policy, shipped_policy
from modelsign.policy.pointer import resolve

SAMPLE = shipped_policy("strict")
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e6, 1e6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbfa: 1")
@example(b"? a\n: b\n")
@example(b"a: |\n")
@example(b"- - - -")
def test_any_bytes_are_read_or_refused(data):
    try:
        strictyaml.loads(data, most_bytes=1000, code="POLICY_MALFORMED")
    except ModelsignError as fault:
        assert fault.code == "POLICY_MALFORMED"  # noqa: PT017 - not raising is right too


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 40), st.binary(max_size=6))
def test_a_damaged_policy_is_read_or_refused(start, length, inserted):
    try:
        read_policy(SAMPLE[:start] + inserted + SAMPLE[start + length :])
    except ModelsignError as fault:
        assert fault.code == "POLICY_MALFORMED"  # noqa: PT017 - not raising is right too


@settings(max_examples=200, deadline=None)
@given(values)
def test_yaml_and_json_of_one_value_read_the_same(value):
    assume(not (isinstance(value, dict) and not value))
    try:
        written = yaml.safe_dump(value, default_style='"', allow_unicode=False).encode()
        from_yaml = strictyaml.loads(written, most_bytes=100_000, code="POLICY_MALFORMED")
    except ModelsignError:
        return  # tags for numbers, flow mappings, repeated objects as anchors
    assert strictyaml.loads(b"  " + json.dumps({"a": value}).encode(), most_bytes=100_000, code="POLICY_MALFORMED")
    assert same(from_yaml, value) or from_yaml == value


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), values, max_size=4))
def test_json_is_read_exactly(value):
    assert strictyaml.loads(json.dumps(value).encode(), most_bytes=100_000, code="POLICY_MALFORMED") == value


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(3)), st.booleans())
def test_the_digest_does_not_depend_on_the_order_of_keys(order, indented):
    value = document([{"id": "signed", "kind": "signature", "keys": ["signers"], "threshold": 2}])
    names = list(value)
    shuffled = {names[at]: value[names[at]] for at in order} | value
    data = json.dumps(shuffled, indent=2 if indented else None).encode()
    assert digest(read_policy(data), {"signers": ("a",)}) == digest(read_policy(json.dumps(value).encode()), {"signers": ("a",)})  # fmt: skip  # noqa: E501 - one comparison


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["baseline", "strict"]))
def test_the_canonical_form_is_a_fixed_point(name):
    read = read_policy(shipped_policy(name))
    assert canonical(read_policy(json.dumps(canonical(read)).encode())) == canonical(read)


# --- patterns ---------------------------------------------------------------------------

atoms = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\.", "x", "[a-c0-2]"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(patterns, st.text("abc.012x\n", max_size=10))
def test_patterns_agree_with_re(pattern, value):
    assert regex(pattern).matches(value) == (re.fullmatch(pattern, value, re.ASCII) is not None)


@settings(max_examples=300, deadline=None)
@given(st.text("ab*?/[]", max_size=8), st.text("ab/[]*", max_size=8))
def test_globs_agree_with_their_definition(pattern, value):
    pieces = re.findall(r"\*\*+|.", pattern, re.DOTALL)
    meaning = {"*": "[^/]*", "?": "[^/]"}
    expression = "".join(
        "(?s:.*)" if piece.startswith("**") else meaning.get(piece, re.escape(piece)) for piece in pieces
    )
    assert glob(pattern).matches(value) == (re.fullmatch(expression, value) is not None)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_a_value_error(text):
    glob(text)
    try:
        regex(text).matches("abc")
    except ValueError:
        return


@settings(max_examples=200, deadline=None)
@given(values, st.text("/ab01~", max_size=8))
def test_pointers_and_words_are_total(value, pointer):
    resolve(value, pointer)
    assert len(shown(value)) < 1200
    assert same(value, value)
