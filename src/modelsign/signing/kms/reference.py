"""URIs of keys at key management services, spelled as cosign spells them (sigstore/sigstore, ``pkg/signature/kms``).

Stricter than there in one place: a key of Google's names its version, so that the same URI is the same key tomorrow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.errors import error

if TYPE_CHECKING:
    from modelsign.errors import ModelsignError

__all__ = ["SCHEMES", "AwsKey", "AzureKey", "GcpKey", "KeyReference", "VaultKey", "parse_kms_uri"]

_ID: Final = r"(?:[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|mrk-[0-9a-f]{32})"
_ALIAS: Final = r"alias/[A-Za-z0-9/_-]{1,250}"
_ARN: Final = r"arn:aws[a-z-]{0,20}:kms:(?P<region>[a-z0-9-]{1,40}):[0-9]{12}:"
_AWS: Final = re.compile(
    rf"awskms://(?P<host>[A-Za-z0-9.:\[\]-]{{0,253}})/(?P<key>{_ARN}(?:key/{_ID}|{_ALIAS})|{_ID}|{_ALIAS})"
)
_SEGMENT: Final = r"[A-Za-z0-9_:.-]{1,100}"
_GCP: Final = re.compile(
    rf"gcpkms://(?P<ring>projects/{_SEGMENT}/locations/{_SEGMENT}/keyRings/{_SEGMENT}/cryptoKeys/{_SEGMENT})"
    r"(?:/(?:cryptoKeyVersions|versions)/(?P<version>[0-9]{1,10}))?"
)
_CLOUD: Final = r"(?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)"
_AZURE: Final = re.compile(
    rf"azurekms://(?P<vault>[A-Za-z0-9-]{{1,63}})\.(?P<cloud>{_CLOUD})"
    r"/(?P<name>[A-Za-z0-9-]{1,127})(?:/(?P<version>[a-z0-9]{1,64}))?"
)
_VAULT: Final = re.compile(r"(?:hashivault|openbao)://(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?)")
_HOW: Final = {
    "awskms": "awskms://[HOST]/KEY-ID, awskms:///alias/NAME or awskms:///ARN",
    "gcpkms": "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V",
    "azurekms": "azurekms://VAULT.vault.azure.net/KEY[/VERSION]",
    "hashivault": "hashivault://KEY",
    "openbao": "openbao://KEY",
}
SCHEMES: Final = tuple(f"{scheme}://" for scheme in _HOW)
"""What the URIs of keys at a service begin with."""


class AwsKey(NamedTuple):
    """An id, alias or ARN; ``host`` is an endpoint other than the region's, ``region`` stands in an ARN."""

    key: str
    host: str | None
    region: str | None


class GcpKey(NamedTuple):
    """The resource name of a key version."""

    name: str


class AzureKey(NamedTuple):
    """``host`` is the vault's, ``cloud`` the part of it that tokens are for; without a version the newest counts."""

    host: str
    cloud: str
    name: str
    version: str | None


class VaultKey(NamedTuple):
    """A key of a transit engine; its newest version counts."""

    name: str


KeyReference = AwsKey | GcpKey | AzureKey | VaultKey


def parse_kms_uri(uri: str) -> KeyReference:
    """Read a URI.

    Raises:
        ModelsignError: ``KMS_URI_INVALID``.

    """
    scheme, separator, _ = uri[: limits.NAME_BYTES].partition("://")
    if not separator or scheme not in _HOW or len(uri) > limits.NAME_BYTES:
        raise error("KMS_URI_INVALID", f"the URI begins with none of {', '.join(SCHEMES)}")
    if found := _AWS.fullmatch(uri):
        return AwsKey(found["key"], found["host"] or None, found["region"])
    if found := _GCP.fullmatch(uri):
        if found["version"] is None:
            raise _invalid(scheme, "it names no version of the key")
        return GcpKey(f"{found['ring']}/cryptoKeyVersions/{found['version']}")
    if found := _AZURE.fullmatch(uri):
        return AzureKey(f"{found['vault']}.{found['cloud']}".lower(), found["cloud"], found["name"], found["version"])
    if found := _VAULT.fullmatch(uri):
        return VaultKey(found["name"])
    raise _invalid(scheme, "it has another form")


def _invalid(scheme: str, why: str) -> ModelsignError:
    return error("KMS_URI_INVALID", f"the {scheme} URI cannot be used: {why}", advice=f"Write it as `{_HOW[scheme]}`.")
