"""SARIF of real scans: every rule explained, every place exact, every fingerprint stable."""

from __future__ import annotations

import json
from urllib.parse import unquote

import model_files
import pytest

from modelsign.artifact.reading import BytesReading
from modelsign.report import _index
from modelsign.scan.engine import scan_file, scan_result
from modelsign.verdict import Report

FILES = {
    "evil é%.pkl": model_files.EVIL,
    "a:b/e.pt": model_files.pytorch(model_files.EVIL) + b"x",
    "x.yaml": b"a: 1",
    "config.json": b"{}",
}


def log(files=FILES, place=None):
    result = scan_result(scan_file(BytesReading(data), name) for name, data in files.items())
    report = Report("scan", result.exit_status(), result.body(), result=result, place=place)
    return json.loads(_index.load("sarif").render(report))


@pytest.fixture
def run():
    (only,) = log()["runs"]
    return only


def test_every_rule_that_fired_is_explained_once(run):
    described = run["tool"]["driver"]["rules"]
    assert {rule["id"] for rule in described} == {result["ruleId"] for result in run["results"]}
    for rule in described:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"].endswith(".")
        assert rule["help"]["text"].endswith(".")
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10


def test_every_result_points_at_its_rule_and_its_file(run):
    described = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert described[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"note", "warning", "error"}
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert unquote(uri) in FILES
        assert uri.isascii()
        assert ":" not in uri
        assert " " not in uri


def test_a_finding_inside_an_archive_has_a_logical_place_and_no_offset_in_the_file(run):
    inner = [result for result in run["results"] if result["ruleId"] == "pickle-execute"]
    (placed,) = [result["locations"][0] for result in inner if "logicalLocations" in result["locations"][0]]
    assert placed["logicalLocations"][0]["fullyQualifiedName"] == "a:b/e.pt/archive/data.pkl"
    assert "region" not in placed["physicalLocation"]


def test_fingerprints_are_stable_distinct_and_free_of_offsets(run):
    prints = [result["partialFingerprints"]["modelsign/v2"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    assert log()["runs"][0] == run
    longer = {**FILES, "evil é%.pkl": b"\x80\x02N0" + model_files.EVIL[2:]}
    moved = {result["partialFingerprints"]["modelsign/v2"] for result in log(longer)["runs"][0]["results"]}
    assert set(prints) == moved


@pytest.mark.parametrize(
    ("place", "base", "uri"),
    [
        (None, "MODEL", "x.yaml"),
        ("", "%SRCROOT%", "x.yaml"),
        ("my models/é/", "%SRCROOT%", "my%20models/%C3%A9/x.yaml"),
    ],
)
def test_places_are_relative_to_the_root_of_the_sources_where_the_model_lies_there(place, base, uri):
    (run,) = log({"x.yaml": b"a: !!python/object/apply:os.system [x]"}, place)["runs"]
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": uri, "uriBaseId": base}
    assert list(run["originalUriBaseIds"]) == [base]


def test_fingerprints_do_not_tell_where_the_model_lies():
    def prints(place):
        return [one["partialFingerprints"] for one in log(place=place)["runs"][0]["results"]]

    assert prints(None) == prints("") == prints("models/a/")


def test_a_clean_scan_has_no_results():
    (run,) = log({"config.json": b"{}"})["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]
