"""What a child may say of a file: every scan comes back as it went, and nothing else comes back at all."""

from __future__ import annotations

import json

import model_files
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsign.artifact.reading import BytesReading
from modelsign.confined.wire import read_file, read_traces, write_file, write_traces
from modelsign.errors import ModelsignError, Undecided
from modelsign.scan.engine import scan_file
from modelsign.scan.trace import tracing
from modelsign.verdict import FileScan, Outcome

EVIL = model_files.EVIL
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SAID = write_file(scan_file(BytesReading(EVIL), "a.pkl"))


def over_the_wire(value):
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("files", [*model_files.GOOD.values(), *model_files.BAD.values()])
def test_a_scan_comes_back_as_it_went(files):
    for name, data in files.items():
        with tracing() as traced:
            file = scan_file(BytesReading(data), name)
        assert read_file(over_the_wire(write_file(file)), name) == file
        assert read_traces(over_the_wire(write_traces(traced.found)), name) == tuple(traced.found)


@given(key=st.sampled_from(sorted(SAID)), value=JSON)
def test_any_value_anywhere_is_a_scan_or_refused(key, value):
    try:
        file = read_file({**SAID, key: value}, "a.pkl")
    except Undecided:
        return
    assert isinstance(file, FileScan)
    assert file.outcome is Outcome.UNSAFE


@given(place=st.integers(0, 6), value=JSON)
def test_any_value_in_a_finding_is_a_finding_or_refused(place, value):
    first = list(SAID["findings"][0])
    first[place] = value
    try:
        file = read_file({**SAID, "findings": [first, *SAID["findings"][1:]]}, "a.pkl")
    except Undecided:
        return
    assert file.outcome is Outcome.UNSAFE


@given(value=JSON)
def test_any_value_is_a_disassembly_or_refused(value):
    try:
        traces = read_traces(value, "a.pkl")
    except Undecided:
        return
    assert traces == ()


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "clean"},
        {"outcome": "unverified"},
        {"loadable": False},
        {"loadable": 1},
        {"size": True},
        {"size": 1.0},
        {"sha256": "AB" * 32},
        {"format": "pickle\n"},
        {"format": ""},
        {"findings": SAID["findings"] * 1002},
        {"globals": "os.system"},
    ],
    ids=str,
)
def test_what_a_scan_never_says_is_refused(change):
    with pytest.raises(ModelsignError) as caught:
        read_file({**SAID, **change}, "a.pkl")
    assert caught.value.code == "SANDBOX_ANSWER"


def test_what_a_rule_decides_is_not_for_the_child_to_say():
    file = read_file({**SAID, "findings": [[*row[:1], "a nice file", *row[2:]] for row in SAID["findings"]]}, "a.pkl")
    assert {finding.outcome for finding in file.findings} == {Outcome.UNSAFE}
    assert all(finding.advice for finding in file.findings)
