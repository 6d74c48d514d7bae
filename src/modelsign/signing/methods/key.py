"""Signing with a bare key pair: the signer's public key is handed over by other means.

The bundle names the key by a hint only (OMS v1.0: SHA-256 of its PEM text). The hint is not signed and is
never trust: it turns "some key" into "not this key" in messages, and a hint that names another key than the
one that verifies is refused, as the reference implementation does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.errors import error
from modelsign.signing.bundle import write_bundle
from modelsign.signing.dsse import IN_TOTO, Envelope, pae, pae_of_v0_2
from modelsign.signing.method import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import SigningKey, VerifyKey

__all__ = ["METHOD", "find_signer", "seal", "signed_as_v0_2"]

_SHOWN = 100
_KINDS = ("public_key", "legacy_public_key")


def seal(payload_type: str, payload: bytes, key: SigningKey) -> bytes:
    """Sign a payload and return the bundle."""
    signature = key.sign(pae(payload_type, payload))
    return write_bundle(Envelope(payload_type, payload, signature), hint=key.public.hint)


def find_signer(bundle: Bundle, keys: Sequence[VerifyKey], allow_legacy: bool) -> VerifyKey:  # noqa: FBT001 - the shape of Method.find_signer
    """Return the one of the keys that made the bundle's signature.

    Raises:
        ModelsignError: ``SIGNATURE_WRONG_KEY``, ``SIGNATURE_INVALID`` or ``LEGACY_NOT_ALLOWED``.

    """
    if bundle.material.kind not in _KINDS:
        raise error("SIGNATURE_WRONG_KEY", "the bundle was signed with a certificate, not with a bare key")
    hint = bundle.material.hint
    signed = pae(bundle.payload_type, bundle.payload)
    for key in keys:
        if hint in (None, key.hint) and (
            key.accepts(signed, bundle.envelope.signature) or signed_as_v0_2(bundle, key, allow_legacy=allow_legacy)
        ):
            if bundle.legacy and not allow_legacy:
                raise error("LEGACY_NOT_ALLOWED", "the bundle has a shape from before OMS v1.1")
            return key
    if any(hint == key.hint for key in keys):
        raise error("SIGNATURE_INVALID", "the bundle names your key, but the signature does not match its contents")
    names = f"the key with hint {hint[:_SHOWN]}" if hint else "no key"
    raise error("SIGNATURE_WRONG_KEY", f"the bundle names {names}, and no key you named verifies it")


def signed_as_v0_2(bundle: Bundle, key: VerifyKey, *, allow_legacy: bool) -> bool:
    """Say whether the signature is over the encoding of model-signing 0.2.0, by SHA-256 as it always was there.

    Whoever relies on it must then insist on the predicate of 0.2.0.
    """
    return (
        allow_legacy
        and bundle.material.kind == "legacy_public_key"
        and bundle.payload_type == IN_TOTO
        and key.accepts(pae_of_v0_2(bundle.payload), bundle.envelope.signature, hash_name="sha256")
    )


METHOD = Method(
    id="key",
    title="Key pair",
    description="A private key in a file signs; whoever verifies names the public key.",
    kinds=_KINDS,
    seal=seal,
    find_signer=find_signer,
)
