"""Signing with a bare key pair: the signer's public key is handed over by other means.

The bundle names the key by a hint only (OMS v1.0: SHA-256 of its PEM text; Sigstore's managed keys: of its DER, in
base64 as cosign writes it or in hex). The hint is not signed and is
never trust: it turns "some key" into "not this key" in messages, and a hint that names another key than the
one that verifies is refused, as the reference implementation does.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import error
from modelsign.signing.bundle import write_bundle
from modelsign.signing.content import Content
from modelsign.signing.dsse import IN_TOTO, Envelope, pae, pae_of_v0_2
from modelsign.signing.method import Method
from modelsign.signing.sealer import Sealed
from modelsign.signing.trust import BY_NAME, Vouch, refuse_legacy
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from modelsign.signing.bundle import Bundle, Material
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sealer import RawSigner
    from modelsign.signing.sigstore.proofs import ProofPolicy
    from modelsign.signing.sigstore.trust_root import TrustRoot

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

    With ``root`` and ``proofs`` it asks for proofs of time and publication too, and says ``notes`` of that root.
    ``any_hint`` looks past what the bundle names its key by, as DSSE wants for attestations.
    """

    key: VerifyKey
    any_hint: bool = False
    root: TrustRoot | None = None
    proofs: ProofPolicy | None = None
    notes: tuple[str, ...] = ()
    method: str = "key"

    @property
    def id(self) -> str:
        """The digest of the canonical key; where proofs are wanted too, with what they are and by which root."""
        if self.root is None or self.proofs is None:
            return self.key.digest
        return f"{self.key.digest}\n{self.root.digest}\n{self.proofs}"

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
            ModelsignError: ``SIGNATURE_WRONG_KEY``, ``SIGNATURE_INVALID`` or ``LEGACY_NOT_ALLOWED``; where proofs are
                wanted, the reasons of :func:`modelsign.signing.sigstore.proofs.prove`.

        """
        v0_2 = _signed_as_v0_2(bundle, self.key, allow_legacy=allow_legacy) and self._may_be_named(bundle.material)
        content = Content.of_envelope(bundle.envelope)
        vouch = self._proven(bundle.material, bundle.version, content) if v0_2 else self.confirm(bundle, content)
        refuse_legacy(bundle, allow_legacy=allow_legacy)
        return vouch._replace(v0_2=v0_2)

    def confirm(self, bundle: Bundle, content: Content) -> Vouch:
        """Say whether the key signed some content, of whatever kind; as :meth:`vouch`, without a word on its shape."""
        material = bundle.material
        if material.kind not in _KINDS:
            raise error(
                "SIGNATURE_WRONG_KEY", "the bundle was signed with a certificate, not with a bare key", advice=BY_NAME
            )
        if self._may_be_named(material) and content.signed_by(self.key):
            return self._proven(material, bundle.version, content)
        if material.hint in _hints(self.key) and not self.any_hint:
            raise error("SIGNATURE_INVALID", "the bundle names your key, but the signature does not match its contents")
        names = f"the key with hint {material.hint[:_SHOWN]}" if material.hint else "no key"
        raise error("SIGNATURE_WRONG_KEY", f"the bundle names {names}, and no key you named verifies it")

    def _may_be_named(self, material: Material) -> bool:
        return self.any_hint or material.hint is None or material.hint in _hints(self.key)

    def _proven(self, material: Material, version: str, content: Content) -> Vouch:
        """Add the proofs that are wanted to what is known of the signer."""
        if self.root is None or self.proofs is None:
            return Vouch(signer_of(self.key), self.key.oms)
        from modelsign.signing.sigstore.log_entries import Verifier  # noqa: PLC0415 - most keys come without proofs
        from modelsign.signing.sigstore.proofs import Subject, prove  # noqa: PLC0415 - same

        verifier = Verifier(self.key.der, self.key, certificate=False)
        found = prove(Subject(material, version, content, verifier), self.root, self.proofs)
        return Vouch(found.told_of(signer_of(self.key)), self.key.oms, (*self.notes, *found.warnings))


def signer_of(key: VerifyKey) -> Signer:
    """Describe the owner of a key that verified a signature."""
    return Signer(method="key", algorithm=key.algorithm, key_digest=key.digest)


def _hints(key: VerifyKey) -> frozenset[str]:
    """Return what bundles call a key: OMS the SHA-256 of its PEM, Sigstore that of its DER, in hex or base64."""
    return frozenset({key.hint, key.digest, binascii.b2a_base64(bytes.fromhex(key.digest), newline=False).decode()})


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
