"""What a bundle claims of its signer, compared before anything is verified.

Whoever can write evidence beside a model can put thousands of bundles there, each with a genuine certificate of
somebody else; verifying each for every identity of a policy would take minutes. A claim that does not fit is refused by
a comparison. One that fits proves nothing: the signing method verifies it from the beginning.
"""

# ruff: noqa: PLC0415
# certificates are read only where a bundle has one.

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import ModelsignError, error

if TYPE_CHECKING:
    from modelsign.policy.identities import Identity
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.x509.certificates import Certificate

__all__ = ["CertificateScreen", "KeylessScreen"]

_SHOWN = 300


class KeylessScreen(NamedTuple):
    """Lets pass what claims to be an identity that an issuer confirmed."""

    identity: Identity

    def check(self, bundle: Bundle) -> None:
        """Refuse a bundle whose certificate does not even claim it; what cannot be read is let pass.

        Raises:
            ModelsignError: ``CERTIFICATE_IDENTITY_MISMATCH``.

        """
        claimed = _claimed(bundle.material.certificates[0]) if bundle.material.certificates else None
        if claimed is not None and not self.identity.means(*claimed, self.identity.claims or {}):
            name, issuer = claimed
            words = f"the bundle names {name[:_SHOWN]} of {str(issuer)[:_SHOWN]}, who was not named"
            raise error("CERTIFICATE_IDENTITY_MISMATCH", words)


class CertificateScreen(NamedTuple):
    """Lets pass what claims to be an identity in a certificate."""

    identity: Identity

    def check(self, bundle: Bundle) -> None:
        """Refuse a bundle whose certificate does not even claim it; what cannot be read is let pass.

        Raises:
            ModelsignError: ``CERTIFICATE_IDENTITY_MISMATCH``.

        """
        leaf = _leaf(bundle.material.certificates[0]) if bundle.material.certificates else None
        if leaf is not None:
            self.identity.certificate_identity.match(leaf)


@functools.lru_cache(maxsize=64)
def _claimed(der: bytes) -> tuple[str, str | None] | None:
    from modelsign.signing.sigstore.fulcio_certificate import read_signing_certificate

    try:
        leaf = read_signing_certificate(der)
    except ModelsignError:
        return None
    return leaf.name, leaf.issuer


@functools.lru_cache(maxsize=64)
def _leaf(der: bytes) -> Certificate | None:
    from modelsign.signing.x509.certificates import Certificate

    try:
        return Certificate(der)
    except ModelsignError:
        return None
