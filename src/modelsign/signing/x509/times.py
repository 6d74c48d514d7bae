"""By when a signature with a certificate existed: RFC 3161 timestamps of authorities the caller named by their roots.

The token is parsed and its signature verified by ``rfc3161-client``; who made it is decided here, by the same rules
for chains as everywhere (:mod:`modelsign.signing.x509.chain`), at the time the token names. Certificates in a token may
fill the gap to a root and are never trust. A timestamp that does not verify proves nothing and costs nothing: it is
passed over with a warning.
"""

# ruff: noqa: PLC0415
# rfc3161-client brings cryptography.

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.errors import ModelsignError
from modelsign.signing.x509.certificates import Certificate
from modelsign.signing.x509.chain import Usage, check_chain, find_chains
from modelsign.signing.x509.parsing import parsing
from modelsign.signing.x509.status import RevocationSources, check_revocation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from modelsign.signing.x509.chain import Chain

__all__ = ["Stamp", "StampTrust", "verified_stamps"]

_TIME_STAMPING: Final = Usage("timestamping", "1.3.6.1.5.5.7.3.8", "digital_signature", nested=True)
"""id-kp-timeStamping (RFC 3161, section 2.3); OpenSSL insists below that it is the only one."""
_MOST: Final = 10
"""Timestamps in one bundle that are looked at, and certificates in one token."""


class Stamp(NamedTuple):
    """A verified timestamp: the time, and the SHA-256 of the key of who made it, by which they are counted."""

    time: datetime
    authority: str


class StampTrust(NamedTuple):
    """Roots of the timestamp authorities that are believed, other certificates of theirs, and what was revoked."""

    roots: tuple[Certificate, ...] = ()
    others: tuple[Certificate, ...] = ()
    revocation: RevocationSources = RevocationSources()


def verified_stamps(
    responses: Sequence[bytes], signature: bytes, trust: StampTrust, now: datetime
) -> tuple[tuple[Stamp, ...], tuple[str, ...]]:
    """Return the timestamps over the signature that are good, earliest first, and a warning for each that is not."""
    if not responses:
        return (), ()
    if not trust.roots:
        return (), ("the bundle's timestamps were not used: no root of a timestamp authority was named",)
    good: list[Stamp] = []
    warnings: list[str] = []
    if len(responses) > _MOST:
        warnings.append(f"only {_MOST} of {len(responses)} timestamps were looked at")
    for data in islice(dict.fromkeys(responses), _MOST):
        found = _verify(data, signature, trust, now)
        if isinstance(found, Stamp):
            good.append(found)
        else:
            warnings.append(f"a timestamp was not counted: {found}")
    return tuple(sorted(good)), tuple(warnings)


def _verify(data: bytes, signature: bytes, trust: StampTrust, now: datetime) -> Stamp | str:
    """Return the timestamp, or why it is none."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        with parsing("it", "TIMESTAMP_INVALID"):
            response = decode_timestamp_response(data)
            moment: datetime = response.tst_info.gen_time
            pool = (*map(Certificate, sorted(response.signed_data.certificates)[:_MOST]), *trust.others)
    except ModelsignError as fault:
        return fault.message
    if moment > now:
        return f"it is from {moment.isoformat()}, in the future"
    why = "nobody who may make timestamps, under a root that was named, made it"
    for candidate in dict.fromkeys(pool):
        chain = _chain(candidate, pool, trust, moment, now)
        if chain is None:
            continue
        leaf, *above = [entry.x509 for entry in chain]
        verifier = VerifierBuilder(tsa_certificate=leaf, intermediates=above[:-1], roots=above[-1:]).build()
        try:
            with parsing("it", "TIMESTAMP_INVALID"):  # certificates in a token beyond those that were read above, too
                verifier.verify_message(response, signature)
        except VerificationError as fault:
            why = str(fault)[:100]
            continue
        except ModelsignError as fault:
            why = fault.message
            continue
        return Stamp(moment, candidate.key_digest)
    return why


def _chain(
    candidate: Certificate, pool: Sequence[Certificate], trust: StampTrust, moment: datetime, now: datetime
) -> Chain | None:
    """Return a chain that lets the candidate make timestamps at the moment, if there is one."""
    if candidate.extended_usage is None or _TIME_STAMPING.extended not in candidate.extended_usage:
        return None
    sources = trust.revocation._replace(required=False)
    try:
        chains = find_chains(candidate, roots=trust.roots, intermediates=pool)
    except ModelsignError:
        return None
    for chain in chains:
        try:
            check_chain(chain, moment, _TIME_STAMPING)
            check_revocation(chain, sources, at=moment, now=now, intermediates=pool)
        except ModelsignError:
            continue
        if len(chain) > 1:  # a chain of one would make the signer its own anchor
            return chain
    return None
