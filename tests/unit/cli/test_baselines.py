"""Accepted findings: a baseline and acceptances in place expire, name exact bytes, hide nothing and lower nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import model_files
import pytest
from commandline import modelsign

from modelsign import baseline
from modelsign.artifact.model import open_artifact
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
