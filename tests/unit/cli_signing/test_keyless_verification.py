"""``modelsign verify`` by identity: who must have signed, whose word on it counts, and what the answer shows."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from commandline import modelsign
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from papersigstore import IDENTITY, ISSUER, Paper, b64, data_of, new_key
from refusals import build

from modelsign.artifact.model import open_artifact
from modelsign.signing.sealer import Sealed
from modelsign.signing.sign import sign_model
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from pathlib import Path


class PaperSealer:
    """Seals with an instance on paper, or with a bare key and its proofs."""

    method = "keyless"
    key_digest = None

    def __init__(self, paper: Paper, key: Any = None) -> None:
        self.paper, self.key = paper, key

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        del payload_type
        bundle = self.paper.sign(payload=payload, key=self.key, managed=self.key is not None)
        return Sealed(data_of(bundle), Signer("keyless", "ecdsa-p256-sha256", ""), oms=True)


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper()


@pytest.fixture
def model(tmp_path: Path, paper: Paper) -> Path:
    folder = build(tmp_path / "m", {"w.bin": "weights"})
    sealed(folder, PaperSealer(paper))
    (tmp_path / "root.json").write_bytes(data_of(paper.trust_root()))
    return folder


def sealed(folder: Path, sealer: PaperSealer) -> None:
    with open_artifact(folder) as artifact:
        (folder / "model.sig").write_bytes(sign_model(artifact, sealer, replaced=("model.sig",)).bundle)


def verify(model: Path, *words: str, root: bool = True) -> tuple[int, dict[str, Any]]:
    source = ["--trusted-root", str(model.parent / "root.json")] if root else []
    answered = modelsign("verify", str(model), *source, *words, "--format", "json")
    return answered.exit_code, answered.document


def codes(model: Path, *words: str, root: bool = True) -> list[str]:
    return [reason["code"] for reason in verify(model, *words, root=root)[1]["reasons"]]


WHO = ("--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER)


def test_the_named_identity_verifies_and_everything_known_of_it_is_shown(model):
    status, document = verify(model, *WHO)
    (signer,) = document["signers"]
    assert (status, document["verdict"]) == (0, "VERIFIED")
    assert (signer["method"], signer["identity"], signer["issuer"]) == ("keyless", IDENTITY, ISSUER)
    assert (signer["time"], signer["time_proof"]) == ("2026-03-01T12:00:00Z", "rfc3161")
    assert signer["logs"][0]["log"] == "https://rekor.paper.example"
    assert signer["claims"]["runner_environment"] == "github-hosted"
    assert any("days old" in warning for warning in document["warnings"])


def test_another_identity_or_issuer_is_refused_with_its_own_reason(model):
    assert codes(model, "--certificate-identity", "x", "--certificate-oidc-issuer", ISSUER) == [
        "CERTIFICATE_IDENTITY_MISMATCH"
    ]
    assert codes(model, "--certificate-identity", IDENTITY, "--certificate-oidc-issuer", "x") == [
        "CERTIFICATE_IDENTITY_MISMATCH"
    ]


def test_patterns_match_whole_names(model):
    expression = r"^https://github\.com/paper/.*@refs/heads/(main|release)$"
    assert codes(model, "--certificate-identity-regexp", expression, "--certificate-oidc-issuer", ISSUER) == []
    assert codes(model, "--certificate-identity-regexp", "github.com/paper", "--certificate-oidc-issuer", ISSUER) == [
        "CERTIFICATE_IDENTITY_MISMATCH"
    ]
    glob = "https://github.com/paper/**"
    assert codes(model, "--certificate-identity-glob", glob, "--certificate-oidc-issuer-glob", "https://*") == []
    assert (
        codes(model, "--certificate-identity", IDENTITY, "--certificate-oidc-issuer-regexp", "https://.*[.]com") == []
    )
    answered = codes(model, "--certificate-identity-regexp", "(a", "--certificate-oidc-issuer", ISSUER)
    assert answered == ["IDENTITY_PATTERN_INVALID"]


def test_claims_can_be_demanded_by_their_names_and_by_cosigns(model):
    assert codes(model, *WHO, "--certificate-claim", "source-repository-ref=refs/heads/main") == []
    assert codes(model, *WHO, "--certificate-claim", "source_repository_ref=refs/heads/x") == ["CLAIM_WRONG"]
    assert codes(model, *WHO, "--certificate-github-workflow-ref", "refs/heads/main") == ["CLAIM_WRONG"]
    for words in (
        ("--certificate-claim", "colour=red"),
        ("--certificate-claim", "source_repository_ref"),
        ("--certificate-claim", "build_trigger=a", "--certificate-claim", "build_trigger=b"),
    ):
        assert verify(model, *WHO, *words)[0] == 2


def test_half_of_an_identity_is_no_trust_source(model):
    assert codes(model, "--certificate-identity", IDENTITY) == ["NO_TRUST_SOURCE"]
    assert codes(model, "--certificate-oidc-issuer", ISSUER) == ["NO_TRUST_SOURCE"]
    assert codes(model, "--certificate-claim", "build_trigger=push") == ["NO_TRUST_SOURCE"]


def test_several_identities_must_all_have_signed_each_by_its_issuer(model):
    two = ("--certificate-identity", IDENTITY, "--certificate-identity", "somebody else")
    assert "SIGNATURES_TOO_FEW" in codes(model, *two, "--certificate-oidc-issuer", ISSUER)
    assert codes(model, *two, "--certificate-oidc-issuer", ISSUER, "--threshold", "1") == []
    three = ("--certificate-oidc-issuer", ISSUER) * 3
    assert verify(model, *two, *three)[0] == 2


def test_the_age_of_the_root_can_be_limited(model):
    root = model.parent / "root.json"
    os.utime(root, (1_500_000_000, 1_500_000_000))
    assert codes(model, *WHO, "--max-root-age", "30d") == ["TRUST_ROOT_TOO_OLD"]
    root.touch()
    assert codes(model, *WHO, "--max-root-age", "30d") == []
    assert verify(model, *WHO, "--max-root-age", "soon")[0] == 2


def test_a_configuration_gives_the_root_too_but_not_both(model, paper):
    config = model.parent / "config.json"
    kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
    config.write_text(json.dumps({"mediaType": kind, "trustedRoot": paper.trust_root(), "signingConfig": {}}))
    assert codes(model, *WHO, "--trust-config", str(config), root=False) == []
    assert verify(model, *WHO, "--trust-config", str(config))[0] == 2


def test_the_public_instance_did_not_sign_it(model):
    assert codes(model, *WHO, "--offline", root=False) == ["TIMESTAMP_INVALID"]


def test_offline_opens_no_socket(model, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert codes(model, *WHO, "--offline") == []
    assert codes(model, *WHO, "--offline", root=False) == ["TIMESTAMP_INVALID"]


def test_thresholds_ask_for_more(model):
    assert codes(model, *WHO, "--log-threshold", "2") == ["PROOFS_TOO_FEW"]
    assert codes(model, *WHO, "--timestamp-threshold", "1") == []
    assert codes(model, *WHO, "--timestamp-threshold", "2") == ["PROOFS_TOO_FEW"]


def test_a_root_that_cannot_be_read_is_undecided(model):
    (model.parent / "root.json").write_text("{}")
    assert verify(model, *WHO)[0] == 3


def test_a_bundle_by_a_bare_key_is_not_an_identitys(model, tmp_path):
    modelsign("key", "generate", tmp_path / "k.pem")
    modelsign("sign", model, "--key", tmp_path / "k.pem", "--force")
    assert codes(model, *WHO) == ["SIGNATURE_WRONG_KEY"]


def test_a_signature_over_one_blob_gets_a_precise_answer(model, paper):
    (model / "model.sig").write_bytes(data_of(paper.sign(blob=b"x", kind="hashedrekord")))
    assert codes(model, *WHO) == ["NOT_A_MODEL_SIGNATURE"]


def test_an_attestation_is_not_a_models_signature(model, paper):
    (model / "model.sig").write_bytes(data_of(paper.sign()))
    assert codes(model, *WHO) == ["NOT_A_MODEL_SIGNATURE"]


def test_a_bare_key_can_be_asked_for_proofs(model, paper, tmp_path):
    key = new_key()
    public = tmp_path / "k.pub"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    sealed(model, PaperSealer(paper, key))
    by_key = ("--key", str(public))
    assert codes(model, *by_key, root=False) == []
    status, document = verify(model, *by_key, "--log-threshold", "1", "--timestamp-threshold", "1")
    assert (status, document["signers"][0]["time_proof"]) == (0, "rfc3161")
    assert codes(model, *by_key, "--log-threshold", "2") == ["PROOFS_TOO_FEW"]
    modelsign("key", "generate", tmp_path / "plain.pem", "--public-out", tmp_path / "plain.pub")
    modelsign("sign", model, "--key", tmp_path / "plain.pem", "--force")
    assert codes(model, "--key", str(tmp_path / "plain.pub"), "--log-threshold", "1") == ["PROOFS_TOO_FEW"]


def test_a_flipped_bit_in_the_part_of_the_trust_root_that_was_used_is_refused(model, paper):
    root = paper.trust_root()
    assert b64(paper.rekor1.id) in json.dumps(root)
    root["tlogs"][0]["logId"]["keyId"] = b64(bytes(32))
    (model.parent / "root.json").write_bytes(data_of(root))
    assert codes(model, *WHO) == ["PROOFS_TOO_FEW"]
