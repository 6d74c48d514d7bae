"""Attestations opened: verified by what the caller trusts, then read (DESIGN, security rule 1).

The signature is verified over the raw bytes first, and only then is anything parsed. A key id is never used: every
trusted key is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modelsign.attest.predicates import _index
from modelsign.attest.statement import is_attestation_payload, read_statement
from modelsign.errors import ModelsignError, error
from modelsign.signing.envelope import trusts_of
from modelsign.signing.trust import ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from modelsign.attest.predicate import Predicate
    from modelsign.attest.statement import Statement
    from modelsign.signing.bundle import Bundle
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.trust import Trust
    from modelsign.verdict import Signer

__all__ = ["Attestation", "open_attestation", "predicate_of"]

_NOT_THEIRS: Final = ("SIGNATURE_WRONG_KEY", "NO_TRUST_SOURCE")


@dataclass(frozen=True, slots=True)
class Attestation:
    """A verified attestation: its statement, and who of those trusted signed it, by the id of the trust."""

    statement: Statement
    signed_by: Mapping[str, Signer]
    made_at: datetime | None

    @property
    def signers(self) -> frozenset[str]:
        """The ids of the trusts that vouch for it: digests of keys, or what an identity was asked to be."""
        return frozenset(self.signed_by)

    @property
    def predicate(self) -> Mapping[str, Any]:
        """What is claimed."""
        return self.statement.predicate


def open_attestation(
    bundle: Bundle, trusted: Iterable[VerifyKey | Trust], *, tree_digest: str, digests: Mapping[str, str] | None = None
) -> Attestation:
    """Verify an attestation by any of those trusted, and read it, if it is about the model with this tree digest.

    With ``digests`` (name → SHA-256 hex of the model's files) no subject may say otherwise of one of them.

    Raises:
        ModelsignError: ``STATEMENT_MALFORMED``, ``ATTESTATION_UNTRUSTED``, ``STATEMENT_IS_SIGNATURE``,
            ``ATTESTATION_OF_OTHER_MODEL``, ``PREDICATE_MALFORMED``, or a reason of a signing method.

    """
    if not is_attestation_payload(bundle.payload_type):
        raise error("STATEMENT_MALFORMED", f"the payload type {bundle.payload_type[:100]} is not a statement's")
    trusts = trusts_of(trusted, any_hint=True)
    try:
        vouches = ask(trusts, bundle)
    except ModelsignError as fault:
        if fault.code not in _NOT_THEIRS:
            raise
        raise error("ATTESTATION_UNTRUSTED", "nobody who is trusted made this signature") from None
    signed_by = {trusts[number].id: vouch.signer for number, vouch in vouches.items()}
    statement = read_statement(bundle.payload_type, bundle.payload)
    if not statement.is_about(tree_digest, digests):
        raise error("ATTESTATION_OF_OTHER_MODEL", f"the {statement.predicate_type[:100]} is about another model")
    known = predicate_of(statement.predicate_type)
    if known is None:
        return Attestation(statement, signed_by, None)
    known.check(statement.predicate)
    return Attestation(statement, signed_by, known.made_at(statement.predicate))


def predicate_of(predicate_type: str) -> Predicate | None:
    """Return the descriptor of a predicate type, None for one this project does not know."""
    for member in _index.IDS:
        found: Predicate = _index.load(member)
        if found.type == predicate_type:
            return found
    return None
