"""Signing and verifying in-toto statements of any predicate.

Attestations use this; a model's own signature goes through :mod:`modelsign.signing.sign` and
:mod:`modelsign.signing.verify`, which insist on the OMS predicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.errors import error
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.keys import SigningKey, VerifyKey
from modelsign.signing.methods.key import KeySealer, KeyTrust
from modelsign.signing.trust import ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.sealer import Sealer
    from modelsign.signing.trust import Trust
    from modelsign.verdict import Signer

__all__ = ["sealer_of", "sign_statement", "trusts_of", "verify_envelope"]


def sign_statement(statement: bytes, sealer: SigningKey | Sealer) -> bytes:
    """Sign the bytes of an in-toto statement and return the bundle, on one line without a newline at its end."""
    return sealer_of(sealer).seal(IN_TOTO, statement).bundle


def verify_envelope(bundle: Bundle | bytes, trusted: Sequence[VerifyKey | Trust]) -> tuple[Signer, ...]:
    """Return who of those trusted signed an in-toto envelope; never empty.

    The payload may be parsed after this returned, not before.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE``, ``SIGNATURE_WRONG_KEY``, ``SIGNATURE_INVALID``,
            ``LEGACY_NOT_ALLOWED``, ``NOT_AN_ATTESTATION``, ``BUNDLE_MALFORMED``, ``BUNDLE_UNSUPPORTED``, or a reason of
            a signing method.

    """
    trusts = trusts_of(trusted)
    if not trusts:
        raise error("NO_TRUST_SOURCE", "no key was named that could have signed")
    parsed = parse_bundle(bundle) if isinstance(bundle, bytes) else bundle
    vouches = ask(trusts, parsed)
    if parsed.payload_type != IN_TOTO:
        raise error("NOT_AN_ATTESTATION", f"the payload type is {parsed.payload_type[:100]}, not {IN_TOTO}")
    return tuple(vouch.signer for vouch in vouches.values())


def sealer_of(key: SigningKey | Sealer) -> Sealer:
    """Let a private key stand for itself.

    Raises:
        ModelsignError: ``USAGE`` for what cannot sign.

    """
    sealer: Sealer = KeySealer(key) if isinstance(key, SigningKey) else key
    if not callable(getattr(sealer, "seal", None)):
        raise error(
            "USAGE",
            f"a {type(key).__name__} stands where a private key is wanted",
            advice="Read it with modelsign.load_private_key(data), or make a sealer.",
        )
    return sealer


def trusts_of(trusted: Iterable[VerifyKey | Trust], *, any_hint: bool = False) -> list[Trust]:
    """Return each trust once, in the order given; a public key stands for itself, with or without a hint at it.

    Raises:
        ModelsignError: ``USAGE`` for what is no trust.

    """
    found: dict[tuple[str, str], Trust] = {}
    for entry in trusted:
        trust: Trust = KeyTrust(entry, any_hint) if isinstance(entry, VerifyKey) else entry
        if not callable(getattr(trust, "vouch", None)):
            raise error(
                "USAGE",
                f"a {type(entry).__name__} stands where a public key is wanted",
                advice="Read it with modelsign.load_public_key(data), or take the public half of a signing key.",
            )
        found.setdefault((trust.method, trust.id), trust)
    return list(found.values())
