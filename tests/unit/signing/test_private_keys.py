"""Private keys are found by content, whatever the file is called."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from hypothesis import given
from hypothesis import strategies as st
from refusals import build, refusal

from modelsign.artifact.model import open_artifact
from modelsign.errors import ModelsignError
from modelsign.signing import private_keys
from modelsign.signing.private_keys import is_private_key, refuse_private_keys

if TYPE_CHECKING:
    from pathlib import Path

KEY = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
DSA = dsa.generate_private_key(2048)
ML_DSA = mldsa.MLDSA65PrivateKey.generate()
ED25519 = ed25519.Ed25519PrivateKey.generate()
LOCK = BestAvailableEncryption(b"x")
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _of_bytes(_data: bytes) -> str:
    """Name a case alike in every process, by its number: the keys are random, and some of their lengths."""
    return "case"


@pytest.mark.parametrize(
    "data",
    [
        PEM,
        b"text before\r\n" * 100 + PEM,
        PEM.replace(b"\n", b"\r\n"),
        json.dumps({"private_key": PEM.decode()}).encode(),
        KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, LOCK),
        KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, LOCK),
        KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, LOCK),
        KEY.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        b"PuTTY-User-Key-File-3: ssh-ed25519\n",
        PEM.replace(b"KEY-----\n", b"KEY-----     \n"),
        PEM.replace(b"KEY-----\n", b"KEY-----\t \r\n\r\n"),
        b"\0" * 1_100_000 + PEM,
        PEM.decode().encode("utf-16"),
        PEM.decode().encode("utf-16-be"),
        re.sub(rb"(?m)^([A-Za-z0-9+/=]{9})", rb"\1\n", PEM),
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQVYBGVvbm8BDADabcdefghijklmnopqrstuvwxyz0123\n",
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\nlQVYBGVvbm8BDAD\n",
        b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n",
        json.dumps({"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43, "d": "c" * 43}).encode(),
        json.dumps({"keys": [{"d": "c" * 342, "kty": "RSA"}]}, indent=2).encode(),
        json.dumps({"kty": "AKP", "alg": "ML-DSA-65", "pub": "a" * 2603, "priv": "b" * 43}).encode(),
        ML_DSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ML_DSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        ML_DSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, LOCK),
        DSA.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        DSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        RSA.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, LOCK),
        ED25519.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        serialize_key_and_certificates(b"x", KEY, None, None, LOCK),
        serialize_key_and_certificates(None, RSA, None, None, NoEncryption()),
        bytes.fromhex("3080020103") + b"\x30\x80",
    ],
    ids=_of_bytes,
)
def test_private_keys_are_found(data: bytes) -> None:
    assert is_private_key(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b"a file that begins with -----BEGIN PRIVATE KEY----- and ends with ...",
        b'{"-----BEGIN PRIVATE KEY-----": 17}',
        b"0123",
        b"\x30\x82\x01\x00" + b"\0" * 256,
        PEM[30:],
        b"-----BEGIN PRIVATE KEY-----\nYour private key goes here, and nowhere else\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nlQVYBGVvbm8BDADabcdefghijklmnopqrstuvwxyz0123\n",
        "-----BEGIN PRIVATE KEY-----".encode("utf-16"),
        json.dumps({"kty": "EC", "crv": "P-256", "x": "a" * 43, "y": "b" * 43}).encode(),
        json.dumps({"kty": "AKP", "alg": "ML-DSA-65", "pub": "a" * 2603}).encode(),
        b'{"kty": "none", "d": "cccccccccccccccccccccccccccccccc"}',
        RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1),
        DSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        b"\x30",
        b"\x30\x80",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x03\x02\x01\x00",
        b"\x30\x06\x02\x01\x07\x02\x01\x00",
        b"\x30\x08\x02\x01\x01\x04\x03abc",
        b"\x30\x0a\x02\x01\x03\x30\x05\x06\x03\x2a\x03\x04",
        b"\x30\x0d\x02\x01\x00\x30\x03\x02\x01\x01\x04\x03abc",
        KEY.sign(b"a signature is a sequence of two numbers", ec.ECDSA(SHA256())),
    ],
    ids=_of_bytes,
)
def test_what_only_speaks_of_keys_is_none(data: bytes) -> None:
    assert not is_private_key(data)


def test_a_key_in_der_is_not_looked_for_in_a_part_of_a_file() -> None:
    assert not is_private_key(KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), whole=False)


def test_keys_made_by_openssl_and_ssh_are_found(tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / "a"],
        check=True,
        capture_output=True,
    )
    assert is_private_key((tmp_path / "a").read_bytes())


@pytest.mark.parametrize("name", ["README.md", "sub/weights.bin", ".gitattributes"])
def test_a_model_with_a_private_key_is_refused(tmp_path: Path, name: str) -> None:
    model = build(tmp_path / "m", {"w": "1", name: PEM})
    with open_artifact(model) as artifact:
        fault = refusal(refuse_private_keys, artifact)
    assert (fault.code, fault.exit_status) == ("PRIVATE_KEY_IN_MODEL", 1)
    assert name in fault.message


def test_a_model_without_one_passes(tmp_path: Path) -> None:
    with open_artifact(build(tmp_path / "m", {"w": "1", "big": b"x" * 3_000_000})) as artifact:
        refuse_private_keys(artifact)


def looked_for(tmp_path: Path, content: bytes) -> str:
    with open_artifact(build(tmp_path / "m", {"w": content})) as artifact:
        try:
            refuse_private_keys(artifact)
        except ModelsignError as fault:
            return fault.code
    return ""


@pytest.mark.parametrize("place", ["start", "end"])
def test_a_key_at_either_end_of_weights_is_found(tmp_path: Path, place: str) -> None:
    weights = b"\0" * 6_000_000
    assert looked_for(tmp_path, PEM + weights if place == "start" else weights + PEM) == "PRIVATE_KEY_IN_MODEL"


@pytest.mark.parametrize("before", [3_000_000, 4 * 1024 * 1024, 2 * 1024 * 1024 - 20, 5_000_017])
def test_a_key_anywhere_in_a_long_text_is_found(tmp_path: Path, before: int) -> None:
    text = b"word\n" * (before // 5) + b"." * (before % 5)
    assert looked_for(tmp_path, text + PEM + b"word\n" * 600_000) == "PRIVATE_KEY_IN_MODEL"
    assert not is_private_key(text)


def test_a_number_that_is_slow_to_test_for_being_prime_costs_nothing() -> None:
    def number(value: int) -> bytes:
        data = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02\x82" + len(data).to_bytes(2, "big") + data

    prime = (1 << 16_000) + 1
    inside = b"\x02\x01\x00" + number(prime * prime) + number(65537) + number(prime) * 6
    data = b"\x30\x82" + len(inside).to_bytes(2, "big") + inside
    before = time.process_time()
    assert is_private_key(data)
    assert time.process_time() - before < 0.5


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_looked_at_without_a_fault(data: bytes, sequence: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    assert is_private_key((b"\x30" if sequence else b"") + data) in (True, False)


def test_a_file_cut_while_it_is_looked_at_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(PEM)
    descriptor = os.open(tmp_path / "w", os.O_RDONLY)
    try:
        assert private_keys._read(descriptor, 0, 10_000) == PEM
    finally:
        os.close(descriptor)
