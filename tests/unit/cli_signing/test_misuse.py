"""What goes wrong when signing commands are misused: nothing is lost, and what is said is true and of use."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from commandline import modelsign
from refusals import build

from modelsign.signing.keys import generate

if TYPE_CHECKING:
    from pathlib import Path

    from certificatelab import Lab
    from commandline import Answered


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a signed model and its keys."""
    build(tmp_path / "model", {"config.json": "{}", "w.safetensors": "weights"})
    key = generate()
    (tmp_path / "signer.pem").write_bytes(key.pem())
    (tmp_path / "signer.pub").write_bytes(key.public.pem)
    assert run(tmp_path, "sign", "model", "--key", "signer.pem").exit_code == 0
    return tmp_path


def run(folder: Path, *words: object, **options: object) -> Answered:
    return modelsign(*map(str, words), "--no-config", "--format", "json", cwd=folder, **options)


def said(answer: Answered) -> str:
    (reason,) = answer.document["reasons"]
    return f"{reason['code']}: {reason['message']} | {reason['advice']}"


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("name", ["report.json", "model.sig"])
@pytest.mark.parametrize(
    "words",
    [
        ("verify", "--key", "signer.pub"),
        ("digest",),
        ("check", "--policy", "baseline", "--set", "signers=signer.pub"),
        ("attest", "scan", "--key", "signer.pem"),
        ("sign", "--key", "signer.pem"),
    ],
)
def test_no_report_goes_into_the_model(here: Path, words: tuple[str, ...], name: str, force: tuple[str, ...]) -> None:
    before = (here / "model/model.sig").read_bytes()
    answer = run(here, *words, "model", "-o", f"model/{name}", *force)
    assert answer.codes in (["USAGE"], ["OUTPUT_EXISTS"])
    assert (here / "model/model.sig").read_bytes() == before
    assert sorted(path.name for path in (here / "model").iterdir()) == ["config.json", "model.sig", "w.safetensors"]


def test_no_report_takes_the_place_of_a_model_that_is_one_file(here: Path) -> None:
    weights = here / "model/w.safetensors"
    answer = run(here, "digest", weights, "-o", weights, "--force")
    assert answer.codes == ["USAGE"]
    assert weights.read_bytes() == b"weights"


def test_force_never_replaces_a_device_or_a_pipe(here: Path) -> None:
    os.mkfifo(here / "pipe")
    answer = run(here, "sign", "model", "--key", "signer.pem", "--bundle", here / "pipe", "--force")
    assert answer.codes == ["OUTPUT_UNWRITABLE"]
    assert stat.S_ISFIFO((here / "pipe").stat().st_mode)
    assert sorted(path.name for path in here.iterdir()) == ["model", "pipe", "signer.pem", "signer.pub"]


def test_what_is_wrong_with_a_file_is_said_with_its_name(here: Path, lab: Lab) -> None:
    (here / "odd").write_bytes(b"odd")
    roots = ("--ca-roots", lab.root.path, "--certificate-identity", "ci@example.org")
    for words, code in (
        (("verify", "model", "--key", "signer.pub", "--key", "odd"), "KEY_MALFORMED"),
        (("sign", "model", "--key", "signer.pem", "--key", "odd", "--force"), "KEY_MALFORMED"),
        (("verify", "model", "--ca-roots", "odd"), "CERTIFICATE_MALFORMED"),
        (("verify", "model", *roots, "--crl", "odd"), "CRL_MALFORMED"),
        (("verify", "model", *roots, "--ocsp", "odd"), "OCSP_MALFORMED"),
        (("sign", "model", "--key", "signer.pem", "--certificate", "odd", "--force"), "CERTIFICATE_MALFORMED"),
        (
            ("verify", "model", "--key", "signer.pub", "--log-threshold", "1", "--trusted-root", "odd"),
            "TRUST_ROOT_MALFORMED",
        ),
    ):
        answer = run(here, *words)
        assert said(answer).startswith(f"{code}: odd: "), words


def test_a_document_of_sigstore_under_the_wrong_flag_is_sent_to_the_right_one(here: Path) -> None:
    (here / "config").write_text('{"mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"}')
    (here / "root").write_text('{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}')
    words = ("verify", "model", "--key", "signer.pub", "--log-threshold", "1")
    assert said(run(here, *words, "--trusted-root", "config")).endswith(
        "| This is a file for --trust-config of sign and verify."
    )
    assert said(run(here, *words, "--trust-config", "root")).endswith(
        "| This is a file for --trusted-root of sign and verify."
    )


def test_whoever_names_a_key_for_a_certificate_is_told_what_to_name(here: Path, lab: Lab) -> None:
    words = ("--certificate", lab.leaf.path, "--certificate-chain", lab.middle.path, "--force")
    assert run(here, "sign", "model", "--key", lab.leaf.key_path, *words).exit_code == 0
    told = said(run(here, "verify", "model", "--key", "signer.pub"))
    assert told.startswith("SIGNATURE_WRONG_KEY")
    assert "--certificate-identity" in told
    assert run(here, "sign", "model", "--key", "signer.pem", "--force").exit_code == 0
    told = said(run(here, "verify", "model", "--ca-roots", lab.root.path, "--certificate-identity", "a@b.example"))
    assert told.startswith("SIGNATURE_WRONG_KEY")
    assert "--key" in told


