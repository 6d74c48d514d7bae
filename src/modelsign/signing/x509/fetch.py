"""Fetches what authorities say about revocation, from the places that their certificates name.

Only certificates of a chain to a root that the caller trusts are asked for, because each names places that are then
contacted; a stranger's certificate names nothing. Answers are signed and change rarely, so plain ``http`` will do, as
authorities use it. Nothing here is believed: :mod:`modelsign.signing.x509.status` judges what was fetched.
OCSP by RFC 6960, appendix A.1; lists by RFC 5280, section 4.2.1.13. Places for LDAP are passed over.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from modelsign import limits
from modelsign.errors import ModelsignError
from modelsign.signing.x509.crl import load_revocation_lists
from modelsign.signing.x509.ocsp import load_ocsp_response
from modelsign.signing.x509.parsing import parsing
from modelsign.signing.x509.status import RevocationSources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsign.signing.x509.certificates import Certificate
    from modelsign.signing.x509.chain import Chain
    from modelsign.signing.x509.crl import RevocationList
    from modelsign.signing.x509.ocsp import OcspResponse
    from modelsign.transport import Transport

__all__ = ["fetch_revocation"]

_OCSP: Final = "1.3.6.1.5.5.7.48.1"
"""id-ad-ocsp (RFC 6960, section 4.2.2.2.1)."""
_MOST_PLACES: Final = 3
"""Places of one kind that are tried for one certificate."""


def fetch_revocation(transport: Transport, chains: Iterable[Chain]) -> RevocationSources:
    """Return a response or else a list about each certificate below the roots; nothing where no place is named.

    Raises:
        ModelsignError: the reason why the last place gave nothing, where a certificate names some and none did.

    """
    lists: list[RevocationList] = []
    answers: list[OcspResponse] = []
    pairs = {
        (subject.digest, issuer.digest): (subject, issuer) for chain in chains for subject, issuer in pairwise(chain)
    }
    for subject, issuer in pairs.values():
        fault: ModelsignError | None = None
        for kind, url in _places(subject):
            try:
                if kind == "ocsp":
                    answers.append(_ask(transport, url, subject, issuer))
                else:
                    lists += _fetch(transport, url)
            except ModelsignError as problem:
                fault = problem
                continue
            break
        else:
            if fault is not None:
                raise fault
    return RevocationSources(tuple(lists), tuple(answers))


def _places(certificate: Certificate) -> list[tuple[str, str]]:
    """Return where to ask, OCSP responders first: their answers are small and new."""
    from cryptography import x509

    ocsp: list[str] = []
    lists: list[str] = []
    with parsing("a certificate", "CERTIFICATE_MALFORMED"):
        for extension in certificate.x509.extensions:
            value = extension.value
            if isinstance(value, x509.AuthorityInformationAccess):
                named = [entry.access_location for entry in value if entry.access_method.dotted_string == _OCSP]
                ocsp += _urls(named)
            elif isinstance(value, x509.CRLDistributionPoints):
                own = [point for point in value if point.crl_issuer is None and point.reasons is None]
                lists += _urls(name for point in own for name in point.full_name or ())
    return [("ocsp", url) for url in ocsp[:_MOST_PLACES]] + [("list", url) for url in lists[:_MOST_PLACES]]


def _urls(names: Iterable[object]) -> list[str]:
    from cryptography import x509

    return [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.lower().startswith(("http://", "https://"))
    ]


def _ask(transport: Transport, url: str, subject: Certificate, issuer: Certificate) -> OcspResponse:
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    # SHA-1 names the issuer and protects nothing; many responders know no other (RFC 5019, section 2.1.1).
    with parsing("a certificate", "CERTIFICATE_MALFORMED"):
        request = ocsp.OCSPRequestBuilder().add_certificate(subject.x509, issuer.x509, SHA1())  # noqa: S303 - as above
        body = request.build().public_bytes(Encoding.DER)
    answer = transport.send(
        "POST",
        url,
        what="OCSP responder",
        body=body,
        headers={"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"},
        most_bytes=limits.OCSP_BYTES,
        plain=True,
    )
    return load_ocsp_response(answer.body)


def _fetch(transport: Transport, url: str) -> tuple[RevocationList, ...]:
    answer = transport.send("GET", url, what="revocation list", most_bytes=limits.CRL_BYTES, plain=True)
    return load_revocation_lists(answer.body)
