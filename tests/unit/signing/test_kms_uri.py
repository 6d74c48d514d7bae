"""URIs of keys at services are cosign's, and nothing in them is left unread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal

from modelsign.errors import ModelsignError
from modelsign.signing.kms.reference import AwsKey, AzureKey, GcpKey, VaultKey, parse_kms_uri

UUID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = "arn:aws:kms:us-east-2:111122223333:"
RING = "projects/p/locations/global/keyRings/r/cryptoKeys/k"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"awskms:///{UUID}", AwsKey(UUID, None, None)),
        (f"awskms://localhost:4566/{UUID}", AwsKey(UUID, "localhost:4566", None)),
        (f"awskms:///{ARN}key/{UUID}", AwsKey(f"{ARN}key/{UUID}", None, "us-east-2")),
        (f"awskms:///{ARN}key/mrk-{'0' * 32}", AwsKey(f"{ARN}key/mrk-{'0' * 32}", None, "us-east-2")),
        ("awskms:///alias/ExampleAlias", AwsKey("alias/ExampleAlias", None, None)),
        (f"awskms:///{ARN}alias/a/b", AwsKey(f"{ARN}alias/a/b", None, "us-east-2")),
        (f"gcpkms://{RING}/cryptoKeyVersions/3", GcpKey(f"{RING}/cryptoKeyVersions/3")),
        (f"gcpkms://{RING}/versions/3", GcpKey(f"{RING}/cryptoKeyVersions/3")),
        ("azurekms://MyVault.vault.azure.net/k", AzureKey("myvault.vault.azure.net", "vault.azure.net", "k", None)),
        ("azurekms://h.managedhsm.azure.cn/k/9a", AzureKey("h.managedhsm.azure.cn", "managedhsm.azure.cn", "k", "9a")),
        ("hashivault://my-key_1.x", VaultKey("my-key_1.x")),
        ("openbao://k", VaultKey("k")),
    ],
)
def test_every_form_that_cosign_documents_is_read(uri: str, expected: object) -> None:
    assert parse_kms_uri(uri) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "awskms:",
        "k8s://namespace/name",
        f"https://x/{UUID}",
        "awskms:///",
        f"awskms://user@host/{UUID}",
        f"awskms:///key/{UUID}",
        f"awskms:///{UUID}?region=x",
        f"awskms:///{UUID}\n",
        f"gcpkms://{RING}",
        f"gcpkms://{RING}/cryptoKeyVersions/latest",
        f"gcpkms://{RING}/../k/cryptoKeyVersions/1",
        "azurekms://myvault.example.org/k",
        "azurekms://myvault.vault.azure.net.example.org/k",
        "azurekms://example.org/myvault.vault.azure.net/k",
        "azurekms://myvault.vault.azure.net:8443/k",
        "azurekms://myvault.vault.azure.net/k/v/sign",
        "hashivault://a/b",
        "hashivault://../x",
        "hashivault://",
        "hashivault://" + "a" * 5000,
    ],
)
def test_everything_else_is_refused(uri: str) -> None:
    fault = refusal(parse_kms_uri, uri)
    assert (fault.code, fault.exit_status) == ("KMS_URI_INVALID", 2)


@given(st.sampled_from(["awskms", "gcpkms", "azurekms", "hashivault"]), st.text(max_size=60))
def test_any_text_is_a_uri_or_refused(scheme: str, rest: str) -> None:
    try:
        parse_kms_uri(f"{scheme}://{rest}")
    except ModelsignError as fault:
        assert fault.code == "KMS_URI_INVALID"  # noqa: PT017 - few texts are URIs
