"""Attestations opened: verified with the keys the caller trusts, then read (DESIGN, security rule 1).

The signature is verified over the raw bytes first, and only then is anything parsed. A key id is never used: every
trusted key is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsign.attest.predicates import _index
from modelsign.attest.statement import is_attestation_payload, read_statement
from modelsign.errors import error
from modelsign.signing.dsse import pae

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from modelsign.attest.predicate import Predicate
    from modelsign.attest.statement import Statement
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import VerifyKey

__all__ = ["Attestation", "open_attestation", "predicate_of"]


@dataclass(frozen=True, slots=True)
class Attestation:
    """A verified attestation: its statement, and the digests of the trusted keys that signed it."""

    statement: Statement
    signers: frozenset[str]
    made_at: datetime | None

    @property
    def predicate(self) -> Mapping[str, Any]:
        """What is claimed."""
        return self.statement.predicate


def open_attestation(
    bundle: Bundle, keys: Iterable[VerifyKey], *, tree_digest: str, digests: Mapping[str, str] | None = None
) -> Attestation:
    """Verify an attestation with any of some keys, and read it, if it is about the model with this tree digest.

    With ``digests`` (name → SHA-256 hex of the model's files) no subject may say otherwise of one of them.

    Raises:
        ModelsignError: ``STATEMENT_MALFORMED``, ``ATTESTATION_UNTRUSTED``, ``STATEMENT_IS_SIGNATURE``,
            ``ATTESTATION_OF_OTHER_MODEL`` or ``PREDICATE_MALFORMED``.

    """
    if not is_attestation_payload(bundle.payload_type):
        raise error("STATEMENT_MALFORMED", f"the payload type {bundle.payload_type[:100]} is not a statement's")
    signed = pae(bundle.payload_type, bundle.payload)
    signers = frozenset(key.digest for key in keys for signature in bundle.signatures if key.accepts(signed, signature))
    if not signers:
        raise error("ATTESTATION_UNTRUSTED", "no trusted key made this signature")
    statement = read_statement(bundle.payload_type, bundle.payload)
    if not statement.is_about(tree_digest, digests):
        raise error("ATTESTATION_OF_OTHER_MODEL", f"the {statement.predicate_type[:100]} is about another model")
    known = predicate_of(statement.predicate_type)
    if known is None:
        return Attestation(statement, signers, None)
    known.check(statement.predicate)
    return Attestation(statement, signers, known.made_at(statement.predicate))


def predicate_of(predicate_type: str) -> Predicate | None:
    """Return the descriptor of a predicate type, None for one this project does not know."""
    for member in _index.IDS:
        found: Predicate = _index.load(member)
        if found.type == predicate_type:
            return found
    return None
