"""The values everything returns: their order, their exit statuses, their JSON bodies."""

from __future__ import annotations

import dataclasses
import itertools
import json

import pytest

from modelsign.errors import error
from modelsign.reasons import ExitStatus
from modelsign.verdict import (
    Answer,
    CheckResult,
    FileLedger,
    FileScan,
    Opinion,
    Outcome,
    PolicyName,
    Report,
    Rule,
    RuleMode,
    RuleOutcome,
    RuleResult,
    ScanResult,
    Severity,
    Signer,
    Verdict,
    VerifyResult,
    VerifyVerdict,
    plain,
    worst,
)

RULE = Rule("r-1", "A rule", Severity.HIGH, Outcome.UNSAFE, "What it sees.", "What to do.")


def scan(*outcomes: Outcome, overall: Outcome | None = None) -> ScanResult:
    files = tuple(FileScan(f"f{n}", "00", 1, "pickle", outcome) for n, outcome in enumerate(outcomes))
    return ScanResult(worst(outcomes) if overall is None else overall, "ab", files)


def test_outcomes_stand_from_best_to_worst():
    order = ["clean", "unverified", "unsupported", "incomplete", "unsafe"]
    assert [outcome.value for outcome in Outcome] == order
    for better, worse in itertools.combinations(Outcome, 2):
        assert worst([better, worse]) is worst([worse, better]) is worse
    assert worst([]) is Outcome.CLEAN


@pytest.mark.parametrize(
    ("outcomes", "accepted", "status"),
    [
        ([], [], ExitStatus.NOTHING),
        ([Outcome.CLEAN], [], ExitStatus.OK),
        ([Outcome.CLEAN, Outcome.UNSAFE], [], ExitStatus.NEGATIVE),
        ([Outcome.INCOMPLETE, Outcome.UNSAFE], [], ExitStatus.NEGATIVE),
        ([Outcome.UNVERIFIED], [], ExitStatus.UNDECIDED),
        ([Outcome.UNSUPPORTED], [], ExitStatus.UNDECIDED),
        ([Outcome.INCOMPLETE], [], ExitStatus.UNDECIDED),
        ([Outcome.UNVERIFIED], [Outcome.UNVERIFIED], ExitStatus.OK),
        ([Outcome.UNVERIFIED, Outcome.UNSUPPORTED], [Outcome.UNVERIFIED], ExitStatus.UNDECIDED),
        ([Outcome.UNVERIFIED, Outcome.UNSUPPORTED], [Outcome.UNVERIFIED, Outcome.UNSUPPORTED], ExitStatus.OK),
        ([Outcome.INCOMPLETE], list(Outcome), ExitStatus.UNDECIDED),
        ([Outcome.UNSAFE], list(Outcome), ExitStatus.NEGATIVE),
    ],
)
def test_the_exit_status_of_a_scan_accepts_only_what_was_named_and_never_incomplete(outcomes, accepted, status):
    assert scan(*outcomes).exit_status(frozenset(accepted)) is status


def test_an_overall_outcome_worse_than_every_file_still_counts():
    assert scan(Outcome.CLEAN, overall=Outcome.UNSAFE).exit_status() is ExitStatus.NEGATIVE
    assert scan(Outcome.CLEAN, overall=Outcome.INCOMPLETE).exit_status(frozenset(Outcome)) is ExitStatus.UNDECIDED


def test_the_body_of_a_scan_has_the_stable_keys():
    finding = RULE.finding("seen", member="data.pkl", offset=3)
    result = ScanResult(
        Outcome.UNSAFE,
        "ab",
        (FileScan("m.pt", "cd", 9, "pytorch", Outcome.UNSAFE, (finding,), globals=("os.system",)),),
        (Opinion("modelscan", "0.8.8", "no findings"),),
    )
    body = json.loads(json.dumps(result.body()))
    assert list(body) == [
        "outcome",
        "ruleset_digest",
        "files",
        "opinions",
        "comparison",
        "traces",
        "acceptances",
        "confinement",
    ]
    assert body["files"][0]["findings"] == [
        {
            "rule": "r-1",
            "severity": "high",
            "outcome": "unsafe",
            "message": "seen",
            "member": "data.pkl",
            "offset": 3,
            "confidence": "high",
            "calls": [],
            "references": list(RULE.references),
            "advice": RULE.advice,
            "name": None,
        }
    ]
    assert body["opinions"][0]["status"] == "no findings"


