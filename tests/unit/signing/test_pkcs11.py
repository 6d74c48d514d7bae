"""A key on a token (SoftHSM's) signs like any other, and everything a token can refuse has its own reason."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import softhsm
from refusals import build, refusal, refused_with

pytest.importorskip("pkcs11")

import pkcs11 as binding

from modelsign.artifact.model import open_artifact
from modelsign.signing.methods import pkcs11
from modelsign.signing.methods.key import KeySealer, KeyTrust
from modelsign.signing.methods.pkcs11 import Pkcs11Key, find_module
from modelsign.signing.pkcs11_uri import parse_pkcs11_uri
from modelsign.signing.sign import sign_model
from modelsign.signing.verify import verify_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def token() -> softhsm.Token:
    return softhsm.shared_token()


def key(uri: str, pin: str | None = softhsm.PIN) -> Pkcs11Key:
    return Pkcs11Key(parse_pkcs11_uri(uri), pin)


@pytest.mark.parametrize("algorithm", softhsm.KINDS)
def test_every_kind_of_key_signs_a_model(token: softhsm.Token, tmp_path: Path, algorithm: str) -> None:
    signer = key(token.uri(f"object={algorithm}"))
    assert signer.public.algorithm == algorithm
    model = build(tmp_path / "model", {"weights": "1"})
    with open_artifact(model) as artifact:
        made = sign_model(artifact, KeySealer(signer))
    (model / "model.sig").write_bytes(made.bundle)
    with open_artifact(model) as artifact:
        result = verify_model(artifact, [made.bundle], [KeyTrust(signer.public)])
    assert result.exit_status == 0
    assert [found.key_digest for found in result.signers] == [signer.public.digest]


@pytest.mark.parametrize(("algorithm", "hash_name"), [("ecdsa-p256-sha256", "sha256"), ("ecdsa-p521-sha512", "sha512")])
def test_openssl_verifies_what_the_token_signed(
    token: softhsm.Token, tmp_path: Path, algorithm: str, hash_name: str
) -> None:
    signer = key(token.uri(f"object={algorithm}"))
    build(tmp_path, {"data": b"data", "sig": signer.sign(b"data"), "pub": signer.public.pem})
    words = ["openssl", "dgst", f"-{hash_name}", "-verify", "pub", "-signature", "sig", "data"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout == b"Verified OK\n"


def test_openssl_verifies_rsa_pss_of_the_token(token: softhsm.Token, tmp_path: Path) -> None:
    signer = key(token.uri("object=rsa-pss-sha256"))
    build(tmp_path, {"data": b"data", "sig": signer.sign(b"data"), "pub": signer.public.pem})
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32", "-sigopt", "rsa_mgf1_md:sha256"]
    words = ["openssl", "dgst", "-sha256", *options, "-verify", "pub", "-signature", "sig", "data"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout == b"Verified OK\n"


def test_opensc_and_we_verify_each_other(token: softhsm.Token, tmp_path: Path) -> None:
    signer = key(token.uri("id=%01"))
    build(tmp_path, {"digest": hashlib.sha256(b"data").digest(), "ours": signer.sign(b"data")})
    words = ("--mechanism", "ECDSA", "--signature-format", "openssl", "--id", "01", "--input-file", tmp_path / "digest")
    token.tool("--sign", *words, "--output-file", tmp_path / "theirs")
    signer.public.verify(b"data", (tmp_path / "theirs").read_bytes())
    assert "Signature is valid" in token.tool("--verify", *words, "--signature-file", tmp_path / "ours")


def test_the_public_key_is_the_one_opensc_shows(token: softhsm.Token, tmp_path: Path) -> None:
    token.tool("--read-object", "--type", "pubkey", "--id", "01", "--output-file", tmp_path / "pub")
    assert key(token.uri("id=%01")).public.der == (tmp_path / "pub").read_bytes()


def test_a_key_is_named_by_label_by_id_or_by_both(token: softhsm.Token) -> None:
    digests = {key(token.uri(name)).public.digest for name in ("object=pair;id=%10", "id=%10")}
    assert len(digests) == 1
    assert key(token.uri("object=pair;id=%11")).public.digest not in digests
    assert refused_with(key, token.uri("object=pair;id=%01")) == "PKCS11_KEY_NOT_FOUND"


def test_two_keys_of_one_name_are_not_chosen_between(token: softhsm.Token) -> None:
    fault = refusal(key, token.uri("object=pair"))
    assert (fault.code, fault.exit_status) == ("PKCS11_KEY_AMBIGUOUS", 2)
    assert "10, 11" in fault.message


def test_a_missing_key_says_so(token: softhsm.Token) -> None:
    fault = refusal(key, token.uri("object=nobody"))
    assert (fault.code, fault.exit_status) == ("PKCS11_KEY_NOT_FOUND", 3)


def test_a_private_key_without_its_public_half_is_not_used(token: softhsm.Token) -> None:
    fault = refusal(key, token.uri("object=lonely"))
    assert (fault.code, "public key" in fault.message) == ("PKCS11_KEY_NOT_FOUND", True)


def test_a_certificate_beside_the_key_shows_its_public_half(token: softhsm.Token, tmp_path: Path) -> None:
    # the certificate is over another key, so that what is shown is surely taken from it, and what is signed refused
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", "/CN=signer", "-keyout", "key", "-out", "pem"]
    subprocess.run([*words, *subject], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-in", "pem", "-outform", "DER", "-out", "der"], cwd=tmp_path, check=True)
    token.tool("--write-object", tmp_path / "der", "--type", "cert", "--id", "20", "--label", "lonely")
    try:
        signer = key(token.uri("object=lonely"))
        fault = refusal(signer.sign, b"data")
    finally:
        token.tool("--delete-object", "--type", "cert", "--id", "20")
    assert (fault.code, fault.exit_status) == ("KEY_CONTRADICTS_ITSELF", 3)


@pytest.mark.parametrize("name", ["curve", "small"])
def test_a_key_of_another_kind_or_size_is_unsupported(token: softhsm.Token, name: str) -> None:
    assert refused_with(key, token.uri(f"object={name}")) == "KEY_UNSUPPORTED"


def test_a_key_that_may_not_sign_is_refused_at_once(token: softhsm.Token) -> None:
    library = binding.lib(token.module)
    with library.get_token(token_label=token.label).open(rw=True, user_pin=softhsm.PIN) as session:
        mute = {binding.Attribute.SIGN: False}
        session.generate_keypair(binding.KeyType.RSA, 3072, label="mute", id=b"$", store=True, private_template=mute)
    fault = refusal(key, token.uri("object=mute"))
    assert (fault.code, fault.exit_status) == ("PKCS11_FAILED", 3)


def test_what_the_token_says_is_passed_on(token: softhsm.Token) -> None:
    signer = key(token.uri("object=ecdsa-p256-sha256"))
    signer.public = key(token.uri("object=ed25519")).public  # so that the mechanism does not fit the key
    fault = refusal(signer.sign, b"data")
    assert (fault.code, fault.exit_status) == ("PKCS11_FAILED", 3)
    assert "the token said" in fault.message


def test_a_key_that_wants_the_pin_each_time_gets_it(token: softhsm.Token) -> None:
    signer = key(token.uri("object=shy"))
    signer.public.verify(b"data", signer.sign(b"data"))


@pytest.mark.parametrize("pin", ["0000", "", "1"])
def test_a_wrong_pin_is_tried_once_and_says_so(token: softhsm.Token, pin: str) -> None:
    fault = refusal(key, token.uri("object=pair;id=%10"), pin)
    assert (fault.code, fault.exit_status) == ("PKCS11_PIN_WRONG", 2)
    assert pin == "" or pin not in fault.message


def test_without_a_pin_the_token_is_not_used(token: softhsm.Token) -> None:
    fault = refusal(key, token.uri("object=pair;id=%10"), None)
    assert (fault.code, fault.exit_status) == ("PKCS11_PIN_NEEDED", 2)


def test_an_absent_token_says_so(token: softhsm.Token) -> None:
    fault = refusal(key, f"pkcs11:token=elsewhere;object=a?module-path={token.module}")
    assert (fault.code, fault.exit_status) == ("PKCS11_TOKEN_NOT_FOUND", 3)


def test_two_tokens_of_one_name_are_told_apart_by_their_slots(token: softhsm.Token) -> None:
    fault = refusal(key, f"pkcs11:token=twin;object=a?module-path={token.module}")
    assert (fault.code, fault.exit_status) == ("PKCS11_TOKEN_AMBIGUOUS", 2)
    slot = softhsm.slot_of(token, "twin")
    one = f"pkcs11:token=twin;slot-id={slot};object=a?module-path={token.module}"
    assert refused_with(key, one) == "PKCS11_KEY_NOT_FOUND"


@pytest.mark.parametrize(
    ("attribute", "fits"),
    [
        ("manufacturer=SoftHSM%20project", True),
        ("model=SoftHSM%20v2", True),
        ("library-manufacturer=SoftHSM", True),
        ("library-description=Implementation%20of%20PKCS11", True),
        ("manufacturer=Yubico", False),
        ("model=YubiKey", False),
        ("serial=0", False),
        ("slot-description=x", False),
        ("slot-manufacturer=x", False),
        ("slot-id=12345", False),
        ("library-manufacturer=x", False),
        ("library-version=99.1", False),
    ],
)
def test_every_attribute_narrows_the_choice(token: softhsm.Token, attribute: str, *, fits: bool) -> None:
    uri = token.uri(f"object=shy;{attribute}")
    if fits:
        assert key(uri).public.algorithm == "ecdsa-p256-sha256"
    else:
        assert refused_with(key, uri) == "PKCS11_TOKEN_NOT_FOUND"


def test_a_module_that_is_none_is_refused(token: softhsm.Token, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    libc = next(line.split()[2] for line in softhsm.run("ldd", "/bin/sh").splitlines() if "libc.so" in line)
    for module in (tmp_path / "text.so", libc, tmp_path / "absent.so", tmp_path):
        fault = refusal(key, f"pkcs11:token=a;object=a?module-path={module}")
        assert (fault.code, fault.exit_status) == ("PKCS11_MODULE_UNUSABLE", 3)
    del token


def test_a_module_is_found_by_its_name(token: softhsm.Token, tmp_path: Path) -> None:
    (tmp_path / "libmine.so").touch()
    folder = parse_pkcs11_uri(f"pkcs11:object=a?module-path={tmp_path}&module-name=mine")
    assert find_module(folder) == f"{tmp_path}/libmine.so"
    assert find_module(parse_pkcs11_uri("pkcs11:object=a?module-name=softhsm2")).endswith("libsofthsm2.so")
    for uri in (f"pkcs11:object=a?module-path={tmp_path}&module-name=other", "pkcs11:object=a?module-name=nobodys"):
        assert refused_with(find_module, parse_pkcs11_uri(uri)) == "PKCS11_MODULE_UNUSABLE"
    del token


def test_model_signing_verifies_what_the_token_signed(token: softhsm.Token, tmp_path: Path) -> None:
    pytest.importorskip("model_signing")
    signer = key(token.uri("object=ecdsa-p384-sha384"))
    model = build(tmp_path / "model", {"weights": "1", "config.json": "{}"})
    with open_artifact(model) as artifact:
        bundle = sign_model(artifact, KeySealer(signer)).bundle
    build(tmp_path, {"pub": signer.public.pem, "model/model.sig": bundle})
    words = ["verify", "key", "model", "--signature", "model/model.sig", "--public_key", "pub"]
    run_reference(tmp_path, *words)
    (model / "weights").write_text("2")
    with pytest.raises(AssertionError):
        run_reference(tmp_path, *words)


def run_reference(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "model_signing", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_bare_point_is_read_like_a_wrapped_one() -> None:
    bare = b"\x04" + bytes(64)
    assert pkcs11._point(bare, 65) == pkcs11._point(b"\x04\x41" + bare, 65) == bare
    long = b"\x04" + bytes(132)
    assert pkcs11._point(b"\x04\x81\x85" + long, 133) == long
