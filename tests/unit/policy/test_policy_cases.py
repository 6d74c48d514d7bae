"""Test cases of policies: the shipped ones pass, wrong expectations are named, odd files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsign.errors import ModelsignError
from modelsign.policy.cases import run_cases
from modelsign.policy.document import SHIPPED

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "policies" / "tests").rglob("*.yaml"))


def written(folder: Path, *cases: dict, **top: object) -> Path:
    value = {
        "policy": "baseline",
        "now": "2026-11-23T12:00:00Z",
        "parameters": {"signers": ["a"]},
        "cases": list(cases),
    }
    path = folder / "cases.yaml"
    path.write_text(json.dumps({**value, **top}), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_the_cases_of_the_shipped_policies_pass(path):
    results = run_cases(path)
    assert [result for result in results if result.problems] == []
    assert len(results) >= 5


def test_every_shipped_policy_has_cases():
    assert {path.parent.name for path in CASES} == set(SHIPPED)


def test_a_wrong_expectation_is_named(tmp_path):
    case = {"name": "n", "files": {"m": {}}, "expect": {"verdict": "ALLOW", "rules": {"signed": "PASS", "zzz": "PASS"}}}
    (result,) = run_cases(written(tmp_path, case))
    assert result.policy == "baseline"
    assert result.problems == (
        "verdict DENY, expected ALLOW",
        "signed is FAIL, expected PASS: no valid signature by a trusted key",
        "there is no rule zzz",
    )


def test_a_case_can_change_parameters_and_time(tmp_path):
    case = {"name": "n", "files": {"m": {}}, "signatures": [{"keys": ["b"]}], "parameters": {"signers": ["b"]},
            "now": "2020-01-01T00:00:00Z", "expect": {"verdict": "ALLOW"}}  # fmt: skip
    assert run_cases(written(tmp_path, case))[0].problems == ()


def test_a_policy_is_found_beside_the_file(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_bytes((ROOT / "policies" / "baseline.yaml").read_bytes())
    monkeypatch.chdir("/")
    path = written(tmp_path, {"name": "n", "files": {"m": {}}, "expect": {"verdict": "DENY"}}, policy="mine.yaml")
    assert run_cases(path)[0].problems == ()


@pytest.mark.parametrize(
    ("cases", "top", "words"),
    [
        ([], {}, "length"),
        ([{"name": "n"}], {}, "expect"),
        ([{"name": "n", "expect": {"verdict": "MAYBE"}}], {}, "MAYBE"),
        ([{"name": "n", "expect": {"verdict": "DENY"}, "file": {}}], {}, "unknown field `file`"),
        ([{"name": "n", "expect": {"verdict": "DENY"}}] * 2, {}, "two cases have one name"),
        ([{"name": "n", "expect": {"verdict": "DENY"}, "now": "2026-02-30T00:00:00Z"}], {}, "is not a time"),
        ([{"name": "n", "expect": {"verdict": "DENY"}}], {"time": 1}, "unknown field `time`"),
    ],
)
def test_an_odd_file_is_refused(cases, top, words, tmp_path):
    with pytest.raises(ModelsignError) as caught:
        run_cases(written(tmp_path, *cases, **top))
    assert caught.value.code == "POLICY_CASES_MALFORMED"
    assert words in caught.value.message


def test_the_predicate_of_a_known_type_must_be_one(tmp_path):
    attestation = {"predicate_type": "https://slsa.dev/provenance/v1", "keys": ["a"], "predicate": {}}
    case = {"name": "n", "attestations": [attestation], "expect": {"verdict": "DENY"}}
    with pytest.raises(ModelsignError) as caught:
        run_cases(written(tmp_path, case))
    assert caught.value.code == "PREDICATE_MALFORMED"


def test_an_unknown_predicate_type_is_taken_as_it_is(tmp_path):
    attestation = {"predicate_type": "https://x.example/v1", "keys": ["a"], "predicate": {"a": 1}}
    case = {"name": "n", "attestations": [attestation], "expect": {"verdict": "DENY"}}
    assert run_cases(written(tmp_path, case))[0].problems == ()


def test_a_parameter_the_policy_does_not_have_is_refused(tmp_path):
    case = {"name": "n", "expect": {"verdict": "DENY"}}
    with pytest.raises(ModelsignError) as caught:
        run_cases(written(tmp_path, case, parameters={"signers": ["a"], "zzz": ["b"]}))
    assert caught.value.code == "PARAMETER_UNKNOWN"
