"""Names of modules nobody knows whose last part means one thing alone: to run a program, or code."""

from __future__ import annotations

import json
from pathlib import Path

import picklebytes as p
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.scan import knowledge
from modelsign.scan.engine import scan_file
from modelsign.verdict import Confidence

FOLDER = Path(knowledge.__file__).parent


def scan(module: str, name: str, *trusted: str):
    data = p.PROTO4 + p.stack_name(module, name) + p.ARGUMENT + b"R."
    return scan_file(BytesReading(data), "model.pkl", trust_globals=frozenset(trusted))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("gevent.subprocess", "Popen"),
        ("gevent.subprocess", "run"),
        ("eventlet.green.os", "system"),
        ("future.moves.subprocess", "getoutput"),
        ("psutil", "Popen"),
        ("mine", "check_output"),
        ("mine", "helpers.execv"),
        ("a.builtins", "eval"),
        ("a._os", "system"),
        ("somewhere.runpy", "run_path"),
    ],
)
def test_a_call_of_such_a_name_is_unsafe_with_medium_confidence(module, name):
    result = scan(module, name)
    assert result.outcome == "unsafe"
    (finding,) = result.findings
    assert (finding.rule, finding.confidence) == ("pickle-execute", Confidence.MEDIUM)
    assert f"{module}.{name}" in finding.message


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("mine", "eval"),
        ("mine", "exec"),
        ("mine", "run"),
        ("mine", "system"),
        ("control", "system"),
        ("mine", "Model.eval"),
        ("mine", "popen_pool"),
        ("os_helpers", "system"),
        ("mine", "spawn"),
        ("mine", "fork"),
    ],
)
def test_names_that_ordinary_code_has_too_stay_unverified(module, name):
    result = scan(module, name)
    assert (result.outcome, [one.rule for one in result.findings]) == ("unverified", ["pickle-unknown-global"])


def test_such_a_name_that_is_stored_and_not_called_stays_unverified():
    data = p.PROTO4 + p.stack_name("mine", "Popen") + b"."
    assert scan_file(BytesReading(data), "model.pkl").outcome == "unverified"


def test_whoever_trusts_exactly_this_name_is_believed():
    assert scan("mine", "check_output", "mine.check_output").outcome == "clean"
    assert scan("other", "check_output", "mine.check_output").outcome == "unsafe"


def test_what_is_known_is_judged_as_before():
    assert scan("subprocess", "Popen").findings[0].confidence == Confidence.HIGH
    assert scan("posix", "system").findings[0].confidence == Confidence.HIGH


def test_no_name_of_the_allow_lists_is_among_them():
    paths = sorted((FOLDER / "allowed").glob("*.json"))
    names = [
        name for path in paths for group in json.loads(path.read_bytes())["groups"] for name in knowledge._names(group)
    ]
    assert len(names) > 5000
    assert [name for name in names if knowledge.guessed_capability(*name.rsplit(".", 1))] == []


def test_the_names_have_a_source():
    group = json.loads((FOLDER / "dangerous.json").read_bytes())["last_names"]
    assert group["source"].strip()
    assert group["anywhere"] == sorted(set(group["anywhere"]))
    assert group["below"] == dict(sorted(group["below"].items()))
