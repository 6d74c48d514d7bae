"""``modelsign policy``: every command answers with its status and its document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from commandline import modelsign

ROOT = Path(__file__).parents[3]


def test_init_writes_a_policy_to_start_from(tmp_path):
    answer = modelsign("policy", "init", tmp_path / "p.yaml", "--from", "strict", "--format", "json")
    assert answer.exit_code == 0
    assert answer.document["from"] == "strict"
    assert (tmp_path / "p.yaml").read_bytes() == (ROOT / "policies/strict.yaml").read_bytes()


def test_init_never_writes_over_a_file(tmp_path):
    (tmp_path / "p.yaml").write_text("mine", encoding="utf-8")
    answer = modelsign("policy", "init", tmp_path / "p.yaml", "--format", "json")
    assert (answer.exit_code, answer.codes) == (2, ["OUTPUT_EXISTS"])
    assert (tmp_path / "p.yaml").read_text(encoding="utf-8") == "mine"
    assert modelsign("policy", "init", tmp_path / "p.yaml", "--force").exit_code == 0


def test_init_knows_only_shipped_policies(tmp_path):
    answer = modelsign("policy", "init", tmp_path / "p.yaml", "--from", "/etc/passwd", "--format", "json")
    assert (answer.exit_code, answer.codes) == (2, ["USAGE"])


def test_lint_says_what_is_doubtful(tmp_path):
    assert modelsign("policy", "lint", "baseline").stdout.startswith("baseline: in order")
    value = yaml.safe_load((ROOT / "policies/baseline.yaml").read_text(encoding="utf-8"))
    value["rules"][0]["mode"] = "warn"
    value["parameters"]["spare"] = {"type": "strings", "default": ["x"]}
    (tmp_path / "weak.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    answer = modelsign("policy", "lint", tmp_path / "weak.yaml", "--format", "json")
    assert (answer.exit_code, answer.codes) == (1, ["POLICY_DOUBTFUL"])
    assert [doubt["fatal"] for doubt in answer.document["doubts"]] == [True, False]
    assert len(answer.document["warnings"]) == 1


def test_lint_of_a_malformed_policy_cannot_decide(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: &x 1\n", encoding="utf-8")
    answer = modelsign("policy", "lint", tmp_path / "bad.yaml", "--format", "json")
    assert (answer.exit_code, answer.codes) == (3, ["POLICY_MALFORMED"])


def test_lint_of_nothing_is_a_usage_error(tmp_path):
    answer = modelsign("policy", "lint", tmp_path / "none.yaml", "--format", "json")
    assert (answer.exit_code, answer.codes) == (2, ["POLICY_NOT_FOUND"])


def test_test_runs_a_folder_of_cases():
    answer = modelsign("policy", "test", ROOT / "policies/tests", "--format", "json")
    assert answer.exit_code == 0
    assert answer.document["failed"] == 0
    assert answer.document["passed"] == len(answer.document["cases"]) >= 32
    assert (
        f"{answer.document['passed']} passed, 0 failed" in modelsign("policy", "test", ROOT / "policies/tests").stdout
    )


def test_test_names_the_case_that_failed(tmp_path):
    case = {"name": "wrong", "files": {"m": {}}, "expect": {"verdict": "ALLOW"}}
    value = {"policy": "baseline", "now": "2026-11-23T12:00:00Z", "parameters": {"signers": ["a"]}, "cases": [case]}
    (tmp_path / "cases.json").write_text(json.dumps(value), encoding="utf-8")
    answer = modelsign("policy", "test", tmp_path, "--format", "json")
    assert (answer.exit_code, answer.codes) == (1, ["POLICY_CASE_FAILED"])
    assert "FAIL baseline: wrong" in modelsign("policy", "test", tmp_path / "cases.json").stdout


def test_test_of_an_empty_folder_is_refused(tmp_path):
    answer = modelsign("policy", "test", tmp_path, "--format", "json")
    assert (answer.exit_code, answer.codes) == (3, ["POLICY_CASES_MALFORMED"])


@pytest.mark.parametrize("name", ["baseline", "strict"])
def test_explain_says_what_a_policy_asks_for(name):
    assert f"Policy {name}, version 1" in modelsign("policy", "explain", name).stdout
    assert modelsign("policy", "explain", name, "--format", "json").document["policy"]["name"] == name


def test_schema_as_text_is_the_schema_itself():
    found = json.loads(modelsign("policy", "schema").stdout)
    assert found["$schema"].endswith("2020-12/schema")
    assert modelsign("policy", "schema", "--format", "json").document["policy_schema"] == found
