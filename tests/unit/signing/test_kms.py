"""Keys at services sign like any other key; what a service gets wrong is noticed. The services run on loopback."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from refusals import refusal

pytest.importorskip("boto3")
pytest.importorskip("google.auth")
pytest.importorskip("google_crc32c")
pytest.importorskip("azure.identity")

import kms_services as services

from modelsign.signing import keys
from modelsign.signing.kms import azure, gcp
from modelsign.signing.kms.aws import AwsService
from modelsign.signing.kms.azure import AzureService
from modelsign.signing.kms.gcp import GcpService
from modelsign.signing.kms.reference import parse_kms_uri
from modelsign.signing.kms.vault import VaultService, VaultSettings
from modelsign.signing.methods.kms import KmsKey, open_service
from modelsign.transport import Patience, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS: dict[str, Any] = {
    "ecdsa-p256-sha256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384-sha384": ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-p521-sha512": ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "rsa-pss-sha256": rsa.generate_private_key(65537, 3072),
    "ml-dsa-65": keys.generate("ml-dsa-65")._key,
    "ml-dsa-87": keys.generate("ml-dsa-87")._key,
}
GCP_NAMES = {
    "ecdsa-p256-sha256": "EC_SIGN_P256_SHA256",
    "ecdsa-p384-sha384": "EC_SIGN_P384_SHA384",
    "ed25519": "EC_SIGN_ED25519",
    "rsa-pss-sha256": "RSA_SIGN_PSS_3072_SHA256",
}
AWS_NAMES = {
    "ecdsa-p256-sha256": "ECDSA_SHA_256",
    "ecdsa-p384-sha384": "ECDSA_SHA_384",
    "ecdsa-p521-sha512": "ECDSA_SHA_512",
    "rsa-pss-sha256": "RSASSA_PSS_SHA_256",
    "ml-dsa-65": "ML_DSA_SHAKE_256",
    "ml-dsa-87": "ML_DSA_SHAKE_256",
}
GCP = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
AWS = "1234abcd-12ab-34cd-56ef-1234567890ab"
ONCE = Transport(Patience(tries=1))


def token(*_: str) -> str:
    return services.TOKEN


@contextmanager
def service(name: str, algorithm: str) -> Iterator[tuple[services.Running, Any]]:
    """Run a service with a key of an algorithm, and open it."""
    key = KEYS[algorithm]
    if name == "gcp":
        with services.served(services.gcp(key, GCP, GCP_NAMES[algorithm])) as running:
            reference = parse_kms_uri(f"gcpkms://{GCP}")
            yield running, GcpService(reference, ONCE, token=token, endpoint=running.url)
    elif name == "azure":
        with services.served(services.azure(key, "signer", "9a")) as running:
            reference = parse_kms_uri("azurekms://myvault.vault.azure.net/signer")
            yield running, AzureService(reference, ONCE, token=token, endpoint=running.url)
    elif name == "vault":
        kind = {"ed25519": "ed25519", "rsa-pss-sha256": "rsa-3072"}.get(algorithm, algorithm.rpartition("-")[0])
        with services.served(services.vault({1: KEYS["ecdsa-p384-sha384"], 2: key}, "signer", kind)) as running:
            yield running, VaultService(parse_kms_uri("hashivault://signer"), settings(running.url), ONCE)
    else:
        with services.served(services.aws(key, AWS, AWS_NAMES[algorithm])) as running:
            yield running, AwsService(parse_kms_uri(f"awskms:///{AWS}"))


def settings(address: str, **more: str) -> VaultSettings:
    return VaultSettings.of({"VAULT_ADDR": address, "VAULT_TOKEN": services.TOKEN, **more})


@pytest.fixture(autouse=True)
def _no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


def point_aws_at(running: services.Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", running.url)


OFFERED = [
    *(("gcp", algorithm) for algorithm in GCP_NAMES),
    *(("azure", algorithm) for algorithm in azure._ALGORITHMS),
    *(("vault", algorithm) for algorithm in KEYS if not algorithm.startswith("ml-dsa")),
    *(("aws", algorithm) for algorithm in AWS_NAMES),
]


@pytest.mark.parametrize(("name", "algorithm"), OFFERED)
@pytest.mark.parametrize("size", [10, 10_000])
def test_every_key_that_is_listed_signs_short_and_long_messages(
    name: str, algorithm: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(name, algorithm) as (running, opened):
        point_aws_at(running, monkeypatch)
        key = KmsKey(opened)
        assert key.public.algorithm == algorithm
        assert key.public.der == services.spki(KEYS[algorithm])
        data = bytes(size)
        key.public.verify(data, key.sign(data))
        largest = max(len(json.dumps(request.body)) for request in running.seen)
        assert largest < 9000 or algorithm == "ed25519"  # the message stays here where a digest will do


def test_the_newest_version_of_a_key_in_vault_signs_also_after_a_rotation() -> None:
    versions = {1: KEYS["ecdsa-p256-sha256"]}
    with services.served(services.vault(versions, "signer", "ecdsa-p256")) as running:
        key = KmsKey(VaultService(parse_kms_uri("openbao://signer"), settings(running.url), ONCE))
        versions[2] = KEYS["ecdsa-p384-sha384"]  # rotated between reading the key and signing
        key.public.verify(b"data", key.sign(b"data"))
        assert running.seen[-1].body["key_version"] == 1


def test_vault_is_asked_in_the_namespace_and_engine_that_were_set() -> None:
    with services.served(lambda _: {"data": {}}) as running:
        more = {"VAULT_NAMESPACE": "team/a", "TRANSIT_SECRET_ENGINE_PATH": "/keys/prod/"}
        opened = VaultService(parse_kms_uri("hashivault://signer"), settings(running.url, **more), ONCE)
        assert refusal(opened.public_key).code == "NETWORK_ANSWER_MALFORMED"
        assert running.seen[0].path == "/v1/keys/prod/keys/signer"
        assert running.seen[0].headers["X-Vault-Namespace"] == "team/a"


@pytest.mark.parametrize(
    "environ",
    [
        {"VAULT_TOKEN": "t"},
        {"VAULT_ADDR": "https://v"},
        {"VAULT_ADDR": "https://v", "VAULT_TOKEN": "a b"},
        {"VAULT_ADDR": "https://v", "VAULT_TOKEN": "a\r\nX: y"},
        {"VAULT_ADDR": "https://v", "VAULT_TOKEN": "t", "VAULT_NAMESPACE": "é"},
        {"VAULT_ADDR": "https://v", "VAULT_TOKEN": "t", "TRANSIT_SECRET_ENGINE_PATH": "../sys"},
        {"VAULT_ADDR": "https://v", "HOME": "/nowhere"},
    ],
)
def test_vault_without_usable_settings_is_not_asked(environ: dict[str, str]) -> None:
    assert refusal(VaultSettings.of, environ).code == "KMS_CREDENTIALS_MISSING"


def test_the_token_that_vault_login_keeps_is_used(tmp_path: Path) -> None:
    (tmp_path / ".vault-token").write_text("kept\n")
    found = VaultSettings.of({"BAO_ADDR": "https://v/", "HOME": str(tmp_path)})
    assert (found.address, found.token) == ("https://v", "kept")
    assert "kept" not in repr(found)


def test_a_token_is_never_sent_in_clear_to_another_machine() -> None:
    opened = VaultService(parse_kms_uri("hashivault://signer"), settings("http://vault.example.org:8200"), ONCE)
    assert refusal(opened.public_key).code == "NETWORK_URL_REFUSED"


EACH = [("gcp", "ecdsa-p256-sha256"), ("azure", "ecdsa-p256-sha256"), ("vault", "ecdsa-p256-sha256")]


@pytest.mark.parametrize(("name", "algorithm"), EACH)
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "KMS_FAILED"),
        (401, "KMS_ACCESS_DENIED"),
        (403, "KMS_ACCESS_DENIED"),
        (404, "KMS_KEY_NOT_FOUND"),
        (409, "NETWORK_REQUEST_REFUSED"),
        (429, "NETWORK_BUSY"),
        (503, "NETWORK_SERVER_FAILED"),
    ],
)
def test_every_refusal_of_a_service_has_a_reason_before_and_while_signing(
    name: str, algorithm: str, status: int, code: str
) -> None:
    with service(name, algorithm) as (running, opened):
        key = KmsKey(opened)
        running.faults.status = status
        for fault in (refusal(KmsKey, opened), refusal(key.sign, b"data")):
            assert (fault.code, fault.exit_status) == (code, 3)
            assert services.TOKEN not in fault.message


@pytest.mark.parametrize(("name", "algorithm"), EACH)
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"{", b'{"a": 1, "a": 2}', b"x" * 2_000_000, b"[" * 100_000])
def test_an_answer_that_is_none_is_refused(name: str, algorithm: str, body: bytes) -> None:
    with service(name, algorithm) as (running, opened):
        key = KmsKey(opened)
        running.faults.body = body
        for fault in (refusal(KmsKey, opened), refusal(key.sign, b"data")):
            assert fault.code in {"NETWORK_ANSWER_MALFORMED", "NETWORK_ANSWER_TOO_LARGE"}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("gcp", {"name": "projects/p/another"}),
        ("gcp", {"pemCrc32c": "1"}),
        ("gcp", {"pem": 7}),
        ("azure", {"key": {"kty": "EC", "kid": "https://x/keys/other/1"}}),
        ("azure", {"key": {"kty": "EC", "kid": "https://x/keys/signer/9a", "crv": "P-256", "x": "AA", "y": "AA"}}),
        ("azure", {"key": {"kty": "EC", "kid": "https://x/keys/signer/9a", "crv": "P-256", "x": "!", "y": "AA"}}),
        ("vault", {"data": {"type": "ecdsa-p256", "latest_version": "2", "keys": {}}}),
        ("vault", {"data": {"type": "ecdsa-p256", "latest_version": 3, "keys": {"2": {}}}}),
        ("vault", {"data": {"type": "ed25519", "latest_version": 1, "keys": {"1": {"public_key": "AAAA"}}}}),
    ],
)
def test_a_public_key_that_is_none_is_refused(name: str, answer: dict[str, object]) -> None:
    with service(name, "ecdsa-p256-sha256") as (running, opened):
        running.faults.members = answer
        assert refusal(opened.public_key).code == "NETWORK_ANSWER_MALFORMED"


@pytest.mark.parametrize(
    ("name", "answer", "code"),
    [
        ("gcp", {"signatureCrc32c": "1"}, "NETWORK_ANSWER_MALFORMED"),
        ("gcp", {"verifiedDigestCrc32c": False}, "NETWORK_ANSWER_MALFORMED"),
        ("gcp", {"name": "projects/p/another"}, "NETWORK_ANSWER_MALFORMED"),
        ("gcp", {"signature": "%%%"}, "NETWORK_ANSWER_MALFORMED"),
        ("azure", {"value": "AAAA"}, "KEY_CONTRADICTS_ITSELF"),
        ("azure", {"value": "+/"}, "NETWORK_ANSWER_MALFORMED"),
        ("vault", {"data": {"signature": "vault:v2:AAAA"}}, "KEY_CONTRADICTS_ITSELF"),
        ("vault", {"data": {"signature": "vault:v1:AAAA"}}, "NETWORK_ANSWER_MALFORMED"),
        ("vault", {"data": {"signature": "AAAA"}}, "NETWORK_ANSWER_MALFORMED"),
    ],
)
def test_a_signature_that_is_none_is_never_handed_out(name: str, answer: dict[str, object], code: str) -> None:
    with service(name, "ecdsa-p256-sha256") as (running, opened):
        key = KmsKey(opened)
        running.faults.members = answer
        fault = refusal(key.sign, b"data")
        assert (fault.code, fault.exit_status) == (code, 3)


@pytest.mark.parametrize("algorithm", ["RSA_SIGN_PKCS1_3072_SHA256", "RSA_SIGN_PSS_4096_SHA512", "EC_SIGN_P256_SHA256"])
def test_a_key_that_google_uses_otherwise_is_unsupported(algorithm: str) -> None:
    with services.served(services.gcp(KEYS["rsa-pss-sha256"], GCP, algorithm)) as running:
        opened = GcpService(parse_kms_uri(f"gcpkms://{GCP}"), ONCE, token=token, endpoint=running.url)
        assert refusal(opened.public_key).code == "KEY_UNSUPPORTED"


def test_other_kinds_of_keys_are_unsupported() -> None:
    with services.served(services.azure(ec.generate_private_key(ec.SECP256K1()), "signer", "9a")) as running:
        reference = parse_kms_uri("azurekms://myvault.vault.azure.net/signer")
        opened = AzureService(reference, ONCE, token=token, endpoint=running.url)
        assert refusal(opened.public_key).code == "KEY_UNSUPPORTED"
    with services.served(services.vault({1: KEYS["ml-dsa-65"]}, "signer", "ml-dsa")) as running:
        key = KmsKey(VaultService(parse_kms_uri("hashivault://signer"), settings(running.url), ONCE))
        assert refusal(key.sign, b"data").code == "KEY_UNSUPPORTED"


def test_a_version_that_the_uri_names_is_the_one_that_is_used() -> None:
    with services.served(services.azure(KEYS["rsa-pss-sha256"], "signer", "9a")) as running:
        for version, code in (("9a", None), ("9b", "KMS_KEY_NOT_FOUND")):
            reference = parse_kms_uri(f"azurekms://myvault.vault.azure.net/signer/{version}")
            opened = AzureService(reference, ONCE, token=token, endpoint=running.url)
            if code is None:
                assert KmsKey(opened).public.algorithm == "rsa-pss-sha256"
            else:
                assert refusal(opened.public_key).code == code


def test_googles_own_library_fetches_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with services.served(services.gcp(KEYS["ecdsa-p256-sha256"], GCP, "EC_SIGN_P256_SHA256")) as running:
        pem = KEYS["rsa-pss-sha256"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {"type": "service_account", "client_email": "ci@p.example", "private_key": pem, "project_id": "p"}
        (tmp_path / "account.json").write_text(json.dumps({**account, "token_uri": f"{running.url}/token"}))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        opened = GcpService(parse_kms_uri(f"gcpkms://{GCP}"), ONCE, endpoint=running.url)
        assert KmsKey(opened).public.algorithm == "ecdsa-p256-sha256"
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
        assert refusal(gcp.ambient_token).code == "KMS_CREDENTIALS_MISSING"


def test_azures_own_library_fetches_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with services.served(services.azure(KEYS["ecdsa-p256-sha256"], "signer", "9a")) as running:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.url}/msi")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        reference = parse_kms_uri("azurekms://myvault.vault.azure.net/signer")
        opened = AzureService(reference, ONCE, endpoint=running.url)
        assert KmsKey(opened).public.algorithm == "ecdsa-p256-sha256"


def test_azure_without_credentials_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with services.served(services.azure(KEYS["ecdsa-p256-sha256"], "signer", "9a")) as running:
        # the one source of credentials that is set up refuses; so nothing else is asked
        running.faults.status, running.faults.body = 400, b'{"statusCode": 400, "message": "no identity"}'
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{running.url}/msi")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        assert refusal(azure.ambient_token, "https://vault.azure.net/.default").code == "KMS_CREDENTIALS_MISSING"


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        (f"awskms:///{AWS}", AwsService),
        (f"gcpkms://{GCP}", GcpService),
        ("azurekms://myvault.vault.azure.net/signer", AzureService),
        ("hashivault://signer", VaultService),
    ],
)
def test_the_uri_alone_says_which_service_is_asked(uri: str, kind: type) -> None:
    environ = {"VAULT_ADDR": "https://vault.example.org", "VAULT_TOKEN": "t"}
    assert type(open_service(uri, environ=environ, transport=ONCE)) is kind


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("NotFoundException", "KMS_KEY_NOT_FOUND"),
        ("AccessDeniedException", "KMS_ACCESS_DENIED"),
        ("UnrecognizedClientException", "KMS_ACCESS_DENIED"),
        ("DisabledException", "KMS_FAILED"),
    ],
)
def test_every_refusal_of_aws_has_a_reason(code: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: services.Request) -> dict[str, object]:
        raise services.Refused(400, {"__type": code, "message": "no"})

    with services.served(refuse) as running:
        point_aws_at(running, monkeypatch)
        fault = refusal(AwsService(parse_kms_uri("awskms:///alias/x")).public_key)
        assert (fault.code, fault.exit_status) == (reason, 3)


def test_aws_without_credentials_or_region_or_server_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = AwsService(parse_kms_uri("awskms:///alias/x"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    assert refusal(opened.public_key).code == "NETWORK_UNREACHABLE"
    monkeypatch.delenv("AWS_ENDPOINT_URL_KMS")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert refusal(opened.public_key).code == "KMS_CREDENTIALS_MISSING"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert refusal(opened.public_key).code == "KMS_CREDENTIALS_MISSING"


def test_an_aws_key_for_something_else_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    with services.served(services.aws(KEYS["rsa-pss-sha256"], AWS, "RSASSA_PKCS1_V1_5_SHA_256")) as running:
        point_aws_at(running, monkeypatch)
        assert refusal(AwsService(parse_kms_uri(f"awskms:///{AWS}")).public_key).code == "KEY_UNSUPPORTED"


@pytest.mark.parametrize(
    ("module", "uri", "extra"),
    [("boto3", f"awskms:///{AWS}", "aws"), ("google.auth", f"gcpkms://{GCP}", "gcp"), ("azure.identity", "", "azure")],
)
def test_without_the_extra_the_answer_says_what_to_install(
    module: str, uri: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys  # noqa: PLC0415 - where it is changed

    monkeypatch.setitem(sys.modules, module, None)
    reference = parse_kms_uri(uri or "azurekms://myvault.vault.azure.net/signer")
    opened = {
        "aws": lambda: AwsService(reference),
        "gcp": lambda: GcpService(reference, ONCE),
        "azure": lambda: AzureService(reference, ONCE),
    }[extra]()
    fault = refusal(opened.public_key)
    assert (fault.code, f"modelsign[{extra}]" in fault.advice) == ("EXTRA_MISSING", True)
