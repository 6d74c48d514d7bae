"""DSSE: what exactly is signed (secure-systems-lab/dsse v1.0, protocol.md).

The signature is over the pre-authentication encoding (PAE) of payload type and payload, over raw bytes;
nothing is parsed before it is verified.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["IN_TOTO", "Envelope", "pae", "pae_of_v0_2"]

IN_TOTO: Final = "application/vnd.in-toto+json"
"""The payload type of in-toto statements."""


class Envelope(NamedTuple):
    """A payload, its type, and the one signature over both."""

    payload_type: str
    payload: bytes
    signature: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: ``DSSEv1 <len> <type> <len> <payload>``, lengths in bytes.

    Total: a type that is no text gives bytes that no honest signer signed.
    """
    kind = payload_type.encode("utf-8", "surrogatepass")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def pae_of_v0_2(payload: bytes) -> bytes:
    """Return what model-signing 0.2.0 signed by mistake: the textual form of the bytes (facts: OMS legacy).

    Only for its own predicate and shape, and only where legacy formats are allowed.
    """
    return f"DSSEV1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} {payload!r}".encode()
