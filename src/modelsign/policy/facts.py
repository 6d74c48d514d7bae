"""The facts a policy is judged on: verified evidence, and what was seen of the bytes themselves.

Whoever builds :class:`Facts` (``check``, or the cases of ``policy test``) has verified every signature in
it and bound all of it to one tree digest. Unverified evidence is never here, so no rule can see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsign.verdict import ScanResult, Signer

__all__ = ["AttestationFact", "Facts", "RevocationFact", "SignatureFact"]


@dataclass(frozen=True, slots=True)
class SignatureFact:
    """One model signature that covers every byte.

    ``signers`` maps the id of each trust that vouches (:mod:`modelsign.policy.signers`) to whom it recognised.
    ``made_at`` is the time the signed statement gives for itself, None where it gives none.
    """

    source: str
    signers: Mapping[str, Signer]
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AttestationFact:
    """One attestation about exactly this model.

    ``signers`` and ``made_at`` are as for :class:`SignatureFact`. ``predicate`` is the parsed predicate, exactly as
    signed.
    """

    source: str
    signers: Mapping[str, Signer]
    predicate_type: str
    predicate: Mapping[str, object]
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevocationFact:
    """A revocation list whose signature was verified.

    ``digest`` is that of its file, ``signer`` of the canonical key that signed it. ``against_model`` says why the model
    or a file in it was revoked. What it says against signers is not here: they are left out of all other facts.
    """

    source: str
    digest: str
    signer: str
    version: int
    issued: datetime
    expires: datetime
    against_model: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known of one model.

    ``files`` names every file the model has. ``tree_digest`` is None where not all bytes could be read;
    then there are no signatures and no attestations. ``scan`` is the local scan of the same bytes.
    ``open_signatures`` are by trusted keys, over manifests that could not be compared with these bytes.
    """

    files: frozenset[str]
    tree_digest: str | None
    scan: ScanResult | None = None
    signatures: tuple[SignatureFact, ...] = field(default=())
    attestations: tuple[AttestationFact, ...] = field(default=())
    open_signatures: tuple[SignatureFact, ...] = field(default=())
    revocations: tuple[RevocationFact, ...] = field(default=())
