"""A refusal says which rules stood in the way, and carries the whole verdict."""

from __future__ import annotations

import pytest

from modelsign.errors import ExitStatus, ModelsignError, Refused, Undecided, error
from modelsign.guard.denial import LoadDenied, LoadUndecided, NotLoaded, denial
from modelsign.verdict import CheckResult, PolicyName, RuleMode, RuleOutcome, RuleResult, Verdict


def rule(name: str, result: RuleOutcome, *, mode: RuleMode = RuleMode.ENFORCE, code: str | None = "SOME") -> RuleResult:
    return RuleResult(name, result, mode, f"{name} wanted", f"{name} seen", code=code)


def result(verdict: Verdict, *rules: RuleResult, **fields: object) -> CheckResult:
    return CheckResult(verdict, PolicyName("strict", "0" * 64), rules, **fields)


def test_deny_is_a_refusal():
    verdict = result(Verdict.DENY, rule("signed", RuleOutcome.FAIL), rule("clean", RuleOutcome.PASS))
    refusal = denial(verdict)
    assert isinstance(refusal, LoadDenied)
    assert isinstance(refusal, (NotLoaded, Refused, ModelsignError))
    assert (refusal.code, refusal.exit_status) == ("LOAD_DENIED", ExitStatus.NEGATIVE)
    assert refusal.result is verdict
    assert "signed: signed seen" in refusal.message
    assert "clean" not in refusal.message
    assert refusal.details["codes"] == ["SOME"]


def test_undecided_is_a_refusal_of_its_own():
    refusal = denial(result(Verdict.UNDECIDED, rule("clean", RuleOutcome.INDETERMINATE)))
    assert isinstance(refusal, LoadUndecided)
    assert isinstance(refusal, Undecided)
    assert (refusal.code, refusal.exit_status) == ("LOAD_UNDECIDED", ExitStatus.UNDECIDED)


def test_rules_that_only_warn_are_not_blamed():
    refusal = denial(result(Verdict.DENY, rule("soft", RuleOutcome.FAIL, mode=RuleMode.WARN)))
    assert "soft" not in refusal.message
    assert "no rule of the policy allows it" in refusal.message


def test_a_verdict_without_rules_gives_its_reasons():
    refusal = denial(result(Verdict.UNDECIDED, reasons=(error("FILE_UNREADABLE", "x: no"),)))
    assert "FILE_UNREADABLE: x: no" in refusal.message
    assert refusal.details["codes"] == ["FILE_UNREADABLE"]


def test_a_long_list_of_rules_is_cut():
    refusal = denial(result(Verdict.DENY, *(rule(f"r{number}", RuleOutcome.FAIL) for number in range(9))))
    assert "and 3 more" in refusal.message


@pytest.mark.parametrize("code", [None, "A"])
def test_codes_are_listed_once(code):
    refusal = denial(result(Verdict.DENY, *(rule(name, RuleOutcome.FAIL, code=code) for name in "ab")))
    assert refusal.details["codes"] == ([code] if code else [])
