"""`sign --keyless` as a user runs it, and `verify` of what it made."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from certificatelab import ED25519, Stamper, openssl
from commandline import modelsign
from refusals import build
from tufrepository import TufRepository

from loopback import CERTIFICATES, IDENTITY, LOGS, MODES, STAMPS, node_verifies, token
from modelsign.signing import keys
from modelsign.signing.bundle import parse_bundle

NO_NETWORK = shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
NOWHERE = dict.fromkeys(
    ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME", "https_proxy"), ""
)


@pytest.fixture
def model(tmp_path):
    return build(tmp_path / "model", {"weights.safetensors": b"weights", "config.json": "{}"})


@pytest.fixture
def signing(sigstore, tmp_path):
    """The flags that sign without a question, and those that verify."""
    (tmp_path / "token").write_text(token(sigstore.issuer), encoding="ascii")

    class Flags:
        token = ("--identity-token", tmp_path / "token")
        verify = (
            "--certificate-identity", IDENTITY, "--certificate-oidc-issuer", sigstore.issuer,
            "--trusted-root", sigstore.trusted_root,
        )  # fmt: skip

        @staticmethod
        def sign(mode="rekor2"):
            return ("--keyless", *Flags.token, "--trust-config", sigstore.trust_config(mode))

    return Flags


@pytest.mark.parametrize("mode", MODES)
def test_a_model_is_signed_and_verified(sigstore, signing, model, mode):
    signed = modelsign("sign", model, *signing.sign(mode), "--yes", "--format", "json", environ=NOWHERE)
    assert signed.exit_code == 0, signed.stdout
    (signer,) = signed.document["signers"]
    assert (signer["method"], signer["identity"], signer["issuer"]) == ("keyless", IDENTITY, sigstore.issuer)
    assert signer["logs"][0]["log"] == sigstore.url
    verified = modelsign("verify", model, *signing.verify, "--offline", "--format", "json")
    assert verified.exit_code == 0, verified.stdout
    assert verified.document["signers"][0]["identity"] == IDENTITY
    assert any("days old" in warning for warning in verified.document["warnings"])
    assert node_verifies(sigstore, model / "model.sig")["verified"]
    (model / "weights.safetensors").write_bytes(b"other")
    assert modelsign("verify", model, *signing.verify, "--format", "json").codes == ["FILE_CHANGED"]


def test_what_becomes_public_is_said_before(sigstore, signing, model):
    signed = modelsign("sign", model, *signing.sign("rekor1"), "--yes", environ=NOWHERE)
    assert "becomes public, for ever" in signed.stderr
    assert IDENTITY in signed.stderr
    assert sigstore.url in signed.stderr
    assert "keeps its digest" in signed.stderr


def test_without_anybodys_consent_nothing_is_sent(sigstore, signing, model):
    answer = modelsign("sign", model, *signing.sign(), "--format", "json", environ=NOWHERE)
    assert answer.exit_code == 2
    assert answer.codes == ["PUBLICATION_NOT_AGREED"]
    assert sigstore.asked() == []
    assert not (model / "model.sig").exists()


@pytest.mark.parametrize(("word", "exit_code"), [("y", 0), ("yes", 0), ("n", 2), ("", 2)])
def test_a_person_at_a_terminal_may_agree(sigstore, signing, model, word, exit_code):
    import pty  # noqa: PLC0415 - not on every system

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "modelsign", "sign", model, *signing.sign(), "--no-config", "--no-progress"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, **NOWHERE}
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 4096)
    os.write(ours, word.encode() + b"\n")
    process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == exit_code
    assert IDENTITY.encode() in shown
    assert bool(sigstore.asked()) == (exit_code == 0)


def test_a_token_is_never_an_argument(sigstore, model):
    secret = token(sigstore.issuer)
    flags = ("--keyless", "--identity-token", secret, "--trust-config", sigstore.trust_config("rekor2"), "--yes")
    answer = modelsign("sign", model, *flags, "--format", "json")
    assert answer.codes == ["USAGE"]
    assert secret not in answer.stdout + answer.stderr


def test_a_token_comes_from_a_variable_or_standard_input(sigstore, model):
    flags = ("--keyless", "--trust-config", sigstore.trust_config("rekor2"), "--yes", "--force")
    raw = token(sigstore.issuer)
    answer = modelsign("sign", model, *flags, "--identity-token", "env:MY_TOKEN", environ={"MY_TOKEN": raw})
    assert answer.exit_code == 0, answer.stdout
    answer = modelsign("sign", model, *flags, "--identity-token", "-", stdin=raw.encode())
    assert answer.exit_code == 0, answer.stdout


def test_an_ambient_token_is_taken(sigstore, model):
    ambient = {**NOWHERE, "GITLAB_CI": "true", "SIGSTORE_ID_TOKEN": token(sigstore.issuer, sub="project_path:acme")}
    flags = ("--keyless", "--trust-config", sigstore.trust_config("rekor2"), "--yes", "--format", "json")
    answer = modelsign("sign", model, *flags, environ=ambient)
    assert answer.exit_code == 0, answer.stdout
    assert answer.document["signers"][0]["identity"] == "project_path:acme"


def test_where_nobody_can_be_asked_a_token_is_missing(sigstore, model):
    flags = ("--keyless", "--trust-config", sigstore.trust_config("rekor2"), "--yes", "--format", "json")
    answer = modelsign("sign", model, *flags, environ=NOWHERE)
    assert answer.codes == ["TOKEN_MISSING"]
    assert sigstore.asked() == []


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"lifetime": -5}, "TOKEN_EXPIRED"),
        ({"aud": "vault"}, "TOKEN_NOT_FOR_SIGSTORE"),
        ({"iss": 1}, "TOKEN_MALFORMED"),
    ],
)
def test_a_bad_token_is_refused_before_anything_is_sent(sigstore, signing, model, claims, code):
    signing.token[1].write_text(token(**{"issuer": sigstore.issuer, **claims}), encoding="ascii")
    answer = modelsign("sign", model, *signing.sign(), "--yes", "--format", "json")
    assert answer.codes == [code]
    assert sigstore.asked() == []


def test_trust_root_and_signing_configuration_may_be_files_of_their_own(sigstore, signing, model):
    files = ("--trusted-root", sigstore.trusted_root, "--signing-config", sigstore.signing_config("rekor1tsa"))
    answer = modelsign("sign", model, "--keyless", *signing.token, *files, "--yes")
    assert answer.exit_code == 0, answer.stdout
    assert sigstore.asked() == [CERTIFICATES, STAMPS, LOGS["rekor1"]]
    alone = ("--keyless", *signing.token, "--trusted-root", sigstore.trusted_root, "--yes", "--format", "json")
    assert modelsign("sign", model, *alone, "--force").codes == ["USAGE"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--identity-token", "token"), ("--oidc-out-of-band",), ("--signing-config", "x"), ("--oidc-issuer", "x"),
    ],
)  # fmt: skip
def test_flags_of_keyless_signing_alone_are_a_slip(model, flags):
    assert modelsign("sign", model, *flags, "--format", "json").codes == ["USAGE"]


def test_two_sources_of_trust_are_a_slip(sigstore, signing, model):
    answer = modelsign(
        "sign", model, *signing.sign(), "--trusted-root", sigstore.trusted_root, "--yes", "--format", "json"
    )
    assert answer.codes == ["USAGE"]


def test_signing_offline_is_refused(sigstore, signing, model):
    answer = modelsign("sign", model, *signing.sign(), "--yes", "--offline", "--format", "json")
    assert answer.codes == ["NETWORK_OFFLINE"]
    assert sigstore.asked() == []


def test_a_failing_fulcio_is_quoted_and_leaves_no_file(sigstore, signing, model):
    sigstore.faults({"path": CERTIFICATES, "status": 400, "body": json.dumps({"message": "issuer not known"})})
    answer = modelsign("sign", model, *signing.sign(), "--yes", "--format", "json")
    assert answer.exit_code == 3
    assert answer.codes == ["CERTIFICATE_NOT_ISSUED"]
    assert "issuer not known" in answer.document["reasons"][0]["message"]
    assert not (model / "model.sig").exists()


def test_the_trust_root_of_ones_own_instance_comes_by_tuf(sigstore, signing, model, tmp_path):
    tuf = TufRepository(tmp_path / "tuf")
    documents = {
        "trusted_root.json": sigstore.trusted_root.read_bytes(),
        "signing_config.v0.2.json": sigstore.signing_config("rekor2").read_bytes(),
    }
    tuf.publish(documents, 1)
    own = {"XDG_CACHE_HOME": str(tmp_path / "cache"), **NOWHERE}
    who = signing.verify[:4]
    with tuf.served():
        flags = ("--tuf-url", tuf.url, "--tuf-root", tuf.folder / "1.root.json")
        signed = modelsign("sign", model, "--keyless", *signing.token, *flags, "--yes", environ=own)
        assert signed.exit_code == 0, signed.stdout
        assert modelsign("verify", model, *who, *flags, environ=own).exit_code == 0
    offline = modelsign("verify", model, *who, *flags, "--offline", "--format", "json", environ=own)
    assert offline.exit_code == 0, offline.stdout
    assert any("0 days old" in warning for warning in offline.document["warnings"])
    down = modelsign("verify", model, *who, *flags, "--format", "json", environ=own)
    assert down.codes == ["NETWORK_UNREACHABLE"]
    allowed = modelsign("verify", model, *who, *flags, "--max-root-age", "7d", "--format", "json", environ=own)
    assert allowed.exit_code == 0, allowed.stdout
    assert any("could not be reached" in warning for warning in allowed.document["warnings"])


def test_verifying_offline_opens_no_socket(signing, model, monkeypatch, tmp_path):
    modelsign("sign", model, *signing.sign(), "--yes")

    def forbidden(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    assert modelsign("verify", model, *signing.verify, "--offline").exit_code == 0
    own = {"HOME": str(tmp_path)}
    strange = modelsign("verify", model, *signing.verify[:4], "--offline", "--format", "json", environ=own)
    assert strange.codes == ["TIMESTAMP_INVALID"]  # by the shipped root, which is not this Sigstore's


@pytest.mark.skipif(not NO_NETWORK, reason="no network namespace can be made here (unshare -n)")
def test_verifying_offline_needs_no_network_at_all(signing, model):
    modelsign("sign", model, *signing.sign(), "--yes")
    command = [sys.executable, "-m", "modelsign", "verify", model, *signing.verify, "--offline"]
    assert subprocess.run(["unshare", "-n", *command], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("version", [1, 2])
def test_a_signature_by_a_key_can_be_confirmed(sigstore, model, tmp_path, version):
    key = keys.generate()
    (tmp_path / "key.pem").write_bytes(key.pem())
    (tmp_path / "key.pub").write_bytes(key.public.pem)
    flags = ("--timestamp-url", f"{sigstore.url}{STAMPS}", "--log", sigstore.url, "--log-version", str(version))
    signed = modelsign("sign", model, "--key", tmp_path / "key.pem", *flags, "--yes")
    assert signed.exit_code == 0, signed.stdout
    assert "becomes public, for ever" in signed.stderr
    assert sigstore.asked() == [STAMPS, LOGS[f"rekor{version}"]]
    assert modelsign("verify", model, "--key", tmp_path / "key.pub").exit_code == 0
    wanted = ("--trusted-root", sigstore.trusted_root, "--log-threshold", "1", "--timestamp-threshold", "1")
    verified = modelsign("verify", model, "--key", tmp_path / "key.pub", *wanted, "--format", "json")
    assert verified.exit_code == 0, verified.stdout
    (signer,) = verified.document["signers"]
    assert signer["logs"][0]["log"] == sigstore.url
    assert len(signer["timestamps"]) == 1
    answer = node_verifies(sigstore, model / "model.sig", identity="-", key=tmp_path / "key.pub")
    assert answer["verified"], answer


def test_a_timestamp_alone_makes_nothing_public(sigstore, model, tmp_path):
    (tmp_path / "key.pem").write_bytes(keys.generate("ed25519").pem())
    signed = modelsign("sign", model, "--key", tmp_path / "key.pem", "--timestamp-url", f"{sigstore.url}{STAMPS}")
    assert signed.exit_code == 0, signed.stdout
    assert "public" not in signed.stderr


def test_a_log_entry_wants_consent_too(sigstore, model, tmp_path):
    (tmp_path / "key.pem").write_bytes(keys.generate().pem())
    answer = modelsign("sign", model, "--key", tmp_path / "key.pem", "--log", sigstore.url, "--format", "json")
    assert answer.codes == ["PUBLICATION_NOT_AGREED"]
    assert sigstore.asked() == []


def test_an_attestation_can_be_signed_with_an_identity(sigstore, signing, model):
    made = modelsign("attest", "scan", model, *signing.sign(), "--yes", "--format", "json", environ=NOWHERE)
    assert made.exit_code == 0, made.stdout
    assert made.document["signers"][0]["identity"] == IDENTITY
    assert LOGS["rekor2"] in sigstore.asked()


def test_two_ways_at_once_make_two_signatures_and_the_public_one_is_last(sigstore, signing, model, tmp_path):
    (tmp_path / "key.pem").write_bytes(keys.generate().pem())
    flags = ("--key", tmp_path / "key.pem", *signing.sign(), "--yes", "--format", "json")
    signed = modelsign("sign", model, *flags, environ=NOWHERE)
    assert signed.exit_code == 0, signed.stdout
    assert [signer["method"] for signer in signed.document["signers"]] == ["key", "keyless"]
    assert (model / "model.sig").exists()
    assert modelsign("verify", model, *signing.verify).exit_code == 0
    assert node_verifies(sigstore, next((model / "model.sig.d").iterdir()))["verified"]


def test_a_timestamp_authority_of_openssl_is_asked_and_openssl_reads_its_answer(lab, model, tmp_path):
    (tmp_path / "key.pem").write_bytes(keys.generate().pem())
    with Stamper(lab.root, "clock").served() as url:
        signed = modelsign("sign", model, "--key", tmp_path / "key.pem", "--timestamp-url", url)
    assert signed.exit_code == 0, signed.stdout
    bundle = parse_bundle((model / "model.sig").read_bytes())
    (tmp_path / "stamp").write_bytes(bundle.material.timestamps[0])
    (tmp_path / "signature").write_bytes(bundle.signature)
    answer, data = tmp_path / "stamp", tmp_path / "signature"
    openssl("ts", "-verify", "-in", answer, "-data", data, "-CAfile", lab.root.path)


@pytest.mark.parametrize("version", [1, 2])
def test_a_signature_by_a_certificate_can_be_confirmed(lab, sigstore, model, version):
    signer = ("--certificate", lab.leaf.path, "--certificate-chain", lab.middle.path, "--key", lab.leaf.key_path)
    log = ("--log", sigstore.url, "--log-version", str(version), "--yes")
    stamp = ("--timestamp-url", f"{sigstore.url}{STAMPS}")
    signed = modelsign("sign", model, *signer, *log, *stamp, "--format", "json")
    assert signed.exit_code == 0, signed.stdout
    assert sigstore.asked() == [STAMPS, LOGS[f"rekor{version}"]]
    wanted = ("--ca-roots", lab.root.path, "--insecure-any-identity", "--log-threshold", "1")
    verified = modelsign("verify", model, *wanted, "--trusted-root", sigstore.trusted_root, "--format", "json")
    assert verified.exit_code == 0, verified.stdout
    assert verified.document["signers"][0]["logs"][0]["log"] == sigstore.url


def test_a_log_cannot_be_asked_about_a_certificates_odd_key(lab, sigstore, model):
    leaf = lab.middle.issue("logged-ed25519", key=ED25519)
    signer = ("--certificate", leaf.path, "--certificate-chain", lab.middle.path, "--key", leaf.key_path)
    answer = modelsign("sign", model, *signer, "--log", sigstore.url, "--yes", "--format", "json")
    assert answer.codes == ["LOG_KEY_UNSUPPORTED"]
    assert sigstore.asked() == []


@pytest.mark.parametrize("flags", [("--log", "http://log.example"), ("--timestamp-url", "ftp://tsa.example")])
def test_witnesses_have_urls_that_can_be_trusted(model, tmp_path, flags):
    (tmp_path / "key.pem").write_bytes(keys.generate().pem())
    answer = modelsign("sign", model, "--key", tmp_path / "key.pem", *flags, "--yes", "--format", "json")
    assert answer.codes == ["NETWORK_URL_REFUSED"]


def test_witnesses_need_a_network(sigstore, model, tmp_path):
    (tmp_path / "key.pem").write_bytes(keys.generate().pem())
    flags = ("--timestamp-url", f"{sigstore.url}{STAMPS}", "--offline", "--format", "json")
    assert modelsign("sign", model, "--key", tmp_path / "key.pem", *flags).codes == ["NETWORK_OFFLINE"]


def test_services_named_by_hand_replace_those_of_the_configuration(sigstore, signing, model):
    flags = (*signing.sign("rekor1"), "--log", sigstore.url, "--timestamp-url", f"{sigstore.url}{STAMPS}", "--yes")
    signed = modelsign("sign", model, *flags, environ=NOWHERE)
    assert signed.exit_code == 0, signed.stdout
    assert sigstore.asked() == [CERTIFICATES, STAMPS, LOGS["rekor2"]]
    assert modelsign("verify", model, *signing.verify).exit_code == 0


def test_services_named_by_hand_are_looked_at_before_anything_is_sent(sigstore, signing, model):
    flags = (*signing.sign(), "--log", "http://log.example", "--yes", "--format", "json")
    assert modelsign("sign", model, *flags, environ=NOWHERE).codes == ["NETWORK_URL_REFUSED"]
    assert sigstore.asked() == []
