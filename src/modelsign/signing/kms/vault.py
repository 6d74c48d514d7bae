"""Keys of the transit engine of HashiCorp Vault and OpenBao (``/v1/transit/keys``, ``/v1/transit/sign``).

Needs no library. Address and token come from what the caller hands in of the environment: VAULT_ADDR, VAULT_TOKEN,
VAULT_NAMESPACE and their BAO_ names, TRANSIT_SECRET_ENGINE_PATH, and ``~/.vault-token``.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.keys import VerifyKey, load_public_key
from modelsign.signing.kms.answers import ask, decoded, encoded, malformed, member, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.signing.kms.reference import VaultKey
    from modelsign.transport import Transport

__all__ = ["VaultService", "VaultSettings"]

_WHAT: Final = "Vault"
_SIGNATURE: Final = re.compile(r"vault:v([1-9][0-9]{0,9}):([A-Za-z0-9+/=]{1,10000})")
_MOUNT: Final = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_HEADER: Final = re.compile(r"[\x21-\x7e]+")
_HASHES: Final = {"sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512"}


class VaultSettings(NamedTuple):
    """Where Vault is and who asks. ``token`` is a secret and is never shown."""

    address: str
    token: str
    namespace: str | None = None
    mount: str = "transit"

    def __repr__(self) -> str:
        """Show everything but the token."""
        return f"VaultSettings(address={self.address!r}, namespace={self.namespace!r}, mount={self.mount!r})"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> VaultSettings:
        """Take the settings from an environment, as Vault's and OpenBao's own tools name them.

        Raises:
            ModelsignError: ``KMS_CREDENTIALS_MISSING``.

        """
        address = environ.get("VAULT_ADDR") or environ.get("BAO_ADDR")
        if not address:
            raise error("KMS_CREDENTIALS_MISSING", "neither VAULT_ADDR nor BAO_ADDR says where Vault is")
        token = environ.get("VAULT_TOKEN") or environ.get("BAO_TOKEN") or _kept_token(environ.get("HOME", ""))
        mount = (environ.get("TRANSIT_SECRET_ENGINE_PATH") or "transit").strip("/")
        namespace = environ.get("VAULT_NAMESPACE") or environ.get("BAO_NAMESPACE") or None
        if not token:
            raise error("KMS_CREDENTIALS_MISSING", "no VAULT_TOKEN, BAO_TOKEN or ~/.vault-token is there")
        if not _HEADER.fullmatch(token) or (namespace and not _HEADER.fullmatch(namespace)):
            raise error("KMS_CREDENTIALS_MISSING", "the token or the namespace of Vault holds blanks or no ASCII")
        if not _MOUNT.fullmatch(mount) or ".." in mount.split("/"):
            raise error("KMS_CREDENTIALS_MISSING", "TRANSIT_SECRET_ENGINE_PATH is no path of an engine")
        return cls(address.rstrip("/"), token, namespace, mount)


class VaultService:
    """One key, in the version that was the newest when its public key was read."""

    def __init__(self, key: VaultKey, settings: VaultSettings, transport: Transport) -> None:
        """Take which key, where, and the way there; asks nothing yet."""
        self._key = key
        self._settings = settings
        self._transport = transport
        self._version = 0

    def public_key(self) -> VerifyKey:
        """Ask for the key.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…`` or ``KEY_…``.

        """
        data = member(self._ask("GET", f"keys/{self._key.name}"), "data", what=_WHAT)
        version = data.get("latest_version")
        if not isinstance(version, int) or version < 1:
            raise malformed(_WHAT, "no latest_version")
        self._version = version
        found = text(member(member(data, "keys", what=_WHAT), str(version), what=_WHAT), "public_key", what=_WHAT)
        if text(data, "type", what=_WHAT) == "ed25519":
            return _ed25519(decoded(found, what=_WHAT))
        return load_public_key(found.encode("utf-8"))

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Have bytes signed.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…`` or ``KEY_UNSUPPORTED``.

        """
        if algorithm == "ed25519":
            body: dict[str, object] = {"input": encoded(data)}
        elif algorithm == "rsa-pss-sha256":
            body = self._prehashed("sha256", data) | {"signature_algorithm": "pss", "salt_length": "hash"}
        elif algorithm.startswith("ecdsa-"):
            body = self._prehashed(algorithm.rpartition("-")[2], data) | {"marshaling_algorithm": "asn1"}
        else:
            raise error("KEY_UNSUPPORTED", f"Vault is not asked to sign with {algorithm} here")
        answer = self._ask("POST", f"sign/{self._key.name}", body | {"key_version": self._version})
        found = _SIGNATURE.fullmatch(text(member(answer, "data", what=_WHAT), "signature", what=_WHAT))
        if found is None or int(found[1]) != self._version:
            raise malformed(_WHAT, f"no signature by version {self._version} of the key")
        return decoded(found[2], what=_WHAT)

    def _prehashed(self, hash_name: str, data: bytes) -> dict[str, object]:
        digest = hashlib.new(hash_name, data).digest()
        return {"input": encoded(digest), "prehashed": True, "hash_algorithm": _HASHES[hash_name]}

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        headers = {"X-Vault-Token": self._settings.token, "X-Vault-Request": "true"}
        if self._settings.namespace:
            headers["X-Vault-Namespace"] = self._settings.namespace
        url = f"{self._settings.address}/v1/{self._settings.mount}/{path}"
        return ask(self._transport, method, url, what=_WHAT, headers=headers, body=body)


def _ed25519(raw: bytes) -> VerifyKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as in keys

    try:
        return VerifyKey(Ed25519PublicKey.from_public_bytes(raw))
    except ValueError:
        raise malformed(_WHAT, "the public key is no Ed25519 key") from None


def _kept_token(home: str) -> str | None:
    """Return the token that ``vault login`` keeps, if there is one."""
    from modelsign import files  # noqa: PLC0415 - only where no variable holds it

    if not home:
        return None
    try:
        return files.read_bounded(f"{home}/.vault-token", limits.KEY_BYTES, what="Vault token").decode().strip()
    except (ModelsignError, UnicodeDecodeError):
        return None
