"""Keys of Google Cloud KMS (REST v1: ``publicKey`` and ``asymmetricSign`` of a key version).

``google-auth`` finds the credentials as Google's own tools do (GOOGLE_APPLICATION_CREDENTIALS, workload identity,
``gcloud``, the metadata server). Digests, data, keys and signatures are guarded by CRC32C on their way, as Google
recommends.
"""

# ruff: noqa: PLC0415
# google-auth and google-crc32c are an extra.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from modelsign.errors import error
from modelsign.signing.keys import load_public_key
from modelsign.signing.kms.answers import ask, decoded, encoded, malformed, missing_extra, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.kms.reference import GcpKey
    from modelsign.transport import Transport

__all__ = ["ENDPOINT", "GcpService", "ambient_token"]

ENDPOINT: Final = "https://cloudkms.googleapis.com"
_SCOPE: Final = "https://www.googleapis.com/auth/cloudkms"
_WHAT: Final = "Google Cloud KMS"
_ALGORITHMS: Final = {
    "EC_SIGN_P256_SHA256": "ecdsa-p256-sha256",
    "EC_SIGN_P384_SHA384": "ecdsa-p384-sha384",
    "EC_SIGN_ED25519": "ed25519",
    "RSA_SIGN_PSS_3072_SHA256": "rsa-pss-sha256",
    "RSA_SIGN_PSS_4096_SHA256": "rsa-pss-sha256",
}
"""Google fixes padding and hash with the key; the others are not accepted here."""


class GcpService:
    """One version of one key."""

    def __init__(
        self, key: GcpKey, transport: Transport, *, token: Callable[[], str] | None = None, endpoint: str = ENDPOINT
    ) -> None:
        """Take which key, the way there, and what gives access tokens; asks nothing yet."""
        self._key = key
        self._transport = transport
        self._token = token or ambient_token
        self._endpoint = endpoint

    def public_key(self) -> VerifyKey:
        """Ask for the key.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…``, ``EXTRA_MISSING`` or ``KEY_…``.

        """
        answer = self._ask("GET", "/publicKey")
        self._check_name(answer)
        pem = text(answer, "pem", what=_WHAT).encode("utf-8")
        _check_sum(answer, "pemCrc32c", pem)
        key = load_public_key(pem)
        algorithm = text(answer, "algorithm", what=_WHAT)
        if _ALGORITHMS.get(algorithm) != key.algorithm:
            raise error("KEY_UNSUPPORTED", f"Google Cloud KMS signs with this key by {algorithm[:60]} alone")
        return key

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Have bytes signed.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…`` or ``EXTRA_MISSING``.

        """
        if algorithm == "ed25519":
            body: dict[str, object] = {"data": encoded(data), "dataCrc32c": _sum(data)}
            seen = "verifiedDataCrc32c"
        else:
            hash_name = algorithm.rpartition("-")[2]
            digest = hashlib.new(hash_name, data).digest()
            body = {"digest": {hash_name: encoded(digest)}, "digestCrc32c": _sum(digest)}
            seen = "verifiedDigestCrc32c"
        answer = self._ask("POST", ":asymmetricSign", body)
        self._check_name(answer)
        if answer.get(seen) is not True:
            raise malformed(_WHAT, "it did not check what it was sent")
        signature = decoded(text(answer, "signature", what=_WHAT), what=_WHAT)
        _check_sum(answer, "signatureCrc32c", signature)
        return signature

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self._token()}"}
        url = f"{self._endpoint}/v1/{self._key.name}{path}"
        return ask(self._transport, method, url, what=_WHAT, headers=headers, body=body)

    def _check_name(self, answer: dict[str, object]) -> None:
        if text(answer, "name", what=_WHAT) != self._key.name:
            raise malformed(_WHAT, "it is about another key")


def ambient_token() -> str:
    """Return an access token for the credentials of this environment.

    Raises:
        ModelsignError: ``EXTRA_MISSING`` or ``KMS_CREDENTIALS_MISSING``.

    """
    try:
        import google.auth
        import google.auth.exceptions
        import google.auth.transport.urllib3
        import urllib3
    except ImportError:
        raise missing_extra("google-auth", "gcp") from None
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=10, read=30), retries=urllib3.Retry(2))
    request = google.auth.transport.urllib3.Request(pool)
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE], request=request)
        credentials.refresh(request)
    except google.auth.exceptions.GoogleAuthError as fault:
        raise error("KMS_CREDENTIALS_MISSING", f"google-auth found no usable credentials: {fault}") from None
    return str(credentials.token)


def _sum(data: bytes) -> str:
    try:
        import google_crc32c
    except ImportError:
        raise missing_extra("google-crc32c", "gcp") from None
    return str(google_crc32c.value(data))


def _check_sum(answer: dict[str, object], name: str, data: bytes) -> None:
    if str(answer.get(name)) != _sum(data):
        raise malformed(_WHAT, f"{name} does not fit, so something was changed on its way")
