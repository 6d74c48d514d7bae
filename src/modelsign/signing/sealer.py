"""What can sign: a key in a file, on a token or in a cloud, a certificate with its key, an identity of the moment.

A member of ``signing/methods/`` makes sealers of its kind; what is signed, and where the bundle goes, is not theirs to
know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from modelsign.signing.keys import VerifyKey
    from modelsign.verdict import Signer

__all__ = ["RawSigner", "Sealed", "Sealer"]


class Sealed(NamedTuple):
    """A signed bundle, on one line without a newline at its end; who signed; whether OMS v1.0 knows this way."""

    bundle: bytes
    signer: Signer
    oms: bool


class RawSigner(Protocol):
    """A private key that signs bytes, wherever it is kept; the algorithm follows from the key alone."""

    @property
    def public(self) -> VerifyKey:
        """The other half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign bytes.

        Raises:
            ModelsignError: a reason of wherever the key is kept.

        """
        ...


class Sealer(Protocol):
    """One way to sign, ready to be used."""

    @property
    def method(self) -> str:
        """The id of the signing method."""
        ...

    @property
    def key_digest(self) -> str | None:
        """The digest of the key that will sign; None where the key is made for each signature."""
        ...

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        """Sign a payload of a type (DSSE) and return the bundle.

        Raises:
            ModelsignError: a reason of the method.

        """
        ...