def test_a_usage_error_of_a_library_points_to_the_help_of_the_command(here: Path) -> None:
    answer = run(here, "sign", "model", "--key", "signer.pem", "--identity-token", "t", "--force")
    assert said(answer) == "USAGE: --identity-token is for --keyless | Read `modelsign sign --help`."
    answer = run(here, "sign", "model", "--key", "signer.pem", "--password-file", "env:ABSENT", "--force")
    assert said(answer).startswith("USAGE: the environment variable ABSENT is not set | Set ABSENT")
    answer = run(here, "sign", "model", "--key", "signer.pem", "--pin-file", "pin", "--force")
    assert said(answer).startswith("USAGE: --pin-file is for --pkcs11-uri.")


def test_merging_nothing_is_told_from_a_model_of_that_name(here: Path) -> None:
    assert "merge joins shares" in said(run(here, "digest", "merge"))
    build(here / "merge", {"config.json": "{}"})
    assert run(here, "digest", "merge").exit_code == 0


def test_how_long_a_signature_is_good_is_shown(here: Path) -> None:
    signed = run(here, "sign", "model", "--key", "signer.pem", "--force", "--expires", "90d").document
    until = signed["expires"]
    text = modelsign("verify", "model", "--key", "signer.pub", "--no-config", cwd=here).stdout
    assert f"  good until   {until}\n" in text
    text = modelsign("inspect", "model", "--no-config", cwd=here).stdout
    assert f"says good until      {until}\n" in text
    (bundle,) = run(here, "inspect", "model").document["bundles"]
    assert bundle["statement"]["model"]["expires"] == until


def test_inspect_knows_a_revocation_list(here: Path) -> None:
    assert run(here, "revocation", "init", "list", "--key", "signer.pem").exit_code == 0
    (bundle,) = run(here, "inspect", "list").document["bundles"]
    assert bundle["says"].startswith("a revocation list of modelsign")


def test_a_variable_holds_urls_with_ports_and_names_with_kinds(here: Path, lab: Lab) -> None:
    words = ("--certificate", lab.leaf.path, "--certificate-chain", lab.middle.path, "--force")
    assert run(here, "sign", "model", "--key", lab.leaf.key_path, *words).exit_code == 0
    environ = {
        "MODELSIGN_VERIFY_CERTIFICATE_IDENTITY": "email:ci@example.org",
        "MODELSIGN_VERIFY_CA_ROOTS": str(lab.root.path),
    }
    assert run(here, "verify", "model", environ=environ).document["verdict"] == "VERIFIED"
    environ = {
        "MODELSIGN_VERIFY_CERTIFICATE_IDENTITY": "ci@example.org",
        "MODELSIGN_VERIFY_CERTIFICATE_OIDC_ISSUER": "http://localhost:8080/oidc",
    }
    told = said(run(here, "verify", "model", "--offline", environ=environ))
    assert "issuers for" not in told


def test_what_a_list_of_digests_lacks_is_said_of_the_list(here: Path) -> None:
    words = ("sign", "--name", "x", "--key", "signer.pem", "--bundle", "x.sig", "--from-digests", "list")
    (here / "list").write_text("")
    assert said(run(here, *words)).endswith("| Name a list that has the model's files in it.")
    (here / "list").write_text(f"{'0' * 64}  ../x\n")
    assert "run `sha256sum` there" in said(run(here, *words))
    assert said(run(here, "digest", "merge", "list", "list")).startswith("DIGESTS_MALFORMED: list: ")


def test_the_key_of_a_previous_signature_is_asked_for_by_its_flag(here: Path) -> None:
    (here / "other.pem").write_bytes(generate().pem())
    words = ("--previous", "model/model.sig", "--changed", "config.json", "--bundle", "x.sig")
    told = said(run(here, "sign", "model", "--key", "other.pem", *words))
    assert told.startswith("SIGNATURE_WRONG_KEY")
    assert "--previous-key" in told


def test_what_no_revocation_list_can_hold_is_a_usage_error(here: Path) -> None:
    words = ("revocation", "add", "list", "--key", "signer.pem", "--reason")
    told = said(run(here, *words, "x", "--revoke-key", "signer.pub"))
    assert told.startswith("REVOCATION_LIST_MISSING")
    assert "revocation init" in told
    assert run(here, "revocation", "init", "list", "--key", "signer.pem").exit_code == 0
    for more in (("x", "--revoke-tree-digest", "zz"), ("", "--revoke-key", "signer.pub"), ("x" * 1001,)):
        answer = run(here, *words, *more, "--revoke-file-digest", "0" * 64)
        assert answer.codes == ["USAGE"], more
