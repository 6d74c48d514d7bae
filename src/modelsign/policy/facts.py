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

    from modelsign.verdict import ScanResult

__all__ = ["AttestationFact", "Facts", "SignatureFact"]


@dataclass(frozen=True, slots=True)
class SignatureFact:
    """One model signature that covers every byte. ``signers`` are digests of canonical keys."""

    source: str
    signers: frozenset[str]


@dataclass(frozen=True, slots=True)
class AttestationFact:
    """One attestation about exactly this model.

    ``signers`` are digests of canonical keys. ``made_at`` is the time the signed predicate gives for
    itself, None where it gives none. ``predicate`` is the parsed predicate, exactly as signed.
    """

    source: str
    signers: frozenset[str]
    predicate_type: str
    predicate: Mapping[str, object]
    made_at: datetime | None = None


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
