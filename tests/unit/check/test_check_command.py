"""``modelsign check``: one verdict, one document, one exit status; and a signed summary of it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from attested import Ring, sign, write_model
from commandline import modelsign
from model_files import EVIL
from paperidentities import ALICE, PaperSealer, write_root
from papersigstore import ISSUER, Paper

from modelsign.artifact.model import open_artifact
from modelsign.attest.envelope import open_attestation
from modelsign.attest.predicates.vsa import EXTENSION, VSA_TYPE
from modelsign.attest.store import read_lines
from modelsign.signing.bundle import parse_bundle

AT = "2026-11-23T12:00:00Z"
READER = """\
apiVersion: modelsign.dev/v1
kind: ModelTrustPolicy
metadata: {name: reader}
parameters:
  signers: {type: keys}
  gates: {type: keys}
rules:
  - {id: signed, kind: signature, keys: [signers]}
  - id: passed
    kind: attestation
    predicate_type: https://slsa.dev/verification_summary/v1
    keys: [gates]
    max_age: 7d
    where:
      - {path: /verificationResult, equals: PASSED}
      - {path: /verifier/id, equals: "https://gate.example"}
      - {path: /verifiedLevels, contains_all: [MODELSIGN_PASSED]}
"""


@pytest.fixture
def ring(tmp_path):
    return Ring(tmp_path, "alice", "mallory", "gate")


@pytest.fixture
def model(tmp_path, ring):
    made = write_model(tmp_path / "model")
    sign(made, ring["alice"])
    return made


def check(model, ring, *extra, signer: str = "alice", form: str = "json", **settings):
    setting = f"signers={ring.public(signer)}"
    return modelsign("check", model, "--policy", "baseline", "--set", setting, *extra, "--format", form, **settings)


def test_an_allowed_model_exits_with_zero(model, ring):
    answer = check(model, ring)
    assert answer.exit_code == 0
    found = answer.document
    assert (found["verdict"], found["reasons"], found["warnings"]) == ("ALLOW", [], [])
    assert found["policy"]["name"] == "baseline"
    assert [set(rule) >= {"id", "result", "mode", "expected", "observed", "evidence", "advice"} for rule in found["rules"]] == [True, True]  # fmt: skip  # noqa: E501 - the stable keys


def test_a_denied_model_exits_with_one(model, ring):
    answer = check(model, ring, signer="mallory")
    assert (answer.exit_code, answer.document["verdict"]) == (1, "DENY")
    assert answer.codes[0] == "POLICY_SIGNATURE_MISSING"


def test_an_undecided_model_exits_with_three(tmp_path, ring):
    model = write_model(tmp_path / "cut", {"m.safetensors": b"\x10"})
    sign(model, ring["alice"])
    answer = check(model, ring)
    assert (answer.exit_code, answer.document["verdict"]) == (3, "UNDECIDED")


def test_without_a_policy_there_is_no_verdict(model):
    answer = modelsign("check", model, "--format", "json")
    assert (answer.exit_code, answer.codes) == (2, ["POLICY_MISSING"])
    assert "verdict" not in answer.document


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--policy", "baseline"], "PARAMETER_UNSET"),
        (["--policy", "baseline", "--set", "nonsense"], "PARAMETER_INVALID"),
        (["--policy", "baseline", "--set", "zzz=1"], "PARAMETER_UNKNOWN"),
        (["--policy", "none.yaml"], "POLICY_NOT_FOUND"),
        (["--policy", "baseline", "--vsa", "x.json"], "USAGE"),
    ],
)
def test_a_wrong_call_is_a_usage_error(model, arguments, code):
    answer = modelsign("check", model, *arguments, "--format", "json")
    assert (answer.exit_code, answer.codes) == (2, [code])


def test_a_wrong_time_is_a_usage_error(model, ring):
    assert check(model, ring, "--at", "now").codes == ["USAGE"]


def test_no_model_and_an_empty_one_are_different_answers(tmp_path, ring):
    none = check(tmp_path / "none", ring)
    assert (none.exit_code, none.codes) == (2, ["NO_SUCH_MODEL"])
    (tmp_path / "empty").mkdir()
    empty = check(tmp_path / "empty", ring)
    assert (empty.exit_code, empty.codes) == (4, ["EMPTY_MODEL"])


def test_a_malformed_policy_cannot_decide(model, tmp_path):
    (tmp_path / "bad.yaml").write_text("kind: ModelTrustPolicy\nkind: Other\n", encoding="utf-8")
    answer = modelsign("check", model, "--policy", tmp_path / "bad.yaml", "--format", "json")
    assert (answer.exit_code, answer.codes) == (3, ["POLICY_MALFORMED"])


def test_a_policy_beside_the_model_is_never_taken(model):
    (model / "policy.yaml").write_text("a", encoding="utf-8")
    (model / "baseline").write_text("a", encoding="utf-8")
    answer = modelsign("check", model, "--format", "json", cwd=model)
    assert answer.codes == ["POLICY_MISSING"]


def test_the_time_of_the_verdict_can_be_chosen_and_is_said(model, ring):
    answer = check(model, ring, "--at", AT)
    assert answer.document["time"] == AT
    assert answer.document["warnings"] == [f"judged as of {AT} because --at says so"]


def test_signatures_and_stores_can_be_elsewhere(model, ring, tmp_path):
    (model / "model.sig").rename(tmp_path / "elsewhere.sig")
    assert check(model, ring).exit_code == 1
    assert check(model, ring, "--bundle", tmp_path / "elsewhere.sig").exit_code == 0
    (model / "own.sig").write_bytes((tmp_path / "elsewhere.sig").read_bytes())
    assert check(model, ring, "--bundle", model / "own.sig").exit_code == 0


def test_text_names_the_rule_and_what_to_do_next(tmp_path, ring):
    model = write_model(tmp_path / "evil", {"m.pkl": EVIL})
    sign(model, ring["alice"])
    answer = check(model, ring, form="text")
    assert answer.exit_code == 1
    assert answer.stdout.startswith("DENY")
    assert "not-unsafe" in answer.stdout
    assert "Do not load this model." in answer.stdout


@pytest.mark.parametrize("form", ["sarif", "junit", "markdown", "github", "jsonl"])
def test_every_output_can_show_a_verdict(model, ring, form):
    answer = check(model, ring, signer="mallory", form=form)
    assert answer.exit_code == 1
    assert "signed" in answer.stdout


# --- the verification summary -----------------------------------------------------------


def summary_of(line: bytes) -> dict:
    return json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))


def test_the_verdict_is_signed_into_the_store(model, ring):
    answer = check(model, ring, "--vsa-key", ring.private("gate"), "--at", AT, "--verifier-id", "https://gate.example")
    assert answer.exit_code == 0
    assert answer.document["vsa"] == {
        "file": str(model / "model.intoto.jsonl"), "line": 1, "key_digest": ring.digest("gate"),
    }  # fmt: skip
    (line,) = read_lines((model / "model.intoto.jsonl").read_bytes())
    assert line.bundle is not None
    tree = answer.document["tree_digest"]
    found = open_attestation(line.bundle, [ring["gate"].public], tree_digest=tree)
    assert found.statement.predicate_type == VSA_TYPE
    predicate = found.predicate
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["timeVerified"] == AT
    assert predicate["resourceUri"] == "file:model"
    assert predicate["policy"] == {
        "uri": "https://modelsign.dev/policies/baseline",
        "digest": {"sha256": answer.document["policy"]["digest"]},
    }
    assert predicate["inputAttestations"] == [
        {"uri": item["source"], "digest": {"sha256": item["digest"]}} for item in answer.document["evidence"]
    ]


def test_the_summary_can_go_into_a_file_of_its_own(model, ring, tmp_path):
    where = tmp_path / "vsa.json"
    settings = ("--vsa-key", ring.private("gate"), "--vsa", where, "--resource-uri", "hf://a/b@1", "--at", AT)
    answer = check(model, ring, *settings)
    assert answer.document["vsa"]["file"] == str(where)
    assert not (model / "model.intoto.jsonl").exists()
    bundle = parse_bundle(where.read_bytes())
    assert summary_of(where.read_bytes())["predicate"]["resourceUri"] == "hf://a/b@1"
    with open_artifact(model) as artifact:
        assert [subject["name"] for subject in json.loads(bundle.payload)["subject"]] == [
            artifact.name,
            *artifact.names,
        ]
    again = check(model, ring, *settings)
    assert (again.exit_code, again.codes, again.document["verdict"]) == (2, ["OUTPUT_EXISTS"], "ALLOW")
    assert check(model, ring, *settings, "--force").exit_code == 0


def test_a_denial_is_signed_as_failed(model, ring, tmp_path):
    where = tmp_path / "vsa.json"
    answer = check(model, ring, "--vsa-key", ring.private("gate"), "--vsa", where, signer="mallory")
    assert answer.exit_code == 1
    predicate = summary_of(where.read_bytes())["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert predicate[EXTENSION]["verdict"] == "DENY"


def test_a_file_policy_is_named_by_its_name(model, ring, tmp_path):
    (tmp_path / "reader.yaml").write_text(READER, encoding="utf-8")
    where = tmp_path / "vsa.json"
    answer = modelsign(
        "check", model, "--policy", tmp_path / "reader.yaml", "--set", f"signers={ring.public('alice')}", "--set",
        f"gates={ring.public('gate')}", "--vsa-key", ring.private("gate"), "--vsa", where,
    )  # fmt: skip
    assert answer.exit_code == 1
    assert summary_of(where.read_bytes())["predicate"]["policy"]["uri"] == "urn:modelsign:policy:reader"


def test_a_summary_of_one_gate_is_evidence_for_the_next(model, ring, tmp_path):
    (tmp_path / "reader.yaml").write_text(READER, encoding="utf-8")
    second = (
        "check", model, "--policy", tmp_path / "reader.yaml", "--set", f"signers={ring.public('alice')}", "--set",
        f"gates={ring.public('gate')}", "--format", "json",
    )  # fmt: skip
    assert modelsign(*second).codes == ["POLICY_ATTESTATION_MISSING"]
    check(model, ring, "--vsa-key", ring.private("gate"), "--verifier-id", "https://other.example")
    assert modelsign(*second).codes == ["POLICY_ATTESTATION_MISMATCH"]
    check(model, ring, "--vsa-key", ring.private("gate"), "--verifier-id", "https://gate.example")
    assert modelsign(*second).exit_code == 0


def test_a_summary_of_bytes_that_were_not_read_cannot_be_made(model, ring, monkeypatch):
    import dataclasses  # noqa: PLC0415 - beside its one use

    import modelsign.check as module  # noqa: PLC0415 - to stand in for a failing disk

    real = module.examine

    def failing(*arguments, **settings):
        scan = real(*arguments, **settings)
        return dataclasses.replace(scan, files=(dataclasses.replace(scan.files[0], sha256=None), *scan.files[1:]))

    monkeypatch.setattr(module, "examine", failing)
    answer = check(model, ring, "--vsa-key", ring.private("gate"))
    assert (answer.exit_code, answer.codes) == (3, ["POLICY_BYTES_UNREAD", "SCAN_NOT_ATTESTABLE"])


@pytest.mark.parametrize("place", ["there.json", "nowhere/vsa.json"])
def test_a_denial_is_told_also_where_its_summary_cannot_be_written(model, ring, tmp_path, place):
    (tmp_path / "there.json").touch()
    answer = check(model, ring, "--vsa-key", ring.private("gate"), "--vsa", tmp_path / place, signer="mallory")
    assert (answer.exit_code, answer.document["verdict"]) == (1, "DENY")
    assert answer.codes[0] == "POLICY_SIGNATURE_MISSING"
    assert answer.codes[-1] in {"OUTPUT_EXISTS", "OUTPUT_UNWRITABLE"}
    assert "vsa" not in answer.document
    assert (tmp_path / "there.json").read_bytes() == b""


def test_a_key_that_cannot_sign_the_summary_is_found_before_the_model_is_read(tmp_path, model, ring):
    (tmp_path / "bad.key").write_text("no key", encoding="utf-8")
    answer = check(model, ring, "--vsa-key", tmp_path / "bad.key")
    assert "verdict" not in answer.document
    assert answer.exit_code in {2, 3}


def test_the_last_moment_there_is_can_be_asked_about(model, ring, tmp_path):
    (tmp_path / "reader.yaml").write_text(READER, encoding="utf-8")
    check(model, ring, "--vsa-key", ring.private("gate"), "--verifier-id", "https://gate.example")
    answer = modelsign(
        "check", model, "--policy", tmp_path / "reader.yaml", "--set", f"signers={ring.public('alice')}", "--set",
        f"gates={ring.public('gate')}", "--at", "9999-12-31T23:59:59Z", "--format", "json",
    )  # fmt: skip
    assert (answer.exit_code, answer.codes) == (1, ["POLICY_ATTESTATION_STALE"])


def test_each_file_may_come_from_standard_input(model, ring):
    bundle = (model / "model.sig").read_bytes()
    (model / "model.sig").unlink()
    assert check(model, ring).exit_code == 1
    assert check(model, ring, "--bundle", "-", stdin=bundle).exit_code == 0
    (model / "model.sig").write_bytes(bundle)
    policy = (READER.split("  - {id: signed", maxsplit=1)[0].replace("  gates: {type: keys}\n", "")).encode()
    policy += b"  - {id: signed, kind: signature, keys: [signers]}\n"
    keys = f"signers={ring.public('alice')}"
    assert modelsign("check", model, "--policy", "-", "--set", keys, stdin=policy).exit_code == 0
    assert modelsign("check", model, "--policy", "-", "--set", keys, stdin=b"rules: [").exit_code != 0
    assert check(model, ring, "--attestations", "-", stdin=b"").exit_code == 0


def test_standard_input_is_read_once(model, ring):
    answer = check(model, ring, "--bundle", "-", "--attestations", "-", stdin=b"")
    assert answer.exit_code == 2
    assert answer.document["reasons"][0]["code"] == "USAGE"


def test_a_named_signature_from_standard_input_takes_the_place_of_the_models_own(model, ring):
    answer = check(model, ring, "--bundle", "-", stdin=b"{}")
    assert answer.exit_code == 1


# --- identities -------------------------------------------------------------------------


def test_an_identity_and_its_trust_root_are_given_on_the_command_line(tmp_path):
    paper = Paper()
    root = write_root(paper, tmp_path / "root.json")
    model = write_model(tmp_path / "model")
    sign(model, PaperSealer(paper))
    settings = ("--policy", "keyless", "--set", f"trust-root={root}", "--format", "json", "--at", AT)
    answer = modelsign("check", model, *settings, "--set", f"signers=identity={ALICE},issuer={ISSUER}")
    assert (answer.exit_code, answer.document["verdict"]) == (0, "ALLOW")
    assert [item["parameter"] for item in answer.document["inputs"]] == ["trust-root"]
    assert answer.document["evidence"][0]["signers"] == [f"{ALICE}, confirmed by {ISSUER}"]
    signer = answer.document["signatures"][0]["signers"][0]
    assert (signer["identity"], signer["claims"]["build_trigger"]) == (ALICE, "push")
    answer = modelsign("check", model, *settings, "--set", f"signers=identity={ALICE},issuer=https://other.example")
    assert (answer.exit_code, answer.document["verdict"]) == (1, "DENY")
    answer = modelsign("check", model, *settings, "--set", f"signers={ALICE}")
    assert (answer.exit_code, answer.codes) == (2, ["PARAMETER_INVALID"])


def test_the_summary_and_the_text_name_the_trust_root(tmp_path, ring):
    paper = Paper()
    root = write_root(paper, tmp_path / "root.json")
    model = write_model(tmp_path / "model")
    sign(model, PaperSealer(paper))
    where = tmp_path / "vsa.json"
    settings = (
        "--policy",
        "keyless",
        "--set",
        f"trust-root={root}",
        "--set",
        f"signers=identity={ALICE},issuer={ISSUER}",
    )
    answer = modelsign("check", model, *settings, "--vsa-key", ring.private("gate"), "--vsa", where, "--at", AT)
    digest = hashlib.sha256(root.read_bytes()).hexdigest()
    assert f"trust-root    trust-root: {digest}" in answer.stdout
    (used,) = summary_of(where.read_bytes())["predicate"][EXTENSION]["inputs"]
    assert used == {"parameter": "trust-root", "type": "trust-root", "digest": digest, "version": None}
