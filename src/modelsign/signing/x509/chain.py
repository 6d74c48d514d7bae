"""Chains of certificates: from a leaf over intermediates to one of the roots the caller named, and nothing else.

Follows RFC 5280, section 6, with paths found as RFC 4158 describes: candidates by name and key identifier, every link
by its signature, no name and key twice in one chain, and a bound on all of it. ``cryptography`` has a verifier of its
own, for the web's certificates: it knows neither Ed25519 nor code signing, hence this one on its primitives.

Stricter than RFC 5280: roots are held to validity, path length, name constraints and extended key usage like every
other authority; a leaf must say that it is for its purpose, by key usage and extended key usage; and what is weak is
refused. Not evaluated: certificate policies. Where they are critical they are refused as unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from modelsign import limits
from modelsign.errors import ModelsignError, error
from modelsign.signing.x509.certificates import CODE_SIGNING, OCSP_SIGNING
from modelsign.signing.x509.name_constraints import check_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from modelsign.signing.x509.certificates import Certificate

__all__ = ["CODE", "CRL", "OCSP", "Chain", "Usage", "check_chain", "check_roots", "check_usage", "find_chains"]

_ANY_USAGE: Final = "2.5.29.37.0"


class Usage(NamedTuple):
    """What a leaf is to be used for: the extended key usage it must have, and the bit of its key usage.

    ``nested`` says whether authorities that have an extended key usage must have this one too. For OCSP responders
    they need not, as everywhere in practice.
    """

    title: str
    extended: str | None
    bit: str
    nested: bool


CODE: Final = Usage("signing code", CODE_SIGNING, "digital_signature", nested=True)
OCSP: Final = Usage("answering about revocation", OCSP_SIGNING, "digital_signature", nested=False)
CRL: Final = Usage("signing revocation lists", None, "crl_sign", nested=False)

Chain = tuple["Certificate", ...]
"""Certificates, leaf first, root last; each signature was checked. A leaf that is itself a root is alone."""


def check_roots(roots: Sequence[Certificate]) -> None:
    """Refuse roots that are none: whoever means an authority in the middle shall say so.

    Raises:
        ModelsignError: ``CERTIFICATE_ROOT_UNUSABLE`` or ``NO_TRUST_SOURCE``.

    """
    if not roots:
        raise error("NO_TRUST_SOURCE", "no root certificate was named")
    for root in roots:
        if not root.self_signed():
            raise error("CERTIFICATE_ROOT_UNUSABLE", f"the certificate of {root.subject_text} is not self-signed")


def find_chains(
    leaf: Certificate, *, roots: Sequence[Certificate], intermediates: Sequence[Certificate]
) -> tuple[Chain, ...]:
    """Return the chains whose signatures lead from the leaf to a root, shorter choices first; nothing else is checked.

    Raises:
        ModelsignError: ``CERTIFICATE_UNTRUSTED`` if there is none; ``CERTIFICATE_WEAK``, ``CERTIFICATE_UNSUPPORTED``
            where that is why; ``CERTIFICATE_LIMIT`` where the search had to stop.

    """
    pool = [entry for entry in dict.fromkeys(intermediates) if entry != leaf]
    if len(pool) > limits.CHAIN_CERTIFICATES:
        raise error(
            "CERTIFICATE_LIMIT",
            f"{len(pool)} certificates stand between leaf and roots; the limit is {limits.CHAIN_CERTIFICATES}",
        )
    search = _Search(tuple(dict.fromkeys(roots)), tuple(pool))
    found: list[Chain] = []
    for chain in search.walk((leaf,)):
        found.append(chain)
        if len(found) >= limits.CHAINS:
            break
    if found:
        return tuple(found)
    if search.stopped:
        raise error("CERTIFICATE_LIMIT", "the search for a chain to a root took too many steps")
    if search.fault is not None:
        raise search.fault
    raise error(
        "CERTIFICATE_UNTRUSTED",
        f"no chain leads from {leaf.subject_text}, certified by {leaf.issuer_text}, to a root you named",
        details={"subject": leaf.subject_text, "issuer": leaf.issuer_text, "certificate": leaf.digest},
    )


class _Search:
    """One depth-first search. Every pair of certificates is tried once; ``stopped`` says that it hit a bound."""

    def __init__(self, roots: tuple[Certificate, ...], pool: tuple[Certificate, ...]) -> None:
        self._roots = frozenset(roots)
        self._issuers = roots + tuple(entry for entry in pool if entry not in self._roots)
        self._links: dict[tuple[str, str], bool] = {}
        self._steps = 0
        self.stopped = False
        self.fault: ModelsignError | None = None

    def walk(self, chain: Chain) -> Iterator[Chain]:
        last = chain[-1]
        if last in self._roots:
            yield chain
            return
        if len(chain) >= limits.CHAIN_LENGTH:
            self.stopped = True
            return
        for issuer in self._issuers:
            if not last.may_be_issued_by(issuer) or _repeats(issuer, chain):
                continue
            self._steps += 1
            if self._steps > limits.CHAIN_STEPS:
                self.stopped = True
                return
            if self._linked(last, issuer):
                yield from self.walk((*chain, issuer))

    def _linked(self, subject: Certificate, issuer: Certificate) -> bool:
        pair = (subject.digest, issuer.digest)
        if pair not in self._links:
            try:
                self._links[pair] = subject.check_issued_by(issuer)
            except ModelsignError as fault:
                self.fault = self.fault or fault
                self._links[pair] = False
        return self._links[pair]


def _repeats(issuer: Certificate, chain: Chain) -> bool:
    """Say whether a chain has this name with this key already (RFC 4158, section 2.4.1)."""
    return any(entry.subject == issuer.subject and entry.public_key == issuer.public_key for entry in chain)


def check_chain(chain: Chain, at: datetime, usage: Usage = CODE) -> None:
    """Validate a chain at a time for a use (RFC 5280, section 6.1).

    Raises:
        ModelsignError: ``CERTIFICATE_EXPIRED``, ``CERTIFICATE_NOT_YET_VALID``, ``CERTIFICATE_EXTENSION_UNKNOWN``,
            ``CERTIFICATE_NOT_AN_AUTHORITY``, ``CERTIFICATE_PATH_TOO_LONG``, ``CERTIFICATE_NAME_NOT_PERMITTED`` or
            ``CERTIFICATE_WRONG_USAGE``.

    """
    for certificate in chain:
        _check_known(certificate)
    for place, authority in enumerate(chain[1:], start=1):
        _check_authority(authority, usage)
        _check_length(chain, place)
        for below, subject in enumerate(chain[:place]):
            if below == 0 or not subject.self_issued:
                check_names(authority, subject)
    check_usage(chain[0], usage)
    for certificate in chain:
        _check_time(certificate, at)


def check_usage(leaf: Certificate, usage: Usage = CODE) -> None:
    """Refuse a leaf that is not made for its use.

    Raises:
        ModelsignError: ``CERTIFICATE_WRONG_USAGE``.

    """
    bits = leaf.usage
    if bits is None or not getattr(bits, usage.bit):
        raise _wrong(leaf, f"its key usage does not say {usage.bit.replace('_', ' ')}")
    if usage.extended is None:
        return
    if leaf.extended_usage is None or usage.extended not in leaf.extended_usage:
        raise _wrong(leaf, f"its extended key usage does not say that it is for {usage.title}")
    if bits.key_cert_sign:
        raise _wrong(leaf, "it may issue certificates, and such a one signs nothing else")


def _check_known(certificate: Certificate) -> None:
    if certificate.unknown:
        raise error(
            "CERTIFICATE_EXTENSION_UNKNOWN",
            f"the certificate of {certificate.subject_text} has the critical extension {certificate.unknown[0]}",
        )


def _check_time(certificate: Certificate, at: datetime) -> None:
    details: dict[str, object] = {
        "certificate": certificate.digest,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "at": at.isoformat(),
    }
    if at > certificate.not_after:
        raise error(
            "CERTIFICATE_EXPIRED",
            f"the certificate of {certificate.subject_text} expired on {certificate.not_after.isoformat()}, "
            f"before {at.isoformat(timespec='seconds')}",
            details=details,
        )
    if at < certificate.not_before:
        raise error(
            "CERTIFICATE_NOT_YET_VALID",
            f"the certificate of {certificate.subject_text} is valid from {certificate.not_before.isoformat()}, "
            f"after {at.isoformat(timespec='seconds')}",
            details=details,
        )


def _check_authority(authority: Certificate, usage: Usage) -> None:
    """RFC 5280, section 6.1.4 (k) and (n), and extended key usage as a bound for all below."""
    if not authority.authority:
        raise _not_an_authority(authority, "its basic constraints do not say that it is an authority")
    if authority.usage is not None and not authority.usage.key_cert_sign:
        raise _not_an_authority(authority, "its key usage does not say key cert sign")
    allowed = authority.extended_usage
    if usage.nested and allowed is not None and not allowed & {usage.extended, _ANY_USAGE}:
        raise _wrong(authority, f"its extended key usage leaves {usage.title} out, for itself and for all below it")


def _check_length(chain: Chain, place: int) -> None:
    """RFC 5280, section 4.2.1.9: self-issued authorities do not count, and neither does the leaf."""
    most = chain[place].path_length
    between = sum(not entry.self_issued for entry in chain[1:place])
    if most is not None and between > most:
        raise error(
            "CERTIFICATE_PATH_TOO_LONG",
            f"{chain[place].subject_text} allows {most} authorities below it, and the chain has {between}",
        )


def _wrong(certificate: Certificate, why: str) -> ModelsignError:
    return error("CERTIFICATE_WRONG_USAGE", f"the certificate of {certificate.subject_text}: {why}")


def _not_an_authority(certificate: Certificate, why: str) -> ModelsignError:
    return error("CERTIFICATE_NOT_AN_AUTHORITY", f"the certificate of {certificate.subject_text}: {why}")
