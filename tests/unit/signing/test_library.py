"""A program signs and verifies with certificates, identities, revocation and parts, by public names alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from certificatelab import NOW, openssl
from commandline import modelsign as command_line
from refusals import build, refused_with

import modelsign
from loopback import IDENTITY, token
from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Lab

    from loopback import LoopbackSigstore
    from modelsign.signing.trust import Trust


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build(tmp_path / "model", {"config.json": "{}", "w.safetensors": "weights"})


@pytest.fixture
def certified(model: Path, lab: Lab) -> bytes:
    """A bundle of the model, signed by the certificate of ci@example.org."""
    sealer = modelsign.certificate_sealer(
        lab.leaf.key, lab.leaf.path.read_bytes(), now=NOW, chain=lab.middle.path.read_bytes()
    )
    with modelsign.open_artifact(model) as artifact:
        return modelsign.sign_model(artifact, sealer).bundle


def verdict(
    model: Path, bundle: bytes, trusted: Trust, options: modelsign.VerifyOptions | None = None
) -> tuple[str, list[str]]:
    with modelsign.open_artifact(model) as artifact:
        result = modelsign.verify_model(artifact, [bundle], [trusted], options=options or modelsign.VerifyOptions())
    return result.verdict.value, [reason.code for reason in result.reasons]


def test_a_certificate_signs_and_its_authority_and_identity_are_trusted(model: Path, lab: Lab, certified: bytes):
    roots = lab.root.path.read_bytes()
    trusted = modelsign.certificate_trust(roots, "ci@example.org", now=NOW)
    assert verdict(model, certified, trusted) == ("VERIFIED", [])
    other = modelsign.certificate_trust(roots, "else@example.org", now=NOW)
    assert verdict(model, certified, other) == ("REFUSED", ["CERTIFICATE_IDENTITY_MISMATCH"])
    stranger = modelsign.certificate_trust(lab.stranger.path.read_bytes(), "ci@example.org", now=NOW)
    assert verdict(model, certified, stranger)[0] == "REFUSED"


def test_the_status_of_certificates_can_be_demanded(model: Path, lab: Lab, certified: bytes):
    trusted = modelsign.certificate_trust(lab.root.path.read_bytes(), "ci@example.org", now=NOW, require_status=True)
    assert verdict(model, certified, trusted) == ("REFUSED", ["REVOCATION_STATUS_MISSING"])
    lists = [authority.crl(f"library-{number}").read_bytes() for number, authority in enumerate((lab.root, lab.middle))]
    roots = lab.root.path.read_bytes()
    known = modelsign.certificate_trust(roots, "ci@example.org", now=NOW, require_status=True, crls=lists)
    assert verdict(model, certified, known) == ("VERIFIED", [])


def test_an_identity_signs_and_is_trusted(model: Path, sigstore: LoopbackSigstore):
    config = sigstore.trust_config("rekor2").read_bytes()
    raw = token(sigstore.issuer).encode()
    sealer = modelsign.keyless_sealer(config, raw, clock=lambda: datetime.now(UTC))
    with modelsign.open_artifact(model) as artifact:
        bundle = modelsign.sign_model(artifact, sealer).bundle
    root = sigstore.trusted_root.read_bytes()
    trusted = modelsign.keyless_trust(root, IDENTITY, sigstore.issuer, timestamps=1)
    assert verdict(model, bundle, trusted)[0] == "VERIFIED"
    elsewhere = modelsign.keyless_trust(root, IDENTITY, "https://issuer.example.org")
    assert verdict(model, bundle, elsewhere) == ("REFUSED", ["CERTIFICATE_IDENTITY_MISMATCH"])
    claimed = modelsign.keyless_trust(root, IDENTITY, sigstore.issuer, claims={"build_trigger": "push"})
    assert verdict(model, bundle, claimed) == ("REFUSED", ["CLAIM_WRONG"])
    assert refused_with(modelsign.keyless_trust, root, IDENTITY, sigstore.issuer, claims={"mood": "good"}) == (
        "ARGUMENT_INVALID"
    )


def test_a_revocation_list_takes_a_signature_back(model: Path, tmp_path: Path):
    signer, authority = generate(), generate()
    (tmp_path / "signer.pub").write_bytes(signer.public.pem)
    (tmp_path / "authority.pem").write_bytes(authority.pem())
    with modelsign.open_artifact(model) as artifact:
        bundle = modelsign.sign_model(artifact, signer).bundle
    words = ("--key", "authority.pem", "--no-config")
    assert command_line("revocation", "init", "list", *words, cwd=tmp_path).exit_code == 0
    more = ("--revoke-key", "signer.pub", "--reason", "lost")
    assert command_line("revocation", "add", "list", *words, *more, cwd=tmp_path).exit_code == 0
    now = datetime.now(UTC)
    revoked = modelsign.open_revocations((tmp_path / "list").read_bytes(), [authority.public], now=now)
    options = modelsign.VerifyOptions(revocations=revoked, now=now)
    assert verdict(model, bundle, signer.public, options) == ("REFUSED", ["SIGNER_REVOKED"])
    data = (tmp_path / "list").read_bytes()
    late = {"now": now + timedelta(days=31)}
    assert refused_with(modelsign.open_revocations, data, [authority.public], **late) == "REVOCATION_LIST_EXPIRED"
    assert refused_with(modelsign.open_revocations, data, [signer.public], now=now) == "REVOCATION_LIST_UNTRUSTED"


def test_a_part_of_a_model_is_verified_with_an_authority(model: Path, lab: Lab, certified: bytes):
    trusted = modelsign.certificate_trust(lab.root.path.read_bytes(), "ci@example.org", now=NOW)
    signed = modelsign.open_signed(certified, [trusted])
    with modelsign.open_artifact(model) as artifact:
        assert signed.read(modelsign.LocalBytes(artifact), "config.json", 0, 2) == b"{}"
    assert signed.result().verdict.value == "PARTIAL"


def test_a_time_without_a_zone_is_refused_at_once(lab: Lab):
    roots, naive = lab.root.path.read_bytes(), NOW.replace(tzinfo=None)
    assert refused_with(modelsign.certificate_trust, roots, "ci@example.org", now=naive) == "ARGUMENT_INVALID"
    leaf = lab.leaf.path.read_bytes()
    assert refused_with(modelsign.certificate_sealer, lab.leaf.key, leaf, now=naive) == "ARGUMENT_INVALID"
    assert refused_with(modelsign.keyless_trust, b"{}", "a", "b", logs=-1) == "ARGUMENT_INVALID"
    with pytest.raises(modelsign.UsageError, match="another key"):
        modelsign.certificate_sealer(generate(), leaf, now=NOW)
    der = openssl("x509", "-in", lab.leaf.path, "-outform", "DER")
    assert modelsign.certificate_sealer(lab.leaf.key, der, now=NOW)


def test_what_is_handed_over_by_mistake_is_named(model: Path):
    key = generate()
    with modelsign.open_artifact(model) as artifact:
        bundle = modelsign.sign_model(artifact, key).bundle
        for mistaken in (key.public, None, b"key"):
            assert refused_with(modelsign.sign_model, artifact, mistaken) == "USAGE"
        for bundles in ("model.sig", ["model.sig"], [model / "model.sig"]):
            assert refused_with(modelsign.verify_model, artifact, bundles, [key.public]) == "USAGE"
        naive = modelsign.VerifyOptions(now=NOW.replace(tzinfo=None))
        assert refused_with(modelsign.verify_model, artifact, bundle, [key.public], options=naive) == (
            "ARGUMENT_INVALID"
        )
    assert refused_with(modelsign.sign_model, artifact, key) == "USAGE"


def test_a_password_may_be_text():
    key = generate()
    assert modelsign.load_private_key(key.pem("gehéim".encode()), "gehéim").public.digest == key.public.digest
    assert refused_with(modelsign.load_private_key, key.pem(b"x"), "y") == "KEY_PASSWORD_WRONG"
