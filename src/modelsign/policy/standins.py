"""Signers in the test cases of policies, who never signed anything.

A case says who signed and by what it was proven; whether the policy's rules mean them is decided as in a check, by the
same keys, identities and roots, except that all of them are stand-ins.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from modelsign import timestamp
from modelsign.policy.document import Timestamp
from modelsign.policy.identities import from_value
from modelsign.policy.rule import Strict
from modelsign.policy.signers import SignerRule, claimants
from modelsign.signing.keys import ALGORITHMS
from modelsign.signing.revocation import proven_time
from modelsign.signing.x509.identity import exact_identity
from modelsign.verdict import LogProof, Signer

if TYPE_CHECKING:
    from datetime import datetime

    from modelsign.policy.parameters import BoundPolicy
    from modelsign.policy.signers import Claimant

__all__ = ["LogCase", "SignerCase", "Words", "recognised", "stand_in"]

Words = tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...]


class LogCase(Strict, frozen=True, kw_only=True):
    """One transparency log that holds the signature."""

    log: str = "log"
    time: Timestamp | None = None


class SignerCase(Strict, frozen=True, kw_only=True):
    """Who signed: each of ``keys``, or one identity, with a new key or the first of ``keys``.

    ``roots`` are stand-ins of the roots that anchor it, all of them where none are named. An identity with an issuer is
    in one log, as of now, and its certificate began now, unless the case says otherwise. ``authority`` certified one
    without, the same for all of them unless it is named.
    """

    keys: Words = ()
    algorithm: str = "ecdsa-p256-sha256"
    identity: str | None = None
    issuer: str | None = None
    claims: dict[str, str] | None = None
    organization: str | None = None
    authority: str = "the authority"
    roots: Words = ()
    logs: tuple[LogCase, ...] | None = None
    timestamps: tuple[Timestamp, ...] = ()
    not_before: Timestamp | None = None

    def __post_init__(self) -> None:
        """Refuse nobody; msgspec reports the ValueError with its place."""
        if not self.keys and self.identity is None:
            message = "somebody signed: name keys, or an identity"
            raise ValueError(message)
        if self.algorithm not in ALGORITHMS:
            message = f"the algorithm is none of {', '.join(ALGORITHMS)}"
            raise ValueError(message)


def stand_in(word: str) -> str:
    """Return a digest for the name of something that does not exist."""
    return hashlib.sha256(word.encode()).hexdigest()


def recognised(case: SignerCase, bound: BoundPolicy, source: str, now: datetime) -> dict[str, Signer]:
    """Return who of those the policy's rules trust signed, by the id of the trust."""
    trusted = {
        claimant.id: claimant
        for rule in bound.policy.rules
        if isinstance(rule, SignerRule)
        for claimant in claimants(rule, bound.values)
    }
    found: dict[str, Signer] = {}
    for signer in _signers(case, source, now):
        found |= {name: signer for name, claimant in trusted.items() if _means(claimant, case, signer)}
    return found


def _signers(case: SignerCase, source: str, now: datetime) -> list[Signer]:
    logs, not_before = case.logs, case.not_before
    if case.issuer is not None:
        logs = (LogCase(time=timestamp.write(now)),) if logs is None else logs
        not_before = not_before or timestamp.write(now)
    proofs = tuple(LogProof(entry.log, number, entry.time) for number, entry in enumerate(logs or ()))
    digests = [stand_in(word) for word in case.keys] or [stand_in(f"the key of {source}")]
    method = "key" if case.identity is None else "certificate" if case.issuer is None else "keyless"
    return [
        Signer(
            method,
            case.algorithm,
            digest,
            identity=case.identity,
            issuer=case.authority if method == "certificate" else case.issuer,
            claims=case.claims or {},
            logs=proofs,
            timestamps=case.timestamps,
            not_before=not_before,
        )
        for digest in (digests if case.identity is None else digests[:1])
    ]


def _means(claimant: Claimant, case: SignerCase, signer: Signer) -> bool:
    """Say whether a signing method would recognise the signer as the one who is trusted."""
    if signer.method != claimant.kind or len({entry.log for entry in signer.logs}) < claimant.logs:
        return False
    if len(signer.timestamps) < claimant.timestamps or (claimant.times and proven_time(signer) is None):
        return False
    anchors = {claimant.trust_root} if claimant.kind != "certificate" else set(claimant.roots)
    if case.roots and anchors != {None} and anchors.isdisjoint(map(stand_in, case.roots)):
        return False
    if claimant.kind == "key":
        return claimant.value == signer.key_digest
    meant = from_value(claimant.value)
    if claimant.kind == "keyless":
        return meant.means(signer.identity or "", signer.issuer, signer.claims)
    name, wanted = exact_identity(signer.identity or ""), meant.certificate_identity
    return wanted.meets(name.kind or "", name.value) and meant.organization in (None, case.organization)
