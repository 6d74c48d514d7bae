"""The whole road by command line, each step a process, from the key to the loaded model; and what goes wrong on it."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest
import signedmodels
from road import PROGRAM, codes, document, environment, modelsign

POLICY = """\
apiVersion: modelsign.dev/v1
kind: ModelTrustPolicy
metadata:
  name: road
parameters:
  signers:
    type: keys
  builders:
    type: keys
  scanners:
    type: keys
rules:
  - id: signed
    kind: signature
    keys: [signers]
    threshold: 1
  - id: clean
    kind: scan
    accept: [clean]
  - id: provenance
    kind: attestation
    predicate_type: https://slsa.dev/provenance/v1
    keys: [builders]
  - id: scanned
    kind: attestation
    predicate_type: https://modelsign.dev/attestation/model-scan/v1
    keys: [scanners]
    where:
      - {path: /outcome, equals: clean}
"""
SETTINGS = [word for role in ("signer", "builder", "scanner") for word in ("--set", f"{role}s={role}.pub")]
KEYS = ("signer", "builder", "scanner", "stranger")
LOAD = """
import sys, modelsign
keys = {"signers": "signer.pub", "builders": "builder.pub", "scanners": "scanner.pub"}
try:
    print(modelsign.load("model", policy="policy.yaml", parameters=keys)["w"].tolist())
except modelsign.ModelsignError as refusal:
    sys.exit(f"{refusal.code} {refusal.exit_status}")
"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A folder in which the whole road was walked once; tests work on copies."""
    folder = tmp_path_factory.mktemp("road")
    (folder / "model" / "part").mkdir(parents=True)
    (folder / "model" / "weights.safetensors").write_bytes(signedmodels.weights(1.0))
    (folder / "model" / "config.json").write_text('{"layers": 2}')
    (folder / "model" / "part" / "vocab.txt").write_text("a\nb\n")
    (folder / "policy.yaml").write_text(POLICY)
    for name in KEYS:
        assert modelsign("key", "generate", f"{name}.pem", cwd=folder).returncode == 0
    for step in (
        ["sign", "model", "--key", "signer.pem"],
        ["attest", "provenance", "model", "--key", "builder.pem", "--builder-id", "https://example.org/ci"],
        ["attest", "scan", "model", "--key", "scanner.pem"],
    ):
        answer = modelsign(*step, cwd=folder)
        assert answer.returncode == 0, answer
    return folder


@pytest.fixture
def road(walked, tmp_path):
    """A copy of that folder."""
    return shutil.copytree(walked, tmp_path / "road")


def check(folder, **settings):
    return document("check", "model", "--policy", "policy.yaml", *SETTINGS, cwd=folder, **settings)


def verify(folder, *arguments, key: str = "signer.pub", **settings):
    return document("verify", "model", "--key", key, *arguments, cwd=folder, **settings)


def loaded(folder) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LOAD], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


# --- the road ---------------------------------------------------------------------------


def test_the_whole_road_ends_in_a_loaded_model(road):
    assert document("scan", "model", cwd=road)["outcome"] == "clean"
    assert verify(road)["verdict"] == "VERIFIED"
    found = check(road)
    assert found["verdict"] == "ALLOW"
    assert [(rule["id"], rule["result"]) for rule in found["rules"]] == [
        (name, "PASS") for name in ("signed", "clean", "provenance", "scanned")
    ]
    pytest.importorskip("safetensors.numpy")
    assert loaded(road).stdout.strip() == str([1.0] * 8)


def test_every_digest_on_the_road_is_the_same(road):
    digests = {document("digest", "model", cwd=road)["tree_digest"], verify(road)["tree_digest"]}
    digests.add(check(road)["tree_digest"])
    assert len(digests) == 1


