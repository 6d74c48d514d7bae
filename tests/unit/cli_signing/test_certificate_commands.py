"""sign and verify with certificates, as a user calls them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from certificatelab import DAY, LEAF, NAMES, NOW, Authority, Stamper
from commandline import modelsign
from refusals import build
from scriptedserver import Says, scripted

from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Lab
    from commandline import Answered

WHO = ("--certificate-identity", "ci@example.org")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    build(tmp_path / "model", {"config.json": "{}", "w.safetensors": "weights"})
    return tmp_path


@pytest.fixture
def signed(here: Path, lab: Lab) -> Path:
    assert sign(here, lab).exit_code == 0
    return here


def run(folder: Path, *words: object) -> Answered:
    return modelsign(*map(str, words), "--format", "json", "--no-config", cwd=folder)


def sign(folder: Path, lab: Lab, *more: object) -> Answered:
    words = ("--key", lab.leaf.key_path, "--certificate", lab.leaf.path, "--certificate-chain", lab.middle.path)
    return run(folder, "sign", "model", *words, *more)


def outcome(folder: Path, *words: object) -> tuple[int, list[str]]:
    answer = run(folder, "verify", "model", *words)
    return answer.exit_code, answer.codes


def test_the_main_road(signed: Path, lab: Lab) -> None:
    answer = run(signed, "verify", "model", "--ca-roots", lab.root.path, *WHO)
    assert (answer.exit_code, answer.document["verdict"], answer.document["oms"]) == (0, "VERIFIED", True)
    (signer,) = answer.document["signers"]
    assert (signer["method"], signer["identity"], signer["issuer"]) == (
        "certificate",
        "ci@example.org",
        "CN=middle,O=Acme",
    )
    (signed / "model/config.json").write_text("[]")
    assert outcome(signed, "--ca-roots", lab.root.path, *WHO) == (1, ["FILE_CHANGED"])


def test_the_reference_spellings_mean_the_same(here: Path, lab: Lab) -> None:
    words = ("--private_key", lab.leaf.key_path, "--signing_certificate", lab.leaf.path)
    answer = run(here, "sign", "model", *words, "--certificate_chain", lab.middle.path, "--signature", "out.sig")
    assert answer.exit_code == 0
    where = ("--signature", "out.sig", "--identity", "ci@example.org")
    assert outcome(here, *where, "--certificate_chain", lab.root.path) == (0, [])


def test_of_a_chain_only_self_signed_certificates_are_roots(signed: Path, lab: Lab) -> None:
    assert outcome(signed, "--certificate-chain", lab.middle.path, *WHO) == (2, ["NO_TRUST_SOURCE"])
    both = signed / "both.pem"
    both.write_bytes(lab.middle.path.read_bytes() + lab.root.path.read_bytes())
    assert outcome(signed, "--certificate-chain", both, *WHO) == (0, [])
    assert outcome(signed, "--ca-roots", both, *WHO) == (2, ["CERTIFICATE_ROOT_UNUSABLE"])


def test_authorities_between_may_come_from_the_verifier(here: Path, lab: Lab) -> None:
    words = ("--key", lab.leaf.key_path, "--certificate", lab.leaf.path)
    assert run(here, "sign", "model", *words).exit_code == 0
    roots = ("--ca-roots", lab.root.path, *WHO)
    assert outcome(here, *roots) == (1, ["CERTIFICATE_UNTRUSTED"])
    assert outcome(here, *roots, "--ca-intermediates", lab.middle.path) == (0, [])


def test_an_identity_is_required(signed: Path, lab: Lab) -> None:
    roots = ("--ca-roots", lab.root.path)
    assert outcome(signed, *roots) == (2, ["CERTIFICATE_IDENTITY_REQUIRED"])
    assert outcome(signed, *roots, "--certificate-identity", "x@example.org") == (1, ["CERTIFICATE_IDENTITY_MISMATCH"])
    for given in (
        ("--certificate-identity-glob", "*@example.org"),
        ("--certificate-identity-regexp", r"ci@example\.(org|com)"),
        ("--certificate-identity-regexp", r"https://example\.org/.*"),
        ("--certificate-identity", "CN=leaf,O=Acme", "--certificate-organization", "Acme"),
    ):
        assert outcome(signed, *roots, *given) == (0, [])
    assert outcome(signed, *roots, "--certificate-identity-regexp", "i@example") == (
        1,
        ["CERTIFICATE_IDENTITY_MISMATCH"],
    )
    assert outcome(signed, *roots, *WHO, "--certificate-organization", "Evil")[1] == ["CERTIFICATE_IDENTITY_MISMATCH"]


def test_anybody_shows_in_the_result(signed: Path, lab: Lab) -> None:
    answer = run(signed, "verify", "model", "--ca-roots", lab.root.path, "--insecure-any-identity")
    assert answer.exit_code == 0
    assert answer.document["signers"][0]["insecure"] == ["insecure_any_identity"]
    assert "--insecure-any-identity was given" in answer.document["warnings"]


@pytest.mark.parametrize(
    "words",
    [
        ("--ca-intermediates", "{middle}"),
        ("--insecure-any-identity",),
        ("--crl", "{middle}"),
        ("--require-revocation-status",),
        ("--certificate-organization", "Acme"),
    ],
)
def test_settings_of_certificates_need_roots(signed: Path, lab: Lab, words: tuple[str, ...]) -> None:
    named = [word.format(middle=lab.middle.path) for word in words]
    assert outcome(signed, *named) == (2, ["NO_TRUST_SOURCE"])


def test_a_key_and_a_certificate_may_both_be_wanted(signed: Path, lab: Lab) -> None:
    key = generate()
    (signed / "k.pem").write_bytes(key.pem())
    (signed / "k.pub").write_bytes(key.public.pem)
    roots = ("--ca-roots", lab.root.path, *WHO)
    assert outcome(signed, *roots, "--key", "k.pub") == (1, ["SIGNATURES_TOO_FEW"])
    assert run(signed, "sign", "model", "--key", "k.pem", "--add").exit_code == 0
    assert outcome(signed, *roots, "--key", "k.pub") == (0, [])
    assert outcome(signed, *roots) == (0, [])


def test_what_contradicts_itself_is_refused(here: Path, lab: Lab) -> None:
    answers = [
        run(here, "sign", "model", "--key", lab.leaf.key_path, "--certificate-chain", lab.middle.path),
        run(here, "sign", "model", "--certificate", lab.leaf.path),
        sign(here, lab, "--key", lab.leaf.key_path),
        run(here, "verify", "model", "--ca-roots", lab.root.path, *WHO, "--insecure-any-identity"),
        run(here, "verify", "model", "--ca-roots", lab.root.path, *WHO, "--certificate-oidc-issuer", "https://x.org"),
        run(here, "verify", "model", "--ca-roots", lab.root.path, *WHO, "--insecure-certificate-time", "yesterday"),
    ]
    assert [(answer.exit_code, answer.codes) for answer in answers] == [(2, ["USAGE"])] * len(answers)


def test_lists_and_responses_are_read_from_files(here: Path, tmp_path: Path) -> None:
    root = Authority(tmp_path / "authority", "root")
    leaf = root.issue("leaf")
    assert run(here, "sign", "model", "--key", leaf.key_path, "--certificate", leaf.path).exit_code == 0
    words = ("--ca-roots", root.path, *WHO, "--require-revocation-status")
    assert outcome(here, *words) == (1, ["REVOCATION_STATUS_MISSING"])
    assert outcome(here, *words, "--crl", root.crl("good")) == (0, [])
    assert outcome(here, *words, "--ocsp", root.ocsp("good", leaf)) == (0, [])
    root.revoke(leaf)
    assert outcome(here, *words, "--crl", root.crl("bad")) == (1, ["CERTIFICATE_REVOKED"])
    assert outcome(here, *words, "--ocsp", root.ocsp("bad", leaf)) == (1, ["CERTIFICATE_REVOKED"])
    assert outcome(here, *words, "--crl", leaf.path) == (3, ["CRL_MALFORMED"])
    assert outcome(here, *words, "--ocsp", leaf.path) == (3, ["OCSP_MALFORMED"])


def test_expired_certificates_need_a_proof_of_time_or_an_insecure_word(here: Path, tmp_path: Path) -> None:
    root = Authority(tmp_path / "authority", "root")
    first = root.issue("leaf", start=NOW - 9 * DAY, end=NOW + DAY)
    assert run(here, "sign", "model", "--key", first.key_path, "--certificate", first.path).exit_code == 0
    expired = root.issue("expired", start=NOW - 9 * DAY, end=NOW - DAY, key=first.key_path)
    exchange(here / "model/model.sig", expired.certificate.der)
    words = ("--ca-roots", root.path, *WHO)
    assert outcome(here, *words) == (1, ["CERTIFICATE_EXPIRED"])
    then = (NOW - 2 * DAY).isoformat().replace("+00:00", "Z")
    for time in ("issuance", then):
        answer = run(here, "verify", "model", *words, "--insecure-certificate-time", time)
        assert answer.exit_code == 0
        assert answer.document["signers"][0]["insecure"] == ["insecure_certificate_time"]
    late = (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    assert outcome(here, *words, "--insecure-certificate-time", late) == (1, ["CERTIFICATE_EXPIRED"])


def test_timestamp_roots_make_time_proven(signed: Path, lab: Lab, tmp_path: Path) -> None:
    clocks = Authority(tmp_path / "authority", "clocks")
    place = signed / "model/model.sig"
    document = json.loads(place.read_bytes())
    from base64 import b64decode, b64encode  # noqa: PLC0415 - for this test

    signature = b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
    stamp = {"signedTimestamp": b64encode(Stamper(clocks).stamp(signature)).decode()}
    document["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    place.write_text(json.dumps(document))
    words = ("--ca-roots", lab.root.path, *WHO, "--timestamp-threshold", "1")
    assert outcome(signed, *words, "--timestamp-roots", lab.stranger.path) == (1, ["PROOFS_TOO_FEW"])
    answer = run(signed, "verify", "model", *words, "--timestamp-roots", clocks.path)
    assert answer.exit_code == 0
    assert answer.document["signers"][0]["time_proof"] == "rfc3161"


def test_timestamps_that_are_wanted_are_never_forgotten_for_want_of_a_root(signed: Path, lab: Lab) -> None:
    """A file with certificates of an authority in the middle only names nobody whose time is believed."""
    words = ("--ca-roots", lab.root.path, *WHO, "--timestamp-threshold", "1")
    assert outcome(signed, *words, "--timestamp-roots", lab.middle.path) == (2, ["CERTIFICATE_ROOT_UNUSABLE"])


def test_revocation_is_fetched_only_when_asked_for(here: Path, tmp_path: Path) -> None:
    root = Authority(tmp_path / "authority", "root")
    with scripted(Says(body=root.crl("good").read_bytes())) as server:
        leaf = root.issue("leaf", extensions=f"{LEAF}{NAMES}crlDistributionPoints=URI:{server.url}/root.crl\n")
        assert run(here, "sign", "model", "--key", leaf.key_path, "--certificate", leaf.path).exit_code == 0
        words = ("--ca-roots", root.path, *WHO, "--require-revocation-status")
        assert outcome(here, *words) == (1, ["REVOCATION_STATUS_MISSING"])
        assert server.asked == []
        assert outcome(here, *words, "--fetch-revocation", "--offline") == (2, ["NETWORK_OFFLINE"])
        assert outcome(here, *words, "--fetch-revocation") == (0, [])
        strangers = ("--ca-roots", root.path, "--certificate-identity", "x@example.org", "--fetch-revocation")
        assert outcome(here, *strangers) == (1, ["CERTIFICATE_IDENTITY_MISMATCH"])
        assert len(server.asked) == 1
        root.revoke(leaf)
        server.answers[:] = [Says(body=root.crl("bad").read_bytes())]
        assert outcome(here, *words, "--fetch-revocation") == (1, ["CERTIFICATE_REVOKED"])


def test_a_timestamp_authority_is_asked_while_signing(here: Path, lab: Lab, tmp_path: Path) -> None:
    clocks = Authority(tmp_path / "authority", "clocks")
    with Stamper(clocks).served() as url:
        assert sign(here, lab, "--timestamp-url", url).exit_code == 0
    roots = ("--ca-roots", lab.root.path, *WHO)
    answer = run(here, "verify", "model", *roots, "--timestamp-roots", clocks.path, "--timestamp-threshold", "1")
    assert (answer.exit_code, answer.document["signers"][0]["time_proof"]) == (0, "rfc3161")


def exchange(place: Path, certificate: bytes) -> None:
    """Put another certificate of the same key into a bundle; nothing there is signed but the payload."""
    from base64 import b64encode  # noqa: PLC0415 - for this alone

    document = json.loads(place.read_bytes())
    chain = [{"rawBytes": b64encode(certificate).decode()}]
    document["verificationMaterial"]["x509CertificateChain"]["certificates"] = chain
    place.write_text(json.dumps(document))
