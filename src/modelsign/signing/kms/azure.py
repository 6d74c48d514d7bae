"""Keys of Azure Key Vault and Managed HSM (REST 7.4: get key, sign).

``azure-identity`` finds the credentials as Azure's own tools do (variables, workload and managed identities, ``az``). A
token is sent to hosts of Azure's key services alone: the URI's host must be one.
"""

# ruff: noqa: PLC0415
# azure-identity is an extra, and cryptography is not imported before a key is read.

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from modelsign.errors import error
from modelsign.signing.keys import VerifyKey
from modelsign.signing.kms.answers import ask, decoded, encoded, malformed, member, missing_extra, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.signing.kms.reference import AzureKey
    from modelsign.transport import Transport

__all__ = ["AzureService", "ambient_token"]

_WHAT: Final = "Azure Key Vault"
_API: Final = "api-version=7.4"
_VERSION: Final = re.compile(r"/keys/([A-Za-z0-9-]{1,127})/([a-z0-9]{1,64})")
_CURVES: Final = {"P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}
_ALGORITHMS: Final = {
    "ecdsa-p256-sha256": "ES256",
    "ecdsa-p384-sha384": "ES384",
    "ecdsa-p521-sha512": "ES512",
    "rsa-pss-sha256": "PS256",
}
"""Key Vault's names (JSON Web Algorithms, RFC 7518, section 3)."""


class AzureService:
    """One key, in the version of the URI or the one that was current when its public key was read."""

    def __init__(
        self,
        key: AzureKey,
        transport: Transport,
        *,
        token: Callable[[str], str] | None = None,
        endpoint: str | None = None,
    ) -> None:
        """Take which key, the way there, and what gives access tokens for a scope; asks nothing yet."""
        self._key = key
        self._transport = transport
        self._token = token or ambient_token
        self._endpoint = endpoint or f"https://{key.host}"
        self._version = key.version

    def public_key(self) -> VerifyKey:
        """Ask for the key.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…``, ``EXTRA_MISSING`` or ``KEY_…``.

        """
        jwk = member(self._ask("GET", f"/{self._version}" if self._version else ""), "key", what=_WHAT)
        found = _VERSION.search(text(jwk, "kid", what=_WHAT))
        if found is None or found[1].lower() != self._key.name.lower() or self._version not in (None, found[2]):
            raise malformed(_WHAT, "it is about another key")
        self._version = found[2]
        return _key_of(jwk)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Have bytes signed.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…``, ``EXTRA_MISSING`` or ``KEY_UNSUPPORTED``.

        """
        if algorithm not in _ALGORITHMS:
            raise error("KEY_UNSUPPORTED", f"Azure Key Vault does not sign with {algorithm}")
        digest = hashlib.new(algorithm.rpartition("-")[2], data).digest()
        body = {"alg": _ALGORITHMS[algorithm], "value": encoded(digest, url_safe=True)}
        answer = self._ask("POST", f"/{self._version}/sign", body)
        signature = decoded(text(answer, "value", what=_WHAT), what=_WHAT, url_safe=True)
        if not algorithm.startswith("ecdsa-"):
            return signature
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        half = len(signature) // 2
        return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self._token(f'https://{self._key.cloud}/.default')}"}
        url = f"{self._endpoint}/keys/{self._key.name}{path}?{_API}"
        return ask(self._transport, method, url, what=_WHAT, headers=headers, body=body)


def ambient_token(scope: str) -> str:
    """Return an access token for the credentials of this environment.

    Raises:
        ModelsignError: ``EXTRA_MISSING`` or ``KMS_CREDENTIALS_MISSING``.

    """
    try:
        from azure.core.exceptions import AzureError
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise missing_extra("azure-identity", "azure") from None
    patience = {"connection_timeout": 10, "read_timeout": 30, "process_timeout": 15, "retry_total": 2}
    try:
        with DefaultAzureCredential(**patience) as credential:
            return str(credential.get_token(scope).token)
    except (AzureError, ValueError) as fault:
        first = str(fault).strip().partition("\n")[0]
        raise error("KMS_CREDENTIALS_MISSING", f"azure-identity found no usable credentials: {first}") from None


def _key_of(jwk: dict[str, object]) -> VerifyKey:
    """Read a JSON Web Key (RFC 7518, section 6); Azure marks keys in hardware by ``-HSM``."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    kind = text(jwk, "kty", what=_WHAT).removesuffix("-HSM")

    def number(name: str) -> int:
        return int.from_bytes(decoded(text(jwk, name, what=_WHAT), what=_WHAT, url_safe=True), "big")

    try:
        if kind == "RSA":
            return VerifyKey(rsa.RSAPublicNumbers(number("e"), number("n")).public_key())
        curve = text(jwk, "crv", what=_WHAT) if kind == "EC" else ""
        if curve in _CURVES:
            numbers = ec.EllipticCurvePublicNumbers(number("x"), number("y"), getattr(ec, _CURVES[curve])())
            return VerifyKey(numbers.public_key())
    except ValueError as fault:
        raise malformed(_WHAT, f"the public key is none: {fault}") from None
    raise error("KEY_UNSUPPORTED", f"Azure's key is of the kind {kind[:20]}, or on a curve that is not accepted")
