"""``modelsign attest``: signs claims about exactly these bytes and keeps them beside the model."""

from __future__ import annotations

import base64
import json

import pytest
from attested import Ring, write_model
from commandline import modelsign

from modelsign.attest.store import read_lines
from modelsign.signing import keys

SHA = "ab" * 32


@pytest.fixture
def ring(tmp_path):
    return Ring(tmp_path, "ci", "scanner")


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model")


def statements(path) -> list[dict]:
    lines = path.read_bytes().splitlines()
    assert len(read_lines(path.read_bytes())) == len(lines)
    return [json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"])) for line in lines]


def test_provenance_names_the_model_and_what_went_in(model, ring):
    answer = modelsign(
        "attest", "provenance", model, "--key", ring.private("ci"), "--builder-id", "https://b.example",
        "--build-type", "https://t.example", "--parameter", "epochs=3", "--invocation-id", "run-1",
        "--material", f"role=base-model,uri=hf://a/b@1,digest=sha256:{SHA}", "--material", "role=dataset,uri=hf://datasets/c",
        "--started-on", "2026-11-23T10:00:00Z", "--finished-on", "2026-11-23T11:00:00Z", "--format", "json",
    )  # fmt: skip
    assert answer.exit_code == 0, answer.stdout
    found = answer.document
    assert (found["line"], found["files"], found["materials"]) == (1, 2, 2)
    assert found["key_digest"] == ring.digest("ci")
    (statement,) = statements(model / "model.intoto.jsonl")
    assert [subject["name"] for subject in statement["subject"]] == ["model", "config.json", "model.safetensors"]
    assert statement["subject"][0]["digest"] == {"dirHash1": found["tree_digest"]}
    assert statement["predicate"]["buildDefinition"]["externalParameters"] == {"epochs": "3"}
    assert statement["predicate"]["runDetails"]["metadata"]["finishedOn"] == "2026-11-23T11:00:00Z"


def test_the_same_command_gives_the_same_line(model, ring):
    command = ("attest", "provenance", model, "--key", ring.private("ci"), "--builder-id", "https://b.example")
    assert modelsign(*command).exit_code == modelsign(*command).exit_code == 0
    first, second = (model / "model.intoto.jsonl").read_bytes().splitlines()
    assert first == second


def test_provenance_from_ci(model, ring):
    environ = {
        "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b",
        "GITHUB_WORKFLOW_REF": "a/b/.github/workflows/t.yml@refs/heads/main", "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": "cd" * 20, "GITHUB_RUN_ID": "7",
    }  # fmt: skip
    command = ("attest", "provenance", model, "--key", ring.private("ci"), "--from-ci", "--format", "json")
    assert modelsign(*command, "--parameter", "epochs=3", environ=environ).exit_code == 0
    (statement,) = statements(model / "model.intoto.jsonl")
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["epochs"] == "3"
    assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": "cd" * 20}
    outside = modelsign(*command, environ={"GITHUB_ACTIONS": ""})
    assert (outside.exit_code, outside.codes) == (2, ["CI_NOT_FOUND"])


def test_a_scan_is_attested_whatever_it_says(tmp_path, ring):
    from model_files import EVIL  # noqa: PLC0415 - beside its one use

    model = write_model(tmp_path / "bad", {"m.pkl": EVIL})
    answer = modelsign("attest", "scan", model, "--key", ring.private("scanner"), "--format", "json")
    assert (answer.exit_code, answer.document["outcome"]) == (0, "unsafe")
    (statement,) = statements(model / "model.intoto.jsonl")
    assert statement["predicate"]["outcome"] == "unsafe"
    assert statement["predicate"]["files"][0]["findings"]
    assert statement["subject"][1]["digest"]["sha256"] == statement["predicate"]["files"][0]["digest"]["sha256"]


def test_a_scan_at_a_stated_time_is_reproducible(model, ring):
    command = ("attest", "scan", model, "--key", ring.private("scanner"), "--scanned-on", "2026-11-23T12:00:00Z")
    assert modelsign(*command).exit_code == modelsign(*command).exit_code == 0
    first, second = (model / "model.intoto.jsonl").read_bytes().splitlines()
    assert first == second
    assert statements(model / "model.intoto.jsonl")[0]["predicate"]["scannedOn"] == "2026-11-23T12:00:00Z"


def test_attesting_does_not_change_the_model(model, ring):
    command = ("attest", "scan", model, "--key", ring.private("scanner"), "--format", "json")
    first, second = modelsign(*command).document, modelsign(*command).document
    assert first["tree_digest"] == second["tree_digest"]
    assert (first["line"], second["line"]) == (1, 2)


def test_a_single_file_has_its_store_beside_it(model, ring):
    answer = modelsign(
        "attest",
        "scan",
        model / "model.safetensors",
        "--key",
        ring.private("scanner"),
        "--name",
        "mine",
        "--format",
        "json",
    )
    assert answer.document["store"] == str(model / "model.safetensors.intoto.jsonl")
    (statement,) = statements(model / "model.safetensors.intoto.jsonl")
    assert [subject["name"] for subject in statement["subject"]] == ["mine", "model.safetensors"]


def test_a_store_of_the_callers_choice_even_inside_the_model(model, ring):
    for _ in range(2):
        answer = modelsign(
            "attest",
            "scan",
            model,
            "--key",
            ring.private("scanner"),
            "--attestations",
            model / "more.jsonl",
            "--format",
            "json",
        )
        assert answer.document["files"] == 2
    assert not (model / "model.intoto.jsonl").exists()


def test_an_encrypted_key_takes_its_password_from_a_file_or_the_environment(model, tmp_path):
    (tmp_path / "locked.key").write_bytes(keys.generate().pem(b"secret"))
    (tmp_path / "password").write_bytes(b"secret\n")
    command = ("attest", "scan", model, "--key", tmp_path / "locked.key", "--format", "json")
    assert modelsign(*command, "--password-file", tmp_path / "password").exit_code == 0
    assert modelsign(*command, "--password-file", "env:PW", environ={"PW": "secret"}).exit_code == 0
    without = modelsign(*command)
    assert (without.exit_code != 0, without.codes) == (True, ["KEY_PASSWORD_NEEDED"])
    assert modelsign(*command, "--password-file", "env:PW", environ={"PW": "wrong"}).codes == ["KEY_PASSWORD_WRONG"]


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        ([], "USAGE"),
        (["--builder-id", "b:x", "--material", "nonsense"], "MATERIAL_INVALID"),
        (["--builder-id", "b:x", "--parameter", "nonsense"], "USAGE"),
        (["--builder-id", "b:x", "--parameter", "a=1", "--parameter", "a=2"], "USAGE"),
        (["--builder-id", "b:x", "--started-on", "yesterday"], "USAGE"),
    ],
)
def test_a_wrong_call_is_a_usage_error_and_writes_nothing(model, ring, extra, code):
    answer = modelsign("attest", "provenance", model, "--key", ring.private("ci"), *extra, "--format", "json")
    assert (answer.exit_code, answer.codes) == (2, [code])
    assert not (model / "model.intoto.jsonl").exists()


