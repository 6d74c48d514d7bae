"""What key management services answer; the network is left out. Where Google's checksums are missing, so are these."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING

from bundlecraft import encoded
from cryptography.hazmat.primitives.asymmetric import ec

from hostile.target import Target
from modelsign.signing.kms.azure import AzureService
from modelsign.signing.kms.gcp import GcpService
from modelsign.signing.kms.reference import AzureKey, GcpKey, VaultKey
from modelsign.signing.kms.vault import VaultService, VaultSettings
from modelsign.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALLED = find_spec("google_crc32c") is not None
if INSTALLED:
    import kms_services as services

NAME = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
VERSION = "0123456789abcdef0123456789abcdef"


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def drawer(*answers: bytes) -> SimpleNamespace:
    """Return what stands in for a transport: it gives these answers in turn."""
    left = list(answers)
    return SimpleNamespace(send=lambda *_, **__: Answer(200, {}, left.pop(0)), offline=False)


SERVICES: dict[str, Callable[[SimpleNamespace], GcpService | AzureService | VaultService]] = {
    "gcp": lambda way: GcpService(GcpKey(NAME), way, token=lambda: "t"),
    "azure": lambda way: AzureService(
        AzureKey("myvault.vault.azure.net", "vault.azure.net", "k", None), way, token=lambda _: "t"
    ),
    "vault": lambda way: VaultService(VaultKey("k"), VaultSettings("https://vault.example", "t"), way),
}


@cache
def key_answer(service: str) -> bytes:
    """Return how a service answers the question for a key."""
    if service == "gcp":
        said, path = services.gcp(key(), NAME, "EC_SIGN_P256_SHA256"), f"/v1/{NAME}/publicKey"
    elif service == "azure":
        said, path = services.azure(key(), "k", VERSION), "/keys/k?api-version=7.4"
    else:
        said, path = services.vault({1: key()}, "k", "ecdsa-p256"), "/v1/transit/keys/k"
    headers = {
        "Authorization": f"Bearer {services.TOKEN}", "X-Vault-Token": services.TOKEN, "X-Vault-Request": "true",
    }  # fmt: skip
    return encoded(said(services.Request("GET", path, headers, None)))


def signature_answer(service: str) -> bytes:
    signature = key().sign(b"data", ec.ECDSA(services.hashes.SHA256()))
    if service == "gcp":
        crc = str(services.google_crc32c.value(signature))
        answer = {"signature": services.b64(signature), "signatureCrc32c": crc, "verifiedDigestCrc32c": True}
        return encoded({**answer, "name": NAME})
    if service == "azure":
        kid = f"https://myvault.vault.azure.net/keys/k/{VERSION}"
        return encoded({"kid": kid, "value": services.b64url(bytes(range(64)))})
    return encoded({"data": {"signature": f"vault:v1:{services.b64(signature)}", "key_version": 1}})


def signed(service: str, data: bytes) -> object:
    opened = SERVICES[service](drawer(key_answer(service), data))
    opened.public_key()
    return opened.sign(b"data", "ecdsa-p256-sha256")


TARGETS = (
    *(
        Target(
            f"{name}-key",
            lambda data, name=name: SERVICES[name](drawer(data)).public_key(),
            lambda name=name: [key_answer(name)],
        )
        for name in SERVICES
    ),
    *(
        Target(
            f"{name}-signature", lambda data, name=name: signed(name, data), lambda name=name: [signature_answer(name)]
        )
        for name in SERVICES
    ),
)
TARGETS = TARGETS if INSTALLED else ()
