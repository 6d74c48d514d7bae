"""The client of the public conformance suite: what it signs, it verifies, and so does sigstore-js."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loopback import IDENTITY, MODES, node_verifies, token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback import LoopbackSigstore

CLIENT = Path(__file__).parents[2] / "tools/conformance/sigstore"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, CLIENT, *words], capture_output=True, text=True, check=False)


def whom(sigstore: LoopbackSigstore, identity: str = IDENTITY) -> Sequence[str | Path]:
    return (
        "--certificate-identity", identity, "--certificate-oidc-issuer", sigstore.issuer,
        "--trusted-root", sigstore.trusted_root,
    )  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", ["blob", "statement"])
def test_what_it_signs_verifies_here_and_elsewhere(sigstore, tmp_path, mode, what):
    file, bundle = tmp_path / "a.txt", tmp_path / "bundle.json"
    file.write_text("some file")
    signed, more = file, ()
    if what == "statement":
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        signed, more = tmp_path / "statement.json", ("--in-toto",)
        subject = {"name": "a.txt", "digest": {"sha256": digest}}
        kinds = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.org/x"}
        signed.write_text(json.dumps({**kinds, "subject": [subject], "predicate": {}}))
    made = run(
        "sign-bundle", *more, "--identity-token", token(sigstore.issuer), "--bundle", bundle,
        "--trusted-root", sigstore.trusted_root, "--signing-config", sigstore.signing_config(mode), signed,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    assert ("messageSignature" in json.loads(bundle.read_bytes())) is (what == "blob")
    assert run("verify-bundle", "--bundle", bundle, *whom(sigstore), file).returncode == 0
    elsewhere = node_verifies(sigstore, bundle, file=file if what == "blob" else None)
    assert elsewhere["verified"], elsewhere
    refused = run("verify-bundle", "--bundle", bundle, *whom(sigstore, "mallory@example.org"), file)
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (1, "CERTIFICATE_IDENTITY_MISMATCH")
    file.write_text("another file")
    refused = run("verify-bundle", "--bundle", bundle, *whom(sigstore), file)
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (1, "BLOB_MISMATCH")


def test_a_token_that_is_none_and_a_root_that_is_missing_are_answers_not_crashes(sigstore, tmp_path):
    (tmp_path / "a.txt").write_text("some file")
    made = run(
        "sign-bundle", "--identity-token", "nonsense", "--bundle", tmp_path / "b.json",
        "--trusted-root", sigstore.trusted_root, "--signing-config", sigstore.signing_config("rekor2"),
        tmp_path / "a.txt",
    )  # fmt: skip
    assert made.returncode not in (0, 1)
    assert "Traceback" not in made.stderr