def verified(*reasons) -> VerifyResult:
    verdict = VerifyVerdict.REFUSED if reasons else VerifyVerdict.VERIFIED
    signer = Signer("key", "ecdsa-p256", "ef")
    return VerifyResult(verdict, "aa", "bb", "aa", oms=True, format="oms-1.0", signers=(signer,), files=FileLedger(),
                        reasons=reasons)  # fmt: skip


def test_a_verification_ends_with_its_first_reason():
    assert verified().exit_status is ExitStatus.OK
    assert verified(error("JSON_MALFORMED", "m"), error("USAGE", "m")).exit_status is ExitStatus.UNDECIDED


def test_the_body_of_a_verification_has_the_stable_keys():
    body = json.loads(json.dumps(verified().body()))
    assert list(body) == [
        "verdict",
        "root_digest",
        "tree_digest",
        "signed_root_digest",
        "oms",
        "format",
        "signers",
        "files",
        "expires",
    ]
    assert list(body["signers"][0]) == [
        "method",
        "algorithm",
        "key_digest",
        "identity",
        "issuer",
        "time",
        "time_proof",
        "subject",
        "names",
        "claims",
        "root",
        "logs",
        "timestamps",
        "insecure",
        "not_before",
    ]
    assert list(body["files"]) == ["signed", "checked", "unsigned", "missing", "changed", "ignored", "unchecked"]


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.ALLOW, ExitStatus.OK),
        (Verdict.DENY, ExitStatus.NEGATIVE),
        (Verdict.UNDECIDED, ExitStatus.UNDECIDED),
    ],
)
def test_the_exit_status_of_a_check_is_its_verdict(verdict, status):
    rule = RuleResult("signed", RuleOutcome.FAIL, RuleMode.ENFORCE, "a signer", "none", code="USAGE")
    result = CheckResult(verdict, PolicyName("p", "00"), (rule,), "cc", scan(Outcome.CLEAN), (verified(),))
    assert result.exit_status is status
    body = json.loads(json.dumps(result.body()))
    assert body["verdict"] == verdict.value
    assert body["policy"] == {"name": "p", "digest": "00"}
    assert list(body["rules"][0])[:7] == ["id", "result", "mode", "expected", "observed", "evidence", "advice"]
    assert body["scan"]["outcome"] == "clean"
    assert body["signatures"][0]["verdict"] == "VERIFIED"


def test_a_check_without_a_scan_says_null():
    assert CheckResult(Verdict.DENY, PolicyName("p", "00"), ()).body()["scan"] is None


def test_values_become_json_types():
    @dataclasses.dataclass
    class Point:
        x: int
        tags: frozenset[str]

    assert plain({1: Point(2, frozenset({"b", "a"})), "o": (Outcome.CLEAN, None, {"s"})}) == {
        "1": {"x": 2, "tags": ["a", "b"]},
        "o": ["clean", None, ["s"]],
    }
    assert plain(Point) is Point


def test_an_answer_is_an_errors_code_message_and_advice():
    fault = error("USAGE", "m", advice="a")
    assert Answer.of(fault) == Answer("USAGE", "m", "a")


@pytest.mark.parametrize("value", [RULE, Report("x", ExitStatus.OK), scan(), verified(), FileLedger()])
def test_results_cannot_be_changed(value):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, "other")


@pytest.mark.parametrize("verdict", list(VerifyVerdict))
def test_only_a_model_that_is_verified_as_a_whole_makes_an_if_true(verdict):
    result = VerifyResult(verdict, None, None, None, oms=False, format=None, signers=(), files=FileLedger())
    assert bool(result) is (verdict is VerifyVerdict.VERIFIED)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_model_that_is_allowed_makes_an_if_true(verdict):
    assert bool(CheckResult(verdict, PolicyName("p", "00"), ())) is (verdict is Verdict.ALLOW)
