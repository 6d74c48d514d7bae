"""``modelsign scan``: exit statuses, documents and switches."""

from __future__ import annotations

from importlib.util import find_spec

import model_files
import pytest
from commandline import modelsign

from modelsign.scan.ruleset import ruleset_digest

UNKNOWN = b"\x80\x02cmy.package\nThing\n)R."


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"{}")
    (folder / "model.safetensors").write_bytes(model_files.safetensors())
    return folder


def scan(*arguments, **more):
    return modelsign("scan", *arguments, "--format", "json", **more)


def test_a_clean_model_ends_with_0_and_a_document(model):
    done = scan(model)
    assert done.exit_code == 0
    assert done.document["outcome"] == "clean"
    assert done.document["ruleset_digest"] == ruleset_digest()
    assert done.document["reasons"] == []
    assert [entry["path"] for entry in done.document["files"]] == ["config.json", "model.safetensors"]
    assert set(done.document["files"][0]) >= {"path", "sha256", "format", "outcome", "findings"}


def test_an_unsafe_file_ends_with_1_and_is_named(model):
    (model / "evil.pkl").write_bytes(model_files.EVIL)
    done = scan(model)
    assert (done.exit_code, done.codes) == (1, ["SCAN_UNSAFE"])
    assert "evil.pkl" in done.document["reasons"][0]["message"]
    finding = done.document["files"][1]["findings"][0]
    assert set(finding) >= {"rule", "severity", "message", "member", "offset"}


@pytest.mark.parametrize(
    ("name", "data", "accept", "status"),
    [
        ("x.pkl", UNKNOWN, None, 3),
        ("x.pkl", UNKNOWN, "unverified", 0),
        ("x.pkl", UNKNOWN, "unsupported", 3),
        ("x.pdf", b"%PDF-1.7", None, 3),
        ("x.pdf", b"%PDF-1.7", "unverified,unsupported", 0),
        ("x.npy", b"\x93NUMPY", "unverified,unsupported", 3),
        ("x.pkl", model_files.EVIL, "unverified,unsupported", 1),
    ],
)
def test_what_is_accepted_decides_between_0_and_3_and_never_hides_worse(model, name, data, accept, status):
    (model / name).write_bytes(data)
    done = scan(model, *(["--accept", accept] if accept else []))
    assert done.exit_code == status
    assert done.document["outcome"] != "clean"
    assert done.codes == {0: [], 1: ["SCAN_UNSAFE"], 3: ["SCAN_NOT_CLEAN"]}[status]


@pytest.mark.parametrize("word", ["incomplete", "unsafe", "clean", "nonsense"])
def test_nothing_else_can_be_accepted(model, word):
    assert scan(model, "--accept", word).exit_code == 2


def test_a_single_file_is_scanned(model):
    done = scan(model / "config.json")
    assert (done.exit_code, [entry["path"] for entry in done.document["files"]]) == (0, ["config.json"])


def test_standard_input_is_scanned_as_one_file():
    done = scan("-", stdin=model_files.EVIL)
    assert (done.exit_code, done.document["files"][0]["path"]) == (1, "-")
    assert scan("-", "--second-opinion", "modelscan", stdin=b"{}").exit_code == 2


def test_no_such_model_is_2_and_an_empty_one_4(tmp_path):
    assert scan(tmp_path / "nowhere").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert scan(tmp_path / "empty").exit_code == 4
    assert scan().exit_code == 2


def test_the_digest_of_the_rules_is_shown_without_a_model():
    done = modelsign("scan", "--ruleset")
    assert (done.exit_code, done.stdout) == (0, f"sha256:{ruleset_digest()}\n")
    assert scan("--ruleset").document["ruleset_digest"] == ruleset_digest()


def test_a_trusted_name_is_shown_as_a_warning(model):
    (model / "x.pkl").write_bytes(UNKNOWN)
    done = scan(model, "--trust-global", "my.package.Thing")
    assert done.exit_code == 0
    assert "my.package.Thing" in done.document["warnings"][0]


