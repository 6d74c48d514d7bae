"""Asks a timestamp authority when a signature existed (RFC 3161, over HTTP: section 3.4).

The answer is checked for what only the one who asked can check: that it was granted, for this digest, with this
nonce. Whether the authority is trusted is decided by whoever verifies the bundle (``signing.timestamps``).
"""

# ruff: noqa: PLC0415
# rfc3161-client is imported when a timestamp is asked for.

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import error
from modelsign.transport import server_words

if TYPE_CHECKING:
    from modelsign.transport import Transport

__all__ = ["request_timestamp"]

_ANSWER_BYTES: Final = 256 * limits.KIB
_GRANTED: Final = frozenset({0, 1})
"""``granted`` and ``grantedWithMods`` (RFC 3161, section 2.4.2)."""


def request_timestamp(transport: Transport, url: str, signature: bytes) -> bytes:
    """Return the authority's response over a signature, DER.

    Only the SHA-256 digest of the signature is sent, and the answer is signed: ``http`` is good enough.

    Raises:
        ModelsignError: ``TIMESTAMP_REFUSED``, ``TIMESTAMP_ANSWER_WRONG``, or a reason of the transport.

    """
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

    request = TimestampRequestBuilder().hash_algorithm(HashAlgorithm.SHA256).data(signature).nonce(nonce=True).build()
    answer = transport.send(
        "POST",
        url,
        what="timestamp authority",
        body=request.as_bytes(),
        headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
        most_bytes=_ANSWER_BYTES,
        plain=True,
    )
    try:
        response = decode_timestamp_response(answer.body)
        status = response.status
        if status in _GRANTED:
            info = response.tst_info
            nonce, imprint = info.nonce, info.message_imprint.message
        else:
            said = server_words(" ".join(response.status_string).encode("utf-8", "replace"))
    except (ValueError, TypeError, OverflowError) as fault:
        said = server_words(str(fault).encode("utf-8", "replace"))
        raise error(
            "TIMESTAMP_ANSWER_WRONG", f"the timestamp authority's answer is no RFC 3161 response: {said}"
        ) from None
    if status not in _GRANTED:
        raise error("TIMESTAMP_REFUSED", f"the timestamp authority refused with status {status}: {said or 'no reason'}")
    if not hmac.compare_digest(imprint, hashlib.sha256(signature).digest()):
        raise error("TIMESTAMP_ANSWER_WRONG", "the timestamp is for another signature than the one that was sent")
    if nonce != request.nonce:
        raise error(
            "TIMESTAMP_ANSWER_WRONG", "the timestamp answers another request: its nonce is not the one that was sent"
        )
    return answer.body
