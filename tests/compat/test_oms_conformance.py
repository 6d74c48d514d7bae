"""The client for the public OMS conformance suite: as a process with our own model, and with the suite's own cases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import omsbundles
import pytest

import loopback
from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "tools/conformance/oms"
SUITE = Path(os.environ.get("MODELSIGN_VECTORS") or ROOT.parent / "shared/vectors") / "model-signing-conformance"

sys.path.append(str(ROOT / "tools/conformance"))

import run_oms  # noqa: E402 - the path comes first


def client(*words: object, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, CLIENT, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environ or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return omsbundles.put(tmp_path / "model", {**omsbundles.FILES, "log": b"x", ".github/ci.yml": b"on: push"})


def test_the_client_speaks_the_suites_protocol(model: Path, tmp_path: Path) -> None:
    key, bundle = generate(), tmp_path / "bundle.sig"
    (tmp_path / "key").write_bytes(key.pem())
    (tmp_path / "pub").write_bytes(key.public.pem)
    where = ("--method", "key", "--model-path", model)
    ignored = ("--ignore-paths", model / "log", "--ignore-paths", model / "nowhere")
    done = client("sign-model", *where, "--output-bundle", bundle, "--private-key", tmp_path / "key", *ignored)
    assert done.returncode == 0, done.stderr + done.stdout
    _, statement = omsbundles.decoded(bundle.read_bytes())
    assert [resource["name"] for resource in statement["predicate"]["resources"]] == sorted(omsbundles.FILES)
    asked = ("verify-model", *where, "--bundle", bundle, "--public-key", tmp_path / "pub")
    assert client(*asked).returncode == 0  # what the signer left out stands in the bundle
    (model / "extra.bin").write_bytes(b"\x80\x04N.")
    refused = client(*asked)
    assert refused.returncode == 1
    assert [reason["code"] for reason in json.loads(refused.stdout)["reasons"]] == ["FILE_UNSIGNED"]
    assert client(*asked, "--ignore-unsigned-files").returncode == 0


def test_the_client_says_what_it_can() -> None:
    answer = client("capabilities")
    assert answer.returncode == 0
    assert "sha256" in json.loads(answer.stdout)["hash_algorithms"]


@pytest.mark.slow
@pytest.mark.skipif(not SUITE.is_dir(), reason="MODELSIGN_VECTORS names no folder with the OMS conformance suite")
def test_every_case_of_the_suite_ends_as_it_expects() -> None:
    outcomes = run_oms.run(SUITE)
    assert len(outcomes) >= 66
    assert [outcome for outcome in outcomes if not outcome.right] == []


@pytest.mark.parametrize("mode", loopback.MODES)
def test_an_identity_signs_and_is_verified_through_the_client(
    sigstore: loopback.LoopbackSigstore, model: Path, tmp_path: Path, mode: str
) -> None:
    bundle = tmp_path / "bundle.sig"
    where = ("--method", "sigstore", "--model-path", model)
    services = {
        "MODELSIGN_SIGN_TRUST_CONFIG": str(sigstore.trust_config(mode)),
        "MODELSIGN_VERIFY_TRUSTED_ROOT": str(sigstore.trusted_root),
    }
    token = ("--identity-token", loopback.token(sigstore.issuer))
    done = client("sign-model", *where, "--output-bundle", bundle, *token, environ=services)
    assert done.returncode == 0, done.stderr + done.stdout
    asked = ("verify-model", *where, "--bundle", bundle, "--identity-provider", sigstore.issuer)
    assert client(*asked, "--identity", loopback.IDENTITY, environ=services).returncode == 0
    refused = client(*asked, "--identity", "other@example.org", environ=services)
    assert [reason["code"] for reason in json.loads(refused.stdout)["reasons"]] == ["CERTIFICATE_IDENTITY_MISMATCH"]
