"""sign and key show with a key on a token: where the PIN may come from, and where not."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
import softhsm
from certified import certify
from commandline import modelsign
from refusals import build

from modelsign.cli.session import Session

pytest.importorskip("pkcs11")

if TYPE_CHECKING:
    from pathlib import Path

    from commandline import Answered

KEY = "object=ecdsa-p256-sha256"


@pytest.fixture(scope="module")
def token() -> softhsm.Token:
    return softhsm.shared_token()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    build(tmp_path / "model", {"config.json": "{}", "weights": "1"})
    (tmp_path / "pin").write_text(f"{softhsm.PIN}\n")
    return tmp_path


def run(folder: Path, *arguments: str, environ: dict[str, str] | None = None) -> Answered:
    return modelsign(*arguments, "--format", "json", "--no-config", cwd=folder, environ=environ)


def test_the_road_from_the_token_to_a_verified_model(token: softhsm.Token, here: Path) -> None:
    shown = run(here, "key", "show", token.uri(KEY), "--pin-file", "pin", "--public-out", "signer.pub")
    assert (shown.exit_code, shown.document["algorithm"], shown.document["private"]) == (0, "ecdsa-p256-sha256", False)
    signed = run(here, "sign", "model", "--pkcs11-uri", token.uri(KEY), "--pin-file", "pin")
    assert (signed.exit_code, signed.document["oms"]) == (0, True)
    assert signed.document["signers"][0]["key_digest"] == shown.document["key_digest"]
    assert run(here, "verify", "model", "--key", "signer.pub").document["verdict"] == "VERIFIED"


@pytest.mark.parametrize("source", ["option", "variable", "uri", "value"])
def test_the_pin_comes_from_a_file_or_the_environment(token: softhsm.Token, here: Path, source: str) -> None:
    words, environ = ["sign", "model"], {"TOKEN_PIN": softhsm.PIN}
    if source == "option":
        words += ["--pkcs11-uri", token.uri(KEY), "--pin-file", "pin"]
    elif source == "variable":
        words += ["--pkcs11-uri", token.uri(KEY), "--pin-file", "env:TOKEN_PIN"]
    elif source == "uri":
        words += ["--pkcs11-uri", token.uri(KEY, pin_source=f"file:{here}/pin")]
    else:
        environ = {"MODELSIGN_SIGN_PKCS11_URI": token.uri(KEY, pin_value=softhsm.PIN)}
    assert run(here, *words, environ=environ).exit_code == 0


def test_the_pin_may_stand_in_a_configuration_that_was_named(token: softhsm.Token, here: Path) -> None:
    (here / "mine.toml").write_text(f'[sign]\npkcs11-uri = "{token.uri(KEY, pin_value=softhsm.PIN)}"\n')
    signed = modelsign("sign", "model", "--config", "mine.toml", "--format", "json", cwd=here)
    assert signed.exit_code == 0, signed.stdout


def test_a_pin_on_the_command_line_is_refused_and_not_repeated(token: softhsm.Token, here: Path) -> None:
    for words in (("sign", "model", "--pkcs11-uri"), ("key", "show")):
        answer = run(here, *words, token.uri(KEY, pin_value="987654"))
        assert (answer.exit_code, answer.codes) == (2, ["PKCS11_PIN_EXPOSED"])
        assert "987654" not in answer.stdout + answer.stderr


def test_what_the_token_refuses_is_told_before_the_model_is_read(token: softhsm.Token, here: Path) -> None:
    (here / "wrong").write_text("000000")
    uri = token.uri(KEY)
    for words, expected in (
        ((uri,), (2, ["PKCS11_PIN_NEEDED"])),
        ((uri, "--pin-file", "wrong"), (2, ["PKCS11_PIN_WRONG"])),
        ((token.uri("object=pair"), "--pin-file", "pin"), (2, ["PKCS11_KEY_AMBIGUOUS"])),
        ((token.uri("object=nobody"), "--pin-file", "pin"), (3, ["PKCS11_KEY_NOT_FOUND"])),
        (("pkcs11:token=x;object=y?module-path=/absent", "--pin-file", "pin"), (3, ["PKCS11_MODULE_UNUSABLE"])),
        (("token",), (2, ["PKCS11_URI_INVALID"])),
    ):
        answer = run(here, "sign", "model", "--pkcs11-uri", *words)
        assert (answer.exit_code, answer.codes) == expected
    assert not (here / "model/model.sig").exists()


def test_a_pin_that_is_no_text_is_wrong(token: softhsm.Token, here: Path) -> None:
    (here / "pin").write_bytes(b"\xff\xfe")
    answer = run(here, "sign", "model", "--pkcs11-uri", token.uri(KEY), "--pin-file", "pin")
    assert (answer.exit_code, answer.codes) == (2, ["PKCS11_PIN_WRONG"])


def test_the_pin_is_asked_for_where_somebody_can_be_asked(
    token: softhsm.Token, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(_: Session, prompt: str) -> bytes:
        asked.append(prompt)
        return softhsm.PIN.encode()

    monkeypatch.setattr(Session, "_ask", answer)
    assert run(here, "sign", "model", "--pkcs11-uri", token.uri(KEY)).exit_code == 0
    assert asked == ["PIN of the token"]


def test_a_token_and_a_file_sign_together(token: softhsm.Token, here: Path) -> None:
    run(here, "key", "generate", "pq.pem", "--algorithm", "ml-dsa-65")
    run(here, "key", "show", token.uri(KEY), "--pin-file", "pin", "--public-out", "classic.pub")
    both = ("--key", "pq.pem", "--pkcs11-uri", token.uri(KEY), "--pin-file", "pin")
    assert run(here, "sign", "model", *both).exit_code == 0
    verified = run(here, "verify", "model", "--key", "pq.pub", "--key", "classic.pub")
    assert (verified.exit_code, len(verified.document["signers"])) == (0, 2)


def test_a_certificate_for_the_key_on_the_token_signs_in_its_stead(token: softhsm.Token, here: Path) -> None:
    key = ("--pkcs11-uri", token.uri(KEY), "--pin-file", "pin")
    run(here, "key", "show", token.uri(KEY), "--pin-file", "pin", "--public-out", "signer.pub")
    certify(here, here / "signer.pub")
    signed = run(here, "sign", "model", *key, "--certificate", "leaf.pem")
    assert (signed.exit_code, signed.document["signers"][0]["method"]) == (0, "certificate")
    trust = ("--ca-roots", "root.pem", "--certificate-identity")
    verified = run(here, "verify", "model", *trust, "release@example.org")
    assert (verified.exit_code, verified.document["verdict"]) == (0, "VERIFIED")
    assert run(here, "verify", "model", *trust, "other@example.org").exit_code == 1
    other = token.uri("object=ecdsa-p384-sha384")
    refused = run(
        here, "sign", "model", "--pkcs11-uri", other, "--pin-file", "pin", "--certificate", "leaf.pem", "--force"
    )
    assert refused.exit_code == 2


def test_a_key_on_the_token_attests(token: softhsm.Token, here: Path) -> None:
    key = ("--pkcs11-uri", token.uri(KEY), "--pin-file", "pin")
    builder = ("--builder-id", "https://ci.example.org", "--build-type", "https://ci.example.org/v1")
    assert run(here, "attest", "provenance", "model", *key, *builder).exit_code == 0
    assert b"https://slsa.dev/provenance/v1" in b64decode(
        json.loads((here / "model/model.intoto.jsonl").read_bytes())["dsseEnvelope"]["payload"]
    )


def test_without_the_extra_the_answer_says_what_to_install(
    token: softhsm.Token, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys  # noqa: PLC0415 - where it is changed

    monkeypatch.setitem(sys.modules, "pkcs11", None)
    answer = run(here, "sign", "model", "--pkcs11-uri", token.uri(KEY), "--pin-file", "pin")
    assert (answer.exit_code, answer.codes) == (3, ["EXTRA_MISSING"])
    assert "modelsign[pkcs11]" in answer.document["reasons"][0]["advice"]
