"""Accepted findings: a baseline and acceptances in place expire, name exact bytes, hide nothing and lower nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import model_files
import pytest
from commandline import modelsign

from modelsign import baseline
from modelsign.artifact.model import open_artifact
from modelsign.attest.claims import scan_statement
from modelsign.errors import ModelsignError
from modelsign.scan.engine import scan_artifact

UNKNOWN = b"\x80\x02cmy.package\nThing\n)R."
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "x.pkl").write_bytes(UNKNOWN)
    (folder / "config.json").write_bytes(b"{}")
    return folder


def scan(*arguments):
    return modelsign("scan", *arguments, "--format", "json")


def write(model, path, *more):
    return scan(model, "--write-baseline", path, "--baseline-reason", "our own class", *more)


def statuses(done):
    return [one["status"] for one in done.document["acceptances"]]


def test_what_was_accepted_counts_no_more_and_is_shown(model, tmp_path):
    path = tmp_path / "baseline.json"
    assert write(model, path).exit_code == 3
    done = scan(model, "--baseline", path)
    assert (done.exit_code, done.document["outcome"], statuses(done)) == (0, "unverified", ["used"])
    (one,) = done.document["acceptances"]
    assert (one["rule"], one["path"], one["reason"]) == ("pickle-unknown-global", "x.pkl", "our own class")
    assert "our own class" in modelsign("scan", model, "--baseline", path).stdout


def test_other_bytes_of_the_same_name_are_not_accepted(model, tmp_path):
    path = tmp_path / "baseline.json"
    write(model, path)
    (model / "x.pkl").write_bytes(UNKNOWN.replace(b"Thing", b"Other"))
    done = scan(model, "--baseline", path)
    assert (done.exit_code, statuses(done)) == (3, ["unknown"])
    assert any("about no finding" in warning for warning in done.document["warnings"])


def test_a_finding_beside_the_accepted_one_still_counts(model, tmp_path):
    path = tmp_path / "baseline.json"
    write(model, path)
    (model / "y.pkl").write_bytes(UNKNOWN)
    done = scan(model, "--baseline", path)
    assert (done.exit_code, done.codes) == (3, ["SCAN_NOT_CLEAN"])
    assert "y.pkl" in done.document["reasons"][0]["message"]
    assert "x.pkl" not in done.document["reasons"][0]["message"]


def test_unsafe_is_accepted_only_by_the_insecure_switch_and_the_exact_bytes(model, tmp_path):
    (model / "x.pkl").write_bytes(model_files.EVIL)
    path = tmp_path / "baseline.json"
    done = write(model, path)
    assert json.loads(path.read_text())["accepted"] == []
    assert any("was not accepted" in warning for warning in done.document["warnings"])
    write(model, path, "--insecure-accept-unsafe", "--force")
    refused = scan(model, "--baseline", path)
    assert (refused.exit_code, statuses(refused)) == (1, ["refused"])
    taken = scan(model, "--baseline", path, "--insecure-accept-unsafe")
    assert (taken.exit_code, taken.document["outcome"], statuses(taken)) == (0, "unsafe", ["used"])
    assert any("--insecure-accept-unsafe" in warning for warning in taken.document["warnings"])
    inline = scan(model, "--accept-finding", "pickle-execute:x.pkl:2999-01-01:no", "--insecure-accept-unsafe")
    assert (inline.exit_code, statuses(inline)) == (1, ["refused"])


def test_incomplete_is_never_accepted(model, tmp_path):
    (model / "x.pkl").write_bytes(b"\x80\x02cmy.package\nThing\n)")
    path = tmp_path / "baseline.json"
    write(model, path, "--insecure-accept-unsafe")
    assert json.loads(path.read_text())["accepted"][1:] == []
    done = scan(model, "--baseline", path, "--accept-finding", "pickle-broken:x.pkl:2999-01-01:no")
    assert (done.exit_code, statuses(done)) == (3, ["used", "refused"])


def test_an_acceptance_in_place_holds_until_its_day(model):
    rule = "pickle-unknown-global:x.pkl"
    done = scan(model, "--accept-finding", f"{rule}:2999-01-01:our own class")
    assert (done.exit_code, statuses(done)) == (0, ["used"])
    done = scan(model, "--accept-finding", f"{rule}:2020-01-01:our own class")
    assert (done.exit_code, statuses(done)) == (3, ["expired"])
    assert any("has expired" in warning for warning in done.document["warnings"])


@pytest.mark.parametrize("text", ["x", "rule:path:2027-01-01", "rule:path:2027-13-01:why", "rule:path:2027-01-01: "])
def test_an_acceptance_in_place_that_is_none_is_a_usage_error(model, text):
    assert scan(model, "--accept-finding", text).exit_code == 2


def test_an_entry_holds_until_the_moment_it_expires(model):
    with open_artifact(model) as artifact:
        result = scan_artifact(artifact)
    data, _ = baseline.make(result, now=NOW, days=1, reason="r")
    entries = baseline.read(data)
    for moment, status in ((NOW, "used"), (datetime(2026, 11, 27, tzinfo=UTC), "expired")):
        applied = baseline.apply(result, entries, now=moment)
        assert [one.status for one in applied.acceptances] == [status]
        assert applied.exit_status() == (0 if status == "used" else 3)


def entry(**changed):
    good = {"rule": "r", "path": "p", "member": None, "sha256": "0" * 64, "expires": "2027-01-01T00:00:00Z"}
    return {**good, "reason": "w", **changed}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"version": 1},
        {"version": 2, "accepted": []},
        {"version": 1, "accepted": {}},
        {"version": 1, "accepted": [], "more": 1},
        *({"version": 1, "accepted": [broken]} for broken in (
            7, {}, entry(more=1), entry(rule=""), entry(path=None), entry(member=3), entry(sha256="0" * 63),
            entry(sha256=None), entry(expires="tomorrow"), entry(expires=None), entry(reason="x" * 1001),
        )),
    ],
)  # fmt: skip
def test_a_baseline_that_is_none_is_refused(document):
    with pytest.raises(ModelsignError) as caught:
        baseline.read(json.dumps(document).encode())
    assert caught.value.code == "BASELINE_INVALID"


def test_to_write_a_baseline_takes_a_reason(model, tmp_path):
    assert scan(model, "--write-baseline", tmp_path / "b.json").exit_code == 2
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize("flag", [("--baseline-days", "5"), ("--baseline-reason", "why")])
def test_a_flag_that_would_do_nothing_by_itself_is_refused(model, flag):
    done = scan(model, *flag)
    assert (done.exit_code, done.codes) == (2, ["USAGE"])
    assert "--write-baseline" in done.document["reasons"][0]["message"]


def test_a_rule_that_does_not_exist_is_refused_and_a_near_one_named(model):
    done = scan(model, "--accept-finding", "pickle-unknown-globl:x.pkl:2999-01-01:why")
    assert (done.exit_code, done.codes) == (2, ["USAGE"])
    assert "pickle-unknown-global is near" in done.document["reasons"][0]["message"]


def test_a_refused_acceptance_says_what_would_be_accepted(tmp_path):
    (tmp_path / "e.pkl").write_bytes(model_files.EVIL)
    done = scan(tmp_path, "--accept-finding", "pickle-execute:e.pkl:2999-01-01:why", "--insecure-accept-unsafe")
    assert (done.exit_code, statuses(done)) == (1, ["refused"])
    assert any("only by a baseline" in warning for warning in done.document["warnings"])


def test_a_baseline_is_written_for_people_to_read(model, tmp_path):
    write(model, tmp_path / "b.json")
    text = (tmp_path / "b.json").read_text(encoding="utf-8")
    assert '\n      "rule": "pickle-unknown-global",\n' in text
    assert text.endswith("}\n")


def test_a_trace_of_what_holds_no_pickle_says_so(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    done = scan(tmp_path, "--trace")
    assert (done.exit_code, done.document["warnings"]) == (0, ["--trace: there is no pickle in what was scanned"])


def test_the_digest_that_is_shown_is_that_of_the_result_and_of_the_attestation(model):
    shown = modelsign("scan", "--ruleset", "--format", "json").document["ruleset_digest"]
    assert modelsign("scan", "--ruleset").stdout == f"sha256:{shown}\n"
    assert scan(model).document["ruleset_digest"] == shown
    with open_artifact(model) as artifact:
        statement = scan_statement(artifact.name, scan_artifact(artifact), version="1", scanned_on=NOW)
    assert json.loads(statement)["predicate"]["scanner"]["rulesetDigest"] == {"sha256": shown}


def test_a_baseline_that_is_not_there_is_a_fault_of_usage_found_before_the_scan(model, tmp_path):
    done = scan(model, "--baseline", tmp_path / "misspelt.json")
    assert (done.exit_code, done.codes) == (2, ["BASELINE_NOT_FOUND"])
    assert "files" not in done.document
