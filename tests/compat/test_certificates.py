"""Certificates both ways with the reference implementation, with its old releases, and with openssl."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from certificatelab import CA, DAY, LEAF, NAMES, NOW, P384, P521, Authority, openssl
from refusals import build

from modelsign.artifact.model import open_artifact
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import pae
from modelsign.signing.methods.certificate import CertificateSealer, CertificateTrust
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import VerifyOptions, verify_model
from modelsign.signing.x509.certificates import load_certificate
from modelsign.signing.x509.identity import exact_identity

if TYPE_CHECKING:
    from certificatelab import Issued, Lab

    from modelsign.verdict import VerifyResult

WHO = exact_identity("ci@example.org")
VECTORS = Path(os.environ.get("MODELSIGN_VECTORS") or Path(__file__).parents[3] / "shared/vectors") / "oms"
needs_reference = pytest.mark.skipif(
    importlib.util.find_spec("model_signing") is None, reason="model_signing is not installed"
)
needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason="MODELSIGN_VECTORS does not name the published vectors")


def reference(*arguments: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "model", {"Z": "1", "a-b": "2", "a/b": "3"})


def sign(model: Path, leaf: Issued, *chain: Authority) -> Path:
    above = [entry.certificate for entry in chain]
    with open_artifact(model) as artifact:
        done = sign_model(artifact, CertificateSealer(leaf.key, leaf.certificate, above, now=NOW))
    place = model / "model.sig"
    place.write_bytes(done.bundle)
    return place


def verify(model: Path, place: Path, root: Authority, **settings: Any) -> VerifyResult:
    one = CertificateTrust(**{"roots": (root.certificate,), "identity": WHO, "now": NOW} | settings)
    with open_artifact(model, bundles=[place]) as artifact:
        return verify_model(artifact, place.read_bytes(), [one])


@needs_reference
@pytest.mark.slow
@pytest.mark.parametrize("key", [None, P384, P521], ids=["p256", "p384", "p521"])
def test_the_reference_verifies_what_is_signed_here(model: Path, lab: Lab, key: tuple[str, ...] | None) -> None:
    leaf = lab.leaf if key is None else lab.middle.issue(f"reference{key[-1]}", key=key)
    place = sign(model, leaf, lab.middle)
    words = ("verify", "certificate", model, "--signature", place, "--certificate_chain", lab.root.path)
    answer = reference(*words)
    assert answer.returncode == 0, answer.stderr
    (model / "a-b").write_text("changed")
    assert reference(*words).returncode != 0


@needs_reference
@pytest.mark.slow
def test_what_the_reference_signs_is_verified_here(model: Path, lab: Lab) -> None:
    place = model / "model.sig"
    words = ("sign", "certificate", model, "--signature", place, "--private_key", lab.leaf.key_path)
    chain = ("--certificate_chain", lab.middle.path, "--certificate_chain", lab.root.path)
    answer = reference(*words, "--signing_certificate", lab.leaf.path, *chain)
    assert answer.returncode == 0, answer.stderr
    result = verify(model, place, lab.root)
    assert (result.verdict.value, result.format) == ("VERIFIED", "oms-v1.0")
    assert [reason.code for reason in verify(model, place, lab.stranger).reasons] == ["CERTIFICATE_UNTRUSTED"]


@needs_reference
@pytest.mark.slow
def test_what_the_reference_accepts_and_must_not(model: Path, tmp_path: Path) -> None:
    """Certificates of servers, and expired ones: both verify there (facts: OMS, section 7)."""
    root = Authority(tmp_path / "authority", "root")
    server = root.issue("server", extensions=LEAF.replace("codeSigning", "serverAuth") + NAMES)
    expired = root.issue("expired", start=NOW - 9 * DAY, end=NOW - DAY)
    for leaf, code in ((server, "CERTIFICATE_WRONG_USAGE"), (expired, "CERTIFICATE_EXPIRED")):
        place = model / "model.sig"
        place.unlink(missing_ok=True)
        words = ("sign", "certificate", model, "--signature", place, "--private_key", leaf.key_path)
        chain = ("--signing_certificate", leaf.path, "--certificate_chain", root.path)
        assert reference(*words, *chain).returncode == 0
        theirs = reference("verify", "certificate", model, "--signature", place, "--certificate_chain", root.path)
        assert theirs.returncode == 0, theirs.stderr
        assert [reason.code for reason in verify(model, place, root).reasons] == [code]
    assert verify(model, place, root, assumed_time="issuance").verdict.value == "VERIFIED"


@needs_vectors
@pytest.mark.parametrize(
    ("name", "fmt", "legacy"),
    [
        ("v0.2.0-certificate", "oms-v0.2", True),
        ("v0.3.1-certificate", "oms-v0.3", True),
        ("v1.1.0-certificate", "oms-v1.0", False),
    ],
)
def test_bundles_of_old_releases_verify(name: str, fmt: str, legacy: bool) -> None:  # noqa: FBT001 - the answer
    folder = VECTORS / name
    root = load_certificate((VECTORS / "keys/ca-cert.pem").read_bytes())
    now = datetime(2026, 11, 1, tzinfo=UTC)
    trust = CertificateTrust((root,), exact_identity("CN=intermediate-ca"), now)
    ignored = ("ignore-me",) if (folder / "ignore-me").exists() else ()

    def answer(trust: CertificateTrust, *, allow_legacy: bool) -> tuple[str, str | None, list[str]]:
        options = VerifyOptions(ignore_paths=ignored, allow_legacy=allow_legacy)
        with open_artifact(folder, ignore_paths=ignored) as artifact:
            result = verify_model(artifact, (folder / "model.sig").read_bytes(), [trust], options=options)
        return result.verdict.value, result.format, [reason.code for reason in result.reasons]

    assert answer(trust, allow_legacy=True) == ("VERIFIED", fmt, [])
    if legacy:
        assert answer(trust, allow_legacy=False)[0] == "REFUSED"
    expired = CertificateTrust((root,), trust.identity, datetime(2036, 1, 1, tzinfo=UTC))
    assert answer(expired, allow_legacy=True)[2] == ["CERTIFICATE_EXPIRED"]
    old = CertificateTrust((root,), trust.identity, expired.now, assumed_time="issuance")
    assert answer(old, allow_legacy=True) == ("VERIFIED", fmt, [])


def test_openssl_verifies_the_chain_and_the_signature(model: Path, lab: Lab, tmp_path: Path) -> None:
    place = sign(model, lab.leaf, lab.middle)
    material = json.loads(place.read_bytes())["verificationMaterial"]["x509CertificateChain"]["certificates"]
    leaf, middle = (base64.b64decode(entry["rawBytes"]) for entry in material)
    for name, der in (("leaf", leaf), ("middle", middle)):
        (tmp_path / f"{name}.pem").write_bytes(openssl("x509", "-inform", "DER", stdin=der))
    words = ("-CAfile", lab.root.path, "-untrusted", tmp_path / "middle.pem", tmp_path / "leaf.pem")
    assert b": OK" in openssl("verify", "-x509_strict", *words)
    bundle = parse_bundle(place.read_bytes())
    (tmp_path / "sig").write_bytes(bundle.signature)
    (tmp_path / "pub").write_bytes(openssl("x509", "-in", tmp_path / "leaf.pem", "-pubkey", "-noout"))
    signed = pae(bundle.payload_type, bundle.payload)
    found = openssl("dgst", "-sha256", "-verify", tmp_path / "pub", "-signature", tmp_path / "sig", stdin=signed)
    assert b"Verified OK" in found


def test_openssl_and_this_agree_on_chains(tmp_path: Path) -> None:
    """A lower authority that is none, and one that is: the same answer by both."""
    root = Authority(tmp_path, "root")
    for name, extensions in (("good", CA), ("bad", LEAF)):
        lower = Authority(tmp_path, name, root, extensions=extensions)
        leaf = lower.issue("leaf")
        words = ("openssl", "verify", "-CAfile", root.path, "-untrusted", lower.path, leaf.path)
        theirs = subprocess.run(list(map(str, words)), capture_output=True, check=False, timeout=60).returncode == 0
        trust = CertificateTrust((root.certificate,), WHO, NOW, (lower.certificate,))
        model = build(tmp_path / f"model-{name}", {"w": "1"})
        with open_artifact(model) as artifact:
            sealer = CertificateSealer(leaf.key, leaf.certificate, [lower.certificate], now=NOW)
            bundle = sign_model(artifact, sealer).bundle
        with open_artifact(model) as artifact:
            ours = verify_model(artifact, bundle, [trust]).verdict.value == "VERIFIED"
        assert ours is theirs is (name == "good")
