"""Signing and verifying in-toto statements of any predicate with keys.

Attestations use this; a model's own signature goes through :mod:`modelsign.signing.sign` and
:mod:`modelsign.signing.verify`, which insist on the OMS predicate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsign.errors import error
from modelsign.signing.bundle import parse_bundle
from modelsign.signing.dsse import IN_TOTO
from modelsign.signing.keys import distinct
from modelsign.signing.methods.key import METHOD
from modelsign.verdict import Signer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import SigningKey, VerifyKey

__all__ = ["sign_statement", "signer_of", "verify_envelope"]


def sign_statement(statement: bytes, key: SigningKey) -> bytes:
    """Sign the bytes of an in-toto statement and return the bundle, on one line without a newline at its end."""
    return METHOD.seal(IN_TOTO, statement, key)


def verify_envelope(bundle: Bundle | bytes, keys: Sequence[VerifyKey]) -> tuple[Signer, ...]:
    """Return who of the trusted keys signed an in-toto envelope; never empty.

    The payload may be parsed after this returned, not before.

    Raises:
        ModelsignError: ``NO_TRUST_SOURCE``, ``SIGNATURE_WRONG_KEY``, ``SIGNATURE_INVALID``,
            ``LEGACY_NOT_ALLOWED``, ``NOT_AN_ATTESTATION``, ``BUNDLE_MALFORMED`` or ``BUNDLE_UNSUPPORTED``.

    """
    if not keys:
        raise error("NO_TRUST_SOURCE", "no key was named that could have signed")
    parsed = parse_bundle(bundle) if isinstance(bundle, bytes) else bundle
    key = METHOD.find_signer(parsed, distinct(keys), False)  # noqa: FBT003 - no legacy attestations exist
    if parsed.payload_type != IN_TOTO:
        raise error("NOT_AN_ATTESTATION", f"the payload type is {parsed.payload_type[:100]}, not {IN_TOTO}")
    return (signer_of(key),)


def signer_of(key: VerifyKey) -> Signer:
    """Describe the owner of a key that verified a signature."""
    return Signer(method=METHOD.id, algorithm=key.algorithm, key_digest=key.digest)
