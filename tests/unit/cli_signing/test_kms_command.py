"""sign and key show with keys at services: AWS KMS as moto has it, and Vault as its documentation says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from certified import certify
from commandline import modelsign
from cryptography.hazmat.primitives.asymmetric import ec
from refusals import build

pytest.importorskip("boto3")
pytest.importorskip("google_crc32c")
pytest.importorskip("moto.server")

import boto3
import kms_services as services
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from commandline import Answered

ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def aws_key(endpoint: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a key at moto's KMS and return its ARN."""
    for name, value in {**ACCOUNT, "AWS_ENDPOINT_URL_KMS": endpoint}.items():
        monkeypatch.setenv(name, value)
    made: dict[str, Any] = client().create_key(KeySpec=kind, KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


def client() -> Any:
    return boto3.session.Session().client("kms")  # boto3's own session would keep what another test set


def run(folder: Path, *arguments: str, environ: dict[str, str] | None = None) -> Answered:
    return modelsign(*arguments, "--format", "json", "--no-config", cwd=folder, environ=environ)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    build(tmp_path / "model", {"config.json": "{}", "weights": "1"})
    return tmp_path


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("ECC_NIST_P256", "ecdsa-p256-sha256"), ("ECC_NIST_P384", "ecdsa-p384-sha384")],
)
def test_aws_signs_a_model_from_the_command_line(
    moto: str, here: Path, kind: str, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"awskms:///{aws_key(moto, kind, monkeypatch)}"
    shown = run(here, "key", "show", uri, "--public-out", "signer.pub")
    assert (shown.exit_code, shown.document["algorithm"]) == (0, algorithm)
    signed = run(here, "sign", "model", "--kms", uri)
    assert signed.exit_code == 0, signed.stdout
    verified = run(here, "verify", "model", "--key", "signer.pub")
    assert (verified.exit_code, verified.document["verdict"]) == (0, "VERIFIED")


def test_aws_keys_have_aliases_and_may_be_of_another_kind(
    moto: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws_key(moto, "ECC_NIST_P256", monkeypatch)
    client().create_alias(AliasName="alias/release", TargetKeyId=arn)
    assert run(here, "sign", "model", "--kms", "awskms:///alias/release").exit_code == 0
    other = aws_key(moto, "ECC_SECG_P256K1", monkeypatch)
    answer = run(here, "key", "show", f"awskms:///{other}")
    assert (answer.exit_code, answer.codes) == (3, ["KEY_UNSUPPORTED"])
    answer = run(here, "key", "show", "awskms:///alias/nobody")
    assert (answer.exit_code, answer.codes) == (3, ["KMS_KEY_NOT_FOUND"])


def test_openssl_verifies_what_aws_signed(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelsign.signing.kms.aws import AwsService  # noqa: PLC0415 - below the skips
    from modelsign.signing.kms.reference import parse_kms_uri  # noqa: PLC0415 - same
    from modelsign.signing.methods.kms import KmsKey  # noqa: PLC0415 - same

    key = KmsKey(AwsService(parse_kms_uri(f"awskms:///{aws_key(moto, 'ECC_NIST_P256', monkeypatch)}")))
    build(tmp_path, {"data": b"data", "sig": key.sign(b"data"), "pub": key.public.pem})
    words = ["openssl", "dgst", "-sha256", "-verify", "pub", "-signature", "sig", "data"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout == b"Verified OK\n"


@pytest.mark.parametrize(("kind", "files"), [("ECC_NIST_P256", 60), ("RSA_3072", 1)])
def test_where_moto_is_not_like_aws_the_wrong_signature_is_noticed(
    moto: str, here: Path, kind: str, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It hashes what is sent as DIGEST once more, and salts PSS with more bytes than the hash has. So long manifests
    # and RSA are tested with a service that does what AWS documents (test_kms.py).
    build(here / "model", {f"shard-{number:04}": str(number) for number in range(files)})
    answer = run(here, "sign", "model", "--kms", f"awskms:///{aws_key(moto, kind, monkeypatch)}")
    assert (answer.exit_code, answer.codes) == (3, ["KEY_CONTRADICTS_ITSELF"])
    assert not (here / "model/model.sig").exists()


def test_vault_signs_a_large_model_from_the_command_line(here: Path) -> None:
    build(here / "model", {f"shard-{number:04}": str(number) for number in range(60)})
    key = ec.generate_private_key(ec.SECP384R1())
    with services.served(services.vault({1: key}, "release", "ecdsa-p384")) as running:
        environ = {"VAULT_ADDR": running.url, "VAULT_TOKEN": services.TOKEN}
        shown = run(here, "key", "show", "hashivault://release", "--public-out", "signer.pub", environ=environ)
        signed = run(here, "sign", "model", "--kms", "hashivault://release", environ=environ)
    assert (shown.exit_code, signed.exit_code, signed.document["oms"]) == (0, 0, True)
    assert run(here, "verify", "model", "--key", "signer.pub").document["verdict"] == "VERIFIED"
    assert services.TOKEN not in signed.stdout + signed.stderr


def test_a_certificate_for_the_key_in_vault_signs_in_its_stead(here: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (here / "signer.pub").write_bytes(services.spki(key, services.Encoding.PEM))
    certify(here, here / "signer.pub")
    with services.served(services.vault({1: key}, "release", "ecdsa-p256")) as running:
        environ = {"VAULT_ADDR": running.url, "VAULT_TOKEN": services.TOKEN}
        words = ("--kms", "hashivault://release", "--certificate", "leaf.pem")
        assert run(here, "sign", "model", *words, environ=environ).exit_code == 0
    trust = ("--ca-roots", "root.pem", "--certificate-identity", "release@example.org")
    assert run(here, "verify", "model", *trust).document["verdict"] == "VERIFIED"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("hashivault://release", (3, ["KMS_CREDENTIALS_MISSING"])),
        ("gcpkms://projects/p", (2, ["KMS_URI_INVALID"])),
        ("k8s://namespace/secret", (2, ["KMS_URI_INVALID"])),
    ],
)
def test_what_cannot_be_asked_says_why(here: Path, uri: str, expected: tuple[int, list[str]]) -> None:
    answer = run(here, "sign", "model", "--kms", uri, environ={"HOME": str(here), "VAULT_ADDR": "", "BAO_ADDR": ""})
    assert (answer.exit_code, answer.codes) == expected