@pytest.mark.parametrize("rule", ["signed", "provenance", "scanned"])
def test_taking_evidence_away_is_denied(road, rule):
    store = road / "model" / "model.intoto.jsonl"
    if rule == "signed":
        (road / "model" / "model.sig").unlink()
    else:
        lines = store.read_text().splitlines(keepends=True)
        assert len(lines) == 2
        del lines[0 if rule == "provenance" else 1]
        store.write_text("".join(lines))
    found = check(road)
    assert (found["verdict"], found["exit_code"]) == ("DENY", 1)
    assert [entry["id"] for entry in found["rules"] if entry["result"] != "PASS"] == [rule]
    assert loaded(road).stderr.strip() == "LOAD_DENIED 1"


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model / "config.json").write_text('{"layers": 3}'),
        lambda model: (model / "weights.safetensors").write_bytes(signedmodels.weights(2.0)),
        lambda model: (model / "part" / "vocab.txt").unlink(),
        lambda model: (model / "extra.json").write_text("{}"),
        lambda model: (model / "config.json").rename(model / "conf.json"),
    ],
    ids=["config", "weights", "missing", "extra", "renamed"],
)
def test_a_changed_model_is_denied_by_verify_check_and_load(road, change):
    change(road / "model")
    assert verify(road)["exit_code"] == 1
    assert check(road)["verdict"] == "DENY"
    assert loaded(road).stderr.strip() == "LOAD_DENIED 1"


def test_roles_do_not_stand_in_for_each_other(road):
    swapped = ["--set", "signers=scanner.pub", "--set", "builders=builder.pub", "--set", "scanners=signer.pub"]
    found = document("check", "model", "--policy", "policy.yaml", *swapped, cwd=road)
    assert found["verdict"] == "DENY"


# --- misuse -----------------------------------------------------------------------------


def test_a_wrong_key_is_refused(road):
    found = verify(road, key="stranger.pub")
    assert (found["verdict"], found["exit_code"]) == ("REFUSED", 1)
    assert codes(found) == ["SIGNATURE_WRONG_KEY"]


@pytest.mark.parametrize("keep", [0, 1, 100, -2])
def test_a_cut_bundle_cannot_be_decided(road, keep):
    place = road / "model" / "model.sig"
    place.write_bytes(place.read_bytes()[:keep])
    found = verify(road)
    assert found["exit_code"] == 3
    assert codes(found) == ["BUNDLE_MALFORMED"]
    assert check(road)["verdict"] in {"DENY", "UNDECIDED"}


def test_no_trust_source_is_a_usage_error(road):
    assert document("verify", "model", cwd=road)["exit_code"] == 2
    assert document("check", "model", cwd=road)["exit_code"] == 2
    assert document("check", "model", "--policy", "policy.yaml", cwd=road)["exit_code"] == 2


def test_no_model_and_an_empty_model_are_different_answers(road):
    (road / "empty").mkdir()
    absent = document("verify", "absent", "--key", "signer.pub", cwd=road)
    empty = document("verify", "empty", "--key", "signer.pub", cwd=road)
    assert (absent["exit_code"], codes(absent)) == (2, ["NO_SUCH_MODEL"])
    assert (empty["exit_code"], codes(empty)) == (4, ["EMPTY_MODEL"])


def _like_other_users() -> None:
    """Give up root's right to read everything; does nothing for other users."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_an_unreadable_file_cannot_be_decided(road):
    (road / "model" / "config.json").chmod(0)
    found = verify(road, before=_like_other_users)
    assert found["exit_code"] == 3
    assert codes(found) == ["FILE_UNREADABLE"]
    assert "config.json" in found["reasons"][0]["message"]


def test_an_unwritable_folder_leaves_everything_as_it_was(road):
    place = road / "model" / "model.sig"
    kept = place.read_bytes()
    (road / "model").chmod(0o555)
    found = document("sign", "model", "--key", "stranger.pem", "--force", cwd=road, before=_like_other_users)
    (road / "model").chmod(0o755)
    assert (found["exit_code"], codes(found)) == (3, ["OUTPUT_UNWRITABLE"])
    assert place.read_bytes() == kept


def _full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


def test_a_full_disk_loses_nothing(road):
    model = road / "model"
    kept = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
    for step in (
        ["sign", "model", "--key", "stranger.pem", "--force"],
        ["attest", "scan", "model", "--key", "scanner.pem"],
    ):
        found = document(*step, cwd=road, before=_full_disk)
        assert (found["exit_code"], codes(found)) == (3, ["OUTPUT_UNWRITABLE"]), step
    assert {path: path.read_bytes() for path in model.rglob("*") if path.is_file()} == kept


def test_a_full_disk_leaves_no_half_written_report(road):
    answer = modelsign("digest", "model", "-o", "report.txt", "--format", "json", cwd=road, before=_full_disk)
    assert answer.returncode == 3
    assert not (road / "report.txt").exists()


def _hears_ctrl_c():
    """A job started in the background inherits a SIGINT that is ignored, and hands it on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("command", [["verify", "model", "--key", "signer.pub"], ["digest", "model"]])
