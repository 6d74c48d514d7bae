"""Sigstore's signing certificates: issued by an authority of the trust root, for signing, to one identity.

The path is checked by ``cryptography``'s verifier (RFC 5280, with the Web PKI's profile for everything but the extended
key usage) at every proven time of the signature, because such a certificate lives for minutes.
"""

# ruff: noqa: PLC0415
# cryptography costs more to import than everything else on the way to a verdict.

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from modelsign.errors import error
from modelsign.signing.sigstore.fulcio_claims import OTHER_NAME, read_claims, read_utf8_string
from modelsign.signing.x509.certificates import CODE_SIGNING, Certificate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cryptography import x509

    from modelsign.errors import ModelsignError
    from modelsign.signing.keys import VerifyKey
    from modelsign.signing.sigstore.trust_root import Authority

__all__ = ["SigningCertificate", "find_issuer", "read_signing_certificate"]


class SigningCertificate(NamedTuple):
    """A certificate for signing, not yet believed. ``name`` is its one name; ``kind`` uri, email or other."""

    certificate: x509.Certificate
    key: VerifyKey
    kind: str
    name: str
    claims: Mapping[str, str]

    @property
    def issuer(self) -> str | None:
        """Who confirmed the identity: the OpenID Connect issuer."""
        return self.claims.get("issuer", self.claims.get("issuer_v1"))


def read_signing_certificate(der: bytes) -> SigningCertificate:
    """Read a certificate and insist on what Fulcio issues (sigstore/fulcio, ``docs/certificate-specification.md``).

    Raises:
        ModelsignError: ``CERTIFICATE_NOT_FOR_SIGNING``, ``CERTIFICATE_MALFORMED``, ``CERTIFICATE_UNSUPPORTED``, or
            ``KEY_UNSUPPORTED`` for its key.

    """
    from modelsign.signing.keys import VerifyKey

    leaf = Certificate(der)
    _check_usage(leaf)
    kind, name = _only_name(leaf)
    found = SigningCertificate(leaf.x509, VerifyKey(leaf.public_key), kind, name, read_claims(leaf.x509))
    if found.claims.get("issuer_v1", found.issuer) != found.issuer:
        raise _unfit("names two issuers")
    return found


def find_issuer(
    certificate: x509.Certificate, authorities: Sequence[Authority], moments: Sequence[datetime]
) -> x509.Certificate:
    """Return the certificate of the authority that issued a certificate, by a path that is valid at every moment.

    Raises:
        ModelsignError: ``CERTIFICATE_NOT_SIGSTORES``.

    """
    faults: list[str] = []
    for authority in authorities:
        outside = [moment for moment in moments if not authority.window.holds(moment)]
        if outside:
            faults.append(f"{authority.url} was not trusted at {outside[0].isoformat()}")
            continue
        issuers = [_issuer_at(certificate, authority, moment, faults) for moment in moments]
        if issuers and issuers[0] is not None and None not in issuers:
            return issuers[0]
    raise error(
        "CERTIFICATE_NOT_SIGSTORES", f"no authority of the trust root issued the certificate: {'; '.join(faults)}"
    )


def _issuer_at(
    certificate: x509.Certificate, authority: Authority, moment: datetime, faults: list[str]
) -> x509.Certificate | None:
    from cryptography import x509
    from cryptography.x509.verification import (
        Criticality,
        ExtensionPolicy,
        PolicyBuilder,
        Store,
        VerificationError,
    )

    *between, root = map(x509.load_der_x509_certificate, authority.chain)
    ca, leaf = (
        policy.may_be_present(x509.ExtendedKeyUsage, Criticality.NON_CRITICAL, None)
        for policy in (ExtensionPolicy.webpki_defaults_ca(), ExtensionPolicy.webpki_defaults_ee())
    )
    verifier = (
        PolicyBuilder()
        .store(Store([root]))
        .time(moment)
        .extension_policies(ca_policy=ca, ee_policy=leaf)
        .build_client_verifier()
    )
    try:
        return verifier.verify(certificate, between).chain[1]
    except (VerificationError, x509.UnsupportedGeneralNameType, ValueError) as fault:
        faults.append(f"{authority.url} at {moment.isoformat()}: {str(fault)[:200]}")
        return None


def _check_usage(leaf: Certificate) -> None:
    usage = leaf.usage
    if usage is None or not usage.digital_signature or usage.key_cert_sign or usage.crl_sign:
        raise _unfit("is not for signatures alone")
    if leaf.extended_usage is None or CODE_SIGNING not in leaf.extended_usage:
        raise _unfit("is not for code signing")
    if leaf.authority:
        raise _unfit("is an authority's")


def _only_name(leaf: Certificate) -> tuple[str, str]:
    from cryptography import x509

    if len(leaf.names) != 1:
        raise _unfit(f"has {len(leaf.names)} names, not one")
    name = leaf.names[0]
    if isinstance(name, x509.UniformResourceIdentifier):
        return "uri", name.value
    if isinstance(name, x509.RFC822Name):
        return "email", name.value
    if isinstance(name, x509.OtherName) and name.type_id.dotted_string == OTHER_NAME:
        with contextlib.suppress(ValueError):
            return "other", read_utf8_string(name.value)
    raise _unfit("has a name of a kind that Sigstore does not issue")


def _unfit(what: str) -> ModelsignError:
    return error("CERTIFICATE_NOT_FOR_SIGNING", f"the signer's certificate {what}")
