"""Private keys are found by content, whatever the file is called."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from refusals import build, refusal

from modelsign.artifact.model import open_artifact
from modelsign.signing.private_keys import is_private_key, refuse_private_keys

if TYPE_CHECKING:
    from pathlib import Path

KEY = ec.generate_private_key(ec.SECP256R1())
LOCK = BestAvailableEncryption(b"x")
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _by_length(data: bytes) -> str:
    """Name a case alike in every process: the keys are random."""
    return f"{len(data)}-bytes"


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
    ],
    ids=_by_length,
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
    ],
    ids=_by_length,
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