def test_ctrl_c_ends_in_130(road, command):
    with (road / "model" / "weights.safetensors").open("r+b") as stream:
        stream.truncate(60 * 1024**3)  # sparse: minutes of hashing, no disk
    with subprocess.Popen(
        [*PROGRAM, *command],
        cwd=road,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_hears_ctrl_c,  # noqa: PLW1509 - no threads here, and nothing else undoes an inherited SIG_IGN
    ) as running:
        _wait_until_it_reads(running.pid)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in out + err


def _wait_until_it_reads(pid: int) -> None:
    for _ in range(600):
        with open(f"/proc/{pid}/io", encoding="ascii") as counters:  # noqa: PTH123 - a file of the kernel's
            if int(counters.readline().split()[1]) > 100_000_000:
                return
        time.sleep(0.05)
    pytest.fail("the command never began to read")


def test_names_that_are_not_utf_8_are_refused_and_never_reach_the_terminal(road):
    place = os.fsencode(road / "model") + b"/\xff\x1b[31m.json"
    with open(place, "wb") as stream:  # noqa: PTH123 - a name in bytes
        stream.write(b"{}")
    for step in (["sign", "model", "--key", "signer.pem", "--force"], ["verify", "model", "--key", "signer.pub"]):
        answer = modelsign(*step, cwd=road)
        assert answer.returncode not in {0, 2}
        assert b"\x1b" not in answer.stdout + answer.stderr
        assert b"Traceback" not in answer.stderr
        answer.stdout.decode("utf-8")


def test_a_model_whose_own_name_is_not_utf_8_has_an_answer(road):
    odd = os.fsencode(road) + b"/\xfe"
    os.rename(os.fsencode(road / "model"), odd)  # noqa: PTH104 - a name in bytes
    answer = modelsign("verify", odd, "--key", "signer.pub", cwd=road)
    assert answer.returncode in {0, 1, 3}
    assert b"Traceback" not in answer.stderr
    answer.stdout.decode("utf-8")


def test_an_encrypted_key_without_a_terminal_is_an_answer_and_not_a_hang(road):
    (road / "password").write_text("secret")
    made = modelsign("key", "generate", "locked.pem", "--password-file", "password", cwd=road)
    assert made.returncode == 0, made
    answer = document("sign", "model", "--key", "locked.pem", "--force", cwd=road)
    assert answer["exit_code"] in {2, 3}
    answer = modelsign("sign", "model", "--key", "locked.pem", "--password-file", "password", "--force", cwd=road)
    assert answer.returncode == 0


@pytest.mark.parametrize("command", [["verify", "model", "--key", "signer.pub"], ["digest", "model"], ["--help"]])
def test_a_closed_pipe_is_silent(road, command):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        answer = modelsign(*command, cwd=road, stdout=writing)
    finally:
        os.close(writing)
    assert answer.stderr == b""
    assert answer.returncode not in {1, 2}


def test_a_closed_stdout_is_no_traceback(road):
    answer = modelsign("digest", "model", cwd=road, before=lambda: os.close(1))
    assert b"Traceback" not in answer.stderr


def test_nothing_is_overwritten_without_force(road):
    found = document("sign", "model", "--key", "signer.pem", cwd=road)
    assert (found["exit_code"], codes(found)) == (2, ["OUTPUT_EXISTS"])
    kept = (road / "signer.pem").read_bytes()
    assert document("key", "generate", "signer.pem", cwd=road)["exit_code"] == 2
    assert document("key", "generate", "signer.pem", "--force", cwd=road)["exit_code"] == 2
    assert (road / "signer.pem").read_bytes() == kept
