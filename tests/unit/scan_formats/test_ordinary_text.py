"""Plain text that begins like a pickle is clean; a text that is a pickle, or calls anything, is not.

docs/decisions/text-that-begins-like-a-pickle.md argues each case.
"""

from __future__ import annotations

import json
import pickle

import ordinary_files
import pytest

from modelsign import limits
from modelsign.artifact.reading import BytesReading
from modelsign.scan.engine import scan_file


def scan(data, name="labels.txt"):
    return scan_file(BytesReading(data), name)


def rules(data, name="labels.txt"):
    return {finding.rule for finding in scan(data, name).findings}


ORDINARY = [
    b"cat\ndog\n",
    b"cat\r\ndog\r\n",
    b"car\ncup\ncoat\n",
    b"C\nc\nd\n",
    b"N.B. this model is small.\n",
    b"Please read the licence.\nThen use it.\n",
    b"I\nII\nIII\n",
    b"MIT License\n\nCopyright\n",
    b"Version 1\nLegal\n",
    b"Fire\nSmoke\n",
    b"(see below)\ncat\n",
    b"P\nN\n",
    b"]...\n",
    b"K means\n",
    b"X marks the spot\n",
    b"I1\n.and on\n",
    b"numpy\nndarray\n",
    b"cnumpy\nndarray\n",
]


@pytest.mark.parametrize("data", ORDINARY)
@pytest.mark.parametrize("name", ["labels.txt", "README.md", "vocab.txt", "a.csv"])
def test_ordinary_text_that_begins_like_a_pickle_is_clean(data, name):
    result = scan(data, name)
    assert (result.outcome, result.findings, result.loadable) == ("clean", (), False)


def test_the_same_text_under_a_name_that_says_nothing_keeps_its_doubts():
    assert scan(b"cat\ndog\n", "weights").outcome == "incomplete"


@pytest.mark.parametrize(
    ("data", "outcome", "rule"),
    [
        (b"cat\ndog\n.", "unverified", "pickle-unknown-global"),  # whoever loads it is handed at.dog
        (b"cat\ndog\n0N.rest", "unverified", "pickle-unknown-global"),
        (b"cos\nsystem\n", "unsafe", "pickle-execute"),  # the name itself is a danger
        (b"cantigravity\nfly\n", "unsafe", "pickle-execute"),  # importing it does something
        (b"cat\ndog\n(tR", "incomplete", "pickle-unknown-global"),  # it is called before the text breaks off
        (b"cat\ndog\n)R and more", "incomplete", "pickle-unknown-global"),
        (b"(icat\ndog\nrest", "incomplete", "pickle-unknown-global"),
        (b"cos\nsystem\n(S'true'\ntR", "unsafe", "pickle-execute"),
        (b"cos\nsystem\n(S'true'\ntR.", "unsafe", "pickle-execute"),
        (b"N.cos\nsystem\n(S'true'\ntR.", "unsafe", "pickle-execute"),  # in the second pickle
    ],
)
@pytest.mark.parametrize("name", ["labels.txt", "README.md", "a.csv"])
def test_the_dangerous_neighbour_of_ordinary_text_is_not_clean(data, outcome, rule, name):
    result = scan(data, name)
    assert result.outcome == outcome
    assert rule in {finding.rule for finding in result.findings} or rule == "pickle-execute" != result.outcome


def test_every_pickle_of_protocol_0_that_imports_is_not_clean_under_the_name_of_text():
    class Thing:
        def __reduce__(self):
            return (print, ("inert",))

    whole = pickle.dumps([1, "a", Thing()], protocol=0)
    called = whole.index(b"R")
    assert scan(whole).outcome != "clean"
    for cut in range(called + 1, len(whole)):
        assert scan(whole[:cut]).outcome != "clean", whole[:cut]


def test_a_txt_may_be_a_chat_template_and_is_judged_as_one():
    assert rules(b"Hello {{ ''.__class__.__mro__ }}", "template.txt") == {"jinja-escape"}
    assert scan(b"Hello {{ messages[0].content }}, {% broken", "prompt.txt").outcome == "clean"
    assert scan(b"\\frac{{x}}{y}", "paper.txt").outcome == "clean"


def test_a_list_of_packages_and_a_build_program_are_no_plain_text():
    assert scan(b"torch\n", "requirements.txt").outcome == "unverified"
    assert scan(b"project(x)\n", "CMakeLists.txt").outcome == "unsupported"


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.txt"])
def test_json_by_lines_is_clean_where_each_line_is(name):
    assert scan(ordinary_files.LINES, name).outcome == "clean"
    evil = ordinary_files.LINES + json.dumps({"x": [{"_target_": "os.system"}]}).encode()
    assert rules(evil, name) == {"config-dangerous-reference"}


@pytest.mark.parametrize(
    "data", [b'{"a": 1}\n{"a": 1,\n', b'{"a": 1}\nnonsense\n', b'{"a": 1}{"a": 2}\n', b'{"a":1}\n{"b":1,"b":2}']
)
def test_lines_that_are_no_json_are_not_clean(data):
    assert scan(data, "a.json").outcome == "incomplete"
    assert scan(data, "a.jsonl").outcome == "unsupported"


def test_a_line_beyond_the_limit_is_incomplete(monkeypatch):
    monkeypatch.setattr(limits, "SCAN_JSON_BYTES", 1000)
    data = b'{"a": 1}\n{"a": 2}\n{"a": "' + b"x" * 600_000 + b'"}\n'
    assert rules(data, "a.jsonl") >= {"budget-exceeded"}
    assert scan(data, "a.jsonl").outcome == "incomplete"
