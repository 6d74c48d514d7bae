"""Bundles that other clients made with an identity are verified as our own; who reads ours, `make interop` prints."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import modelsign
from refusals import build
from sigstore.dsse import Statement
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from loopback import IDENTITY, MODES, node_signs, running, token, unavailable
from modelsign.artifact.model import open_artifact
from modelsign.signing import keys
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.methods.key import KeySealer
from modelsign.signing.sign import sign_model

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = pytest.mark.skipif(
    importlib.util.find_spec("model_signing") is None, reason="model_signing is not installed"
)


@pytest.fixture
def model(tmp_path):
    return build(tmp_path / "model", {"weights.safetensors": b"weights", "config.json": "{}"})


@pytest.fixture
def statement(model, tmp_path):
    """The statement of the model, with those digests alone that sigstore-python reads."""
    with open_artifact(model) as artifact:
        made = json.loads(sign_model(artifact, KeySealer(keys.generate())).payload)
    made["subject"][0]["digest"] = {"sha256": made["subject"][0]["digest"]["sha256"]}
    place = tmp_path / "statement.json"
    place.write_text(json.dumps(made), encoding="utf-8")
    return place


def verified(sigstore, model, bundle):
    place = model.parent / "bundle.sig"
    place.write_bytes(bundle)
    who = ("--certificate-identity", IDENTITY, "--certificate-oidc-issuer", sigstore.issuer)
    answer = modelsign(
        "verify", model, "--bundle", place, *who, "--trusted-root", sigstore.trusted_root, "--format", "json"
    )
    return answer.exit_code, answer.codes


@pytest.mark.parametrize("mode", MODES)
def test_of_sigstore_js(sigstore, model, statement, mode):
    assert verified(sigstore, model, node_signs(sigstore, mode, statement, IN_TOTO)) == (0, [])


@pytest.mark.parametrize("mode", MODES)
def test_of_sigstore_js_with_defaults_left_out(tmp_path, model, statement, mode):
    if unavailable():
        pytest.skip(unavailable())
    (tmp_path / "fresh").mkdir()
    with running(tmp_path / "fresh") as fresh:  # the first entry of a log has the index 0, which proto3 leaves out
        bundle = node_signs(fresh, mode, statement, IN_TOTO)
        (entry,) = json.loads(bundle)["verificationMaterial"]["tlogEntries"]
        assert "logIndex" not in entry["inclusionProof"] or entry["inclusionProof"]["logIndex"] == "0"
        assert verified(fresh, model, bundle) == (0, [])


@pytest.mark.parametrize("mode", MODES)
def test_of_sigstore_python(sigstore, model, statement, mode):
    config = ClientTrustConfig.from_json(sigstore.trust_config(mode).read_text(encoding="utf-8"))
    with SigningContext.from_trust_config(config).signer(IdentityToken(token(sigstore.issuer))) as signer:
        bundle = signer.sign_dsse(Statement(statement.read_bytes())).to_json().encode()
    assert verified(sigstore, model, bundle) == (0, [])


@REFERENCE
@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_of_the_reference_implementation(sigstore, model, tmp_path, mode):
    place = tmp_path / "reference.sig"
    flags = ["--trust_config", sigstore.trust_config(mode), "--identity_token", token(sigstore.issuer)]
    command = [sys.executable, "-m", "model_signing", "sign", "sigstore", model, "--signature", place, *flags]
    subprocess.run(command, check=True, capture_output=True)
    assert verified(sigstore, model, place.read_bytes()) == (0, [])


def test_a_signature_over_a_blob_is_not_one_of_a_model(sigstore, model, statement):
    code, reasons = verified(sigstore, model, node_signs(sigstore, "rekor1", statement))
    assert (code, reasons) != (0, [])
    assert "NOT_A_MODEL_SIGNATURE" in reasons


@REFERENCE
@pytest.mark.slow
def test_the_matrix_of_clients_holds():
    if unavailable():
        pytest.skip(unavailable())
    command = [sys.executable, ROOT / "tools/interop", "key EC", "keyless rekor2"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert "modelsign        yes                      yes                      yes" in done.stdout
