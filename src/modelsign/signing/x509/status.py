"""Whether the certificates of a chain were revoked, by the lists and answers the caller has.

Every certificate below the root is asked for. A statement against a certificate counts from whatever source and
however old it is; a statement in its favour only while it is current. Where a signature is proven to be older than
the revocation (and than the date from which the key is thought lost, RFC 5280, section 5.3.2) it stays good, as in
ETSI EN 319 102-1, section 5.5. A source that speaks of a certificate and cannot be used is a refusal, unless another
one says that the certificate is good: whoever names a list wants it to count.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign.errors import ModelsignError, error
from modelsign.signing.x509.chain import CRL, check_chain, find_chains

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from modelsign.signing.x509.certificates import Certificate
    from modelsign.signing.x509.chain import Chain
    from modelsign.signing.x509.crl import Revocation, RevocationList
    from modelsign.signing.x509.ocsp import OcspResponse

__all__ = ["RevocationSources", "check_revocation"]

_MOST_SIGNERS: Final = 5
"""Certificates beside the issuer's that are tried for one list."""
_Answer = tuple["Revocation | None", "ModelsignError | None"]


class RevocationSources(NamedTuple):
    """What the caller has to say about revocation; ``required`` makes a certificate without a status a refusal."""

    lists: tuple[RevocationList, ...] = ()
    answers: tuple[OcspResponse, ...] = ()
    required: bool = False

    @property
    def id(self) -> str:
        """What tells these sources from others: the digests of all of them."""
        digests = [*(listed.digest for listed in self.lists), *(answer.digest for answer in self.answers)]
        return repr((sorted(digests), self.required))


def check_revocation(
    chain: Chain,
    sources: RevocationSources,
    *,
    at: datetime,
    now: datetime,
    intermediates: Sequence[Certificate] = (),
) -> tuple[str, ...]:
    """Refuse a chain with a certificate that was revoked at the time its signature is proven to have been there.

    ``at`` is that time, not later than ``now``. ``intermediates`` may hold certificates that sign lists for an
    authority. Returns warnings.

    Raises:
        ModelsignError: ``CERTIFICATE_REVOKED``, ``REVOCATION_STATUS_MISSING``, or ``CRL_…`` and ``OCSP_…``.

    """
    warnings: list[str] = []
    for certificate, issuer in pairwise(chain):
        faults: list[ModelsignError] = []
        good = False
        for answer in _ask(certificate, issuer, sources, now, (*intermediates, *chain), chain[-1]):
            revocation, fault = answer
            if revocation is not None:
                warnings.append(_judge(certificate, revocation, at, now))
            if fault is not None:
                faults.append(fault)
            else:
                good = True
        if good:
            warnings += [f"not used: {fault.message}" for fault in faults]
        elif faults:
            raise faults[0]
        elif sources.required:
            raise error(
                "REVOCATION_STATUS_MISSING",
                f"nothing current says whether the certificate of {certificate.subject_text} was revoked",
                details={"certificate": certificate.digest, "issuer": certificate.issuer_text},
            )
    return tuple(dict.fromkeys(warnings))


def _ask(  # noqa: PLR0913, PLR0917 - one certificate's whole situation
    certificate: Certificate,
    issuer: Certificate,
    sources: RevocationSources,
    now: datetime,
    pool: Sequence[Certificate],
    root: Certificate,
) -> Iterator[_Answer]:
    for listed in sources.lists:
        if listed.speaks_of(certificate):
            try:
                yield listed.ask(certificate, _signers(listed, issuer, now, pool, root), now)
            except ModelsignError as fault:
                yield None, fault
    for answer in sources.answers:
        if answer.speaks_of(certificate, issuer):
            try:
                yield answer.ask(certificate, issuer, now)
            except ModelsignError as fault:
                yield None, fault


def _judge(certificate: Certificate, revocation: Revocation, at: datetime, now: datetime) -> str:
    """Refuse a certificate that was revoked by the time of its signature; else return a warning."""
    since = revocation.since.isoformat()
    if at >= now or revocation.since <= at:
        raise error(
            "CERTIFICATE_REVOKED",
            f"the certificate of {certificate.subject_text} was revoked as of {since} ({revocation.reason}), "
            f"says {revocation.source}",
            details={"certificate": certificate.digest, "since": since, "reason": revocation.reason},
        )
    return (
        f"the certificate of {certificate.subject_text} was revoked as of {since} ({revocation.reason}), after the "
        f"signature was made ({at.isoformat(timespec='seconds')})"
    )


def _signers(
    listed: RevocationList, issuer: Certificate, now: datetime, pool: Sequence[Certificate], root: Certificate
) -> Iterator[Certificate]:
    """Return who may sign a list: the issuer, and certificates of its name made for it under the same root."""
    yield issuer
    made_for_it = (
        entry
        for entry in dict.fromkeys(pool)
        if entry not in {issuer, root} and entry.subject == listed.issuer and entry.usage and entry.usage.crl_sign
    )
    for entry in islice(made_for_it, _MOST_SIGNERS):
        try:
            found = find_chains(entry, roots=[root], intermediates=pool)
        except ModelsignError:
            continue
        if any(_stands(chain, now) for chain in found):
            yield entry


def _stands(chain: Chain, now: datetime) -> bool:
    try:
        check_chain(chain, now, CRL)
    except ModelsignError:
        return False
    return True
