"""Configuration files, and what key management services and TUF repositories answer; the network is left out."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import kms_services as services
from bundlecraft import encoded
from cryptography.hazmat.primitives.asymmetric import ec
from tuf.api.metadata import Metadata
from tufrepository import TufRepository

from hostile.target import Target
from hostile.targets.sigstores import root_seeds
from modelsign.cli import config
from modelsign.signing.kms.azure import AzureService
from modelsign.signing.kms.gcp import GcpService
from modelsign.signing.kms.reference import AzureKey, GcpKey, VaultKey
from modelsign.signing.kms.vault import VaultService, VaultSettings
from modelsign.signing.sigstore.services.trust_updates import Repository, current_trust
from modelsign.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://tuf.example"
NAME = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
VERSION = "0123456789abcdef0123456789abcdef"
COMMANDS, FLAGS = {"sign", "verify", "scan"}, {"format", "color", "no_progress", "quiet", "verbose", "key", "bundle"}


@cache
def folder(kind: str) -> Path:
    """Return a folder of this process, which goes with it."""
    made = tempfile.TemporaryDirectory(prefix=f"modelsign-fuzz-{kind}-")
    KEPT.append(made)
    return Path(made.name)


KEPT: list[tempfile.TemporaryDirectory[str]] = []


def configuration(data: bytes) -> object:
    path = folder("configuration") / "modelsign.toml"
    path.write_bytes(data)
    found = config.sources(named=str(path), environ={}, cwd="", user=False)
    return config.flag_defaults(found, command="verify", commands=COMMANDS, flags=FLAGS)


def discovered(data: bytes) -> object:
    path = folder("project") / "pyproject.toml"
    path.write_bytes(data)
    found = config.sources(named=None, environ={}, cwd=str(path.parent), user=False)
    return config.flag_defaults(found, command="verify", commands=COMMANDS, flags=FLAGS)


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


@cache
def repository() -> TufRepository:
    made = TufRepository(folder("repository"))
    made.publish({"trusted_root.json": root_seeds()[0]}, 1, days=3000)
    return made


def updated(document: str, data: bytes) -> object:
    """Bring a trust root up to date from a repository in which one document is these bytes."""
    place, copy = repository().folder, folder("copy")

    def send(_method: str, url: str, **_: object) -> Answer:
        name = url.removeprefix(f"{URL}/")
        if name == document:
            return Answer(200, {}, data)
        path = place / name
        return Answer(200, {}, path.read_bytes()) if path.is_file() else Answer(404, {}, b"")

    shutil.rmtree(copy)
    copy.mkdir()
    asked = Repository(URL, str(copy), repository().first_root)
    return current_trust(asked, SimpleNamespace(send=send, offline=False), now=datetime.now(UTC), max_age=timedelta(1))


def next_root() -> list[bytes]:
    root = Metadata.from_bytes(repository().first_root)
    root.signed.version = 2
    root.sign(repository().signer)
    return [root.to_bytes()]


def document(name: str) -> Callable[[], list[bytes]]:
    return lambda: [(repository().folder / name).read_bytes()]


CONFIGURATIONS = [
    b'format = "json"\nverbose = 1\nprogress = false\n[verify]\nkey = "k.pub"\n',
    b"color = 'never'\nquiet = true\n[sign]\n",
]
PROJECTS = [b'[project]\nname = "x"\n[tool.modelsign]\nformat = "json"\ncolor = "never"\n', b"[tool]\nmodelsign = 1\n"]

TARGETS = (
    Target("configuration", configuration, lambda: CONFIGURATIONS, "text"),
    Target("project-configuration", discovered, lambda: PROJECTS, "text"),
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
    Target("tuf-root", lambda data: updated("2.root.json", data), next_root),
    Target("tuf-timestamp", lambda data: updated("timestamp.json", data), document("timestamp.json")),
    Target("tuf-snapshot", lambda data: updated("1.snapshot.json", data), document("1.snapshot.json")),
    Target("tuf-targets", lambda data: updated("1.targets.json", data), document("1.targets.json")),
)
