"""Signing with a key at a key management service: AWS, Google Cloud, Azure, HashiCorp Vault and OpenBao.

The private key never leaves the service, and no file does either: what is sent is the digest of the signed payload,
or the payload's envelope where the service hashes itself. The algorithm follows from the key that the service shows.
What it answers is verified with that key before it is handed out. A bundle made so is a key pair's bundle like any
other: whoever verifies needs the public key and no service.

Credentials come from the environment and the files that each service's own tools use, never from the URI.
"""

# ruff: noqa: PLC0415
# A service's module is imported when one of its keys is used.

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modelsign.errors import error
from modelsign.signing.kms.reference import AwsKey, AzureKey, GcpKey, parse_kms_uri
from modelsign.signing.method import Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsign.signing.keys import VerifyKey
    from modelsign.transport import Transport

__all__ = ["METHOD", "KmsKey", "Service", "open_service"]


class Service(Protocol):
    """One key at one service."""

    def public_key(self) -> VerifyKey:
        """Ask for the public key."""
        ...

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Have bytes signed, in the encoding that :class:`VerifyKey` takes."""
        ...


class KmsKey:
    """A private key at a service; ``public`` is its other half, asked for when this is made."""

    def __init__(self, service: Service) -> None:
        """Ask for the public key.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…``, ``EXTRA_MISSING`` or ``KEY_…``.

        """
        self._service = service
        self.public = service.public_key()

    def sign(self, data: bytes) -> bytes:
        """Sign bytes.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…``, or ``KEY_CONTRADICTS_ITSELF`` for a signature that is not the
                key's.

        """
        signature = self._service.sign(data, self.public.algorithm)
        if not self.public.accepts(data, signature):
            raise error("KEY_CONTRADICTS_ITSELF", f"the service's signature is not by its key {self.public.digest}")
        return signature


def open_service(uri: str, *, environ: Mapping[str, str], transport: Transport) -> Service:
    """Return the service that a URI names; asks nothing yet.

    ``environ`` is where Vault's address and token stand; the others' libraries look into the process's own.

    Raises:
        ModelsignError: ``KMS_URI_INVALID`` or ``KMS_CREDENTIALS_MISSING``.

    """
    reference = parse_kms_uri(uri)
    if isinstance(reference, AwsKey):
        from modelsign.signing.kms.aws import AwsService

        return AwsService(reference)
    if isinstance(reference, GcpKey):
        from modelsign.signing.kms.gcp import GcpService

        return GcpService(reference, transport)
    if isinstance(reference, AzureKey):
        from modelsign.signing.kms.azure import AzureService

        return AzureService(reference, transport)
    from modelsign.signing.kms.vault import VaultService, VaultSettings

    return VaultService(reference, VaultSettings.of(environ), transport)


METHOD = Method(
    id="kms",
    title="Key management service",
    description="A key at AWS KMS, Google Cloud KMS, Azure Key Vault, HashiCorp Vault or OpenBao signs; whoever "
    "verifies names its public key, and needs no service.",
    kinds=("public_key",),
    verifies=False,
    extra="aws, gcp or azure; Vault needs none",
)
