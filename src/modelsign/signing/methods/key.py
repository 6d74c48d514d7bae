"""Signing with a bare key pair: the signer's public key is handed over by other means.

The bundle names the key by a hint only (OMS v1.0: SHA-256 of its PEM text). The hint is not signed and is
never trust: it turns "some key" into "not this key" in messages, and a hint that names another key than the
one that verifies is refused, as the reference implementation does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import error
from modelsign.signing.bundle import write_bundle
from modelsign.signing.dsse import IN_TOTO, Envelope, pae, pae_of_v0_2
from modelsign.signing.method import Method
from modelsign.signing.sealer import Sealed
from modelsign.signing.trust import Vouch, refuse_legacy
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sealer import RawSigner

__all__ = ["METHOD", "KeySealer", "KeyTrust", "signer_of"]

_SHOWN = 100
_KINDS = ("public_key", "legacy_public_key")


class KeySealer(NamedTuple):
    """Signs with a private key, wherever it is kept."""

    key: RawSigner
    method: str = "key"

    @property
    def key_digest(self) -> str:
        """The digest of the key that will sign."""
        return self.key.public.digest

    def seal(self, payload_type: str, payload: bytes) -> Sealed:
        """Sign a payload and return the bundle.

        Raises:
            ModelsignError: a reason of wherever the key is kept.

        """
        signature = self.key.sign(pae(payload_type, payload))
        bundle = write_bundle(Envelope(payload_type, payload, signature), hint=self.key.public.hint)
        return Sealed(bundle, signer_of(self.key.public), self.key.public.oms)


class KeyTrust(NamedTuple):
    """Trusts one public key.

    ``any_hint`` looks past what the bundle names its key by, as DSSE wants for attestations.
    """

    key: VerifyKey
    any_hint: bool = False
    method: str = "key"

    @property
    def id(self) -> str:
        """The digest of the canonical key."""
        return self.key.digest

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.key.digest

    @property
    def single(self) -> bool:
        """True: a key is one signer."""
        return True

    def vouch(self, bundle: Bundle, *, allow_legacy: bool = False) -> Vouch:
        """Say whether the key made the bundle's signature.

        Raises:
            ModelsignError: ``SIGNATURE_WRONG_KEY``, ``SIGNATURE_INVALID`` or ``LEGACY_NOT_ALLOWED``.

        """
        if bundle.material.kind not in _KINDS:
            raise error("SIGNATURE_WRONG_KEY", "the bundle was signed with a certificate, not with a bare key")
        hint = bundle.material.hint
        if self.any_hint or hint in (None, self.key.hint):
            v0_2 = _signed_as_v0_2(bundle, self.key, allow_legacy=allow_legacy)
            if v0_2 or self.key.accepts(pae(bundle.payload_type, bundle.payload), bundle.signature):
                refuse_legacy(bundle, allow_legacy=allow_legacy)
                return Vouch(signer_of(self.key), self.key.oms, v0_2=v0_2)
        if hint == self.key.hint and not self.any_hint:
            raise error("SIGNATURE_INVALID", "the bundle names your key, but the signature does not match its contents")
        names = f"the key with hint {hint[:_SHOWN]}" if hint else "no key"
        raise error("SIGNATURE_WRONG_KEY", f"the bundle names {names}, and no key you named verifies it")


def signer_of(key: VerifyKey) -> Signer:
    """Describe the owner of a key that verified a signature."""
    return Signer(method="key", algorithm=key.algorithm, key_digest=key.digest)


def _signed_as_v0_2(bundle: Bundle, key: VerifyKey, *, allow_legacy: bool) -> bool:
    """Say whether the signature is over the encoding of model-signing 0.2.0, by SHA-256 as it always was there."""
    return (
        allow_legacy
        and bundle.material.kind == "legacy_public_key"
        and bundle.payload_type == IN_TOTO
        and key.accepts(pae_of_v0_2(bundle.payload), bundle.signature, hash_name="sha256")
    )


METHOD = Method(
    id="key",
    title="Key pair",
    description="A private key in a file signs; whoever verifies names the public key.",
    kinds=_KINDS,
)
