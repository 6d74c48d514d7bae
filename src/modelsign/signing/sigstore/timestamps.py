"""RFC 3161 timestamps: by when did this signature exist?

Tokens are parsed and verified by ``rfc3161-client``, with the certificates of the trust root alone; what a token embeds
is only compared. A timestamp is over the bytes of the signature itself (Sigstore client specification).
"""

# ruff: noqa: PLC0415
# rfc3161-client brings cryptography.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from modelsign import limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.x509.parsing import parsing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rfc3161_client import TimeStampResponse

    from modelsign.signing.sigstore.trust_root import Authority

__all__ = ["Timestamp", "verify_timestamps"]


class Timestamp(NamedTuple):
    """A verified timestamp, to the second. ``authority`` is the SHA-256 of its key: what makes two distinct."""

    time: datetime
    authority: str
    url: str


def verify_timestamps(
    responses: Sequence[bytes], signature: bytes, authorities: Sequence[Authority]
) -> tuple[tuple[Timestamp, ...], tuple[str, ...]]:
    """Return the timestamps that are good, and a warning for each by an authority that is not trusted.

    Raises:
        ModelsignError: ``PROOF_REPEATED``; ``TIMESTAMP_INVALID`` where one cannot be read, or there are some and none
            is good.

    """
    if len(responses) > limits.PROOFS:
        raise error(
            "TIMESTAMP_INVALID", f"the bundle has {len(responses)} timestamps; at most {limits.PROOFS} are read"
        )
    if len(set(responses)) < len(responses):
        raise error("PROOF_REPEATED", "the bundle holds a timestamp twice")
    good: list[Timestamp] = []
    warnings: list[str] = []
    for number, data in enumerate(responses):
        found = _verify(_read(data), signature, authorities)
        good += [found] if found else []
        warnings += (
            [] if found else [f"timestamp {number} is not one of this signature by an authority that is trusted"]
        )
    if responses and not good:
        raise error(
            "TIMESTAMP_INVALID", f"none of {len(responses)} timestamps is by a trusted authority over this signature"
        )
    return tuple(good), tuple(warnings)


def _read(data: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    with parsing("a timestamp", "TIMESTAMP_INVALID"):
        return decode_timestamp_response(data)


def _verify(response: TimeStampResponse, signature: bytes, authorities: Sequence[Authority]) -> Timestamp | None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from rfc3161_client import VerificationError, VerifierBuilder

    for authority in authorities:
        leaf, *above = map(x509.load_der_x509_certificate, authority.chain)
        if not above:  # a chain of one would make the signer its own anchor
            continue
        verifier = VerifierBuilder(tsa_certificate=leaf, intermediates=above[:-1], roots=above[-1:]).build()
        try:
            with parsing("a timestamp", "TIMESTAMP_INVALID"):
                verifier.verify_message(response, signature)
                moment = response.tst_info.gen_time
        except (VerificationError, ModelsignError):
            continue
        if authority.window.holds(moment):
            key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return Timestamp(moment, hashlib.sha256(key).hexdigest(), authority.url)
    return None
