"""`sign --keyless`, `attest scan --keyless`, then `check` by a policy that names the identity, without a socket."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from attested import write_model
from commandline import modelsign

from loopback import IDENTITY, MODES, token
from modelsign.guard.load import load
from modelsign.policy.document import load_policy

POLICY = {
    "apiVersion": "modelsign.dev/v1",
    "kind": "ModelTrustPolicy",
    "metadata": {"name": "keyless-twice"},
    "parameters": {"people": {"type": "identities"}, "root": {"type": "trust-root"}},
    "rules": [
        {"id": "signed", "kind": "signature", "identities": ["people"], "trust_root": "root", "time": "proven",
         "logs": 1, "max_age": "1d"},
        {"id": "scanned", "kind": "attestation", "predicate_type": "https://modelsign.dev/attestation/model-scan/v1",
         "identities": ["people"], "trust_root": "root", "where": [{"path": "/outcome", "equals": "clean"}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_what_was_signed_and_attested_keyless_is_allowed_offline(sigstore, tmp_path, monkeypatch, mode):
    model = write_model(tmp_path / "model")
    (tmp_path / "policy.json").write_text(json.dumps(POLICY), encoding="utf-8")
    (tmp_path / "token").write_text(token(sigstore.issuer), encoding="ascii")
    how = ("--keyless", "--identity-token", tmp_path / "token", "--trust-config", sigstore.trust_config(mode), "--yes")
    for command in (("sign", model), ("attest", "scan", model)):
        answer = modelsign(*command, *how, "--format", "json")
        assert answer.exit_code == 0, answer.stdout

    class OfThisMachine(socket.socket):
        def __init__(self, family=-1, type=-1, proto=-1, fileno=None):  # noqa: A002 - as the standard library has it
            assert fileno is not None or family == socket.AF_UNIX, "check opens no socket but to its own child"
            super().__init__(family, type, proto, fileno)

    monkeypatch.setattr(socket, "socket", OfThisMachine)
    settings = ("--policy", tmp_path / "policy.json", "--set", f"root={sigstore.trusted_root}", "--format", "json")
    answer = modelsign("check", model, *settings, "--set", f"people=identity={IDENTITY},issuer={sigstore.issuer}")
    assert (answer.exit_code, answer.document["verdict"]) == (0, "ALLOW"), answer.stdout
    assert {signer for item in answer.document["evidence"] for signer in item["signers"]} == {
        f"{IDENTITY}, confirmed by {sigstore.issuer}"
    }
    answer = modelsign("check", model, *settings, "--set", f"people=identity={IDENTITY},issuer=https://other.example")
    assert (answer.exit_code, {rule["result"] for rule in answer.document["rules"]}) == (1, {"FAIL"})
    given = {"signers": {"identity": IDENTITY, "issuer": sigstore.issuer}, "trust-root": sigstore.trusted_root}
    assert load(model, policy=load_policy("keyless"), parameters=given)


def test_a_signature_of_two_days_ago_is_stale(sigstore, tmp_path):
    model = write_model(tmp_path / "model")
    (tmp_path / "policy.json").write_text(json.dumps({**POLICY, "rules": POLICY["rules"][:1]}), encoding="utf-8")
    (tmp_path / "token").write_text(token(sigstore.issuer), encoding="ascii")
    how = ("--keyless", "--identity-token", tmp_path / "token", "--trust-config", sigstore.trust_config("rekor2"))
    assert modelsign("sign", model, *how, "--yes").exit_code == 0
    later = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = modelsign(
        "check", model, "--policy", tmp_path / "policy.json", "--set", f"root={sigstore.trusted_root}", "--at", later,
        "--set", f"people=identity={IDENTITY},issuer={sigstore.issuer}", "--format", "json",
    )  # fmt: skip
    assert (answer.exit_code, answer.document["rules"][0]["code"]) == (1, "POLICY_SIGNATURE_STALE")