@pytest.mark.skipif(find_spec("modelscan") is None, reason="modelscan is not installed")
def test_a_second_opinion_is_recorded_and_its_silence_is_a_warning(model):
    done = scan(model, "--second-opinion", "modelscan")
    assert done.exit_code == 0
    assert done.document["opinions"][0]["status"] == "nothing scanned"
    assert any("no second opinion" in warning for warning in done.document["warnings"])


def test_an_unknown_second_opinion_is_a_usage_error(model):
    done = scan(model, "--second-opinion", "oracle")
    assert (done.exit_code, done.codes) == (2, ["OPINION_UNKNOWN"])


@pytest.mark.parametrize("output", ["text", "sarif", "markdown", "github", "jsonl"])
def test_names_with_escapes_never_reach_the_output_as_they_are(tmp_path, output):
    path = tmp_path / "a\u202egnp.pkl"
    path.write_bytes(model_files.EVIL)
    done = modelsign("scan", path, "--format", output)
    assert "\u202e" not in done.stdout


def test_text_names_each_file_that_is_not_clean_and_sums_up(model):
    (model / "evil.pkl").write_bytes(model_files.EVIL)
    done = modelsign("scan", model)
    lines = done.stdout.splitlines()
    assert any("evil.pkl" in line and "unsafe" in line for line in lines)
    assert not any("config.json" in line for line in lines)
    assert any("3 files" in line and "1 unsafe" in line and "2 clean" in line for line in lines)


@pytest.mark.parametrize("name", ["a\x1b[31m.pkl", "Config.json"])
def test_names_that_signing_refuses_are_scanned_all_the_same(model, name):
    (model / name).write_bytes(model_files.EVIL)
    for output in ("text", "json", "sarif"):
        done = modelsign("scan", model, "--format", output)
        assert done.exit_code == 1
        assert "\x1b" not in done.stdout
    assert len(scan(model).document["files"]) == 3


@pytest.mark.parametrize("name", ["two\nlines.pkl", "\udcff.pkl"])
def test_names_that_no_digest_can_hold_are_refused(model, name):
    (model / name).write_bytes(model_files.HARMLESS)
    done = scan(model)
    assert done.exit_code in {1, 3}
    assert done.codes


def test_the_environment_sets_flags_by_their_names(model):
    (model / "x.pdf").write_bytes(b"%PDF-1.7")
    assert scan(model).exit_code == 3
    assert scan(model, environ={"MODELSIGN_SCAN_ACCEPT": "unverified,unsupported"}).exit_code == 0
    assert scan(model, environ={"MODELSIGN_SCAN_SECOND_OPINION": "oracle"}).codes == ["OPINION_UNKNOWN"]


def test_a_report_does_not_become_a_file_of_the_model(model):
    done = scan(model, "-o", model / "report.json")
    assert (done.exit_code, done.codes) == (2, ["USAGE"])
    assert "nobody scanned" in done.document["reasons"][0]["message"]
    assert not (model / "report.json").exists()


def test_a_report_does_not_take_the_place_of_the_model(model):
    before = (model / "config.json").read_bytes()
    assert scan(model / "config.json", "-o", model / "config.json", "--force").exit_code == 2
    assert (model / "config.json").read_bytes() == before
    assert scan(model / "config.json", "-o", model / "beside.json").exit_code == 0


def sarif_place(model, cwd):
    done = modelsign("scan", model, "--format", "sarif", cwd=cwd)
    return done.document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]


def test_code_scanning_finds_the_files_from_where_the_command_was_started(model, tmp_path):
    (model / "evil.pkl").write_bytes(model_files.EVIL)
    inside = {"uri": "model/evil.pkl", "uriBaseId": "%SRCROOT%"}
    assert sarif_place("model", tmp_path) == inside
    assert sarif_place(model, tmp_path) == inside
    assert sarif_place("model/evil.pkl", tmp_path) == inside
    assert sarif_place(".", model) == {"uri": "evil.pkl", "uriBaseId": "%SRCROOT%"}
    (tmp_path / "elsewhere").mkdir()
    assert sarif_place(model, tmp_path / "elsewhere") == {"uri": "evil.pkl", "uriBaseId": "MODEL"}
    annotations = modelsign("scan", "model", "--format", "github", cwd=tmp_path)
    assert "file=model/evil.pkl," in annotations.stdout
