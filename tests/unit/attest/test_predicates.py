"""Predicate types: what is required is checked, the rest is left alone, times are the predicate's own."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from policyfacts import scanned

from modelsign.attest.envelope import predicate_of
from modelsign.attest.material import Material
from modelsign.attest.predicates import _index
from modelsign.attest.predicates.provenance import PROVENANCE_TYPE, Build, provenance
from modelsign.attest.predicates.scan_report import SCAN_TYPE, scan_report, scanned_digests
from modelsign.attest.predicates.vsa import EXTENSION, VSA_TYPE, verification_summary
from modelsign.errors import ModelsignError
from modelsign.scan import rules
from modelsign.verdict import (
    CheckResult,
    EvidenceItem,
    Opinion,
    PolicyName,
    RuleMode,
    RuleOutcome,
    RuleResult,
    Verdict,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = {
    "provenance": {
        "buildDefinition": {"buildType": "b", "externalParameters": {}},
        "runDetails": {"builder": {"id": "x"}},
    },
    "scan": {"scanner": {"id": "s", "rulesetDigest": {"sha256": "00"}}, "outcome": "clean", "files": []},
    "vsa": {
        "verifier": {"id": "v"},
        "resourceUri": "r",
        "policy": {"uri": "p"},
        "verificationResult": "PASSED",
        "verifiedLevels": [],
    },
}
REQUIRED = [
    ("provenance", ["buildDefinition"]),
    ("provenance", ["buildDefinition", "buildType"]),
    ("provenance", ["buildDefinition", "externalParameters"]),
    ("provenance", ["runDetails"]),
    ("provenance", ["runDetails", "builder"]),
    ("provenance", ["runDetails", "builder", "id"]),
    ("scan", ["scanner"]),
    ("scan", ["scanner", "rulesetDigest"]),
    ("scan", ["outcome"]),
    ("scan", ["files"]),
    ("vsa", ["verifier", "id"]),
    ("vsa", ["resourceUri"]),
    ("vsa", ["policy"]),
    ("vsa", ["verificationResult"]),
    ("vsa", ["verifiedLevels"]),
]


def test_the_family_is_complete():
    assert _index.IDS == ("provenance", "scan", "vsa")
    types = {_index.load(member).type for member in _index.IDS}
    assert types == {PROVENANCE_TYPE, SCAN_TYPE, VSA_TYPE}
    assert predicate_of("https://unknown.example") is None
    with pytest.raises(KeyError):
        _index.load("eval")


@pytest.mark.parametrize("member", _index.IDS)
def test_a_good_predicate_passes_with_unknown_fields(member):
    _index.load(member).check({**GOOD[member], "later": {"x": 1}})


@pytest.mark.parametrize(("member", "path"), REQUIRED)
@pytest.mark.parametrize("wrong", ["missing", None, 7, ""])
def test_what_is_required_is_missed(member, path, wrong):
    value = copy.deepcopy(GOOD[member])
    place = value
    for name in path[:-1]:
        place = place[name]
    if wrong == "missing":
        del place[path[-1]]
    else:
        place[path[-1]] = wrong
    with pytest.raises(ModelsignError) as caught:
        _index.load(member).check(value)
    assert caught.value.code == "PREDICATE_MALFORMED"


@pytest.mark.parametrize(("member", "field"), [("scan", "outcome"), ("vsa", "verificationResult")])
def test_closed_lists_are_closed(member, field):
    with pytest.raises(ModelsignError):
        _index.load(member).check({**GOOD[member], field: "fine"})


@pytest.mark.parametrize(
    ("member", "fields"),
    [
        ("provenance", lambda time: {"runDetails": {"builder": {"id": "x"}, "metadata": {"finishedOn": time}}}),
        ("scan", lambda time: {"scannedOn": time}),
        ("vsa", lambda time: {"timeVerified": time}),
    ],
)
def test_the_time_a_predicate_states(member, fields):
    made_at = _index.load(member).made_at
    assert made_at({**GOOD[member], **fields("2026-11-23T12:00:00Z")}) == NOON
    assert made_at(GOOD[member]) is None
    for odd in ("yesterday", 7, None, ["2026-11-23T12:00:00Z"]):
        assert made_at({**GOOD[member], **fields(odd)}) is None


def test_a_time_in_the_wrong_shape_is_none():
    odd = {**GOOD["provenance"], "runDetails": {"builder": {"id": "x"}, "metadata": ["2026"]}}
    assert _index.load("provenance").made_at(odd) is None


# --- provenance -------------------------------------------------------------------------


def test_provenance_says_what_it_was_given_and_nothing_else():
    bare = provenance(Build(builder_id="https://b.example"))
    assert bare == {
        "buildDefinition": {
            "buildType": "https://modelsign.dev/buildtypes/train/v1",
            "externalParameters": {},
            "resolvedDependencies": [],
        },
        "runDetails": {"builder": {"id": "https://b.example"}},
    }
    full = provenance(
        Build(
            "https://b.example",
            "https://t.example",
            {"epochs": "3"},
            {"gpu": "1"},
            (Material("base-model", "hf://a/b", None, {"sha256": "00" * 32}),),
            "run-1",
            NOON,
            NOON,
        )
    )
    assert full["runDetails"]["metadata"] == {
        "invocationId": "run-1",
        "startedOn": "2026-11-23T12:00:00Z",
        "finishedOn": "2026-11-23T12:00:00Z",
    }
    assert full["buildDefinition"]["internalParameters"] == {"gpu": "1"}
    assert full["buildDefinition"]["resolvedDependencies"][0]["annotations"] == {"role": "base-model"}


@pytest.mark.parametrize(
    "build",
    [Build(""), Build("b", ""), Build("b", started_on=NOON, finished_on=NOON.replace(hour=11))],
)
def test_a_build_that_cannot_be_is_refused(build):
    with pytest.raises(ModelsignError) as caught:
        provenance(build)
    assert caught.value.code == "PREDICATE_MALFORMED"


def test_google_and_in_toto_read_the_provenance():
    """The generated bindings of in-toto/attestation are an independent reader of the schema."""
    pytest.importorskip("in_toto_attestation", reason="in-toto-attestation comes with the dev extra of some installs")
    import in_toto_attestation.predicates.provenance.v1.provenance_pb2 as bindings  # noqa: PLC0415
    from google.protobuf.json_format import Parse  # noqa: PLC0415

    written = provenance(
        Build("https://b.example", started_on=NOON, materials=(Material("source", "git+https://x/y"),))
    )
    parsed = Parse(json.dumps(written), bindings.Provenance())
    assert parsed.run_details.builder.id == "https://b.example"
    assert parsed.build_definition.resolved_dependencies[0].uri == "git+https://x/y"


# --- scan report ------------------------------------------------------------------------


def test_a_report_lists_every_file_with_its_digest():
    scan = scanned({"b.json": "clean", "a": "unsafe"})
    found = scan_report(scan, version="9", scanned_on=NOON)
    _index.load("scan").check(found)
    assert found["outcome"] == "unsafe"
    assert [file["name"] for file in found["files"]] == ["a", "b.json"]
    assert found["files"][1] == {
        "name": "b.json",
        "digest": {"sha256": "00" * 32},
        "size": 1,
        "format": "safetensors",
        "outcome": "clean",
        "loadable": False,
        "findings": [],
    }
    assert found["scanner"] == {
        "id": "https://modelsign.dev/scanner",
        "version": "9",
        "rulesetDigest": {"sha256": "11" * 32},
    }
    assert found["scannedOn"] == "2026-11-23T12:00:00Z"
    assert "scannedOn" not in scan_report(scan, version="9", scanned_on=None)


def test_second_opinions_are_kept_apart():
    scan = replace(scanned({"a": "clean"}), opinions=(Opinion("modelscan", "1", "no findings"),))
    assert scan_report(scan, version="9", scanned_on=None)["opinions"][0]["engine"] == "modelscan"


def test_a_file_that_was_not_read_whole_cannot_be_attested():
    scan = scanned({"a": "incomplete"})
    scan = replace(scan, files=(replace(scan.files[0], sha256=None),))
    for attempt in (lambda: scan_report(scan, version="9", scanned_on=None), lambda: scanned_digests(scan)):
        with pytest.raises(ModelsignError) as caught:
            attempt()
        assert (caught.value.code, caught.value.exit_status) == ("SCAN_NOT_ATTESTABLE", 3)


@pytest.mark.parametrize("rule", [rules.CHANGED.id, rules.UNREADABLE.id, rules.CRASHED.id, rules.OVERRAN.id])
def test_what_is_no_function_of_the_bytes_cannot_be_attested(rule):
    scan = scanned({"a": "incomplete"})
    finding = replace(rules.BROKEN.finding("x"), rule=rule)
    scan = replace(scan, files=(replace(scan.files[0], findings=(finding,)),))
    with pytest.raises(ModelsignError) as caught:
        scanned_digests(scan)
    assert caught.value.code == "SCAN_NOT_ATTESTABLE"


def test_a_broken_file_can_be_attested_because_everybody_finds_it_broken():
    scan = scanned({"a": "incomplete"})
    scan = replace(scan, files=(replace(scan.files[0], findings=(rules.BROKEN.finding("cut"),)),))
    assert scan_report(scan, version="9", scanned_on=None)["outcome"] == "incomplete"


# --- verification summary ---------------------------------------------------------------


def summary(**changes) -> dict:
    values = {
        "verdict": Verdict.ALLOW,
        "policy": PolicyName("p", "22" * 32),
        "rules": (RuleResult("signed", RuleOutcome.PASS, RuleMode.ENFORCE, "e", "o"),),
        "tree_digest": "ab" * 32,
        "scan": scanned({"a": "clean"}),
        "evidence": (EvidenceItem("model.sig", "signature", "33" * 32, ("k",)),),
        **changes,
    }
    return verification_summary(
        CheckResult(**values),
        verifier_id="https://v.example",
        version="9",
        resource_uri="file:m",
        policy_uri="https://p.example",
        verified_on=NOON,
    )


def test_a_summary_has_the_fields_of_slsa():
    found = summary()
    _index.load("vsa").check(found)
    assert found["verificationResult"] == "PASSED"
    assert found["verifier"] == {"id": "https://v.example", "version": {"modelsign": "9"}}
    assert found["policy"] == {"uri": "https://p.example", "digest": {"sha256": "22" * 32}}
    assert found["inputAttestations"] == [{"uri": "model.sig", "digest": {"sha256": "33" * 32}}]
    assert found["verifiedLevels"] == ["SLSA_BUILD_LEVEL_UNEVALUATED", "MODELSIGN_PASSED", "MODELSIGN_SCAN_CLEAN"]
    assert found[EXTENSION]["rules"] == [{"id": "signed", "mode": "enforce", "result": "PASS"}]


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.UNDECIDED])
def test_every_other_verdict_is_failed(verdict):
    found = summary(verdict=verdict)
    assert (found["verificationResult"], found["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert found[EXTENSION]["verdict"] == verdict


def test_own_levels_do_not_pretend_to_be_slsas():
    for level in summary()["verifiedLevels"]:
        assert not level.startswith("SLSA_") or level.endswith("_UNEVALUATED")


def test_a_waived_rule_and_an_unclean_scan_leave_their_levels_out():
    waived = RuleResult("clean", RuleOutcome.WAIVED, RuleMode.ENFORCE, "e", "o")
    assert "MODELSIGN_PASSED" not in summary(rules=(waived,))["verifiedLevels"]
    assert "MODELSIGN_SCAN_CLEAN" not in summary(scan=scanned({"a": "unverified"}))["verifiedLevels"]
    assert summary(scan=None)[EXTENSION]["rulesetDigest"] is None