def test_a_build_that_ends_before_it_begins_is_refused(model, ring):
    answer = modelsign(
        "attest", "provenance", model, "--key", ring.private("ci"), "--builder-id", "b:x", "--started-on",
        "2026-11-23T12:00:00Z", "--finished-on", "2026-11-23T11:00:00Z", "--format", "json",
    )  # fmt: skip
    assert answer.codes == ["PREDICATE_MALFORMED"]


def test_no_model_and_an_empty_one_are_different_answers(tmp_path, ring):
    command = ("--key", ring.private("scanner"), "--format", "json")
    none = modelsign("attest", "scan", tmp_path / "none", *command)
    assert (none.exit_code, none.codes) == (2, ["NO_SUCH_MODEL"])
    (tmp_path / "empty").mkdir()
    empty = modelsign("attest", "scan", tmp_path / "empty", *command)
    assert (empty.exit_code, empty.codes) == (4, ["EMPTY_MODEL"])


def test_a_public_key_does_not_sign(model, ring):
    answer = modelsign("attest", "scan", model, "--key", ring.public("scanner"), "--format", "json")
    assert answer.exit_code != 0
    assert answer.codes == ["KEY_IS_PUBLIC"]


def test_text_says_where_the_attestation_went(model, ring):
    answer = modelsign("attest", "scan", model, "--key", ring.private("scanner"))
    assert answer.stdout.startswith("attested https://modelsign.dev/attestation/model-scan/v1\n")
    assert f"stored       {model}/model.intoto.jsonl, line 1" in answer.stdout


@pytest.mark.parametrize("place", ["README.md", "ci.key", "model/config.json"])
def test_a_file_that_is_no_store_is_not_appended_to(tmp_path, model, ring, place):
    (tmp_path / "README.md").write_text("# hello\n", encoding="utf-8")
    before = (tmp_path / place).read_bytes()
    answer = modelsign(
        "attest", "provenance", model, "--key", ring.private("ci"), "--builder-id", "a:b", "--attestations",
        tmp_path / place, "--format", "json",
    )  # fmt: skip
    assert (answer.exit_code, answer.codes) == (3, ["ATTESTATION_STORE_UNUSABLE"])
    assert (tmp_path / place).read_bytes() == before
