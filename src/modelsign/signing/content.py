"""What one signature of a bundle is over, in the forms that transparency logs write down.

An envelope's signature is over the pre-authentication encoding; a blob's over the blob, of which sometimes only the
SHA-256 is at hand. Nothing here parses a payload.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import error
from modelsign.signing.dsse import pae

if TYPE_CHECKING:
    from modelsign.signing.bundle import MessageSignature
    from modelsign.signing.dsse import Envelope
    from modelsign.signing.keys import VerifyKey

__all__ = ["Content"]


class Content(NamedTuple):
    """A signature and what it is over: ``data``, or, where that is not at hand, the ``sha256`` of it.

    ``envelope`` is the envelope whose encoding ``data`` is; None for a blob.
    """

    signature: bytes
    data: bytes = b""
    sha256: bytes | None = None
    envelope: Envelope | None = None

    @classmethod
    def of_envelope(cls, envelope: Envelope) -> Content:
        """Return what an envelope's signature is over."""
        return cls(envelope.signature, pae(envelope.payload_type, envelope.payload), envelope=envelope)

    @classmethod
    def of_blob(cls, message: MessageSignature, blob: bytes | None = None, sha256: bytes | None = None) -> Content:
        """Return what a blob's signature is over; ``blob`` is its bytes, or ``sha256`` what is known of them.

        Raises:
            ModelsignError: ``BLOB_MISMATCH`` where the bundle names another SHA-256.

        """
        digest = hashlib.sha256(blob or b"").digest() if sha256 is None else sha256
        if message.digest is not None and message.digest != digest:
            raise error("BLOB_MISMATCH", "the digest in the bundle is not that of the file")
        return cls(message.signature, blob or b"", sha256)

    def digest(self, name: str) -> bytes | None:
        """Return the digest of what was signed by ``sha256``, ``sha384`` or ``sha512``; None where it is not known."""
        if self.sha256 is not None:
            return self.sha256 if name == "sha256" else None
        return hashlib.new(name, self.data).digest() if name in {"sha256", "sha384", "sha512"} else None

    def signed_by(self, key: VerifyKey) -> bool:
        """Say whether the signature is the key's."""
        if self.sha256 is None:
            return key.accepts(self.data, self.signature)
        return key.algorithm.endswith("-sha256") and _accepts_sha256(key, self.sha256, self.signature)


def _accepts_sha256(key: VerifyKey, digest: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    public = load_der_public_key(key.der)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return False
    try:
        public.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True
