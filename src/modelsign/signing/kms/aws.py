"""Keys of AWS KMS (GetPublicKey, Sign), through boto3, which finds the credentials as AWS's own tools do.

Messages up to 4096 bytes are sent as they are (``RAW``), as AWS allows; of longer ones the digest (``DIGEST``), or for
ML-DSA the message representative μ of FIPS 204, section 6.2 (``EXTERNAL_MU``). Either way it is one signature over the
same bytes, which is verified before it is handed out.
"""

# ruff: noqa: PLC0415
# boto3 is an extra.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from modelsign.errors import error
from modelsign.signing.keys import load_public_key
from modelsign.signing.kms.answers import malformed, missing_extra

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsign.errors import ModelsignError
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.kms.reference import AwsKey

__all__ = ["AwsService"]

_WHAT: Final = "AWS KMS"
_LARGEST_RAW: Final = 4096
_SPKI_HEADER: Final = 22
"""Bytes before the key itself in an ML-DSA SubjectPublicKeyInfo (RFC 9881): both sets have lengths of two bytes."""
_ALGORITHMS: Final = {
    "ecdsa-p256-sha256": "ECDSA_SHA_256",
    "ecdsa-p384-sha384": "ECDSA_SHA_384",
    "ecdsa-p521-sha512": "ECDSA_SHA_512",
    "rsa-pss-sha256": "RSASSA_PSS_SHA_256",
    "ml-dsa-65": "ML_DSA_SHAKE_256",
    "ml-dsa-87": "ML_DSA_SHAKE_256",
}
_DENIED: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)


class AwsService:
    """One key."""

    def __init__(self, key: AwsKey) -> None:
        """Take which key; asks nothing yet."""
        self._key = key
        self._public: VerifyKey | None = None

    def public_key(self) -> VerifyKey:
        """Ask for the key.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…``, ``EXTRA_MISSING`` or ``KEY_…``.

        """
        answer = self._ask(lambda client: client.get_public_key(KeyId=self._key.key))
        key = load_public_key(_bytes(answer, "PublicKey"))
        offered = answer.get("SigningAlgorithms") or ()
        if _ALGORITHMS.get(key.algorithm) not in offered:
            raise error(
                "KEY_UNSUPPORTED", f"AWS KMS signs with this key by {', '.join(offered)[:200] or 'nothing'} alone"
            )
        self._public = key
        return key

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """Have bytes signed.

        Raises:
            ModelsignError: ``KMS_…``, ``NETWORK_…`` or ``EXTRA_MISSING``.

        """
        kind, message = "RAW", data
        if len(data) > _LARGEST_RAW:
            kind, message = self._shortened(data, algorithm)
        words = {"KeyId": self._key.key, "Message": message, "MessageType": kind}
        answer = self._ask(lambda client: client.sign(**words, SigningAlgorithm=_ALGORITHMS[algorithm]))
        return _bytes(answer, "Signature")

    def _shortened(self, data: bytes, algorithm: str) -> tuple[str, bytes]:
        if not algorithm.startswith("ml-dsa-"):
            return "DIGEST", hashlib.new(algorithm.rpartition("-")[2], data).digest()
        key = self._public or self.public_key()
        representative = hashlib.shake_256(hashlib.shake_256(key.der[_SPKI_HEADER:]).digest(64))
        representative.update(b"\0\0")  # pure ML-DSA, and the length of the empty context (FIPS 204, algorithm 2)
        representative.update(data)
        return "EXTERNAL_MU", representative.digest(64)

    def _ask(self, call: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        try:
            import boto3
            from botocore import exceptions
            from botocore.config import Config
        except ImportError:
            raise missing_extra("boto3", "aws") from None
        patience = Config(connect_timeout=10, read_timeout=30, retries={"total_max_attempts": 4, "mode": "standard"})
        endpoint = f"https://{self._key.host}" if self._key.host else None
        try:
            session = boto3.session.Session(region_name=self._key.region)
            return call(session.client("kms", endpoint_url=endpoint, config=patience))
        except exceptions.ClientError as fault:
            raise _refused(fault.response) from None
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError) as fault:
            raise error("NETWORK_TIMEOUT", f"AWS KMS did not answer in time: {fault}") from None
        except exceptions.SSLError as fault:
            raise error("NETWORK_TLS_REFUSED", f"AWS KMS could not prove who it is: {fault}") from None
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as fault:
            raise error("NETWORK_UNREACHABLE", f"AWS KMS could not be reached: {fault}") from None
        except (exceptions.BotoCoreError, ValueError) as fault:
            raise error("KMS_CREDENTIALS_MISSING", f"boto3 has no usable settings: {fault}") from None


def _refused(response: Any) -> ModelsignError:
    fault = response.get("Error", {})
    code, words = str(fault.get("Code", "")), str(fault.get("Message", ""))
    message = f"AWS KMS answered {code[:60]}: {words[:300]}"
    if code in _DENIED:
        return error("KMS_ACCESS_DENIED", message)
    return error("KMS_KEY_NOT_FOUND" if code == "NotFoundException" else "KMS_FAILED", message)


def _bytes(answer: dict[str, Any], name: str) -> bytes:
    found = answer.get(name)
    if not isinstance(found, bytes):
        raise malformed(_WHAT, f"no {name}")
    return found
